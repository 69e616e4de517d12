import { createServer } from 'node:net'
import { channelCompliance } from '@pyisolate/test-kit/compliance'
import { connectStream, openChannel, socketStream } from '../src/index.js'
import { openPair, setups } from './support/open.js'

channelCompliance('a channel in memory', { open: () => openPair() })
channelCompliance('a hybrid channel that pads and rekeys', {
  open: () => openPair({ pq: true, padding: 'padme', limits: { rekeyAfterMessages: 3, rekeyAfterMs: 5 } }),
})
channelCompliance('a channel over TCP', {
  async open() {
    const [first, second] = setups()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const accepted = new Promise<ReturnType<typeof openChannel>>((resolve) => {
      server.once('connection', (socket) => {
        server.close()
        resolve(openChannel(socketStream(socket), second))
      })
    })
    const { port } = server.address() as { port: number }
    const ours = openChannel(await connectStream({ host: '127.0.0.1', port }), first)
    return Promise.all([ours, accepted])
  },
})
