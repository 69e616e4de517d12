/** One confinement mechanism of a running sandbox, as the engine found it on this host. */
export interface EnforcementEntry {
  /** Its name, such as `landlock`, `seccomp`, `pid-namespace`. */
  readonly mechanism: string
  readonly state: 'active' | 'unavailable'
  /** A sandbox that lacks an essential mechanism is never started. */
  readonly essential: boolean
  /** For people: what it covers, or why it could not be had. */
  readonly detail: string
}

export type Enforcement = readonly EnforcementEntry[]
