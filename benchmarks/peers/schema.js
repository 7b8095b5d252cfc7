// Plain enough for both databases; INTEGER keeps 64 bits in SQLite, hence BIGINT in both.
export const schema = `
  CREATE TABLE IF NOT EXISTS shops (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, last_position BIGINT NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, shop_id TEXT NOT NULL REFERENCES shops, created_at BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, shop_id TEXT NOT NULL REFERENCES shops, session_id TEXT NOT NULL UNIQUE REFERENCES sessions,
    last_sequence BIGINT NOT NULL DEFAULT 0, last_message_at BIGINT, unread INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, shop_id TEXT NOT NULL, conversation_id TEXT NOT NULL REFERENCES conversations,
    sequence BIGINT NOT NULL, client_id TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL, created_at BIGINT NOT NULL,
    UNIQUE (conversation_id, client_id), UNIQUE (conversation_id, sequence));
  CREATE TABLE IF NOT EXISTS events (
    shop_id TEXT NOT NULL, position BIGINT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, position));`

export const toMessage = (row) => ({
  id: row.id, conversation_id: row.conversation_id, tenant_id: row.shop_id, sequence: Number(row.sequence),
  temp_id: row.client_id, sender_type: row.sender, text: row.text,
  timestamp: new Date(Number(row.created_at)).toISOString(),
})
