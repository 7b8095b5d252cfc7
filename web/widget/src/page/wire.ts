/** What the gateway says, as far as this page reads it. */

export interface FilePayload {
  url: string;
  filename?: string | null;
  content_type?: string | null;
  size?: number | null;
}

export interface FileItem {
  type: "image" | "video" | "audio" | "document";
  payload: FilePayload;
}

export interface Message {
  id: string;
  conversation_id: string;
  sequence: number;
  text: string;
  sender: "user" | "agent" | "bot";
  sender_name?: string | null;
  timestamp: string;
  temp_id?: string | null;
  attachments?: { items: FileItem[] } | null;
}

export interface SessionAnswer {
  ws_token: string;
  websocket_url: string;
}

export interface InitAnswer {
  ws_token: string;
  websocket_url?: string;
  ws_server_url: string;
  closed_at?: string | null;
}

export interface SentAnswer {
  /** `message_id` is left out for pages that would take the message's echo for a repetition. Not this one. */
  data?: { message_id?: string; messageId?: string; conversation_id?: string; sequence?: number };
}

export interface UploadSlot {
  uploadUrl: string;
  fileId: number;
  uploadToken: string;
}

export interface StoredFile {
  publicUrl: string;
  filename: string;
  size: number;
  contentType: string;
}

/** Anything else that comes is passed over: a newer server may know more than this page. */
export function isMessage(value: unknown): value is Message {
  const message = value as Message | null;
  return (
    typeof message === "object" &&
    typeof message?.id === "string" &&
    typeof message.text === "string" &&
    typeof message.timestamp === "string"
  );
}
