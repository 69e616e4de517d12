import { describe, expect, it } from 'vitest'
import { LimitPace } from '../../src/internal/session/limit-pace.js'

const notice = (limit: 'memory' | 'openFiles', toldBy: 'guest' | 'supervisor', lost = 0) =>
  ({ limit, toldBy, lost, seen: 'x' }) as const

describe('of a limit that is met again and again', () => {
  it('one a second is told, of each limit, with how many were left out', () => {
    const pace = new LimitPace()
    expect(pace.take(notice('memory', 'guest', 4), 0)).toMatchObject({ lost: 4 })
    for (const at of [1, 500, 899]) expect(pace.take(notice('memory', 'guest', 2), at)).toBeUndefined()
    expect(pace.take(notice('openFiles', 'guest'), 899)).toMatchObject({ lost: 0 })
    expect(pace.take(notice('memory', 'guest', 1), 1000)).toMatchObject({ lost: 10 })
    expect(pace.take(notice('memory', 'guest'), 2000)).toMatchObject({ lost: 0 })
  })

  it('what the supervisor tells is not the guest’s to tell, or to keep back', () => {
    const pace = new LimitPace()
    expect(pace.take(notice('openFiles', 'guest', 2 ** 32 - 1), 0)).toMatchObject({ lost: 2 ** 32 - 1 })
    expect(pace.take(notice('openFiles', 'supervisor'), 1)).toMatchObject({ lost: 0 })
    expect(pace.take(notice('openFiles', 'supervisor'), 700)).toBeUndefined()
    expect(pace.take(notice('openFiles', 'guest'), 2600)).toBeUndefined()
    expect(pace.take(notice('openFiles', 'guest'), 2700)).toMatchObject({ lost: 0 })
    expect(pace.take(notice('openFiles', 'supervisor'), 2700)).toMatchObject({ lost: 1 })
  })
})
