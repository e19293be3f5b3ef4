/**
 * Places the three pictures so that one image pixel is one device pixel, at any devicePixelRatio.
 *
 * Sizes are whole device pixels divided by the ratio. The first picture is moved onto a device pixel's corner, else
 * the browser would round its edges and resample it; the others stand whole device pixels away from it.
 */

const GAP = 24; // CSS px between pictures where there is room
const LEAST_GAP = 8;
const LEAST_COLUMN = 160; // small pictures stand further apart: their buttons need the width

/**
 * Lays out three pictures of width × height image pixels.
 *
 * @returns {{fits: boolean, lack: [number, number]}} how many device pixels the window lacks in width and height.
 */
export function layOut(stage, room, { width, height }) {
  const dpr = devicePixelRatio;
  const across = Math.floor(room.clientWidth * dpr);
  const gap = gapBetween(width, across, dpr);
  setLengths(stage, { w: width / dpr, h: height / dpr, gap: gap / dpr, x: 0, y: 0 });
  const needed = 3 * width + 2 * gap;
  const lack = [needed - across, Math.ceil((room.scrollHeight - room.clientHeight) * dpr)];
  moveToCorner(stage, Math.max(0, (across - needed) / 2), dpr);
  return { fits: lack[0] <= 0 && lack[1] <= 0, lack: lack.map((short) => Math.max(0, short)) };
}

function gapBetween(width, across, dpr) {
  const wanted = Math.max(GAP * dpr, LEAST_COLUMN * dpr - width);
  const least = Math.ceil(LEAST_GAP * dpr);
  return Math.max(least, Math.floor(Math.min(wanted, (across - 3 * width) / 4)));
}

/** Moves the stage `start` device pixels to the right, and on from there to the next whole device pixel. */
function moveToCorner(stage, start, dpr) {
  const { left, top } = stage.querySelector(".picture").getBoundingClientRect();
  const corner = (at) => Math.round(at) / dpr;
  setLengths(stage, { x: corner(left * dpr + start) - left, y: corner(top * dpr) - top });
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

/** Calls `changed` on every resize and change of devicePixelRatio. */
export function onScreenChange(changed) {
  addEventListener("resize", changed);
  const watch = () => {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      changed();
      watch();
    }, { once: true });
  };
  watch();
}

/** Gives the room the study's grey, and letters that can be read on it. */
export function paintSurround(root, grey) {
  const level = parseInt(grey.slice(1, 3), 16);
  root.style.setProperty("--surround", grey);
  root.dataset.tone = level <= 0x60 ? "dark" : level <= 0x74 ? "middle" : "light";
}
