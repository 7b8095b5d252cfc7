/**
 * What is still to be sent. It outlives the page, and any tab may send it: a repeated message is taken once,
 * because it keeps the id that it was given here.
 */

import { Backoff } from "./backoff";
import { Refused, type Gateway, type Outgoing } from "./gateway";
import { randomLetters } from "./random";
import type { Storage } from "./storage";
import type { FileItem, SentAnswer } from "./wire";

export interface Unsent extends Outgoing {
  /** Milliseconds since 1970, and no two of this tab the same. */
  at: number;
  /** The gateway's reason to refuse it; it waits for the visitor's decision then. */
  refused?: string;
}

export interface OutboxListener {
  /** Waiting or refused; also when another tab changed it. */
  onUnsent(unsent: Unsent): void;
  onSent(tempId: string, answer: SentAnswer): void;
  /** Another tab sent it, or somebody took it back. */
  onGone(tempId: string): void;
  /** The gateway does not know the session: true when there is a new one, and trying again makes sense. */
  onStrangersSession(): boolean;
}

/** One entry each: tabs that write at the same time cannot take one another's away. */
const ENTRIES = "outbox/";

export class Outbox {
  private readonly backoff = new Backoff();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isFlushing = false;
  private shown = new Set<string>();
  private last = 0;
  private notBefore = 0;

  constructor(
    private readonly storage: Storage,
    private readonly gateway: Gateway,
    private readonly listener: OutboxListener,
  ) {
    storage.onChange(ENTRIES, () => this.show());
  }

  get isEmpty(): boolean {
    return this.storage.names(ENTRIES).length === 0;
  }

  add(text: string, items: FileItem[] = []): void {
    this.last = Math.max(this.last + 1, Date.now());
    this.store({ tempId: `temp-${this.last}-${randomLetters(10)}`, text, items, at: this.last });
    this.show();
    void this.flush();
  }

  remove(tempId: string): void {
    this.storage.remove(ENTRIES + tempId);
    this.show();
  }

  /** The gateway has it, as we see from what it says to all. */
  settle(tempId: string): void {
    this.shown.delete(tempId);
    this.storage.remove(ENTRIES + tempId);
  }

  /** Try a refused one again. */
  retry(tempId: string): void {
    const unsent = this.read(tempId);
    if (!unsent) return;
    delete unsent.refused;
    this.store(unsent);
    this.show();
    void this.flush();
  }

  /** Tell the listener what there is, and what there is no longer. */
  show(): void {
    const unsent = this.unsent();
    const gone = [...this.shown].filter((id) => !unsent.some((one) => one.tempId === id));
    this.shown = new Set(unsent.map((one) => one.tempId));
    for (const one of unsent) this.listener.onUnsent(one);
    for (const id of gone) this.listener.onGone(id);
  }

  /** Send what waits, in order. Comes back by itself while that fails. */
  async flush(): Promise<void> {
    if (this.isFlushing || Date.now() < this.notBefore) return;
    clearTimeout(this.timer);
    this.isFlushing = true;
    try {
      await this.storage.alone(ENTRIES, () => this.sendAll());
    } finally {
      this.isFlushing = false;
    }
  }

  private async sendAll(): Promise<void> {
    for (let next = this.next(); next; next = this.next()) {
      try {
        const answer = await this.gateway.send(next);
        this.backoff.reset();
        this.settle(next.tempId);
        this.listener.onSent(next.tempId, answer);
      } catch (error) {
        if (!this.copesWith(error, next)) return;
      }
    }
  }

  /** Whether to go on at once. */
  private copesWith(error: unknown, unsent: Unsent): boolean {
    const refused = error instanceof Refused ? error : undefined;
    if (!refused || refused.isTemporary) {
      this.notBefore = Date.now() + (refused?.retryAfter ?? 0);
      this.timer = setTimeout(() => void this.flush(), this.backoff.next(refused?.retryAfter));
      return false;
    }
    if (refused.isStrangersSession && this.listener.onStrangersSession()) return true;
    this.store({ ...unsent, refused: refused.message });
    this.show();
    return true;
  }

  private next(): Unsent | undefined {
    return this.unsent().find((one) => one.refused === undefined);
  }

  private unsent(): Unsent[] {
    const all = this.storage.names(ENTRIES).map((tempId) => this.read(tempId));
    return all.filter((one) => one !== undefined).sort((a, b) => a.at - b.at);
  }

  private read(tempId: string): Unsent | undefined {
    try {
      return JSON.parse(this.storage.get(ENTRIES + tempId) ?? "null") ?? undefined;
    } catch {
      return undefined;
    }
  }

  private store(unsent: Unsent): void {
    this.storage.set(ENTRIES + unsent.tempId, JSON.stringify(unsent));
  }
}
