/**
 * The reasons this package gives to `Cell.kill` and to deadlines, as text that comes back in
 * `CellExit.killedBy`, also to the other sandboxes of a shared cell.
 */
export const Reason = {
  closed: 'closed',
  aborted: 'aborted',
  callTime: (ms: number) => `timeout:call:${ms}`,
  wallTime: (ms: number) => `timeout:wall:${ms}`,
  output: (bytes: number) => `output:${bytes}`,
  contract: (text: string) => `contract:${text.slice(0, 500)}`,
  messages: (count: number) => `messages:${count}`,
  protocol: (detail: string) => `protocol:${detail.slice(0, 500)}`,
  internal: (detail: string) => `internal:${detail.slice(0, 500)}`,
} as const
