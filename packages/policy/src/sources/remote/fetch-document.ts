import { PolicySourceError } from '../policy-source-error.js'
import { largestDocument } from '../read-input.js'
import { type Answer, type FetchOptions, fetchBytes } from './fetch-bytes.js'

/** Of a signature line, in bytes; it has about a hundred. */
const longestSignature = 1024
/** RFC 9110, section 8.8.3; ours to send back, so short and plain. */
const plainTag = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/

export interface FetchedDocument {
  readonly bytes: Buffer
  readonly signature: string
  readonly tag: string | undefined
}

export type DocumentOptions = Omit<FetchOptions, 'largest'> & { readonly tag: string | undefined }

/**
 * A document and its signature: from the answer's `PyIsolate-Signature` header, else from the file beside it.
 * @returns undefined if it is still the one with `options.tag`
 * @throws PolicySourceError
 */
export async function fetchDocument(url: URL, options: DocumentOptions): Promise<FetchedDocument | undefined> {
  const { tag, headers, ...rest } = options
  const asked = { ...headers, accept: 'application/yaml, text/plain, */*', ...(tag && { 'if-none-match': tag }) }
  const answer = await fetchBytes(url, { ...rest, headers: asked, largest: largestDocument })
  if (answer.status === 304 && tag !== undefined) return undefined
  expectDocument(url, answer)
  const { etag } = answer.headers
  return {
    bytes: answer.bytes,
    signature: headerOf(answer) ?? (await besides(url, { ...rest, headers, largest: longestSignature })),
    tag: etag !== undefined && plainTag.test(etag) ? etag : undefined,
  }
}

function headerOf({ headers }: Answer): string | undefined {
  const value = headers['pyisolate-signature']
  return Array.isArray(value) ? value.join() : value
}

/** `policy.yaml` is signed by `policy.yaml.sig`; a query stays behind the path. */
async function besides(url: URL, options: FetchOptions): Promise<string> {
  const beside = new URL(url)
  beside.pathname += '.sig'
  const answer = await fetchBytes(beside, options)
  if (answer.status === 404)
    throw new PolicySourceError('signature', url.href, `no PyIsolate-Signature header, and no ${beside.href}`, {
      expected: 'one of them',
    })
  expectDocument(beside, answer)
  return answer.bytes.toString('latin1')
}

function expectDocument(url: URL, { status, headers }: Answer): void {
  if (status === 200) return
  if (status >= 300 && status < 400 && status !== 304) {
    const where = JSON.stringify(String(headers.location ?? '').slice(0, 200))
    throw new PolicySourceError('redirect', url.href, `it sends us to ${where} (${status})`, {
      expected: 'the document itself; configure the URL that has it',
    })
  }
  throw new PolicySourceError('status', url.href, `the status is ${status}`, { expected: '200' })
}
