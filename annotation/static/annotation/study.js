/**
 * A study's page: keeps its state, bars and tables up to date, and copies its link.
 * The page is whole without this script; reload it to see the newest numbers.
 */

import { poll } from "./poll.js";

const EVERY_MS = 2000;

/** Every part of the page that changes, taken from one rendering of it: what stands together belongs together. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!answer.ok) throw new Error(`${location.href} answered ${answer.status}`);
  const newest = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = newest.querySelector(`[data-live="${part.dataset.live}"]`);
    // What somebody is about to press stays under their hand.
    if (fresh && !part.contains(document.activeElement)) part.innerHTML = fresh.innerHTML;
  }
}

/** Asks for the few numbers of the bars, and renders anew when one of them has changed. */
function follow(section) {
  let shown = null;
  poll(section.dataset.status, EVERY_MS, (status) => {
    const counts = Object.values(status.meters).map(({ done, total }) => [done, total]);
    const now = JSON.stringify([status.state, counts, status.open_flags]);
    if (now !== shown) refresh().then(() => { shown = now; }, console.warn);
    return status.state !== "closed" || shown !== now;
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
for (const table of document.querySelectorAll("[data-pending]")) waitFor(table);

// The clipboard exists only on secure addresses; elsewhere the link can still be selected.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
