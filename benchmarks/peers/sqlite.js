import Database from 'better-sqlite3'
import { NotFound } from './store.js'
import { schema, toMessage } from './schema.js'

export function open(url) {
  const db = new Database(url.replace(/^sqlite:\/\/\//, ''))
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 5000']) db.pragma(pragma)
  db.exec(schema)

  const find = db.prepare(`
    SELECT c.id, c.last_sequence FROM sessions s JOIN conversations c ON c.session_id = s.id AND c.shop_id = s.shop_id
    WHERE s.id = ? AND s.shop_id = ?`)
  const insert = db.prepare(`
    INSERT INTO messages (id, shop_id, conversation_id, sequence, client_id, sender, text, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation_id, client_id) DO NOTHING`)
  const earlier = db.prepare('SELECT * FROM messages WHERE conversation_id = ? AND client_id = ?')
  const touch = db.prepare(
    'UPDATE conversations SET last_sequence = ?, last_message_at = ?, unread = unread + 1 WHERE id = ?')
  const advance = db.prepare('UPDATE shops SET last_position = last_position + 1 WHERE id = ? RETURNING last_position')
  const record = db.prepare('INSERT INTO events (shop_id, position, kind, payload, created_at) VALUES (?, ?, ?, ?, ?)')

  const post = db.transaction(({ id, shopId, sessionId, clientId, sender, text, now }) => {
    const conversation = find.get(sessionId, shopId)
    if (!conversation) throw new NotFound()
    const sequence = conversation.last_sequence + 1
    const { changes } = insert.run(id, shopId, conversation.id, sequence, clientId, sender, text, now)
    if (changes === 0) return { message: toMessage(earlier.get(conversation.id, clientId)), created: false }
    touch.run(sequence, now, conversation.id)
    const message = toMessage({
      id, shop_id: shopId, conversation_id: conversation.id, sequence, client_id: clientId, sender, text, created_at: now })
    const { last_position: position } = advance.get(shopId)
    record.run(shopId, position, 'message.posted', JSON.stringify(message), now)
    return { message, created: true }
  })

  return {
    conversationOf: (shopId, sessionId) => find.get(sessionId, shopId)?.id,
    post: post.immediate,
    seed: db.transaction((shop, visitors) => {
      db.prepare('INSERT INTO shops (id, name) VALUES (?, ?)').run(shop, 'Bench')
      const session = db.prepare('INSERT INTO sessions (id, shop_id, created_at) VALUES (?, ?, ?)')
      const conversation = db.prepare('INSERT INTO conversations (id, shop_id, session_id) VALUES (?, ?, ?)')
      for (const visitor of visitors) {
        session.run(visitor.session, shop, Date.now())
        conversation.run(visitor.conversation, shop, visitor.session)
      }
    }),
    close: () => db.close(),
  }
}
