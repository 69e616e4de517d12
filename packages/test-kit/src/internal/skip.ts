import { UnjustifiedSkipError } from '../errors/unjustified-skip-error.js'
import { type Feature, presenceOf } from './features.js'

/** The part of a test framework's context that skips the running test. */
export interface SkippableContext {
  skip(reason?: string): void
}

/**
 * Skips the running test where the host lacks a feature. `has` is what the code under test says of it
 * (default: what the kernel says); when it says no and the kernel says yes, the test fails instead.
 * @throws UnjustifiedSkipError
 */
export function skipUnless(context: SkippableContext, feature: Feature, reason: string, has?: boolean): void {
  const { present, evidence } = presenceOf(feature)
  const wanted = has ?? present ?? true
  if (wanted) return
  if (present === true) throw new UnjustifiedSkipError(feature, evidence)
  context.skip(`needs ${feature} (${reason}); ${evidence}`)
}
