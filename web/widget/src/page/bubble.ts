/** One line of the conversation: somebody's message, or a note of ours. */

import { icon, make, unseen } from "./dom";
import { shown } from "./files";
import { linked } from "./links";
import type { Words } from "./strings";
import type { FileItem } from "./wire";

export type Speaker = "user" | "agent" | "bot" | "system";
export type State = "sending" | "sent" | "refused" | "none";

/** How the page speaks, and whose pictures it may show. */
export interface Manner {
  words: Words;
  /** For dates and numbers. */
  locale: string;
  gateway: string;
}

export interface Content {
  speaker: Speaker;
  name?: string | null | undefined;
  text: string;
  items?: FileItem[] | undefined;
  at: Date;
}

export class Bubble {
  readonly element: HTMLLIElement;
  /** Place in the conversation: the message's sequence number, and behind everything while it has none. */
  order = Infinity;
  private readonly body: HTMLElement;
  private readonly state = make("span", { class: "state" });
  private readonly trouble = make("p", { class: "trouble" });

  constructor(
    readonly content: Content,
    private readonly manner: Manner,
  ) {
    const { speaker, at } = content;
    this.body = make("div", { class: "body" });
    this.element = make("li", { class: speaker });
    if (speaker !== "system") this.element.append(this.who());
    this.element.append(this.body);
    if (speaker !== "system") this.element.append(make("p", { class: "meta" }, this.time(at), this.state));
    this.fill(content.text, content.items ?? []);
  }

  /** Whether both belong to one person's turn. */
  continues(before: Bubble | undefined): boolean {
    if (!before || this.content.speaker === "system") return false;
    const { speaker, name, at } = before.content;
    const isSame = speaker === this.content.speaker && name === this.content.name;
    return isSame && Math.abs(this.content.at.getTime() - at.getTime()) < 5 * 60_000;
  }

  show(state: State): void {
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    const { words } = this.manner;
    if (state === "none") this.state.replaceChildren();
    else if (state === "refused") this.state.replaceChildren(words.refused);
    else this.state.replaceChildren(icon(state), unseen(words[state]));
    if (state !== "refused") this.trouble.remove();
  }

  /** Why it was not sent, and what can be done. */
  complain(reason: string, actions: readonly (readonly [label: string, run: () => void])[]): void {
    this.show("refused");
    for (const part of this.body.querySelectorAll("progress, button")) part.remove();
    const buttons = actions.map(([label, run]) => {
      const button = make("button", { type: "button", class: "plain" }, label);
      button.addEventListener("click", run);
      return button;
    });
    this.trouble.replaceChildren(make("span", { class: "reason" }, reason), " ", ...buttons);
    this.element.append(this.trouble);
  }

  /** How much of a file is there, from 0 to 1. */
  progress(share: number, cancel: () => void): void {
    const bar = this.body.querySelector("progress");
    if (bar) {
      bar.value = share;
      return;
    }
    const { words } = this.manner;
    const button = make("button", { type: "button", class: "plain" }, words.cancel);
    button.addEventListener("click", cancel);
    this.body.append(make("progress", { max: "1", value: "0", "aria-label": words.uploading }), button);
  }

  private who(): HTMLElement {
    const { words } = this.manner;
    const { speaker, name } = this.content;
    const label = speaker === "user" ? words.you : name || (speaker === "bot" ? words.bot : words.agent);
    return make("p", { class: speaker === "user" ? "who unseen" : "who" }, make("bdi", {}, label));
  }

  private time(at: Date): HTMLElement {
    const how = { hour: "numeric", minute: "2-digit" } as const;
    const written = new Intl.DateTimeFormat(this.manner.locale, how).format(at);
    return make("time", { datetime: at.toISOString() }, written);
  }

  private fill(text: string, items: FileItem[]): void {
    const { gateway, words, locale } = this.manner;
    // The gateway puts a text in place of none, for pages that show no files.
    const standsIn = items.length > 0 && text.startsWith("[Attachment: ");
    if (text && !standsIn) this.body.append(make("p", { class: "text", dir: "auto" }, ...linked(text)));
    this.body.append(...items.map((item) => shown(item, gateway, words, locale)));
  }
}
