/** Files that the visitor adds: a line each while they are on their way, then a message. */

import { Bubble, type Manner } from "./bubble";
import { upload, UploadFailed } from "./files";
import { Refused, type Gateway } from "./gateway";
import type { Outbox } from "./outbox";
import type { Words } from "./strings";
import type { Thread } from "./thread";

export class Uploading {
  private started = 0;

  constructor(
    private readonly gateway: Gateway,
    private readonly thread: Thread,
    private readonly outbox: Outbox,
    private readonly manner: Manner,
  ) {}

  async add(conversationId: string, file: File): Promise<void> {
    const key = `upload ${(this.started += 1)}`;
    const { words } = this.manner;
    const bubble = new Bubble({ speaker: "user", text: file.name, at: new Date() }, this.manner);
    const stop = new AbortController();
    const drop = (): void => this.thread.drop(key);
    const progress = (share: number): void => bubble.progress(share, () => stop.abort());
    progress(0);
    this.thread.add(key, bubble);
    try {
      const item = await upload(this.gateway, conversationId, file, { progress, signal: stop.signal });
      drop();
      this.outbox.add("", [item]);
    } catch (error) {
      if (stop.signal.aborted) return drop();
      const again = (): void => {
        drop();
        void this.add(conversationId, file);
      };
      bubble.complain(reasonOf(error, words), [[words.retry, again], [words.remove, drop]]);
    }
  }
}

/** In the visitor's language where there are words for it; the gateway speaks English. */
function reasonOf(error: unknown, words: Words): string {
  if (!(error instanceof Refused || error instanceof UploadFailed)) return words.uploadFailed;
  const known: Record<string, string> = {
    FILE_TYPE_REFUSED: words.fileRefused,
    FILE_TOO_LARGE: words.fileTooLarge,
    INVALID: words.uploadFailed,
  };
  return known[error.code] ?? (error.message || words.uploadFailed);
}
