export interface CpioEntry {
  readonly name: string
  /** Type and permissions, as in inode(7). */
  readonly mode: number
  readonly data?: Uint8Array
}

/** An archive in the format that the kernel unpacks at boot ("newc", Documentation/driver-api/early-userspace). */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = [...entries, { name: 'TRAILER!!!', mode: 0 }].map((entry, index) => record(entry, index + 1))
  return Buffer.concat(parts)
}

function record({ name, mode, data = new Uint8Array() }: CpioEntry, inode: number): Buffer {
  const nameBytes = Buffer.from(`${name}\0`)
  // Inode, mode, uid, gid, links, mtime, size, device and special device (two numbers each), name's size, checksum.
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, nameBytes.length, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), nameBytes])), padded(Buffer.from(data))])
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
