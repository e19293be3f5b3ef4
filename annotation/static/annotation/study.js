/**
 * A study's pages: keep state, bars, tables and what codecs reach up to date or say that they are not; copy the link.
 * Each page is whole without this script; reload it to see the newest numbers.
 */

import { poll } from "./poll.js";

const EVERY_MS = 2000;
const NEWER_EVERY_MS = 10000;

/** The page as the server renders it now. A request parses it, since the policy lets no script turn text into a page. */
function newestPage() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.onload = () => {
      if (request.status === 200 && request.responseXML) resolve(request.responseXML);
      else reject(new Error(`${location.href} answered ${request.status}`));
    };
    request.onerror = () => reject(new Error("not reached"));
    request.send();
  });
}

/** Every part of the page that changes, taken from one rendering of it: what stands together belongs together. */
async function refresh() {
  const newest = await newestPage();
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = newest.querySelector(`[data-live="${part.dataset.live}"]`);
    // What somebody is about to press stays under their hand.
    if (!fresh || part.contains(document.activeElement)) continue;
    part.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  }
}

/** Asks for the few numbers of the bars, and renders anew when one of them has changed. */
function follow(section) {
  let shown = null;
  poll(section.dataset.status, EVERY_MS, (status) => {
    const counts = Object.values(status.meters).map(({ done, total }) => [done, total]);
    const now = JSON.stringify([status.state, counts, status.open_flags, status.pending_reaches]);
    if (now !== shown) refresh().then(() => { shown = now; }, console.warn);
    const over = status.state === "closed" || (status.state === "draft" && !status.pending_reaches);
    return !over || shown !== now;
  });
}

/** Says that a page is older than its study: a table that somebody reads is not exchanged under their eyes. */
function watch(note) {
  let loaded = null;
  poll(note.dataset.newer, NEWER_EVERY_MS, (status) => {
    const done = Object.values(status.meters).map((meter) => meter.done);
    const now = JSON.stringify([status.state, done, status.open_flags]);
    loaded ??= now;
    note.hidden = now === loaded;
    return note.hidden && status.state !== "closed";
  });
}

/** Reloads once a snapshot is built or has failed: the rest of its row comes from the server. */
function waitFor(table) {
  poll(table.dataset.pendingAt, EVERY_MS, (status) => {
    if (String(status.pending_snapshots) === table.dataset.pending) return true;
    location.reload();
    return false;
  });
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const words = "value" in source ? source.value : source.textContent;
  await navigator.clipboard.writeText(words);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 2000);
}

for (const section of document.querySelectorAll("[data-status]")) follow(section);
for (const note of document.querySelectorAll("[data-newer]")) watch(note);
for (const table of document.querySelectorAll("[data-pending]")) waitFor(table);

// The clipboard exists only on secure addresses; elsewhere the link can still be selected.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
