import { it } from 'vitest'
import { defaultBudget } from '/work/main/packages/core/src/internal/values/budget.js'
import { decodeValue } from '/work/main/packages/core/src/internal/values/decode.js'
import { encodeValue } from '/work/main/packages/core/src/internal/values/encode.js'
it('bench', () => {
  for (const [name, v] of [['1kB str', 'x'.repeat(1000)], ['1kB bytes', new Uint8Array(1000)], ['code', {code:'x'.repeat(50), filename:'<exec>'}], ['list', Array.from({length:100},(_, i)=>i)], ['rows', Array.from({length:100},(_, i)=>({id:i,name:'row '+i, f: i/3}))]] as const) {
    const b = encodeValue(v, defaultBudget)
    for (let r = 0; r < 2; r++) {
      const n = 20000
      let t = performance.now(); for (let i = 0; i < n; i++) encodeValue(v, defaultBudget); const e = (performance.now()-t)/n*1000
      t = performance.now(); for (let i = 0; i < n; i++) decodeValue(b, defaultBudget); const d = (performance.now()-t)/n*1000
      if (r) console.log(name, b.length, 'encode µs', e.toFixed(2), 'decode µs', d.toFixed(2))
    }
  }
}, 60000)
