/** `partly`: something of it is there. `unknown`: it can't be tried with these rights. */
export type State = 'ok' | 'partly' | 'missing' | 'unknown'

/** What a mechanism is to PyIsolate: no sandbox starts without it; sandboxes are better with it; it may be used later. */
export type Need = 'essential' | 'recommended' | 'optional'

export interface Finding {
  /** Stable, for programs. */
  readonly id: string
  readonly title: string
  readonly need: Need
  readonly state: State
  /** What was found. */
  readonly found: string
  readonly gives: string
  /** How to get what is missing. */
  readonly remedy?: string
}

/** The parts of a finding that depend on the host. */
export type Found = Pick<Finding, 'state' | 'found' | 'remedy'>
