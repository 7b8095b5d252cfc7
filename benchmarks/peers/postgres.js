import pg from 'pg'
import { NotFound } from './store.js'
import { schema, toMessage } from './schema.js'

// A name makes `pg` prepare the statement once per connection.
const touch = { name: 'touch', text: `
  UPDATE conversations c SET last_sequence = c.last_sequence + 1, last_message_at = $3, unread = c.unread + 1
  FROM sessions s WHERE s.id = $1 AND s.shop_id = $2 AND c.session_id = s.id AND c.shop_id = s.shop_id
  RETURNING c.id, c.last_sequence` }
const insert = { name: 'insert', text: `
  INSERT INTO messages (id, shop_id, conversation_id, sequence, client_id, sender, text, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (conversation_id, client_id) DO NOTHING` }
const earlier = { name: 'earlier', text: 'SELECT * FROM messages WHERE conversation_id = $1 AND client_id = $2' }
// The counter row is shared by the whole shop: taken last, in one round trip with the event, held for the commit only.
const record = { name: 'record', text: `
  WITH next AS (UPDATE shops SET last_position = last_position + 1 WHERE id = $1 RETURNING last_position)
  INSERT INTO events (shop_id, position, kind, payload, created_at) SELECT $1, last_position, $2, $3, $4 FROM next` }

export async function open(url) {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(schema)

  async function post({ id, shopId, sessionId, clientId, sender, text, now }) {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const { rows: [conversation] } = await client.query({ ...touch, values: [sessionId, shopId, now] })
      if (!conversation) throw new NotFound()
      const row = { id, shop_id: shopId, conversation_id: conversation.id, sequence: conversation.last_sequence,
        client_id: clientId, sender, text, created_at: now }
      const { rowCount } = await client.query({ ...insert, values: Object.values(row) })
      if (rowCount === 0) {
        await client.query('ROLLBACK')
        const { rows } = await client.query({ ...earlier, values: [conversation.id, clientId] })
        return { message: toMessage(rows[0]), created: false }
      }
      const message = toMessage(row)
      await client.query({ ...record, values: [shopId, 'message.posted', JSON.stringify(message), now] })
      await client.query('COMMIT')
      return { message, created: true }
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }

  return {
    post,
    async conversationOf(shopId, sessionId) {
      const { rows } = await pool.query('SELECT id FROM conversations WHERE session_id = $1 AND shop_id = $2', [sessionId, shopId])
      return rows[0]?.id
    },
    async seed(shop, visitors) {
      const sessions = visitors.map((visitor) => visitor.session)
      const conversations = visitors.map((visitor) => visitor.conversation)
      await pool.query("INSERT INTO shops (id, name) VALUES ($1, 'Bench')", [shop])
      await pool.query('INSERT INTO sessions SELECT unnest($2::text[]), $1, $3', [shop, sessions, Date.now()])
      await pool.query('INSERT INTO conversations (id, shop_id, session_id) SELECT unnest($3::text[]), $1, unnest($2::text[])',
        [shop, sessions, conversations])
    },
    close: () => pool.end(),
  }
}
