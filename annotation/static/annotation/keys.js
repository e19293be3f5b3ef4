/**
 * From keys to what they mean. One table, so that keys can be chosen by the annotator some day.
 */

export const KEYS = new Map([
  ["ArrowLeft", "left"],
  ["ArrowRight", "right"],
  ["ArrowDown", "tie"],
  [" ", "peek"],
  ["?", "help"],
]);

/** What a key press asks for, or undefined; the browser's own shortcuts (Alt + ←) stay the browser's. */
export function meaning(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return undefined;
  return KEYS.get(event.key);
}

/** How an event was made: "keyboard", "mouse" or "touch", as the timing names them. */
export function device(event) {
  if (event instanceof KeyboardEvent || event.detail === 0) return "keyboard";
  return event.pointerType === "touch" || event.pointerType === "pen" ? "touch" : "mouse";
}
