import * as http from 'node:http'
import * as https from 'node:https'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { PolicySourceError } from '../policy-source-error.js'

export interface FetchOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly largest: number
  /** To be connected, TLS included; milliseconds. */
  readonly connectTimeout: number
  /** For TLS, in place of the system's authorities; PEM. */
  readonly ca: string | Uint8Array | undefined
  /** Its reason is what the fetch rejects with. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Decompressed; empty unless the status is 200. */
  readonly bytes: Buffer
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/**
 * One GET. Redirects are not followed: where a policy comes from is said by whoever configures it, not by who serves it.
 * @throws PolicySourceError `timeout`, `too-large`, `network`, `parse` (an encoding nobody asked for, or broken)
 */
export async function fetchBytes(url: URL, options: FetchOptions): Promise<Answer> {
  try {
    const response = await respond(url, options)
    const { statusCode: status = 0, headers } = response
    if (status !== 200) {
      response.destroy()
      return { status, headers, bytes: Buffer.alloc(0) }
    }
    return { status, headers, bytes: await readBody(url, response, options) }
  } catch (error) {
    throw asSourceError(url, error, options.signal)
  }
}

function respond(url: URL, options: FetchOptions): Promise<http.IncomingMessage> {
  const { headers, connectTimeout, ca, signal } = options
  const secure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    // A connection of its own, so that nobody else's options, and no idle socket, have a part in it.
    const request = (secure ? https : http).get(url, {
      agent: false,
      headers: { ...headers, 'accept-encoding': 'gzip, deflate, br', connection: 'close' },
      maxHeaderSize: 16 * 1024,
      signal,
      ...(ca !== undefined && { ca: Buffer.from(ca) }),
    })
    const late = setTimeout(() => {
      request.destroy(new PolicySourceError('timeout', url.href, `not connected after ${connectTimeout} ms`))
    }, connectTimeout)
    request.once('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(late)))
    request.once('close', () => clearTimeout(late))
    request.once('response', resolve)
    request.on('error', (error) => reject(error))
  })
}

async function readBody(url: URL, response: http.IncomingMessage, { largest, signal }: FetchOptions): Promise<Buffer> {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding]!() : undefined
  if (decoder === undefined && encoding !== 'identity') {
    response.destroy()
    throw new PolicySourceError('parse', url.href, `it is encoded as ${JSON.stringify(encoding.slice(0, 40))}`, {
      expected: `${Object.keys(decoders).join(', ')}, or none`,
    })
  }
  const chunks: Buffer[] = []
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of bounded(url, largest, source)) chunks.push(chunk)
  }
  // The bound holds before decompression and behind it: a few kilobytes can stand for gigabytes.
  const sent = (source: AsyncIterable<Buffer>) => bounded(url, largest, source)
  if (decoder === undefined) await pipeline(response, collect, { signal })
  else await pipeline(response, sent, decoder, collect, { signal })
  return Buffer.concat(chunks)
}

async function* bounded(url: URL, largest: number, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > largest)
      throw new PolicySourceError('too-large', url.href, `more than ${largest} bytes`, {
        expected: 'no more than that',
      })
    yield chunk
  }
}

function asSourceError(url: URL, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (PolicySourceError.isInstance(error)) return error
  const why = (error as NodeJS.ErrnoException).code ?? String(error)
  const broken = why.startsWith('Z_') || why.startsWith('ERR_BROTLI') || why.startsWith('ERR__ERROR_FORMAT')
  if (broken) return new PolicySourceError('parse', url.href, `its encoding is broken (${why})`, { cause: error })
  return new PolicySourceError('network', url.href, `no whole answer (${why})`, { cause: error })
}
