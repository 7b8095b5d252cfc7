// Both stores answer the same three calls: prepare(), conversationOf(shopId, sessionId), post(message) -> {message, created}.
export async function openStore(url) {
  const module = url.startsWith('sqlite:') ? './sqlite.js' : './postgres.js'
  const { open } = await import(module)
  return open(url)
}

export class NotFound extends Error {}
