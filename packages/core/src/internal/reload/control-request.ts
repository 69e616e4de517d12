import type { IncomingMessage } from 'node:http'
import { ControlError } from './control-error.js'

/** Documents and what JSON adds to them; the documents alone; bytes. */
const largestBody = 2 * 2 ** 20
const largestText = 2 ** 20
const mostDocuments = 64
const mostSandboxes = 10_000
const longestName = 4096

/** A template's name, or a document and the files it extends, as `compileBundle` of `@pyisolate/policy` takes them. */
export type ControlPolicy =
  | { readonly template: string }
  | { readonly documents: readonly { readonly file: string; readonly text: string }[] }

export interface ReloadBody {
  readonly policy: ControlPolicy
  readonly sandboxes: readonly string[] | undefined
}

/** The token of `Authorization: Bearer …` (RFC 6750), or undefined. */
export function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/-]{1,256}=*)$/i.exec(headers.authorization ?? '')?.[1]
}

/** The body of `POST /v1/reload`. @throws ControlError */
export async function readReload(request: IncomingMessage): Promise<ReloadBody> {
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(/\s*;/)
  if (type !== 'application/json') throw new ControlError('type', `expected application/json, got ${type}`)
  const body = asObject(parse(await readAll(request)), 'the body', ['template', 'documents', 'sandboxes'])
  const { template, documents, sandboxes } = body
  if ((template === undefined) === (documents === undefined)) fail('either template or documents', body)
  const policy =
    documents === undefined ? { template: readTemplate(template) } : { documents: readDocuments(documents) }
  return { policy, sandboxes: sandboxes === undefined ? undefined : readNames(sandboxes) }
}

/** A name and no path, which a loader of policies might open. */
function readTemplate(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z0-9_][\w.-]{0,99}$/.test(value)) return value
  return fail("template to be a template's name", value)
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = (): never => {
    throw new ControlError('too-large', `the body has more than ${largestBody} bytes`)
  }
  if (Number(request.headers['content-length'] ?? 0) > largestBody) tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  // The rest of a body that is too large is left unread, and the connection up for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBody) tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new ControlError('request', 'expected JSON in UTF-8', { cause })
  }
}

function readDocuments(value: unknown): { file: string; text: string }[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostDocuments)
    return fail(`documents to be an array of 1 to ${mostDocuments}`, value)
  const documents = value.map((item) => {
    const { file, text: content } = asObject(item, 'a document', ['file', 'text'])
    if (typeof content !== 'string') fail("a document's text to be a string", content)
    return { file: text(file, "a document's file"), text: content as string }
  })
  const bytes = documents.reduce((sum, document) => sum + Buffer.byteLength(document.text), 0)
  if (bytes > largestText)
    throw new ControlError('too-large', `the documents have ${bytes} bytes, ${largestText} at most`)
  return documents
}

function readNames(value: unknown): readonly string[] {
  // None would be nobody's wish, and all is said by leaving it out.
  if (!Array.isArray(value) || value.length === 0 || value.length > mostSandboxes)
    return fail(`sandboxes to be an array of 1 to ${mostSandboxes} names, or not there`, value)
  return value.map((name) => text(name, "a sandbox's name"))
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= longestName && !value.includes('\0')) return value
  return fail(`${what} to be a string of 1 to ${longestName} characters`, value)
}

function asObject(value: unknown, what: string, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${what} to be an object`, value)
  const unknown = Object.keys(value).find((key) => !keys.includes(key))
  if (unknown !== undefined) fail(`${what} to have no other keys than ${keys.join(', ')}`, unknown)
  return value as Record<string, unknown>
}

function fail(expected: string, got: unknown): never {
  throw new ControlError('request', `expected ${expected}, got ${(JSON.stringify(got) ?? 'nothing').slice(0, 60)}`)
}
