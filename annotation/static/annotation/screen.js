/**
 * Places the pictures so that one image pixel is one device pixel, at any devicePixelRatio.
 *
 * Sizes are whole device pixels divided by the ratio. The first picture is moved onto a device pixel's corner, else
 * the browser would round its edges and resample it; the others stand whole device pixels away from it.
 */

const GAP = 24; // CSS px between pictures where there is room
const LEAST_GAP = 8;
const LEAST_COLUMN = 160; // small pictures stand further apart: their buttons need the width
const BUTTONS_COLUMN = 260; // in the layouts of one place: the longest words of all languages

/**
 * Lays out pictures of width × height image pixels, `across` of them beside each other: three, or one.
 *
 * Room is kept for the `largest` picture of the study, as far as the window has it, and each picture stands in the
 * middle of its place: so the buttons stay where they are from pair to pair.
 *
 * @returns {{fits: boolean, lack: [number, number]}} how many device pixels the window lacks in width and height.
 */
export function layOut(stage, room, { width, height }, across, largest) {
  const dpr = devicePixelRatio;
  const space = Math.floor(room.clientWidth * dpr);
  const least = Math.ceil(LEAST_GAP * dpr);
  const place = kept(width, largest.width, Math.floor((space - 4 * least) / across));
  const gap = across === 1 ? least : gapBetween(place, space, dpr);
  const column = across === 1 ? thirdOf(place, space, gap, dpr) : place;
  setLengths(stage, { w: width / dpr, h: height / dpr, column: column / dpr, gap: gap / dpr, row: height / dpr, above: 0, x: 0, y: 0 });
  const needed = across * width + (across - 1) * gap;
  const lack = [needed - space, Math.ceil((room.scrollHeight - room.clientHeight) * dpr)];
  const spare = Math.floor((room.clientHeight - stage.offsetHeight) * dpr);
  const row = kept(height, largest.height, height + spare);
  setLengths(stage, { row: row / dpr, above: (row - height) / 2 / dpr });
  const whole = across * place + (across - 1) * gap;
  moveToCorner(stage, room, Math.max(0, (space - whole) / 2) + (place - width) / 2, dpr);
  return { fits: lack[0] <= 0 && lack[1] <= 0, lack: lack.map((short) => Math.max(0, short)) };
}

/** How much is kept for a side of `size`: that of the largest picture, where there is room, and an even rest. */
function kept(size, largest, room) {
  const wanted = Math.max(size, Math.min(largest, room));
  return wanted - ((wanted - size) % 2);
}

/** A third of what stands above and below the one place: wide enough for its buttons where the window allows. */
function thirdOf(width, space, gap, dpr) {
  const least = Math.min(BUTTONS_COLUMN * dpr, (space - 2 * gap) / 3);
  return Math.max(least, (width - 2 * gap) / 3);
}

function gapBetween(width, space, dpr) {
  const wanted = Math.max(GAP * dpr, LEAST_COLUMN * dpr - width);
  const least = Math.ceil(LEAST_GAP * dpr);
  return Math.max(least, Math.floor(Math.min(wanted, (space - 3 * width) / 4)));
}

/** Moves the first picture to `start` device pixels from the room's edge, and on to a whole device pixel. */
function moveToCorner(stage, room, start, dpr) {
  const { left, top } = stage.querySelector(".picture").getBoundingClientRect();
  const corner = (at) => Math.round(at) / dpr;
  setLengths(stage, {
    x: corner(room.getBoundingClientRect().left * dpr + start) - left,
    y: corner(top * dpr) - top,
  });
}

function setLengths(stage, lengths) {
  for (const [name, length] of Object.entries(lengths)) stage.style.setProperty(`--${name}`, `${length}px`);
}

/** What the picture was shown on, as it goes into the timing; `displayed` is in device pixels. */
export function measureScreen(stage) {
  const shown = stage.querySelector(".picture").getBoundingClientRect();
  const dpr = devicePixelRatio;
  return {
    viewport: [innerWidth, innerHeight],
    dpr,
    displayed: [Math.round(shown.width * dpr), Math.round(shown.height * dpr)],
    screen: [screen.width, screen.height],
  };
}

/** Calls `changed` on every resize and change of devicePixelRatio or of the magnification by two fingers. */
export function onScreenChange(changed) {
  addEventListener("resize", changed);
  globalThis.visualViewport?.addEventListener("resize", changed);
  const watch = () => {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      changed();
      watch();
    }, { once: true });
  };
  watch();
}

/** How much the page is magnified by two fingers; 1: not at all, as it must be for an image pixel to be a device pixel. */
export const magnification = () => globalThis.visualViewport?.scale ?? 1;

/** Gives the room the study's grey, and letters that can be read on it. */
export function paintSurround(root, grey) {
  const level = parseInt(grey.slice(1, 3), 16);
  root.style.setProperty("--surround", grey);
  root.dataset.tone = level <= 0x60 ? "dark" : level <= 0x74 ? "middle" : "light";
}
