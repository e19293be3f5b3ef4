/**
 * One place where the original alternates with A or with B, whichever was chosen; the original stands still at first.
 *
 * A whole change, from the original and back to it, takes 1 / hz seconds. `hz` is at most 2: more than three flashes
 * a second may harm people (WCAG 2.3.1).
 */

import { Toggle } from "./toggle.js";

const FASTEST_HZ = 2;

export class Flicker extends Toggle {
  name = "flicker";
  #against = "original";
  #frame = 0;

  constructor(element, hz) {
    super(element);
    this.halfMs = 500 / Math.min(hz, FASTEST_HZ);
  }

  begin(t, viewed) {
    this.#against = "original";
    super.begin(t, viewed);
  }

  view(slot, t) {
    this.rest();
    this.#against = slot;
    this.up(slot, t);
    this.resume();
    return true;
  }

  rest() {
    cancelAnimationFrame(this.#frame);
  }

  resume() {
    this.rest();
    if (this.#against === "original") return;
    let changed = performance.now();
    const flip = (now) => {
      if (now - changed >= this.halfMs) {
        changed = now;
        this.up(this.element.dataset.up === "original" ? this.#against : "original", now);
      }
      this.#frame = requestAnimationFrame(flip);
    };
    this.#frame = requestAnimationFrame(flip);
  }
}
