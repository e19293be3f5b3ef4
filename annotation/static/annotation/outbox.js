/**
 * The outbox: an answer is stored before it is sent, and stays until the server has confirmed or refused it. A pair
 * that was flagged goes the same way: it has `flag` in place of an answer.
 */

import { Refusal } from "./api.js";
import { Backoff } from "./backoff.js";

/**
 * Events: "change" after every step, "confirmed" (detail: {judgment, reply}) and "refused" ({judgment, refusal}).
 * `state` is "saved", "saving" or "waiting".
 */
export class Outbox extends EventTarget {
  #waiting = new Map();
  #running = false;
  #backoff = new Backoff();
  supply = null; // whose next pair an answer may bring

  constructor(store, api) {
    super();
    this.store = store;
    this.api = api;
    this.lasting = store.lasting;
    this.state = "saved";
  }

  /** How many answers are not confirmed yet. */
  get size() {
    return this.#waiting.size;
  }

  /** The assignments answered but not confirmed: to the server they are still in our hands. */
  assignments(sessionKey) {
    const ours = [...this.#waiting.values()].filter((judgment) => judgment.sessionKey === sessionKey);
    return ours.map((judgment) => judgment.assignment);
  }

  /** Takes up what an earlier page left behind and begins to send it. */
  async resume() {
    for (const judgment of await this.store.all()) this.#waiting.set(judgment.id, judgment);
    this.#send();
  }

  /** Stores an answer, then sends it. */
  async add(judgment) {
    this.#waiting.set(judgment.id, judgment);
    this.#become("saving");
    await this.#keep(judgment);
    this.#backoff.wake();
    this.#send();
  }

  /** Resolves with what the server replied to this judgment, or with its refusal; call it before `add`. */
  outcome(id) {
    return new Promise((resolve) => {
      const over = new AbortController();
      const hear = ({ detail }) => {
        if (detail.judgment.id !== id) return;
        over.abort();
        resolve(detail);
      };
      for (const name of ["confirmed", "refused"]) this.addEventListener(name, hear, { signal: over.signal });
    });
  }

  /** Resolves when nothing waits any more, or after `ms`. */
  settled(ms) {
    return new Promise((resolve) => {
      const over = new AbortController();
      const look = () => {
        if (this.size > 0) return;
        over.abort();
        resolve();
      };
      this.addEventListener("change", look, { signal: over.signal });
      setTimeout(() => over.abort() ?? resolve(), ms);
      look();
    });
  }

  async #keep(judgment) {
    try {
      await this.store.put(judgment);
    } catch (error) {
      // The answer still lies in #waiting and is sent; what is lost is only that it would outlive the page.
      console.info("This answer could not be stored:", error?.message);
      this.lasting = false;
    }
  }

  async #send() {
    if (this.#running) return;
    this.#running = true;
    while (this.size > 0) {
      const [judgment] = this.#waiting.values();
      await this.#sendOne(judgment);
    }
    this.#running = false;
    this.#become("saved");
  }

  async #sendOne(judgment) {
    try {
      const reply = await this.#put(judgment);
      await this.#done("confirmed", { judgment, reply });
    } catch (error) {
      if (error instanceof Refusal) {
        await this.#done("refused", { judgment, refusal: error });
      } else {
        this.#become("waiting");
        await this.#backoff.wait();
      }
    }
  }

  async #put(judgment) {
    if (judgment.flag) return this.api.skip(judgment.assignment, judgment.flag, judgment.sessionKey);
    // An answer of an earlier session brings no pair to this one.
    const holding = judgment.sessionKey === this.api.sessionKey ? (this.supply?.order() ?? null) : null;
    let recorded = null;
    try {
      recorded = await this.api.putJudgment(judgment, holding);
    } finally {
      if (holding) this.supply.deliver(recorded?.next ?? null);
    }
    return recorded;
  }

  async #done(name, detail) {
    const { judgment } = detail;
    this.#waiting.delete(judgment.id);
    this.#backoff.reset();
    await this.store.delete(judgment.id).catch(() => undefined); // sent once more on return, and counted once
    this.dispatchEvent(new CustomEvent(name, { detail }));
    if (this.size > 0) this.#become("saving");
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}
