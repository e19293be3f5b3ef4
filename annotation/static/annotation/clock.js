/**
 * Watches the wall clock against the monotonic one: where they part, somebody set the clock or the computer slept.
 */

const LOOK_EVERY_MS = 500;
// Clocks are disciplined in small steps all the time; nobody cares about less.
const LEAST_JUMP_MS = 250;

/** How far the wall clock is ahead of the monotonic one, in ms. */
const gap = () => Date.now() - performance.timeOrigin - performance.now();

/** Event "jump" (detail: {t, ms}): the wall clock moved by `ms` more than time went by. */
export class ClockWatch extends EventTarget {
  #gap = gap();

  constructor() {
    super();
    setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  /** Looks now, on behalf of an event at `t`: call it before a record is closed, so that the jump lies within. */
  look(t = performance.now()) {
    const now = gap();
    const ms = now - this.#gap;
    if (Math.abs(ms) < LEAST_JUMP_MS) return;
    this.#gap = now;
    this.dispatchEvent(new CustomEvent("jump", { detail: { t, ms: Math.round(ms) } }));
  }
}
