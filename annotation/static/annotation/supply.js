/**
 * The supply of pairs: the next one is claimed, fetched and decoded while the present one is judged.
 */

import { Refusal, Unreachable } from "./api.js";
import { Backoff } from "./backoff.js";
import { ImageFailed, loadPair } from "./loader.js";

const MOST_FAILURES = 3;
const CONFIRM_WITHIN_MS = 5000;
// A pair this close to the end of its lease is not begun.
const LEAST_LEASE_MS = 2000;

/**
 * Event "unreachable" when a try failed and another one will follow; `reachable` tells how the last one went.
 *
 * `take()` resolves to {status: "pair", pair} or to {status, detail, …} with the status nothing_free, nothing_left or
 * sitting_over as the server said it, closed (it refused), or broken (images keep failing). `pair.leaseEnds` is when
 * it goes back to the pool.
 */
export class Supply extends EventTarget {
  #ahead = null;
  #inHand = new Set();
  #failures = 0;
  #backoff = new Backoff();
  reachable = true;

  constructor(api, outbox) {
    super();
    this.api = api;
    this.outbox = outbox;
  }

  /** Begins to get the next pair ready. */
  prepare() {
    this.#ahead ??= this.#next();
  }

  /** The next pair. Call `finished` with its id when it has been answered. */
  async take() {
    const ahead = this.#ahead;
    this.#ahead = null;
    const found = ahead ? await ahead : await this.#next();
    if (found.status === "pair") return this.#unlessLate(found);
    if (!ahead || found.status === "closed") return found;
    // It was said while a pair was in hand: ask again now that all is answered.
    await this.outbox.settled(CONFIRM_WITHIN_MS);
    return this.#next();
  }

  /** The pair is no longer in hand: answered, the outbox holds it. */
  finished(id) {
    this.#inHand.delete(id);
  }

  /** What was fetched ahead of a long pause may be somebody else's by now. */
  #unlessLate(found) {
    const { pair } = found;
    const left = pair.leaseEnds - performance.now();
    if (left > LEAST_LEASE_MS) return found;
    pair.release();
    setTimeout(() => this.finished(pair.assignment.id), Math.max(0, left) + LEAST_LEASE_MS);
    return this.take();
  }

  async #next() {
    for (;;) {
      try {
        const found = await this.#claimAndLoad();
        this.#backoff.reset();
        this.reachable = true;
        if (found) return found;
      } catch (error) {
        if (error instanceof Refusal) return { status: "closed", code: error.code, detail: error.message };
        if (!(error instanceof Unreachable)) throw error;
        this.reachable = false;
        this.dispatchEvent(new Event("unreachable"));
        await this.#backoff.wait();
      }
    }
  }

  /** A pair, why there is none, or null when one had to be given back. */
  async #claimAndLoad() {
    const holding = [...this.#inHand, ...this.outbox.assignments(this.api.sessionKey)];
    const found = await this.api.claimNext(holding);
    if (found.status !== "pair") return found;
    const { assignment, leaseEnds } = found;
    try {
      const pair = await loadPair(assignment);
      this.#failures = 0;
      this.#inHand.add(assignment.id);
      return { status: "pair", pair: { ...pair, leaseEnds } };
    } catch (error) {
      if (!(error instanceof ImageFailed)) throw error;
      return this.#giveBack(assignment, error);
    }
  }

  async #giveBack(assignment, failure) {
    // Where the network is down this throws Unreachable: the pair is kept and loaded again later.
    await this.#skip(assignment, failure);
    this.#failures += 1;
    if (this.#failures < MOST_FAILURES) return null;
    this.#failures = 0;
    const detail = `${MOST_FAILURES} pairs in a row failed (the ${failure.slot} image ${failure.message}).`;
    return { status: "broken", detail };
  }

  async #skip(assignment, failure) {
    try {
      await this.api.skip(assignment.id, { slot: failure.slot, detail: failure.message });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      console.info("The pair was not taken back:", error.message);
    }
  }
}
