// node seed.js <visitors>: one shop, its agent, and that many visitors with a conversation each; prints one line of JSON.
import { randomUUID } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { openStore } from './store.js'

const { DATABASE_URL, JWT_SECRET } = process.env
const sign = (claims) => jwt.sign(claims, JWT_SECRET, { algorithm: 'HS256', audience: 'bench', issuer: 'bench', expiresIn: '1h' })

const store = await openStore(DATABASE_URL)
const shop = randomUUID()
const visitors = Array.from({ length: Number(process.argv[2]) }, () => ({ session: randomUUID(), conversation: randomUUID() }))
await store.seed(shop, visitors)
await store.close()

console.log(JSON.stringify({
  shop_id: shop,
  agent_token: sign({ sub: randomUUID(), role: 'agent', shop }),
  visitor_tokens: visitors.map((visitor) => sign({ sub: visitor.session, role: 'visitor', shop })),
}))
