// Modules that a supervisor imports once are there in every sandbox from the start, in memory they share.
import { createSupervisor } from '@pyisolate/core'

await using supervisor = createSupervisor({ preload: ['decimal', 'json', 'statistics'] })

const isLoaded = '"statistics" in __import__("sys").modules'

await using prepared = await supervisor.spawn('prepared')
console.log('imported before the guest ran:', await prepared.eval(isLoaded)) // true
await prepared.exec(`
from decimal import Decimal
from statistics import mean
post(str(mean([Decimal("0.1"), Decimal("0.2"), Decimal("0.3")])))
`)
console.log('their mean is', await prepared.recv()) // 0.2

// A sandbox may ask for more than its supervisor's: each different set has a zygote of its own.
await using more = await supervisor.spawn('richer', { preload: ['csv'] })
console.log('csv as well:', await more.eval('"csv" in __import__("sys").modules')) // true
console.log('zygotes:', supervisor.stats().zygotes) // 2
