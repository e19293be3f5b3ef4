/**
 * The three places where pictures stand, and the swap from one pair to the next in one frame.
 */

import { SLOTS } from "./loader.js";
import { layOut, measureScreen } from "./screen.js";
import { nextFrame } from "./timing.js";

/** Shows pairs; `pair` is the one in hand, or null. */
export class Stage {
  pair = null;
  isPeeking = false;

  /** `frame` is hidden while no pair is up; `element` in it has the places; `room` is what they must fit in. */
  constructor({ element, frame, room }) {
    this.element = element;
    this.frame = frame;
    this.room = room;
    const placeOf = (slot) => element.querySelector(`[data-slot=${slot}] .picture`);
    this.places = Object.fromEntries(SLOTS.map((slot) => [slot, placeOf(slot)]));
  }

  /** Puts the pair up in one animation frame; resolves with the next frame's timestamp, the onset. */
  async show(pair) {
    await nextFrame();
    const before = this.pair;
    this.frame.hidden = false;
    this.pair = pair;
    this.peek(false);
    for (const slot of SLOTS) this.places[slot].replaceChildren(...this.#layers(pair, slot));
    const layout = this.arrange();
    const onset = await nextFrame();
    before?.release();
    return { onset, layout };
  }

  #layers(pair, slot) {
    const cover = pair.covers[slot];
    if (!cover) return [pair.pictures[slot]];
    cover.className = "cover";
    return [pair.pictures[slot], cover];
  }

  /** Places the pair for the window as it is now; says whether it fits. */
  arrange() {
    return layOut(this.element, this.room, this.pair.assignment);
  }

  /** Shows the original in the place of both sides, or ends that. */
  peek(on) {
    this.isPeeking = on;
    this.element.classList.toggle("is-peeking", on);
  }

  /** What the pictures are shown on. */
  measure() {
    return measureScreen(this.element);
  }

  /** Takes the pair down. */
  clear() {
    this.frame.hidden = true;
    for (const place of Object.values(this.places)) place.replaceChildren();
    this.pair?.release();
    this.pair = null;
  }
}
