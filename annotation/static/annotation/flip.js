/**
 * Pictures that flip in place: a click on one of a set opens them all in one spot, at full size, with a zoom.
 *
 * A set is an element with `data-flip`; its pictures are the links in it with `data-flip-label`, the original's with
 * `data-flip-original` too. Without this script the links lead to the pictures themselves.
 */

const ZOOMS = [0.25, 0.5, 1, 2, 3, 4, 6, 8];
const KEYS = "← → next picture · hold Space: original · 0 original · + − zoom · 1 actual size · Esc close";

/** The pictures of a set in their order, each once. */
function picturesOf(set) {
  const seen = new Map();
  for (const link of set.querySelectorAll("a[data-flip-label]")) {
    const { flipLabel: label, flipOriginal: original } = link.dataset;
    if (!seen.has(link.href)) seen.set(link.href, { address: link.href, label, isOriginal: original !== undefined });
  }
  return [...seen.values()].sort((a, b) => b.isOriginal - a.isOriginal);
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

class Flip {
  constructor() {
    this.label = make("h2", { class: "flip-label", "aria-live": "polite" });
    this.place = make("span", { class: "muted num" });
    this.stage = make("div", { class: "flip-stage", tabindex: "0", role: "group", "aria-label": "Picture" });
    this.scale = make("span", { class: "num flip-scale" });
    this.dialog = make("dialog", { class: "flip", "aria-label": "Pictures in place" },
      make("div", { class: "flip-head" }, this.label, this.place, ...this.buttons()),
      this.stage,
      make("p", { class: "flip-keys muted small" }, KEYS));
    document.body.append(this.dialog);
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("keyup", (event) => { if (event.key === " ") this.hold(false); });
    this.dialog.addEventListener("close", () => { this.stage.replaceChildren(); this.images = new Map(); });
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
    window.addEventListener("blur", () => this.hold(false));
  }

  buttons() {
    const button = (words, name, act) => {
      const made = make("button", { type: "button", class: "button button-small", "aria-label": name }, words);
      made.addEventListener("click", act);
      return made;
    };
    return [
      button("←", "Previous picture", () => this.step(-1)),
      button("→", "Next picture", () => this.step(1)),
      button("Original", "Show the original", () => this.show(0)),
      button("−", "Smaller", () => this.zoom(-1)),
      this.scale,
      button("+", "Larger", () => this.zoom(1)),
      button("Close", "Close", () => this.dialog.close()),
    ];
  }

  open(pictures, at) {
    this.pictures = pictures;
    this.images = new Map();
    this.held = null;
    this.factor = 1;
    this.stage.replaceChildren();
    this.dialog.showModal();
    this.stage.focus();
    this.show(at);
  }

  /** The image of a picture, loaded once; in the stage, hidden. */
  image(at) {
    if (!this.images.has(at)) {
      const { address, label } = this.pictures[at];
      const image = make("img", { src: address, alt: label, draggable: "false" });
      image.hidden = true;
      this.stage.append(image);
      this.images.set(at, image);
    }
    return this.images.get(at);
  }

  /** The picture before stays until the next is decoded, so that nothing flashes between them. */
  async show(at) {
    this.at = at;
    const image = this.image(at);
    const { label } = this.pictures[at];
    this.label.textContent = label;
    this.place.textContent = `${at + 1} of ${this.pictures.length}`;
    try {
      await image.decode();
    } catch {
      if (this.at === at) this.label.textContent = `${label} – this picture could not be loaded`;
    }
    if (this.at !== at || !this.dialog.open) return;
    for (const other of this.images.values()) other.hidden = other !== image;
    this.resize();
    for (const next of [at + 1, at - 1]) if (this.pictures[next]) this.image(next);
  }

  step(by) {
    const count = this.pictures.length;
    this.show((this.at + by + count) % count);
  }

  hold(down) {
    if (down && this.held === null && this.at !== 0) {
      this.held = this.at;
      this.show(0);
    } else if (!down && this.held !== null) {
      const back = this.held;
      this.held = null;
      this.show(back);
    }
  }

  zoom(by) {
    const at = ZOOMS.findIndex((factor) => factor >= this.factor);
    this.factor = ZOOMS[Math.min(Math.max(at + by, 0), ZOOMS.length - 1)];
    this.resize();
  }

  /** At factor 1 a pixel of the picture is a pixel of the screen. What was in the middle stays there. */
  resize() {
    const { stage } = this;
    const middle = [
      (stage.scrollLeft + stage.clientWidth / 2) / (stage.scrollWidth || 1),
      (stage.scrollTop + stage.clientHeight / 2) / (stage.scrollHeight || 1),
    ];
    for (const image of this.images.values()) {
      image.style.width = `${(image.naturalWidth * this.factor) / window.devicePixelRatio}px`;
    }
    this.scale.textContent = `${this.factor * 100} %`;
    stage.scrollLeft = middle[0] * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = middle[1] * stage.scrollHeight - stage.clientHeight / 2;
  }

  drag(start) {
    const { stage } = this;
    const from = [stage.scrollLeft + start.clientX, stage.scrollTop + start.clientY];
    const move = (event) => {
      stage.scrollLeft = from[0] - event.clientX;
      stage.scrollTop = from[1] - event.clientY;
    };
    stage.setPointerCapture(start.pointerId);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("pointerup", () => stage.removeEventListener("pointermove", move), { once: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      ArrowRight: () => this.step(1),
      ArrowLeft: () => this.step(-1),
      Home: () => this.show(0),
      0: () => this.show(0),
      1: () => { this.factor = 1; this.resize(); },
      "+": () => this.zoom(1),
      "=": () => this.zoom(1),
      "-": () => this.zoom(-1),
    };
    // Space presses the button that has the focus; elsewhere it holds the original.
    if (event.key === " " && !(event.target instanceof HTMLButtonElement)) acts[" "] = () => this.hold(true);
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

let flip = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-flip-label]");
  const set = link?.closest("[data-flip]");
  if (!set || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  flip ??= new Flip();
  const pictures = picturesOf(set);
  flip.open(pictures, pictures.findIndex((picture) => picture.address === link.href));
});
