/** The gateway's HTTP side. Every call either answers, or says why not: refused, or not reached. */

import type { Config } from "./config";
import type { Session } from "./session";
import type { FileItem, InitAnswer, Message, SentAnswer, SessionAnswer, StoredFile, UploadSlot } from "./wire";
import { isMessage } from "./wire";

const PATIENCE = 15_000;

/** The gateway has answered, and the answer is no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Milliseconds after which another try may pass. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }

  /** Whether the same request may pass later. */
  get isTemporary(): boolean {
    return this.status >= 500 || [408, 425, 429].includes(this.status);
  }

  /** Whether the gateway will never know this session. */
  get isStrangersSession(): boolean {
    return ["SESSION_NOT_FOUND", "INVALID_SESSION"].includes(this.code);
  }
}

/** Nobody has answered: whether the gateway has heard us, we cannot know. */
export class Unreachable extends Error {}

export interface Outgoing {
  tempId: string;
  text: string;
  items: FileItem[];
}

interface Proof {
  userHash?: string | undefined;
  identityToken?: string | undefined;
}

export class Gateway {
  /** The session for which the gateway has taken our proof. */
  private proved: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly session: Session,
    private readonly senderName: () => string | undefined,
  ) {}

  begin(): Promise<SessionAnswer> {
    const { name, email } = this.config.person;
    return this.post("/webchat/session", { userName: name ?? this.senderName(), email });
  }

  open(): Promise<unknown> {
    return this.post("/webchat/open", {});
  }

  init(): Promise<InitAnswer> {
    return this.post("/webchat/init", {});
  }

  /** Repeating it with the same `tempId` is harmless. */
  send({ tempId, text, items }: Outgoing): Promise<SentAnswer> {
    const attachments = items.length ? { items } : undefined;
    const sender_name = this.senderName();
    return this.post("/webchat/message", { text, temp_id: tempId, sender_name, attachments });
  }

  async history(): Promise<Message[]> {
    const query = new URLSearchParams({ sessionId: this.session.id });
    const { tenantId } = this.config.site;
    if (tenantId) query.set("tenantId", tenantId);
    const answer = await this.call<{ messages: unknown[] }>("GET", `/webchat/messages?${query}`);
    return answer.messages.filter(isMessage);
  }

  async beginUpload(conversationId: string, file: File): Promise<UploadSlot> {
    const body = { originalName: file.name, mimeType: file.type, size: file.size };
    return (await this.upload<UploadSlot>(conversationId, "init", body)).data;
  }

  async completeUpload(conversationId: string, slot: UploadSlot): Promise<StoredFile> {
    const body = { fileId: slot.fileId, uploadToken: slot.uploadToken };
    return (await this.upload<StoredFile>(conversationId, "complete", body)).data;
  }

  private upload<T>(conversationId: string, step: string, body: object): Promise<{ data: T }> {
    const path = `/api/gw/v1/webchat/conversations/${encodeURIComponent(conversationId)}/upload/${step}`;
    return this.call("POST", path, body);
  }

  /** With who we are, and where. A session that was proved once stays proved, when its proof has lapsed, too. */
  private async post<T>(path: string, body: object): Promise<T> {
    const { id: userId, name, email, phone, hash: userHash, token: identityToken } = this.config.person;
    const userInfo = name || email || phone ? { name, email, phone } : undefined;
    const sessionId = this.session.id;
    const isProved = this.proved === sessionId;
    const proof: Proof = isProved ? {} : { userHash, identityToken };
    const sent = { ...this.config.site, userId, userInfo, ...proof, sessionId, ...body };
    try {
      const answer = await this.call<T>("POST", path, sent);
      this.proved = sessionId;
      if (proof.userHash || proof.identityToken) this.session.prove(sessionId);
      return answer;
    } catch (error) {
      const isRefused = error instanceof Refused && error.code === "INVALID_IDENTITY";
      const mayDoWithout = this.proved !== undefined || this.session.wasProved;
      if (!isRefused || isProved || !mayDoWithout) throw error;
      // A page that stays open, or comes out of a cache, outlives the proof that it came with. A session that
      // was proved needs none, and the next one is nobody's in particular.
      this.proved = sessionId;
      return this.post(path, body);
    }
  }

  /** Raises Refused or Unreachable. */
  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const { origin, domain } = this.config.site;
    const headers = {
      "Content-Type": "application/json",
      "X-Website-Origin": origin,
      "X-Website-Domain": domain,
    };
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), PATIENCE);
    try {
      const url = this.config.gateway + path;
      const sent = body ? JSON.stringify(body) : null;
      const response = await fetch(url, { method, headers, body: sent, signal: giveUp.signal });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) return answer as T;
      throw refusal(response, answer);
    } catch (error) {
      throw error instanceof Refused ? error : new Unreachable(String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}

function refusal(response: Response, answer: { code?: unknown; message?: unknown; error?: unknown }): Refused {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  const message = String(answer.message ?? answer.error ?? response.status);
  const wait = seconds >= 0 ? seconds * 1000 : undefined;
  return new Refused(response.status, String(answer.code ?? ""), message, wait);
}
