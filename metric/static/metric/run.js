/** A training run's page: keeps its bar and its log up to date, and reloads once it is over. */

import { poll } from "../annotation/poll.js";

const EVERY_MS = 1000;

/** Whether somebody reads the end of the log; new lines then keep it in sight. */
function atEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 8;
}

function show(run, log, status) {
  const bar = run.querySelector("progress");
  bar.max = status.total || 1;
  bar.value = status.done;
  run.querySelector(".meter-figure").textContent = status.words;
  if (log.textContent !== status.log) {
    const follow = atEnd(log);
    log.textContent = status.log;
    if (follow) log.scrollTop = log.scrollHeight;
  }
}

const run = document.querySelector("[data-run-status]");
const log = document.getElementById("log");
log.scrollTop = log.scrollHeight;

if (run) {
  poll(run.dataset.runStatus, EVERY_MS, (status) => {
    show(run, log, status);
    // The version, or what went wrong, is on the page that the server draws.
    if (status.over) location.reload();
    return !status.over;
  });
}
