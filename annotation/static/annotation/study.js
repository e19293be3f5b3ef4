/**
 * A study's page: keeps its bars up to date and copies its link.
 * The page is whole without this script; reload it to see the newest numbers.
 */

import { poll } from "./poll.js";

const EVERY_MS = 2000;

/** Writes one bar's numbers into the page. */
function show(meter, { done, total, words }) {
  const bar = meter.querySelector("progress");
  bar.max = total || 1;
  bar.value = done;
  meter.querySelector(".meter-figure").textContent = words;
}

function follow(section) {
  const meters = [...section.querySelectorAll("[data-meter]")];
  poll(section.dataset.status, EVERY_MS, (status) => {
    for (const meter of meters) show(meter, status.meters[meter.dataset.meter]);
    return status.state !== "closed";
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
  const words = document.getElementById(button.dataset.copy).textContent;
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
