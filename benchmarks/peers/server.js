// The peer: what a careful team writes with Express, ws and better-sqlite3 or pg for the same job as Parley's message post.
import { createServer } from 'node:http'
import { createSecretKey, randomUUID } from 'node:crypto'
import express from 'express'
import jwt from 'jsonwebtoken'
import { WebSocketServer } from 'ws'
import { NotFound, openStore } from './store.js'

const { PORT, HOST = '127.0.0.1', DATABASE_URL, JWT_SECRET, RATE_LIMIT = '60' } = process.env
const secret = createSecretKey(Buffer.from(JWT_SECRET))
const store = await openStore(DATABASE_URL)

const refuse = (status, detail) => Object.assign(new Error(detail), { status })

function verify(token, role) {
  let claims
  try {
    claims = jwt.verify(token, secret, { algorithms: ['HS256'], audience: 'bench', issuer: 'bench' })
  } catch {
    throw refuse(401, 'Invalid token')
  }
  if (claims.role !== role) throw refuse(403, 'Not allowed')
  return claims
}

// Rate limit: a fixed window per visitor, swept so that it does not grow.
const perMinute = Number(RATE_LIMIT)
const windows = new Map()
function limited(key) {
  const now = Date.now()
  const window = windows.get(key)
  if (!window || window.until <= now) {
    windows.set(key, { until: now + 60_000, count: 1 })
    return false
  }
  return ++window.count > perMinute
}
setInterval(() => {
  const now = Date.now()
  for (const [key, window] of windows) if (window.until <= now) windows.delete(key)
}, 60_000).unref()

// Rooms: one per conversation for visitors' sockets, one per shop for agents'.
const rooms = new Map()
function join(room, socket) {
  if (!rooms.has(room)) rooms.set(room, new Set())
  rooms.get(room).add(socket)
  socket.once('close', () => {
    const members = rooms.get(room)
    if (members?.delete(socket) && members.size === 0) rooms.delete(room)
  })
}
function broadcast(room, json) {
  const members = rooms.get(room)
  if (!members) return
  const frame = Buffer.from(json)
  for (const socket of members) {
    if (socket.bufferedAmount > 1_000_000) socket.terminate()
    else socket.send(frame, { binary: false })
  }
}

const app = express().disable('x-powered-by').disable('etag')

app.get('/health', (_request, response) => response.json({ status: 'ok' }))

function visitorOnly(request, response, next) {
  const [scheme, token] = (request.get('authorization') ?? '').split(' ')
  if (scheme !== 'Bearer' || !token) throw refuse(401, 'Missing token')
  response.locals.visitor = verify(token, 'visitor')
  next()
}

function withinLimits(_request, response, next) {
  if (limited(response.locals.visitor.sub)) throw refuse(429, 'Too many requests')
  next()
}

app.post('/api/chat/messages', visitorOnly, withinLimits, express.json({ limit: '32kb' }), async (request, response) => {
  const { text, temp_id: clientId } = request.body ?? {}
  if (typeof text !== 'string' || text.trim() === '' || text.length > 4000) throw refuse(422, 'text: 1 to 4000 characters')
  if (typeof clientId !== 'string' || clientId === '' || clientId.length > 64) throw refuse(422, 'temp_id: 1 to 64 characters')
  const { shop: shopId, sub: sessionId } = response.locals.visitor
  const { message, created } = await store.post({
    id: randomUUID(), shopId, sessionId, clientId, sender: 'user', text, now: Date.now() })
  if (created) {
    const json = JSON.stringify(message)
    broadcast(`conversation:${message.conversation_id}`, `{"type":"message","message":${json}}`)
    broadcast(`shop:${shopId}`, `{"type":"server","event":"message:new","data":${json},"timestamp":${Date.now()}}`)
  }
  response.status(202).json({ success: true, message })
})

app.use((_request, _response, next) => next(refuse(404, 'Not found')))
app.use((error, _request, response, _next) => {
  const status = error instanceof NotFound ? 404 : (error.status ?? 500)
  response.status(status).json({ success: false, error: status === 500 ? 'Internal error' : error.message })
})

const server = createServer({ keepAliveTimeout: 65_000 }, app)
const sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536, perMessageDeflate: false })

async function welcomeVisitor(socket, claims) {
  const conversation = await store.conversationOf(claims.shop, claims.sub)
  if (!conversation) return socket.close(4404)
  join(`conversation:${conversation}`, socket)
  socket.send(JSON.stringify({ type: 'ready', conversation_id: conversation }))
}

function welcomeAgent(socket, claims) {
  socket.on('message', (data) => {
    let frame
    try {
      frame = JSON.parse(data)
    } catch {
      return socket.close(1007)
    }
    if (frame.event === 'shop:join') {
      const allowed = frame.data?.shopId === claims.shop
      if (allowed) join(`shop:${claims.shop}`, socket)
      const [event, body] = allowed ? ['shop:joined', { shopId: claims.shop }] : ['error', { message: 'Not a member' }]
      socket.send(JSON.stringify({ type: 'server', event, data: body, timestamp: Date.now() }))
    }
  })
}

server.on('upgrade', (request, stream, head) => {
  const url = new URL(request.url, 'http://localhost')
  const [role, welcome] = url.pathname === '/ws/chat' ? ['visitor', welcomeVisitor] : ['agent', welcomeAgent]
  try {
    const claims = verify(url.searchParams.get('token') ?? '', role)
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.alive = true
      socket.on('pong', () => { socket.alive = true })
      socket.on('error', () => socket.terminate())
      Promise.resolve(welcome(socket, claims)).catch(() => socket.close(1011))
    })
  } catch {
    stream.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
  }
})
setInterval(() => {
  for (const socket of sockets.clients) {
    if (!socket.alive) socket.terminate()
    else {
      socket.alive = false
      socket.ping()
    }
  }
}, 30_000).unref()

server.listen(Number(PORT), HOST)
process.once('SIGTERM', () => {
  for (const socket of sockets.clients) socket.terminate()
  server.close(async () => {
    await store.close()
    process.exit(0)
  })
  server.closeAllConnections()
})
