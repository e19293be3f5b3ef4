/**
 * The supply of pairs: the next ones are claimed, fetched and decoded while the present one is judged. Once it is full,
 * the response to each answer brings the pair that takes its place; nothing else is requested then.
 */

import { Refusal, Unreachable } from "./api.js";
import { Backoff } from "./backoff.js";
import { ImageFailed, loadPair } from "./loader.js";

const MOST_AHEAD = 5;
// Decoded pictures take four bytes a pixel: 100 million of them are 400 MB. One pair is always fetched.
const MOST_PIXELS = 100e6;
const MOST_FAILURES = 3;
const CONFIRM_WITHIN_MS = 5000;
// A pair this close to the end of its lease is not begun.
const LEAST_LEASE_MS = 2000;

/** How many pixels a pair holds in memory: three pictures and the two covers. */
const pixelsOf = ({ assignment }) => 5 * assignment.width * assignment.height;

/**
 * Event "unreachable" when a try failed and another one will follow; `reachable` tells how the last one went.
 *
 * `take()` resolves to {status: "pair", pair, progress} or to {status, detail, …} with the status nothing_free,
 * nothing_left, sitting_over or training_failed as the server replied, closed (it refused), or broken (images keep
 * failing). `pair.leaseEnds` is when it goes back to the pool.
 */
export class Supply extends EventTarget {
  #ready = [];
  #inHand = new Set();
  #taker = null;
  #filling = false;
  #claiming = false;
  #order = null; // resolves when the pair that an answer was to bring is here, or is not coming
  #arrived = null;
  #stopped = false;
  #failures = 0;
  #backoff = new Backoff();
  reachable = true;

  constructor(api, outbox) {
    super();
    this.api = api;
    this.outbox = outbox;
    outbox.supply = this;
    // The server gives more to a session that has answered, and a refused answer has brought nothing.
    for (const name of ["confirmed", "refused"]) outbox.addEventListener(name, () => this.prepare());
  }

  /** How many pairs lie ready. */
  get ahead() {
    return this.#ready.length;
  }

  /**
   * Asks an answer that is about to be sent to bring the next pair: returns what is held, or null where no pair is
   * wanted or one is being claimed. Call `deliver` with what the response brought.
   */
  order() {
    if (this.#stopped || this.#claiming || this.#order || !(this.#taker || this.#hasRoom())) return null;
    this.#order = new Promise((resolve) => {
      this.#arrived = resolve;
    });
    return this.#held();
  }

  /** Takes in the pair that an answer brought; null where it brought none. */
  async deliver(claimed) {
    try {
      if (claimed?.status === "pair") this.#put(await this.#load(claimed));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      // Not given back: the server names it again when the next pair is claimed.
    } finally {
      this.#order = null;
      this.#arrived();
      this.prepare();
    }
  }

  /** Begins to get the next pairs ready, as many as memory allows. */
  prepare() {
    if (this.#filling || this.#stopped) return;
    this.#filling = true;
    this.#fill();
  }

  /** Asks for nothing any more: the session goes on elsewhere, or is over. */
  stop() {
    this.#stopped = true;
  }

  /** The next pair. Call `finished` with its id when it has been answered. */
  async take() {
    const next = await this.#first();
    if (next.status === "pair") return this.#unlessLate(next);
    if (next.status === "closed" || this.outbox.size === 0) return next;
    // That was the reply while answers were on their way: ask again when the server has them.
    await this.outbox.settled(CONFIRM_WITHIN_MS);
    return this.#first();
  }

  /** The pair is no longer in hand: answered, the outbox holds it. */
  finished(id) {
    this.#inHand.delete(id);
  }

  #first() {
    if (this.#ready.length > 0) return this.#ready.shift();
    return new Promise((resolve) => {
      this.#taker = resolve;
      this.prepare();
    });
  }

  async #fill() {
    while (this.#wants()) {
      if (this.#order) {
        await this.#order;
        continue;
      }
      const next = await this.#next();
      this.#put(next);
      if (next.status !== "pair") break; // whoever takes next asks again
    }
    this.#filling = false;
    if (this.#taker) this.prepare();
  }

  /** To whoever waits for it, or to those that lie ready; null is nothing. */
  #put(next) {
    const taker = next && this.#taker;
    if (taker) {
      this.#taker = null;
      taker(next);
    } else if (next?.status === "pair") {
      this.#ready.push(next);
    }
  }

  /** Whether to claim now: not while an answer is on its way that will bring a pair, unless somebody waits. */
  #wants() {
    return !this.#stopped && Boolean(this.#taker || (this.outbox.size === 0 && this.#hasRoom()));
  }

  #hasRoom() {
    const pixels = this.#ready.map(({ pair }) => pixelsOf(pair));
    const largest = Math.max(0, ...pixels);
    return pixels.length < MOST_AHEAD && pixels.reduce((sum, more) => sum + more, largest) <= MOST_PIXELS;
  }

  /** What was fetched ahead of a long pause may be somebody else's by now. */
  #unlessLate(next) {
    const { pair } = next;
    const left = pair.leaseEnds - performance.now();
    if (left > LEAST_LEASE_MS) return next;
    pair.release();
    setTimeout(() => this.finished(pair.assignment.id), Math.max(0, left) + LEAST_LEASE_MS);
    return this.take();
  }

  async #next() {
    for (;;) {
      this.#claiming = true;
      try {
        const next = await this.#claimAndLoad();
        this.#backoff.reset();
        this.reachable = true;
        if (next) return next;
      } catch (error) {
        if (error instanceof Refusal) return { status: "closed", code: error.code, detail: error.message };
        if (!(error instanceof Unreachable)) throw error;
        this.reachable = false;
        this.dispatchEvent(new Event("unreachable"));
        await this.#backoff.wait();
      } finally {
        this.#claiming = false;
      }
    }
  }

  /** The assignments that need not be given again. */
  #held() {
    return [...new Set([...this.#inHand, ...this.outbox.assignments(this.api.sessionKey)])];
  }

  /** A pair, why there is none, or null when one had to be given back. */
  async #claimAndLoad() {
    const claimed = await this.api.claimNext(this.#held());
    return claimed.status === "pair" ? this.#load(claimed) : claimed;
  }

  async #load({ assignment, leaseEnds, progress }) {
    try {
      const pair = await loadPair(assignment);
      this.#failures = 0;
      this.#inHand.add(assignment.id);
      return { status: "pair", pair: { ...pair, leaseEnds }, progress };
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
    console.info(`${MOST_FAILURES} pairs in a row failed: the ${failure.slot} image ${failure.message}`);
    return { status: "broken", pairs: MOST_FAILURES };
  }

  async #skip(assignment, failure) {
    try {
      await this.api.skip(assignment.id, { cause: "image_failed", slot: failure.slot, detail: failure.message });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      console.info("The pair was not taken back:", error.message);
    }
  }
}
