/**
 * From keys to what they mean: one table, which the annotator may change, kept in this browser.
 *
 * Key names are those of KeyboardEvent.key, letters in lower case. An action may have several keys by default and
 * has one when it was chosen.
 */

import { choosingKey, keyNames } from "./words.js";

const STORED_AS = "closer-keys";
// The browser and the dialogs need these themselves.
const RESERVED = new Set(["Tab", "Enter", "Escape", "Shift", "Control", "Alt", "Meta", "CapsLock", "Dead", "Unidentified"]);
const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": keyNames().space, "-": "−" };
// As aria-keyshortcuts names them.
const SPOKEN = { " ": "Space", "+": "Plus" };

const DEFAULTS = {
  left: ["ArrowLeft"],
  right: ["ArrowRight"],
  tie: ["ArrowDown"],
  peek: [" "],
  view_left: ["1", "z"],
  view_original: ["2"],
  view_right: ["3", "x"],
  zoom_in: ["+", "="],
  zoom_out: ["-"],
  undo: ["u"],
  flag: ["f"],
  help: ["?"],
};

/** The one way in which a key press is named. */
const nameOf = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);

/** Whether the browser has this press for itself (Alt + ←), or it is part of writing. */
const isForeign = (event) => event.ctrlKey || event.altKey || event.metaKey || event.isComposing;

/** How a key is written on a button. */
const signOf = (key) => SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key);

/** The table. Event "change" when a key was chosen or all were reset. */
export class Keys extends EventTarget {
  #keys;

  constructor() {
    super();
    this.#keys = { ...DEFAULTS, ...readStored() };
  }

  /** What a key press asks for, or undefined. */
  meaning(event) {
    return isForeign(event) ? undefined : this.#actionOf(nameOf(event));
  }

  #actionOf(key) {
    return Object.keys(this.#keys).find((action) => this.#keys[action].includes(key));
  }

  /** The sign of the first key of an action, for a button or a sentence. */
  sign(action) {
    return signOf(this.#keys[action][0]);
  }

  /**
   * Gives an action the key that was pressed. Refused, with the reason as a sentence, where the key is taken by another
   * action or cannot be had; returns "" when it was done.
   */
  choose(action, event) {
    const key = nameOf(event);
    if (isForeign(event) || RESERVED.has(key)) return choosingKey.reserved(signOf(key));
    const owner = this.#actionOf(key);
    if (owner && owner !== action) return choosingKey.taken(signOf(key));
    this.#keep({ ...this.#keys, [action]: [key] });
    return "";
  }

  /** Every key as it was in the beginning. */
  reset() {
    this.#keep({ ...DEFAULTS });
  }

  #keep(keys) {
    this.#keys = keys;
    try {
      localStorage.setItem(STORED_AS, JSON.stringify(keys));
    } catch (error) {
      console.info("The keys hold until this page is closed:", error.message);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Writes the signs into all elements with data-key, and tells screen readers of those with data-shortcut. */
  write(root) {
    for (const place of root.querySelectorAll("[data-key]")) place.textContent = this.sign(place.dataset.key);
    for (const place of root.querySelectorAll("[data-name=shift]")) place.textContent = keyNames().shift;
    for (const button of root.querySelectorAll("[data-shortcut]")) {
      const [key] = this.#keys[button.dataset.shortcut];
      button.setAttribute("aria-keyshortcuts", SPOKEN[key] ?? key);
    }
  }
}

/** The keys chosen earlier; none where they are missing, damaged, or two actions share a key. */
function readStored() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED_AS)) ?? {};
    const chosen = Object.entries(stored).filter(([action, keys]) => action in DEFAULTS && Array.isArray(keys) && keys.length);
    const all = Object.values({ ...DEFAULTS, ...Object.fromEntries(chosen) }).flat();
    return new Set(all).size === all.length ? Object.fromEntries(chosen) : {};
  } catch (error) {
    console.info("The chosen keys cannot be read; the usual ones hold:", error.message);
    return {};
  }
}

/** How an event was made: "keyboard", "mouse" or "touch", as the timing names them. */
export function device(event) {
  if (event instanceof KeyboardEvent || event.detail === 0) return "keyboard";
  return event.pointerType === "touch" || event.pointerType === "pen" ? "touch" : "mouse";
}
