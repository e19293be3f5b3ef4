/**
 * Waiting between tries: 1, 2, 4 … 30 s, cut short when the browser is back on line.
 */

const LONGEST_MS = 30_000;

/** Doubling waits; `wake()` ends the present one, `reset()` starts over at a second. */
export class Backoff {
  #tries = 0;
  #wake = () => {};

  constructor() {
    globalThis.addEventListener("online", () => this.wake());
  }

  /** Resolves when the next try is due. */
  wait() {
    const ms = Math.min(LONGEST_MS, 1000 * 2 ** this.#tries);
    this.#tries += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake() {
    this.#wake();
  }

  reset() {
    this.#tries = 0;
  }
}

/** Resolves after `ms`. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
