/**
 * The two dialogs: the keys, which can be changed there, and what is wrong with a pair.
 */

import { choosingKey } from "./words.js";

/** A dialog over the pair; the time under it is noted as a loss of focus with the dialog's name. */
class Dialog {
  constructor(element, name, viewer) {
    this.element = element;
    this.name = name;
    this.viewer = viewer;
    element.addEventListener("close", () => this.#note("focus"));
  }

  get isOpen() {
    return this.element.open;
  }

  open() {
    if (this.isOpen) return;
    this.#note("blur");
    this.element.showModal();
  }

  #note(type) {
    this.viewer.current?.record.note(type, performance.now(), this.name);
  }
}

/** The keys; each has a button that waits for another one. */
export class KeysDialog extends Dialog {
  #waiting = null;

  constructor(element, viewer, keys) {
    super(element, "help", viewer);
    this.keys = keys;
    this.status = element.querySelector("[data-part=status]");
    for (const button of element.querySelectorAll("[data-choose]")) {
      button.addEventListener("click", () => this.#ask(button));
    }
    element.querySelector("[data-part=reset]").addEventListener("click", () => this.#reset());
    element.addEventListener("keydown", (event) => this.#onKeyDown(event));
    element.addEventListener("close", () => this.#stop());
  }

  #ask(button) {
    this.#stop();
    this.#waiting = button;
    button.setAttribute("aria-pressed", "true");
    this.status.textContent = choosingKey.waiting();
  }

  #onKeyDown(event) {
    const button = this.#waiting;
    if (!button || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    event.preventDefault();
    const refusal = event.key === "Escape" ? choosingKey.kept() : this.keys.choose(button.dataset.choose, event);
    if (refusal && event.key !== "Escape") {
      this.status.textContent = refusal;
      return;
    }
    this.#stop();
    this.status.textContent = refusal || choosingKey.done();
  }

  #reset() {
    this.#stop();
    this.keys.reset();
    this.status.textContent = choosingKey.reset();
  }

  #stop() {
    this.#waiting?.setAttribute("aria-pressed", "false");
    this.#waiting = null;
    this.status.textContent = "";
  }
}

/** What is wrong with the pair in hand. */
export class FlagDialog extends Dialog {
  constructor(element, viewer) {
    super(element, "flag", viewer);
    this.form = element.querySelector("form");
    this.form.addEventListener("submit", (event) => this.#submit(event));
    element.querySelector("[data-part=cancel]").addEventListener("click", () => element.close());
  }

  open() {
    this.viewer.current?.record.note("flag", performance.now());
    this.form.reset();
    super.open();
  }

  #submit(event) {
    event.preventDefault();
    const report = new FormData(this.form);
    const words = [report.get("what"), report.get("words").trim()];
    this.element.close();
    this.viewer.flag(words.filter(Boolean).join(": "));
  }
}
