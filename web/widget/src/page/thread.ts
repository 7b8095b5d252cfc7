/** The conversation on the page: everything once, in the gateway's order, what is still to be sent behind it. */

import { Bubble, type Manner } from "./bubble";
import { make } from "./dom";
import type { Unsent } from "./outbox";
import type { Message } from "./wire";

/** Pixels from the end that still count as the end. */
const NEAR = 80;

export interface ThreadPlaces {
  scroll: HTMLElement;
  list: HTMLElement;
  latest: HTMLButtonElement;
}

export class Thread {
  /** By message id, by temporary id while there is none, or by a name of our own. */
  private readonly bubbles = new Map<string, Bubble>();
  private readonly days = new Map<string, HTMLLIElement>();
  /** Temporary ids of messages that the gateway has. */
  private readonly arrived = new Set<string>();
  private notes = 0;
  /** Whether the visitor wants to see what is new; only their own scrolling changes it. */
  private isAtEnd = true;

  constructor(
    private readonly at: ThreadPlaces,
    private readonly manner: Manner,
  ) {
    at.latest.addEventListener("click", () => this.toEnd());
    at.scroll.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = at.scroll;
      this.isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
      if (this.isAtEnd) at.latest.hidden = true;
    });
    // Pictures grow when they have come, the window when the keyboard goes.
    const resized = new ResizeObserver(() => this.isAtEnd && this.toEnd());
    resized.observe(at.scroll);
    resized.observe(at.list);
  }

  get lastSequence(): number {
    return [...this.bubbles.values()].reduce(
      (last, { order }) => (Number.isFinite(order) ? Math.max(last, Math.floor(order)) : last),
      0,
    );
  }

  /** True when it was not there before. */
  say(message: Message): boolean {
    const waiting = message.temp_id ? this.bubbles.get(message.temp_id) : undefined;
    const known = this.bubbles.get(message.id) ?? waiting;
    const bubble = known ?? this.bubbleOf(message);
    if (message.temp_id) {
      this.arrived.add(message.temp_id);
      this.bubbles.delete(message.temp_id);
    }
    bubble.order = message.sequence;
    bubble.show(message.sender === "user" ? "sent" : "none");
    this.put(message.id, bubble, !known);
    return !known;
  }

  wait(unsent: Unsent, take: { retry: () => void; remove: () => void }): void {
    if (this.arrived.has(unsent.tempId)) return; // news from another tab can be older than the gateway's
    const known = this.bubbles.get(unsent.tempId);
    const content = { speaker: "user", text: unsent.text, items: unsent.items, at: new Date(unsent.at) } as const;
    const bubble = known ?? new Bubble(content, this.manner);
    const { retry, remove } = this.manner.words;
    if (unsent.refused === undefined) bubble.show("sending");
    else bubble.complain(unsent.refused, [[retry, take.retry], [remove, take.remove]]);
    this.put(unsent.tempId, bubble, !known);
  }

  /** The gateway has it; its echo brings what is not known yet. */
  sent(tempId: string, id?: string, sequence?: number): void {
    const bubble = this.bubbles.get(tempId);
    if (!bubble) return;
    bubble.show("sent");
    if (sequence !== undefined) bubble.order = sequence;
    if (id) {
      this.arrived.add(tempId);
      this.bubbles.delete(tempId);
      if (!this.bubbles.has(id)) this.bubbles.set(id, bubble);
    }
    this.arrange();
  }

  isRefused(tempId: string): boolean {
    return this.bubbles.get(tempId)?.element.dataset.state === "refused";
  }

  note(text: string): void {
    const bubble = new Bubble({ speaker: "system", text, at: new Date() }, this.manner);
    bubble.order = this.lastSequence + 0.5;
    this.put(`note ${(this.notes += 1)}`, bubble, true);
  }

  /** A line that is not a message yet. */
  add(key: string, bubble: Bubble): void {
    this.put(key, bubble, true);
  }

  drop(key: string): void {
    this.bubbles.get(key)?.element.remove();
    if (this.bubbles.delete(key)) this.arrange();
  }

  clear(): void {
    this.bubbles.clear();
    this.arrived.clear();
    this.at.list.replaceChildren();
    this.at.latest.hidden = true;
  }

  toEnd(): void {
    this.at.scroll.scrollTop = this.at.scroll.scrollHeight;
    this.at.latest.hidden = true;
    this.isAtEnd = true;
  }

  private bubbleOf(message: Message): Bubble {
    const { sender, sender_name: name, text, attachments, timestamp } = message;
    const speaker = sender === "user" || sender === "agent" ? sender : "bot";
    const items = attachments?.items;
    return new Bubble({ speaker, name, text, items, at: new Date(timestamp) }, this.manner);
  }

  private put(key: string, bubble: Bubble, isNew: boolean): void {
    this.bubbles.set(key, bubble);
    const follows = this.isAtEnd || (isNew && bubble.content.speaker === "user");
    this.arrange();
    if (follows) this.toEnd();
    else if (isNew) this.at.latest.hidden = false;
  }

  /** What stays where it is is left alone, or it would be read out again. */
  private arrange(): void {
    const sorted = [...this.bubbles.values()].sort(byPlace);
    const wanted: HTMLLIElement[] = [];
    let day = "";
    sorted.forEach((bubble, index) => {
      const date = bubble.content.at.toDateString();
      if (date !== day) wanted.push(this.day(date, bubble.content.at));
      const isFirst = date !== day || !bubble.continues(sorted[index - 1]);
      const next = sorted[index + 1];
      const isLast = next?.content.at.toDateString() !== date || !next.continues(bubble);
      bubble.element.classList.toggle("first", isFirst);
      bubble.element.classList.toggle("last", isLast);
      wanted.push(bubble.element);
      day = date;
    });
    this.place(wanted);
  }

  private place(wanted: HTMLLIElement[]): void {
    const { list } = this.at;
    const stays = new Set<Element>(wanted);
    for (const child of [...list.children]) if (!stays.has(child)) child.remove();
    let cursor = list.firstElementChild;
    for (const element of wanted) {
      if (element === cursor) cursor = cursor.nextElementSibling;
      else list.insertBefore(element, cursor);
    }
  }

  private day(date: string, at: Date): HTMLLIElement {
    const known = this.days.get(date) ?? make("li", { class: "day" });
    const label = dayName(at, this.manner.locale);
    if (known.textContent !== label) known.textContent = label;
    this.days.set(date, known);
    return known;
  }
}

/** What has no place yet comes in the order of time. */
function byPlace(a: Bubble, b: Bubble): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.content.at.getTime() - b.content.at.getTime();
}

function dayName(at: Date, locale: string): string {
  const ago = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  if (ago === 0 || ago === -1) {
    const name = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(ago, "day");
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  }
  const isThisYear = at.getFullYear() === new Date().getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", ...year }).format(at);
}
