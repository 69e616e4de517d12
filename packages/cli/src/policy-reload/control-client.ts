import { lstatSync } from 'node:fs'
import { request } from 'node:http'

/** Of an answer, in bytes. */
const largestAnswer = 2 ** 20
/** A reload that the supervisor thinks about for longer has gone wrong; milliseconds. */
const patience = 30_000

/** What came of a request: the supervisor's answer, or why there was none. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'none'; readonly why: string }

/** `POST /v1/reload` at a supervisor's control socket. */
export async function postReload(socketPath: string, token: string, body: unknown): Promise<Reply> {
  const strange = strangeSocket(socketPath)
  if (strange !== undefined) return { kind: 'none', why: strange }
  try {
    return await post(socketPath, token, JSON.stringify(body))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { kind: 'none', why: code ?? message }
  }
}

/** The token is for the supervisor, not for whoever has put a socket there. */
function strangeSocket(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 'ENOENT'
  if (!stats.isSocket()) return 'it is no socket'
  const own = process.getuid!()
  return stats.uid === own || stats.uid === 0 || own === 0 ? undefined : `the socket is that of user ${stats.uid}`
}

function post(socketPath: string, token: string, body: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const signal = AbortSignal.timeout(patience)
    const sent = request(
      { socketPath, path: '/v1/reload', method: 'POST', headers, agent: false, signal },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > largestAnswer) response.destroy(new Error(`an answer of more than ${largestAnswer} bytes`))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          const answer = parse(Buffer.concat(chunks).toString())
          if (answer === undefined) reject(new Error('an answer that is no JSON'))
          else resolve({ kind: 'answer', status: response.statusCode!, body: answer })
        })
      },
    )
    sent.on('error', (error) => reject(signal.aborted ? new Error(`no answer within ${patience} ms`) : error))
    sent.end(body)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller says so
  }
}
