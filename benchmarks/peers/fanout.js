// The bare floor of a fan-out on Node: every POST is sent to every open socket. No tokens, no rooms, no database.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer((request, response) => {
  if (request.method !== 'POST') return response.end('{"status":"ok"}')
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const frame = Buffer.from(`{"type":"message","message":${Buffer.concat(chunks)}}`)
    for (const socket of sockets.clients) socket.send(frame, { binary: false })
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"success":true}')
  })
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => socket.send('{"type":"ready"}'))

server.listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
