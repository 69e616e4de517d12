/**
 * The frames between a supervisor and a sandbox. Payloads are CBOR (RFC 8949), but for `out` and `err`,
 * which are raw UTF-8, and `close`, which is empty. The numbers are those of the engine's `segment.h`.
 */
export const FrameType = Object.freeze({
  // supervisor → sandbox
  init: 1,
  exec: 2,
  eval: 3,
  call: 4,
  message: 5,
  reply: 6,
  replyError: 7,
  close: 8,
  // sandbox → supervisor
  ready: 65,
  result: 67,
  error: 68,
  post: 69,
  out: 70,
  err: 71,
  hostCall: 72,
  exit: 73,
} as const)

export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** The id of the one `init` frame of a sandbox; whoever sends further requests counts on from here. */
export const INIT_ID = 1

/** The id of an `init` that is answered only by an `exit`, if it fails. */
export const UNANSWERED_ID = 0

/** A frame as it came from the sandbox: nothing in it is to be believed, `type` included. */
export interface Frame {
  /** One byte; perhaps no `FrameType`. */
  readonly type: number
  /** Ties a reply to its request; 0 where there is none. Up to 2^64 in the header, so perhaps rounded. */
  readonly id: number
  /** At most `maxFrameBytes`; owned by the receiver. */
  readonly payload: Uint8Array
}
