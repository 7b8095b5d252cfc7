const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** Nobody can guess it: 26 of these letters are worth 130 bits. */
export function randomLetters(length: number): string {
  let made = "";
  while (made.length < length) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 252) made += LETTERS[byte % 36]; // 252 = 7 · 36: every letter as likely as the others
  }
  return made;
}
