import { constants } from 'node:os'
import type {
  CellServices,
  ServiceAddress,
  ServiceDatagrams,
  ServiceFile,
  ServiceListener,
  ServiceOptions,
  ServiceStream,
} from '@pyisolate/interface'
import { IoError } from '../errors/io-error.js'
import type { Io } from '../io.js'
import type { CellHandle } from './addon.js'
import type { IoFile } from './io/file.js'

const { EFBIG } = constants.errno

/** What an I/O thread does for one sandbox. */
export class NativeServices implements CellServices {
  /** Once it has been asked for something. */
  #io: Io | undefined

  constructor(
    private readonly cell: CellHandle,
    private readonly io: () => Io,
    /** No file is made larger than this: the kernel's limit is the cell's, and it is this process that writes. */
    private readonly fileSize: number,
  ) {}

  serve(table: Uint8Array): number {
    return this.cell.serve(table)
  }

  judgeAgain(): Promise<void> | undefined {
    return this.#io?.judgeAgain(this.cell)
  }

  async open(path: string, flags: number, mode: number, options: ServiceOptions = {}): Promise<ServiceFile> {
    const { file, size } = await this.#thread().openFor(this.cell, path, flags, mode, options)
    return new LimitedFile(file, size, this.fileSize)
  }

  connect(address: ServiceAddress, options: ServiceOptions = {}): Promise<ServiceStream> {
    return this.#thread().connectFor(this.cell, address, options)
  }

  listen(address: ServiceAddress, options: ServiceOptions = {}): Promise<ServiceListener> {
    return this.#thread().listenFor(this.cell, address, options)
  }

  datagrams(address: ServiceAddress | undefined, options: ServiceOptions = {}): Promise<ServiceDatagrams> {
    return this.#thread().datagramsFor(this.cell, address, options)
  }

  #thread(): Io {
    this.#io ??= this.io()
    return this.#io
  }
}

class LimitedFile implements ServiceFile {
  constructor(
    private readonly file: IoFile,
    readonly size: number,
    private readonly most: number,
  ) {}

  read(position: number, length: number, options?: ServiceOptions): Promise<Uint8Array> {
    return this.file.read(position, length, options)
  }

  async write(position: number, bytes: Uint8Array, options?: ServiceOptions): Promise<void> {
    if (bytes.length > 0 && position + bytes.length > this.most) throw new IoError('write', EFBIG)
    await this.file.write(position, bytes, options)
  }

  close(): Promise<void> {
    return this.file.close()
  }
}
