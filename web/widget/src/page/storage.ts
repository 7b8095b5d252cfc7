/**
 * What the browser keeps for us, apart for each shop: one server can host many.
 *
 * Where a browser keeps nothing for frames of other sites, the page still works, until it is left.
 */

export class Storage {
  private readonly kept: globalThis.Storage | null;
  private readonly memory = new Map<string, string>();

  constructor(private readonly scope: string) {
    this.kept = available();
  }

  get(name: string): string | null {
    return this.memory.get(name) ?? this.kept?.getItem(this.key(name)) ?? null;
  }

  set(name: string, value: string): void {
    if (this.kept) {
      try {
        this.kept.setItem(this.key(name), value);
        this.memory.delete(name);
        return;
      } catch {
        // Full. What is in memory lasts as long as the page.
      }
    }
    this.memory.set(name, value);
  }

  remove(name: string): void {
    this.kept?.removeItem(this.key(name));
    this.memory.delete(name);
  }

  /** All that is kept for this shop. */
  clear(): void {
    for (const name of this.names("")) this.remove(name);
  }

  /** Each name that begins so, without its beginning. */
  names(beginning: string): string[] {
    const start = this.key(beginning);
    const kept = this.kept ? Object.keys(this.kept) : [];
    const all = [...kept, ...[...this.memory.keys()].map((name) => this.key(name))];
    return [...new Set(all)].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
  }

  /** Calls when another tab changes what begins so. */
  onChange(beginning: string, heard: () => void): void {
    addEventListener("storage", (event) => {
      if (event.key === null || event.key.startsWith(this.key(beginning))) heard();
    });
  }

  /** Run while no other tab runs what has the same name. */
  async alone(name: string, work: () => Promise<void>): Promise<void> {
    if (navigator.locks) await navigator.locks.request(this.key(name), work);
    else await work();
  }

  private key(name: string): string {
    return `chat@${this.scope}/${name}`;
  }
}

function available(): globalThis.Storage | null {
  try {
    const probe = "chat_probe";
    localStorage.setItem(probe, "");
    localStorage.removeItem(probe);
    return localStorage;
  } catch {
    return null;
  }
}
