/** The visitor's session: an id of our own making that nobody else can guess, for as long as somebody writes. */

import type { Person } from "./config";
import { randomLetters } from "./random";
import type { Storage } from "./storage";

/** After so long without a message the next visit begins afresh. */
const LIFETIME = 24 * 3600 * 1000;

export class Session {
  constructor(
    private readonly storage: Storage,
    private readonly person: Person,
  ) {}

  get id(): string {
    return this.storage.get("session_id") ?? this.renew();
  }

  /**
   * Begin a new one where there is none, where it has lapsed, or where it belongs to another person.
   * One with messages that are still to be sent does not lapse. True when a new one has begun.
   */
  begin(hasUnsent: boolean): boolean {
    if (this.storage.get("session_id") && !this.isAnothers() && (hasUnsent || !this.isLapsed)) return false;
    this.renew();
    return true;
  }

  /** Every message makes the session young again. */
  touch(): void {
    this.storage.set("session_created", String(Date.now()));
  }

  /** The gateway has taken the proof of who is signed in: the session is that person's. */
  prove(id: string): void {
    this.storage.set("proved", id);
  }

  /** Whether that happened to this session, of the very person who is signed in now; also before a reload. */
  get wasProved(): boolean {
    return this.person.id !== undefined && this.storage.get("proved") === this.id;
  }

  renew(): string {
    const id = `session-${Date.now()}-${randomLetters(26)}`;
    this.storage.set("session_user", this.person.id ?? "");
    this.storage.remove("read");
    this.touch();
    this.storage.set("session_id", id);
    return id;
  }

  private get isLapsed(): boolean {
    const touched = Number(this.storage.get("session_created"));
    return !(Date.now() - touched < LIFETIME);
  }

  /** Whoever has signed out leaves nothing to the next one; whoever signs in takes along what they wrote. */
  private isAnothers(): boolean {
    const owner = this.storage.get("session_user") ?? "";
    const now = this.person.id ?? "";
    if (owner === now) return false;
    if (!owner) {
      this.storage.set("session_user", now);
      return false;
    }
    this.storage.clear();
    return true;
  }
}
