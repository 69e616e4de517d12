import { spawn } from '@pyisolate/core'

await using sandbox = await spawn('demo', { policy: 'stdlib.readonly' })
await sandbox.exec('from math import sqrt\npost(sqrt(2))')
console.log(await sandbox.recv()) // 1.4142135623730951
