/** The page around the conversation: title, state of the connection, the question for a name, the composer. */

import type { Config } from "./config";
import { find } from "./dom";
import type { Words } from "./strings";

export interface ViewListener {
  onName(name: string): void;
  onText(text: string): void;
  onFiles(files: File[]): void;
  onClose(): void;
}

export class View {
  private readonly naming = find<HTMLFormElement>("naming");
  private readonly name = find<HTMLInputElement>("name");
  private readonly composer = find<HTMLFormElement>("composer");
  private readonly text = find<HTMLTextAreaElement>("text");
  private readonly attach = find<HTMLButtonElement>("attach");
  private readonly file = find<HTMLInputElement>("file");
  private readonly status = find("status");
  private readonly close = find<HTMLButtonElement>("close");
  private trouble = "";
  private hint = "";

  constructor(
    private readonly config: Config,
    private readonly words: Words,
    private readonly listener: ViewListener,
  ) {
    document.documentElement.lang = config.language;
    document.documentElement.dir = config.direction;
    this.write();
    this.listen();
    this.mayAttach(false);
    this.close.hidden = !config.isFramed;
  }

  /** The question for a name, or the composer. */
  asksName(asks: boolean): void {
    const hadFocus = this.naming.contains(document.activeElement);
    this.naming.hidden = !asks;
    this.composer.hidden = asks;
    if (hadFocus) this.focus();
  }

  focus(): void {
    (this.naming.hidden ? this.text : this.name).focus();
  }

  /** What is wrong with the connection; nothing when all is well. */
  says(trouble: string): void {
    this.trouble = trouble;
    this.draw();
  }

  mayAttach(may: boolean): void {
    this.attach.setAttribute("aria-disabled", String(!may));
    const label = may ? this.words.attach : this.words.attachLater;
    this.attach.setAttribute("aria-label", label);
    this.attach.title = label;
  }

  private write(): void {
    const { words } = this;
    document.title = words.title;
    const texts: Record<string, string> = {
      title: words.title,
      greeting: words.greeting,
      "name-question": words.nameQuestion,
      start: words.start,
      anonymous: words.anonymous,
      latest: words.newMessages,
    };
    for (const [id, text] of Object.entries(texts)) find(id).textContent = text;
    find("scroll").setAttribute("aria-label", words.log);
    this.close.setAttribute("aria-label", words.close);
    find("send").setAttribute("aria-label", words.send);
    this.text.setAttribute("aria-label", words.placeholder);
    this.text.placeholder = words.placeholder;
  }

  private listen(): void {
    this.naming.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.name.value.trim();
      if (name) this.listener.onName(name);
      else this.name.focus();
    });
    find("anonymous").addEventListener("click", () => this.listener.onName(""));
    this.close.addEventListener("click", () => this.listener.onClose());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing && this.config.isFramed) this.listener.onClose();
    });
    this.listenToComposer();
    this.listenToFiles();
  }

  private listenToComposer(): void {
    this.composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("keydown", (event) => {
      // Enter also ends a word in scripts that are composed.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("input", () => {
      this.grow();
      this.hints("");
    });
  }

  /** Until the next letter. */
  private hints(hint: string): void {
    this.hint = hint;
    this.draw();
  }

  private draw(): void {
    const said = this.trouble || this.hint;
    if (this.status.textContent !== said) this.status.textContent = said;
  }

  private submit(): void {
    const text = this.text.value.trim();
    if (text) {
      this.text.value = "";
      this.grow();
      this.listener.onText(text);
    }
    this.text.focus();
  }

  private grow(): void {
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  private listenToFiles(): void {
    this.attach.addEventListener("click", () => {
      if (this.canAttach) this.file.click();
      else this.hints(this.words.attachLater);
    });
    this.file.addEventListener("change", () => {
      const files = [...(this.file.files ?? [])];
      this.file.value = ""; // the same one can be chosen again
      this.listener.onFiles(files);
    });
    const dropped = (event: Event, data: DataTransfer | null): void => {
      const files = [...(data?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      if (this.canAttach) this.listener.onFiles(files);
    };
    this.text.addEventListener("paste", (event) => dropped(event, event.clipboardData));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      dropped(event, event.dataTransfer);
    });
  }

  private get canAttach(): boolean {
    return this.attach.getAttribute("aria-disabled") === "false";
  }
}
