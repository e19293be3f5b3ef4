/**
 * Zoom by whole factors and pan: one image pixel becomes 1, 2, 4 or 8 device pixels, the same part of all three.
 *
 * The place of a picture keeps its size; the picture in it grows from its middle and is moved by whole image pixels,
 * so that every pixel stays a square of whole device pixels.
 */

const LARGEST = 8;
const STEP = 32; // image pixels that one press of an arrow key moves

/** Events "zoom" and "pan" (detail: {factor, t}, `t` the time stamp of what made it), and "reset" at a new pair. */
export class Lens extends EventTarget {
  factor = 1;
  #size = { width: 0, height: 0 };
  #x = 0; // which image pixel stands at the left edge, and at the top
  #y = 0;

  /** `element` is the stage; the pictures in it can be dragged. */
  constructor(element) {
    super();
    this.element = element;
    element.addEventListener("pointerdown", (event) => this.#grab(event));
  }

  /** A new pair of this size: everything is shown, at 1:1. */
  reset(size) {
    this.#size = size;
    this.factor = 1;
    this.#x = 0;
    this.#y = 0;
    this.apply();
    this.dispatchEvent(new Event("reset"));
  }

  /** Twice as large, or half: `up` says which. */
  zoom(up, t) {
    const factor = Math.min(LARGEST, Math.max(1, up ? this.factor * 2 : this.factor / 2));
    if (factor === this.factor) return;
    const { width, height } = this.#size;
    const shift = (length) => length / 2 / this.factor - length / 2 / factor;
    const [dx, dy] = [shift(width), shift(height)];
    this.factor = factor;
    this.#move(this.#x + dx, this.#y + dy);
    this.#tell("zoom", t);
  }

  /** Moves by steps: (1, 0) shows more of what lies to the right. */
  pan(right, down, t) {
    if (this.factor === 1) return;
    const step = Math.max(1, Math.round(STEP / this.factor));
    this.#move(this.#x + right * step, this.#y + down * step);
    this.#tell("pan", t);
  }

  /** Writes the present part into the stage; call it after a change of devicePixelRatio. */
  apply() {
    const unit = this.factor / devicePixelRatio;
    this.element.style.setProperty("--zoom", this.factor);
    this.element.style.setProperty("--pan-x", `${-this.#x * unit}px`);
    this.element.style.setProperty("--pan-y", `${-this.#y * unit}px`);
    this.element.classList.toggle("is-zoomed", this.factor > 1);
  }

  #move(x, y) {
    const within = (at, length) => Math.min(Math.max(0, Math.round(at)), length - Math.ceil(length / this.factor));
    this.#x = within(x, this.#size.width);
    this.#y = within(y, this.#size.height);
    this.apply();
  }

  #grab(down) {
    const place = down.target.closest(".picture");
    if (!place || this.factor === 1 || down.button !== 0) return;
    const unit = this.factor / devicePixelRatio;
    const [x, y] = [this.#x, this.#y];
    const drag = (event) => this.#move(x - (event.clientX - down.clientX) / unit, y - (event.clientY - down.clientY) / unit);
    const over = new AbortController();
    const drop = (event) => {
      over.abort();
      this.#tell("pan", event.timeStamp);
    };
    place.setPointerCapture(down.pointerId);
    place.addEventListener("pointermove", drag, { signal: over.signal });
    for (const end of ["pointerup", "pointercancel"]) place.addEventListener(end, drop, { signal: over.signal });
  }

  #tell(name, t) {
    this.dispatchEvent(new CustomEvent(name, { detail: { factor: this.factor, t } }));
  }
}
