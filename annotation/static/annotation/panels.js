/**
 * Everything the page says in words: a full panel while no pair is up, a short note under it while one is.
 */

const NOTE_MS = 4000;

/** The calm page that stands where the pictures were. */
export class Panel {
  constructor(element) {
    this.element = element;
    this.parts = Object.fromEntries(
      [...element.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
  }

  /**
   * Says something. `action` is {label, act}: a button, which has the focus; `busy` shows that the page is working.
   */
  show({ name, title, text = "", small = "", busy = false, action = null }) {
    const { title: heading, text: line, small: fine, busy: bar, action: button } = this.parts;
    const was = this.element.dataset.name;
    this.element.dataset.name = name;
    heading.textContent = title;
    line.textContent = text;
    fine.textContent = small;
    bar.hidden = !busy;
    button.hidden = !action;
    button.textContent = action?.label ?? "";
    button.onclick = action?.act ?? null;
    this.element.hidden = false;
    if (action && was !== name) button.focus();
  }

  hide() {
    this.element.hidden = true;
    delete this.element.dataset.name;
  }
}

/** A line that is read aloud and goes away by itself. */
export class Note {
  #timer = 0;

  constructor(element) {
    this.element = element;
  }

  say(text) {
    clearTimeout(this.#timer);
    this.element.textContent = text;
    this.#timer = setTimeout(() => this.clear(), NOTE_MS);
  }

  clear() {
    this.element.textContent = "";
  }
}

const seconds = (ms) => (ms % 1000 === 0 ? `${ms / 1000} s` : `${(ms / 1000).toFixed(1)} s`);

/** Why an answer was not taken yet. */
export const tooEarly = (minViewMs) => `Look a little longer: an answer counts after ${seconds(minViewMs)}.`;

/** What stands there until the first pair is ready. */
export const LOADING = { name: "loading", title: "Getting the next pair ready", busy: true };

/** The network is gone and there is no pair left to judge. */
export function connectionLost(waiting) {
  return {
    name: "unreachable",
    title: "The server cannot be reached",
    text: waiting > 0
      ? "Your answers are kept in this browser and are sent as soon as the connection is back."
      : "Your answers so far are saved.",
    small: "This page tries by itself and goes on as soon as it can.",
    busy: true,
  };
}

/** There will be pairs again in a moment. */
export const nothingFree = (detail) => ({
  name: "nothing_free",
  title: "One moment",
  text: detail,
  small: "This page asks again by itself; you can leave it open.",
  busy: true,
});

/** The pictures of several pairs in a row failed. */
export const broken = (detail, act) => ({
  name: "broken",
  title: "The pictures cannot be shown",
  text: "Nothing was counted for those pairs, and your other answers are kept. Try again; if it does not help, "
    + "tell the person who sent you here.",
  small: detail,
  action: { label: "Try again", act },
});

/** The study takes no answers, in the server's words. */
export const closed = (detail) => ({ name: "closed", title: "No pairs at the moment", text: detail });

/** The end of a sitting, or of everything. `waiting` answers are not confirmed yet. */
export function over({ status, detail, answered, waiting }) {
  const title = status === "nothing_left" ? "That was everything. Thank you!" : "Thank you!";
  if (waiting === 0) return { name: status, title, text: detail, small: ending(status, answered) };
  const text = `${counted(waiting)} still on the way. Keep this page open until it says that all are saved.`;
  return { name: status, title, text, busy: true };
}

function ending(status, answered) {
  const saved = `${counted(answered)} saved. You can close this page.`;
  if (status !== "sitting_over") return saved;
  return `${saved} If you want to judge more, rest your eyes first, then open your link again.`;
}

const counted = (answers) => (answers === 1 ? "1 answer is" : `${answers} answers are`);

/** The window cannot hold three pictures at their own size; `lack` is in device pixels. */
export function tooSmall([width, height], dpr, act) {
  const points = (pixels) => Math.ceil(pixels / dpr);
  const short = [width && `${points(width)} points wider`, height && `${points(height)} points higher`];
  return {
    name: "too_small",
    title: "This window is too small",
    text: "The pictures are shown at their own size, never shrunk, since that would change what you judge. "
      + `The window must be ${short.filter(Boolean).join(" and ")}.`,
    small: "Make it larger, or show it on the full screen. The pair comes back by itself.",
    action: document.fullscreenEnabled && !document.fullscreenElement ? { label: "Full screen", act } : null,
  };
}
