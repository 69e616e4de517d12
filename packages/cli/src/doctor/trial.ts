import type { Trial } from '@pyisolate/native'

export const why = (trial: Trial): string => (trial.ok ? 'works' : `${trial.error} (${trial.step})`)
