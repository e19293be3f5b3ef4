/**
 * Where the page says things: a full panel while no pair is up, a bar over the heading and a short note while one is.
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
   * Says something. `actions` are {label, act}: buttons, the first of which has the focus; `busy` shows that the page
   * is working.
   */
  show({ name, title, text = "", small = "", busy = false, actions = [] }) {
    const { title: heading, text: line, small: fine, busy: bar, actions: row } = this.parts;
    const was = this.element.dataset.name;
    this.element.dataset.name = name;
    heading.textContent = title;
    line.textContent = text;
    fine.textContent = small;
    bar.hidden = !busy;
    this.element.hidden = false;
    const labels = [...row.children].map((button) => button.textContent);
    if (was === name && labels.join() === actions.map(({ label }) => label).join()) return;
    row.replaceChildren(...actions.map(newButton));
    row.firstElementChild?.focus();
  }

  /** Says something and resolves when its button was pressed. */
  ask({ label, ...words }) {
    return new Promise((resolve) => this.show({ ...words, actions: [{ label, act: resolve }] }));
  }

  hide() {
    this.element.hidden = true;
    this.parts.actions.replaceChildren();
    delete this.element.dataset.name;
  }
}

function newButton({ label, act }, place) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = place === 0 ? "button button-primary" : "button";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

/** A line over the heading with one button, while the pictures stay up. */
export class Bar {
  constructor(element) {
    this.element = element;
    this.text = element.querySelector("[data-part=text]");
    this.button = element.querySelector("[data-part=action]");
  }

  show({ text, label, act }) {
    this.element.hidden = false;
    this.text.textContent = text;
    this.button.hidden = !label;
    this.button.textContent = label ?? "";
    this.button.onclick = act ?? null;
    if (label) this.button.focus();
  }

  /** Says something and resolves when its button was pressed. */
  ask(words) {
    return new Promise((resolve) => this.show({ ...words, act: resolve }));
  }

  hide() {
    this.element.hidden = true;
    this.text.textContent = "";
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
