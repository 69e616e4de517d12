// The guest has no network and no files of ours; what it needs of the outside it gets as functions.
import { setTimeout as delay } from 'node:timers/promises'
import { GuestError, spawn } from '@pyisolate/core'

const prices = new Map([
  ['apple', 3],
  ['pear', 5],
])

await using sandbox = await spawn('shop', {
  inputs: { basket: ['apple', 'apple', 'pear'] },
  functions: {
    // Arguments come from untrusted code: check them as you would check a request's.
    async price(item: unknown, options?: { currency?: unknown }) {
      await delay(1) // a database would take a moment, too
      const price = typeof item === 'string' ? prices.get(item) : undefined
      if (price === undefined) throw new RangeError(`we don't sell ${JSON.stringify(item)}`)
      return { price, currency: options?.currency === 'USD' ? 'USD' : 'EUR' }
    },
  },
})

console.log(await sandbox.eval('sum(host.price(item)["price"] for item in basket)')) // 11
console.log(await sandbox.eval('host.price("pear", currency="USD")')) // { price: 5, currency: 'USD' }

// What a host function throws is raised in the guest, which may handle it …
await sandbox.exec(`
try:
    host.price("plutonium")
except Exception as error:
    post(f"refused: {error}")
`)
console.log(await sandbox.recv()) // refused: we don't sell "plutonium"

// … or not: then it comes back as any other error of the guest's, with its place in the guest's code.
try {
  await sandbox.exec('total = 0\ntotal += host.price(42)', { filename: 'bill.py' })
} catch (error) {
  if (!(error instanceof GuestError)) throw error
  console.log(error.guestMessage, 'at line', error.frames[0]?.line) // we don't sell 42 at line 2
}
