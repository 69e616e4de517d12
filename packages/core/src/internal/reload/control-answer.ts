import type { ServerResponse } from 'node:http'
import { PyIsolateError } from '@pyisolate/interface'
import { ControlError, type ControlProblem } from './control-error.js'
import { TokenError } from './token-error.js'

const statuses: Readonly<Record<ControlProblem, number>> = {
  path: 500,
  'in-use': 500,
  method: 405,
  'not-found': 404,
  'too-large': 413,
  type: 415,
  request: 400,
}

/** What an error says of itself that a program can use; all of it plain data. */
const details = ['problem', 'place', 'expected', 'suggestion', 'option', 'sandbox', 'rules'] as const

export function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body ?? null)}\n` // first, since it throws for what JSON has no word for
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' })
  response.end(text)
}

/**
 * 401 without a good token, 403 out of its scope, 4xx for a bad request, 422 for a policy or anything else that was
 * refused, each with its code; 500 without a word of why for what is our own fault.
 * @returns whether it is the requester's
 */
export function answerError(response: ServerResponse, error: unknown): boolean {
  if (!PyIsolateError.isInstance(error)) {
    answer(response, 500, { error: { code: 'ERR_PYISOLATE_CONTROL', message: 'the supervisor failed; it knows why' } })
    return false
  }
  const status = statusOf(error)
  if (status === 401) response.setHeader('www-authenticate', 'Bearer')
  if (status === 405) response.setHeader('allow', 'GET, POST')
  const said = Object.fromEntries(details.flatMap((key) => (key in error ? [[key, error[key as never]]] : [])))
  answer(response, status, { error: { code: error.code, message: error.message, ...said } })
  return true
}

function statusOf(error: PyIsolateError): number {
  if (TokenError.isInstance(error)) return error.problem === 'out-of-scope' ? 403 : 401
  if (ControlError.isInstance(error)) return statuses[error.problem]
  return 422
}
