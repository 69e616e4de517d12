import type { Outcome, OutcomeData } from '../../outcome.js'

/** The message that an outcome carries for people. */
export function withMessage(data: OutcomeData): Outcome {
  return Object.freeze({ ...data, message: describe(data) })
}

function describe(data: OutcomeData): string {
  switch (data.kind) {
    case 'closed':
      return 'it was closed'
    case 'exit':
      return `it exited with code ${data.code}`
    case 'signal':
      return data.signal === 'SIGKILL'
        ? 'it was killed from outside (SIGKILL), perhaps for want of memory on the host'
        : `it died of ${data.signal}`
    case 'timeout':
      return data.limit === 'call'
        ? `a call took longer than ${data.ms} ms and could not be interrupted`
        : `it lived for the ${data.ms} ms it may (limits.wallTime)`
    case 'cpu':
      return `it used the ${data.ms} ms of CPU time it may (limits.cpuTime)`
    case 'memory':
      return `it could not go on with ${data.bytes} bytes of memory (limits.memory)`
    case 'output':
      return `it printed more than ${data.bytes} bytes (limits.output)`
    case 'policy':
      return `it broke a contract of its policy: ${data.contract}`
    case 'messages':
      return `it posted more than ${data.count} values (limits.messages)`
    case 'protocol':
      return `it broke the protocol: ${data.detail}`
    case 'cell':
      return `its cell ${JSON.stringify(data.cell)} ended: ${data.detail.message}`
    case 'aborted':
      return 'a call was aborted and could not be interrupted'
    case 'refused':
      return `this host can't confine it: ${data.detail}`
    case 'internal':
      return `a fault of PyIsolate: ${data.detail}`
  }
}
