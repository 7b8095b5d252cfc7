/** Reads the history, and knows what the visitor has seen of it. */

import type { Gateway } from "./gateway";
import type { Storage } from "./storage";
import type { Message } from "./wire";

export class Reading {
  isOpen = false;
  private isReading = false;
  private isAskedAgain = false;

  constructor(
    private readonly gateway: Gateway,
    private readonly storage: Storage,
    private readonly log: HTMLElement,
    private readonly take: (messages: Message[]) => void,
  ) {}

  get isSeen(): boolean {
    return this.isOpen && !document.hidden;
  }

  isUnread(sequence: number): boolean {
    return !this.isSeen && sequence > this.seen;
  }

  /** Everything up to here has been seen, if anybody looks. */
  mark(sequence: number): void {
    if (this.isSeen && sequence > this.seen) this.storage.set("read", String(sequence));
  }

  /** One reading at a time; who asks meanwhile is told by one more. Failures are the connection's to notice. */
  async refresh(): Promise<void> {
    this.isAskedAgain = this.isReading;
    if (this.isReading) return;
    this.isReading = true;
    this.log.setAttribute("aria-busy", "true");
    try {
      this.take(await this.gateway.history());
    } catch {
      // The next socket, or the next poll, reads again.
    } finally {
      this.isReading = false;
      this.log.removeAttribute("aria-busy");
    }
    if (this.isAskedAgain) await this.refresh();
  }

  private get seen(): number {
    return Number(this.storage.get("read") ?? 0);
  }
}
