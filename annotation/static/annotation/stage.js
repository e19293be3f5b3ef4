/**
 * The places where pictures stand, and the swap from one pair to the next in one frame.
 */

import { Lens } from "./lens.js";
import { SLOTS } from "./loader.js";
import { layOut, measureScreen } from "./screen.js";
import { nextFrame } from "./timing.js";

/**
 * Shows pairs; `pair` is the one that is up, or null.
 *
 * Event "view" (detail: {slot, t}) when another picture is put up in a layout of one place.
 */
export class Stage extends EventTarget {
  pair = null;
  isPeeking = false;

  /** `frame` is hidden while no pair is up; `element` in it has the places; `room` is what they must fit in. */
  constructor({ element, frame, room, layout, largest }) {
    super();
    this.largest = largest;
    this.element = element;
    this.frame = frame;
    this.room = room;
    const placeOf = (slot) => element.querySelector(`[data-slot=${slot}] .picture`);
    this.places = Object.fromEntries(SLOTS.map((slot) => [slot, placeOf(slot)]));
    this.lens = new Lens(element);
    this.use(layout);
  }

  /** From now on pairs are shown in this layout. */
  use(layout) {
    this.layout?.rest();
    this.layout = layout;
    this.element.dataset.layout = layout.name;
    document.body.dataset.layout = layout.name; // the help lists the keys that this layout has
    delete this.element.dataset.up;
  }

  /**
   * Puts the pair up in one animation frame; resolves with the next frame's timestamp, the onset. The pair before it
   * is left as it is: whoever has no more use for it calls its `release`.
   */
  async show(pair) {
    await nextFrame();
    this.frame.hidden = false;
    this.pair = pair;
    this.peek(false);
    this.lens.reset(pair.assignment);
    for (const slot of SLOTS) this.places[slot].replaceChildren(...this.#layers(pair, slot));
    this.start(performance.now());
    const fit = this.arrange();
    this.element.classList.toggle("is-blocked", !fit.fits);
    const onset = await nextFrame();
    return { onset, fit };
  }

  /** Begins the layout's own course with the pair that is up. */
  start(t) {
    this.layout.begin(t, (slot, at) => this.dispatchEvent(new CustomEvent("view", { detail: { slot, t: at } })));
  }

  #layers(pair, slot) {
    const cover = pair.covers[slot];
    if (!cover) return [pair.pictures[slot]];
    cover.className = "cover";
    return [pair.pictures[slot], cover];
  }

  /** Places the pair for the window as it is now; says whether it fits. */
  arrange() {
    this.lens.apply();
    return layOut(this.element, this.room, this.pair.assignment, this.layout.across, this.largest);
  }

  /** Shows the original in the place of both sides, or ends that. */
  peek(on) {
    if (on) this.layout.rest();
    else if (this.isPeeking) this.layout.resume();
    this.isPeeking = on;
    this.element.classList.toggle("is-peeking", on);
  }

  /** Hides the pictures while something is said, and stops what moves; or goes on. */
  block(on) {
    this.element.classList.toggle("is-blocked", on);
    if (on) this.layout.rest();
    else this.layout.resume();
  }

  /** Marks the side that is closer to the original, after a training answer; "" or "tie" marks none. */
  point(side) {
    for (const place of this.element.querySelectorAll("[data-slot]")) {
      place.classList.toggle("is-closer", place.dataset.slot === side);
    }
  }

  /** What the pictures are shown on, and how. */
  measure() {
    return { ...measureScreen(this.element), layout: this.layout.name };
  }

  /** Takes the pair down. */
  clear() {
    this.layout.rest();
    this.frame.hidden = true;
    for (const place of Object.values(this.places)) place.replaceChildren();
    this.pair = null;
  }
}
