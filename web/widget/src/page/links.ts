/** Addresses in texts, as links. */

import { make } from "./dom";

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+|\bwww\.[^\s<>"'`.]+\.[^\s<>"'`]+/gi;
const TRAILING = /[.,:;!?…]+$/;

/** The text again, piece by piece. */
export function linked(text: string): (Node | string)[] {
  const pieces: (Node | string)[] = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const link = webUrl(/^www\./i.test(address) ? `https://${address}` : address);
    if (!link) continue;
    pieces.push(text.slice(done, match.index), anchor(link, address));
    done = match.index + address.length;
  }
  pieces.push(text.slice(done));
  return pieces.filter((piece) => piece !== "");
}

/** The URL if it leads to the web, and nowhere else. */
export function webUrl(address: string, base?: string): URL | undefined {
  try {
    const url = new URL(address, base);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

export function anchor(url: URL, ...children: (Node | string)[]): HTMLAnchorElement {
  const rel = "noopener noreferrer nofollow ugc";
  return make("a", { href: url.href, target: "_blank", rel }, ...children);
}

/** Without what belongs to the sentence: its end, and a bracket that was opened before the address. */
function trimmed(address: string): string {
  let kept = address.replace(TRAILING, "");
  for (const [open, close] of ["()", "[]"] as const) {
    while (kept.endsWith(close!) && count(kept, close!) > count(kept, open!)) {
      kept = kept.slice(0, -1).replace(TRAILING, "");
    }
  }
  return kept;
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}
