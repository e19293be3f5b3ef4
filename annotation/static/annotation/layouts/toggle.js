/** One place: the original, A or B, by key or button. */

import { SLOTS } from "../loader.js";

export class Toggle {
  name = "toggle";
  across = 1;
  #seen = new Set();

  /** `element` is the stage. */
  constructor(element) {
    this.element = element;
  }

  begin(t, viewed) {
    this.viewed = viewed;
    this.#seen.clear();
    this.up("original", t);
  }

  view(slot, t) {
    this.up(slot, t);
    return true;
  }

  get unseen() {
    return SLOTS.filter((slot) => !this.#seen.has(slot));
  }

  /** Which picture stands in the place. */
  up(slot, t) {
    this.#seen.add(slot);
    if (this.element.dataset.up === slot) return;
    this.element.dataset.up = slot;
    this.viewed(slot, t);
  }

  rest() {}

  resume() {}
}
