/**
 * Fetches and decodes the three images of an assignment, so that showing them later costs nothing.
 */

import { Unreachable } from "./api.js";
import { pause } from "./backoff.js";

export const SLOTS = ["left", "original", "right"];

const PATIENCE_MS = 60_000;
const RETRY_AFTER_MS = [400, 1200];
// The server's store is away, or we asked too often: nothing is wrong with the picture.
const LATER = new Set([429, 503]);

/** An image that could not be had; `slot` says which. */
export class ImageFailed extends Error {
  constructor(slot, message) {
    super(message);
    this.slot = slot;
  }
}

/**
 * Three decoded pictures.
 *
 * @param {{id: string, width: number, height: number, images: Object<string, string>}} assignment
 * @returns {Promise<{assignment, pictures, covers, images, release}>} `pictures` by slot; `covers`: the original once
 *   more for the left and right place; `images`: how long fetching and decoding took; `release()` frees the memory.
 * @throws {ImageFailed} when one of them failed three times, {Unreachable} when the server asks to come back later.
 */
export async function loadPair(assignment) {
  const loading = SLOTS.map((slot) => loadWithRetries(slot, assignment));
  const ended = await Promise.allSettled(loading);
  const loaded = ended.filter((one) => one.status === "fulfilled").map((one) => one.value);
  const release = () => loaded.forEach((one) => URL.revokeObjectURL(one.url));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) {
    release();
    throw failed.reason;
  }
  const pictures = Object.fromEntries(loaded.map((one) => [one.slot, one.picture]));
  const covers = { left: await copyOf(pictures.original), right: await copyOf(pictures.original) };
  const images = loaded.map(({ slot, fetch_ms, decode_ms }) => ({ slot, fetch_ms, decode_ms }));
  return { assignment, pictures, covers, images, release };
}

async function loadWithRetries(slot, assignment) {
  for (const wait of RETRY_AFTER_MS) {
    try {
      return await load(slot, assignment);
    } catch (error) {
      console.info(`The ${slot} image failed and is tried again:`, error.message);
      await pause(wait);
    }
  }
  return load(slot, assignment);
}

async function load(slot, assignment) {
  const begun = performance.now();
  const blob = await fetchBlob(slot, assignment.images[slot]);
  const fetched = performance.now();
  const url = URL.createObjectURL(blob);
  try {
    const picture = await decode(slot, url, assignment);
    return { slot, url, picture, fetch_ms: fetched - begun, decode_ms: performance.now() - fetched };
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

async function fetchBlob(slot, address) {
  let response;
  try {
    response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) return await response.blob();
  } catch (error) {
    throw new ImageFailed(slot, `not fetched: ${error.message}`);
  }
  if (LATER.has(response.status)) throw new Unreachable(`The ${slot} image: status ${response.status}.`);
  throw new ImageFailed(slot, `not fetched: status ${response.status}`);
}

async function decode(slot, url, { width, height }) {
  const picture = newPicture(url);
  await picture.decode().catch(() => {
    throw new ImageFailed(slot, "not decoded: the bytes are no image");
  });
  if (picture.naturalWidth !== width || picture.naturalHeight !== height) {
    const size = `${picture.naturalWidth}×${picture.naturalHeight}`;
    throw new ImageFailed(slot, `has ${size} pixels instead of ${width}×${height}`);
  }
  return picture;
}

function newPicture(url) {
  const picture = new Image();
  picture.alt = ""; // its place on the page has the name; a name here could tell the sides apart
  picture.decoding = "sync"; // what is put on the page is painted in that frame, not in a later one
  picture.draggable = false;
  picture.src = url;
  return picture;
}

async function copyOf(picture) {
  const copy = newPicture(picture.src);
  await copy.decode();
  return copy;
}
