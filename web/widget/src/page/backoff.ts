/** Waits longer after each failure, and never two pages for the same time: they all lost the same server. */

const FIRST = 1_000;
const LONGEST = 30_000;

export class Backoff {
  private failures = 0;

  /** Milliseconds; at least `atLeast`. */
  next(atLeast = 0): number {
    const whole = Math.min(LONGEST, FIRST * 2 ** this.failures);
    this.failures += 1;
    return Math.max(atLeast, whole / 2 + (whole / 2) * Math.random());
  }

  reset(): void {
    this.failures = 0;
  }
}
