// What a browser tells of its screen. Sizes are in CSS pixels, as the browser counts them.

// What operating systems scale by. A pixel ratio that is none of these was changed by the browser's zoom.
const SCALES = [1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4];
const LEVELS = [0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5];

const nearest = (levels, value) => levels.reduce((best, level) => (Math.abs(level - value) < Math.abs(best - value) ? level : best));
const close = (a, b) => Math.abs(a / b - 1) < 0.02;

/**
 * The browser's zoom as far as it can be told: chromium's windows keep their outer size when the page is zoomed.
 * A side bar shows in the same way, so the zoom is believed only where it explains the pixel ratio. Firefox counts
 * the screen itself in zoomed pixels, and 1 is right for it.
 */
export function zoom() {
  const level = nearest(LEVELS, outerWidth / innerWidth);
  const scale = devicePixelRatio / level;
  return close(scale, nearest(SCALES, scale)) ? level : 1;
}

const matches = (query) => matchMedia(query).matches;

/** Everything that the screen step sends, by the names of its fields. */
export function screenNow() {
  return {
    width: screen.width,
    height: screen.height,
    dpr: devicePixelRatio,
    zoom: zoom(),
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    depth: screen.colorDepth,
    gamut: ["rec2020", "p3", "srgb"].find((gamut) => matches(`(color-gamut: ${gamut})`)) ?? "unknown",
    hdr: matches("(dynamic-range: high)"),
    reduced_motion: matches("(prefers-reduced-motion: reduce)"),
  };
}

/** Width and height of the whole screen in device pixels, as the server counts them. */
export function devicePixels({ width, height, dpr, zoom: zoomed }) {
  return [width, height].map((side) => Math.round((side * dpr) / zoomed));
}
