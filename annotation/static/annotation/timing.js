/**
 * What is measured about one judgment, raw: offsets in ms on the browser's monotonic clock, nothing derived.
 */

// Views and pans may come often; they stop being noted first, so that what is rare always has a place.
const MOST_EVENTS = 900;
const MOST_OFTEN = 600;
const OFTEN = new Set(["view", "pan"]);
// The server counts switches to the original in the events: as many as a study may require always have a place.
const MOST_SWITCHES = 10;
const FRAMES = 20;

/** Resolves with the timestamp of the next animation frame. */
export const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** The record of one pair, from its onset to its answer. */
export class Record {
  #events = [];
  #firstInput = null;
  #frameMs = null;
  #over = false;
  /** How often the original was put in the place of the reconstructions. */
  switches = 0;

  constructor(images, onset) {
    this.images = images;
    this.onset = onset;
    this.#measureFrames();
  }

  /** Notes that something happened at `t`, the event's own time stamp; what came before the onset is not ours. */
  note(type, t, value) {
    const most = OFTEN.has(type) ? MOST_OFTEN : MOST_EVENTS;
    if (this.#over || t < this.onset) return;
    const switched = t > this.onset && (type === "peek_on" || (type === "view" && value === "original"));
    if (this.#events.length >= most && !(switched && this.switches < MOST_SWITCHES)) return;
    if (switched) this.switches += 1;
    this.#events.push(value === undefined ? { t, type } : { t, type, value });
  }

  /** Notes the first key, click or touch. */
  touched(t) {
    if (t >= this.onset) this.#firstInput ??= t;
  }

  /** The whole record, as the server takes it. `screen` is what `measureScreen` found. */
  finish(t, input, screen) {
    this.touched(t);
    this.#over = true;
    return {
      time_origin: performance.timeOrigin,
      onset: this.onset,
      first_input: this.#firstInput,
      answer: t,
      frame_ms: this.#frameMs,
      images: this.images,
      events: this.#events,
      input,
      ...screen,
    };
  }

  async #measureFrames() {
    const stamps = [];
    while (stamps.length <= FRAMES && !this.#over) stamps.push(await nextFrame());
    if (stamps.length <= FRAMES) return;
    const gaps = stamps.slice(1).map((stamp, place) => stamp - stamps[place]);
    this.#frameMs = gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)];
  }
}

/** An id nobody else has; `randomUUID` is only there on secure pages. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
