/** A training run's page, and that of a version whose table still grows: keeps bar and log up to date, and reloads at the end. */

import { poll } from "../annotation/poll.js";

const EVERY_MS = 1000;

/** Whether somebody reads the end of the log; new lines then keep it in sight. */
function atEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 8;
}

function capitalised(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Says how long a stage still takes, from how far it came since this page first saw it. */
function stopwatch() {
  let stage = "";
  let first = { at: 0, done: 0 };
  return (status, now) => {
    // The words of a stage count along: what stands before the count is its name.
    const name = status.words.split(" · ")[0];
    if (name !== stage || status.done < first.done) {
      stage = name;
      first = { at: now, done: status.done };
    }
    const came = status.done - first.done;
    const seconds = (now - first.at) / 1000;
    if (came < 1 || seconds < 5) return "";
    const left = ((status.total - status.done) * seconds) / came;
    return left < 60 ? "less than a minute left of this" : `about ${Math.round(left / 60)} min left of this`;
  };
}

const left = stopwatch();

/** The badge beside the title: what waited when the page was loaded may be running now. */
function showState(outcome) {
  const badge = document.querySelector("[data-state] .badge");
  if (!badge) return;
  badge.className = `badge badge-${outcome}`;
  badge.textContent = outcome;
}

function show(run, log, status) {
  const bar = run.querySelector("progress");
  bar.max = status.total || 1;
  bar.value = status.done;
  run.querySelector("[data-words]").textContent = capitalised(status.words);
  run.querySelector("[data-left]").textContent = left(status, performance.now());
  const time = run.querySelector("[data-time]");
  if (time) time.textContent = status.time;
  showState(status.outcome);
  if (log && log.textContent !== status.log) {
    const follow = atEnd(log);
    log.textContent = status.log;
    if (follow) log.scrollTop = log.scrollHeight;
  }
}

/** The curve as the server draws it now. */
async function redraw(curve) {
  const answer = await fetch(location.href, { redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  curve.replaceChildren(...document.importNode(page.getElementById("curve"), true).childNodes);
}

const curve = document.getElementById("curve");
let rows;
const run = document.querySelector("[data-run-status]");
const log = document.getElementById("log");
if (log) log.scrollTop = log.scrollHeight;

if (run) {
  poll(run.dataset.runStatus, EVERY_MS, (status) => {
    show(run, log, status);
    if (curve && rows !== undefined && status.rows !== rows) redraw(curve).catch(console.warn);
    rows = status.rows;
    // The version, or what went wrong, is on the page that the server draws.
    if (status.over) location.reload();
    return !status.over;
  });
}
