// Says what I/O threads are given here, once for each line that comes.
import { createInterface } from 'node:readline'
import { echo } from './echo.js'

for await (const _ of createInterface({ input: process.stdin })) console.log(await echo())
