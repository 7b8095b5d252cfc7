/** Keeps the session begun and its socket open; while there is no socket, asks for news now and then. */

import { Backoff } from "./backoff";
import { Refused, type Gateway } from "./gateway";
import type { Live } from "./live";

/** A socket that comes back at once is no news for anybody. */
const GRACE = 3_000;
const POLL_SECONDS = { open: 5, shut: 30 };

export type Trouble = "none" | "offline" | "reconnecting" | "unavailable" | "wrongSite";

export interface ConnectionListener {
  onTrouble(trouble: Trouble): void;
  /** The gateway does not know the session: true when there is a new one. */
  onStrangersSession(): boolean;
  /** Time to read the history. */
  onNews(): void;
  isOpen(): boolean;
}

export class Connection {
  private readonly backoff = new Backoff();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private grace: ReturnType<typeof setTimeout> | undefined;
  private poll: ReturnType<typeof setTimeout> | undefined;
  private trouble: Trouble = "none";
  private attempt = 0;

  constructor(
    private readonly gateway: Gateway,
    private readonly live: Live,
    private readonly listener: ConnectionListener,
  ) {
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.tell());
  }

  /** Begin the session, or take up a fresh token; again and again until it works. */
  async begin(): Promise<void> {
    clearTimeout(this.retry);
    const attempt = (this.attempt += 1);
    try {
      const { websocket_url, ws_token } = await this.gateway.begin();
      if (attempt !== this.attempt) return;
      this.backoff.reset();
      this.tell("none");
      this.live.connect(websocket_url, ws_token);
      this.onDown();
    } catch (error) {
      if (attempt === this.attempt) this.failed(error);
    }
  }

  onUp(): void {
    clearTimeout(this.grace);
    clearTimeout(this.poll);
    this.poll = undefined;
    this.tell("none");
  }

  onDown(): void {
    clearTimeout(this.grace);
    this.grace = setTimeout(() => {
      if (this.live.isUp) return;
      this.tell("reconnecting");
      this.pollOnce();
    }, GRACE);
  }

  /** The browser has a network again, or somebody looks at the page. */
  hurry(): void {
    this.tell();
    if (!navigator.onLine) return;
    if (this.trouble === "unavailable") void this.begin();
    else this.live.hurry();
  }

  private failed(error: unknown): void {
    const refused = error instanceof Refused ? error : undefined;
    if (refused?.isStrangersSession && this.listener.onStrangersSession()) return;
    const isFinal = refused !== undefined && !refused.isTemporary;
    this.tell(isFinal ? "wrongSite" : "unavailable");
    const wait = this.backoff.next(isFinal ? 60_000 : refused?.retryAfter);
    this.retry = setTimeout(() => void this.begin(), wait);
  }

  private pollOnce(): void {
    clearTimeout(this.poll);
    const seconds = this.listener.isOpen() ? POLL_SECONDS.open : POLL_SECONDS.shut;
    this.poll = setTimeout(() => {
      if (this.live.isUp) return;
      if (navigator.onLine) this.listener.onNews();
      this.pollOnce();
    }, seconds * 1000);
  }

  private tell(trouble: Trouble = this.trouble): void {
    this.trouble = trouble;
    this.listener.onTrouble(navigator.onLine ? trouble : "offline");
  }
}
