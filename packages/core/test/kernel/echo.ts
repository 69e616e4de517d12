import { createIo } from '@pyisolate/native'

/** What an I/O thread is given, and whether it carries a byte by that. */
export async function echo(): Promise<string> {
  await using io = createIo()
  const listener = await io.listen({ host: '127.0.0.1', port: 0 })
  const near = await io.connect({ host: '127.0.0.1', port: listener.port })
  const far = await listener.accept()
  await near.write(Buffer.from('x'))
  const got = await far.read({ timeout: 10_000 })
  const required = await (async () => createIo({ backend: 'io_uring' }).close())().then(
    () => 'io_uring to be had',
    (error) => `${error.code} ${error.errno}`,
  )
  return `${io.backend} ${io.refusal ?? ''} ${got?.length}; ${required}`
}
