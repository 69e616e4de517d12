import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_KEY_RESTORED'

/** The memory that a key is in was brought back to an earlier time: nothing is sealed under it. Make another channel. */
export class KeyRestoredError extends PyIsolateError {
  override readonly code = code

  constructor() {
    super(
      'expected the memory of a key as it was left, got it as it was at an earlier time (a restored image of this process): ' +
        'a nonce could come twice, so nothing is sealed; open another channel',
    )
  }

  static override isInstance(value: unknown): value is KeyRestoredError {
    return hasCode(value, code)
  }
}
