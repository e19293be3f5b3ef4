/**
 * Keys, buttons and the window: what people do, handed on to the viewer with the time stamp of the event itself.
 */

import { onScreenChange } from "./screen.js";
import { nowUp, takesTurns } from "./words.js";

const ANSWERS = new Set(["left", "right", "tie"]);
const PANS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const byId = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

export class Controls {
  constructor({ study, viewer, keys, help, flag }) {
    Object.assign(this, { study, viewer, keys, help, flag });
    addEventListener("keydown", (event) => this.#onKeyDown(event));
    addEventListener("keyup", (event) => this.keys.meaning(event) === "peek" && viewer.peek(false, event));
    addEventListener("pointerdown", (event) => viewer.current?.record.touched(event.timeStamp), { capture: true });
    this.#listenToButtons();
    this.#listenToPeekButton(byId("peek"));
    this.#listenToStage();
    this.#listenToWindow();
  }

  #onKeyDown(event) {
    const { viewer } = this;
    if (this.help.isOpen || this.flag.isOpen || !viewer.stage.pair) return;
    const wanted = this.keys.meaning(event);
    const pan = event.shiftKey && PANS[event.key];
    if (!wanted && !pan) return;
    event.preventDefault(); // the space bar would press the button that has the focus, the arrows would scroll
    if (pan) viewer.stage.lens.pan(...pan, event.timeStamp);
    if (event.repeat) return;
    viewer.current?.record.touched(event.timeStamp);
    if (!pan) this.#do(wanted, event);
  }

  #do(wanted, event) {
    if (ANSWERS.has(wanted)) {
      if (wanted !== "tie" || this.study.allowTies) this.viewer.answer(wanted, event);
    } else if (wanted.startsWith("view_")) this.#view(wanted.slice("view_".length), event);
    else if (wanted.startsWith("zoom_")) this.#zoom(wanted, event);
    else if (wanted === "peek") this.viewer.peek(true, event);
    else if (wanted === "undo") this.viewer.undo(event.timeStamp);
    else if (wanted === "flag") this.#openFlag();
    else if (wanted === "help") this.help.open();
  }

  #view(slot, event) {
    this.viewer.view(slot, event.timeStamp);
    if (this.viewer.stage.layout.name === "flicker") this.#sayUp(slot, takesTurns(slot));
  }

  /** Says in words which picture is up, and presses its button. */
  #sayUp(slot, words) {
    byId("up").textContent = words;
    for (const button of all("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === slot);
  }

  #zoom(wanted, event) {
    const { current, stage } = this.viewer;
    if (stage.pair && !current?.obstacle) stage.lens.zoom(wanted === "zoom_in", event.timeStamp);
  }

  #openFlag() {
    const { current } = this.viewer;
    if (current && !current.revised) this.flag.open();
  }

  #listenToButtons() {
    for (const button of all("[data-answer]")) {
      button.addEventListener("click", (event) => this.viewer.answer(button.dataset.answer, event));
    }
    for (const button of all("[data-do]")) {
      button.addEventListener("click", (event) => this.#do(button.dataset.do, event));
    }
    // Buttons that would not be heard yet look so, and say so to a screen reader.
    this.viewer.addEventListener("waiting", ({ detail }) => {
      for (const button of all("[data-answer]")) button.setAttribute("aria-disabled", detail);
    });
    this.viewer.addEventListener("given", ({ detail }) => {
      for (const button of all("[data-answer]")) {
        button.classList.toggle("is-given", button.dataset.answer === detail);
        if (detail) button.setAttribute("aria-pressed", button.dataset.answer === detail);
        else button.removeAttribute("aria-pressed");
      }
    });
    this.viewer.addEventListener("undoable", ({ detail }) => {
      for (const button of all("[data-do=undo]")) button.setAttribute("aria-disabled", !detail);
    });
  }

  #listenToPeekButton(button) {
    const { viewer } = this;
    const release = (event) => viewer.peek(false, event);
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      viewer.peek(true, event);
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) button.addEventListener(name, release);
    button.addEventListener("keydown", (event) => event.key === "Enter" && !event.repeat && viewer.peek(true, event));
    button.addEventListener("keyup", (event) => event.key === "Enter" && release(event));
  }

  #listenToStage() {
    const { stage } = this.viewer;
    // Of a flicker, which changes up to four times a second, only what was chosen is said.
    stage.addEventListener("view", ({ detail: { slot } }) => {
      if (stage.layout.name === "toggle") this.#sayUp(slot, nowUp(slot));
    });
    stage.lens.addEventListener("zoom", ({ detail }) => {
      byId("factor").textContent = `${detail.factor}×`;
    });
    stage.lens.addEventListener("reset", () => {
      byId("factor").textContent = "1×";
      this.#sayUp("original", nowUp("original"));
    });
  }

  #listenToWindow() {
    const { viewer } = this;
    const note = (name, event) => viewer.current?.record.note(name, event.timeStamp);
    document.addEventListener("visibilitychange", (event) => note(document.hidden ? "hidden" : "visible", event));
    for (const name of ["blur", "focus", "pagehide", "pageshow"]) {
      addEventListener(name, (event) => {
        if (name === "blur") viewer.peek(false, event);
        note(name, event);
      });
    }
    onScreenChange(() => viewer.screenChanged());
  }
}
