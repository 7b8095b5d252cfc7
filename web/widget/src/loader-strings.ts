/** What the bubble is called. Few words, as every page of every shop loads them. */

import type { Language } from "./language";

/** Open, close, chat (the frame's name), and how many new messages there are. */
type Words = readonly [open: string, close: string, chat: string, unread: string];

export const WORDS: Record<Language, Words> = {
  en: ["Open chat", "Close chat", "Chat", "New messages"],
  ar: ["فتح الدردشة", "إغلاق الدردشة", "الدردشة", "رسائل جديدة"],
  de: ["Chat öffnen", "Chat schließen", "Chat", "Neue Nachrichten"],
  es: ["Abrir el chat", "Cerrar el chat", "Chat", "Mensajes nuevos"],
  fr: ["Ouvrir le chat", "Fermer le chat", "Chat", "Nouveaux messages"],
  he: ["פתיחת הצ׳אט", "סגירת הצ׳אט", "צ׳אט", "הודעות חדשות"],
  pt: ["Abrir o chat", "Fechar o chat", "Chat", "Novas mensagens"],
};
