// Sets the checkout up and stops there: what `npm start` and `npm test` do first.
import { main } from './lib/main.mjs'

await main(async ({ setUp }) => {
  await setUp()
  return 0
})
