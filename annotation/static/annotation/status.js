/**
 * The quiet corner: how far the session is, and whether every answer is safe.
 */

import { badge, progress } from "./words.js";

// A send that is over sooner is not worth a change at the edge of the eye.
const SHOW_SAVING_AFTER_MS = 600;

/** The badge of the outbox: saved, saving, or how many answers wait. */
export class Badge {
  #timer = 0;

  constructor(element, outbox) {
    this.element = element;
    this.outbox = outbox;
    outbox.addEventListener("change", () => this.#changed());
    for (const event of ["online", "offline"]) addEventListener(event, () => this.#changed());
    this.#changed();
  }

  #changed() {
    clearTimeout(this.#timer);
    if (this.outbox.state === "saving") this.#timer = setTimeout(() => this.#show(), SHOW_SAVING_AFTER_MS);
    else this.#show();
  }

  #show() {
    this.element.dataset.state = this.outbox.state;
    this.element.textContent = badge(this.outbox, navigator.onLine);
  }
}

/**
 * The thin line and "12 / 60", or "practice 3 / 5". Counts an answer at once, and takes the server's numbers when
 * nothing is on its way.
 */
export class Progress {
  constructor(line, figure, { answered, total }) {
    this.line = line;
    this.figure = figure;
    this.take({ answered, total, stage: "judging" });
  }

  /** What the server says: answered, total and the stage, "training" or "judging". */
  take({ answered, total, stage }) {
    Object.assign(this, { answered, total, stage });
    this.line.max = total;
    this.line.value = answered;
    this.figure.textContent = progress(this);
  }

  add(answers) {
    const answered = this.answered + answers;
    this.take({ answered, total: Math.max(answered, this.total), stage: this.stage });
  }
}
