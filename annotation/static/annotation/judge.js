/**
 * The judging page: wires the parts together and runs one sitting.
 *
 * A pair is taken from the supply, shown, answered; the answer goes to the outbox while the next pair, already decoded,
 * takes its place. Everything the page knows about the study stands in data attributes of the body.
 */

import { Api } from "./api.js";
import { pause } from "./backoff.js";
import { device, meaning } from "./keys.js";
import { Outbox } from "./outbox.js";
import * as say from "./panels.js";
import { onScreenChange, paintSurround } from "./screen.js";
import { Stage } from "./stage.js";
import { Badge, Progress } from "./status.js";
import { openStore } from "./store.js";
import { Supply } from "./supply.js";
import { newId, Record } from "./timing.js";

const LOADING_AFTER_MS = 300;

const study = readStudy(document.body.dataset);
const byId = (id) => document.getElementById(id);
const panel = new say.Panel(byId("panel"));
const note = new say.Note(byId("note"));
const help = byId("help");
const stage = new Stage({ element: byId("stage"), frame: byId("pair"), room: byId("room") });
const api = new Api(study.apiRoot, study.sessionKey);
let outbox, supply, progress;

/** The pair in hand: its record and what ends it; null while there is nothing to answer. */
let current = null;

function readStudy(data) {
  return {
    apiRoot: data.apiRoot,
    sessionKey: data.session,
    answered: Number(data.answered),
    total: Number(data.total),
    minViewMs: Number(data.minViewMs),
    allowTies: data.allowTies === "true",
    surround: data.surround,
  };
}

async function begin() {
  byId("needs-script").hidden = true;
  paintSurround(document.documentElement, study.surround);
  listen();
  outbox = new Outbox(await openStore(), api);
  supply = new Supply(api, outbox);
  new Badge(byId("badge"), outbox);
  await outbox.resume();
  const unconfirmed = outbox.assignments(study.sessionKey).length;
  progress = new Progress(byId("line"), byId("figure"), { answered: study.answered + unconfirmed, total: study.total });
  watchOutbox();
  supply.prepare();
  await welcome();
  if (!outbox.lasting) note.say("This browser keeps nothing: leave the page open until it says “saved”.");
  await sitting();
}

/** Shows the instructions, where the study has some and they were not read in this sitting. */
function welcome() {
  const words = byId("welcome");
  if (!words || study.answered > 0) return undefined;
  panel.hide();
  words.hidden = false;
  byId("begin").focus();
  return new Promise((resolve) => {
    byId("begin").onclick = () => {
      words.hidden = true;
      resolve();
    };
  });
}

async function sitting() {
  for (;;) {
    const found = await taken();
    if (found.status === "pair") await judge(found.pair);
    else if (await ended(found)) return;
  }
}

/** The next of the supply, with a word about the wait when there is one. */
async function taken() {
  const lost = () => {
    stage.clear();
    panel.show(say.connectionLost(outbox.size));
  };
  const waiting = () => {
    stage.clear();
    panel.show(supply.reachable ? say.LOADING : say.connectionLost(outbox.size));
  };
  const timer = setTimeout(waiting, LOADING_AFTER_MS);
  supply.addEventListener("unreachable", lost);
  const found = await supply.take();
  clearTimeout(timer);
  supply.removeEventListener("unreachable", lost);
  return found;
}

/** Says why there is no pair; true when the sitting is over. */
async function ended(found) {
  stage.clear();
  if (found.status === "nothing_free") {
    panel.show(say.nothingFree(found.detail));
    await pause(1000 * (found.retry_after_s ?? 5));
    return false;
  }
  if (found.status === "broken") {
    await new Promise((resolve) => panel.show(say.broken(found.detail, resolve)));
    return false;
  }
  const tell = () => panel.show(lastWords(found));
  outbox.addEventListener("change", tell);
  tell();
  return true;
}

function lastWords(found) {
  if (found.status === "closed") return say.closed(found.detail);
  const answered = Math.max(progress.answered, found.progress?.answered ?? 0);
  return say.over({ status: found.status, detail: found.detail, answered, waiting: outbox.size });
}

/** Shows a pair and resolves when it was answered, or its time has run out. */
async function judge(pair) {
  setWaiting(true);
  const { onset, layout } = await stage.show(pair);
  panel.hide();
  const record = new Record(pair.images, onset);
  const ready = setTimeout(() => setWaiting(false), study.minViewMs - (performance.now() - onset));
  supply.prepare();
  const leaseEnd = setTimeout(timeOver, pair.leaseEnds - performance.now());
  await new Promise((resolve) => {
    current = { pair, record, resolve, blocked: false };
    applyLayout(layout);
  });
  clearTimeout(ready);
  clearTimeout(leaseEnd);
}

/** The pair in hand went back to the pool: an answer would be refused, so another pair takes its place. */
function timeOver() {
  const { pair, resolve } = current;
  current = null;
  supply.finished(pair.assignment.id);
  panel.hide();
  setWaiting(true);
  note.say("That pair was open for too long and went back to the pool. Here is another one.");
  resolve();
}

/** Takes the answer to the pair in hand, if it may be answered now. */
function answer(side, event) {
  if (!current || current.blocked || help.open) return;
  const { pair, record, resolve } = current;
  const t = event.timeStamp;
  if (t < record.onset) return;
  if (t - record.onset < study.minViewMs) {
    record.note("key", t, `early ${side}`);
    note.say(say.tooEarly(study.minViewMs));
    return;
  }
  current = null;
  stage.peek(false);
  const timing = record.finish(t, device(event), stage.measure());
  const { id } = pair.assignment;
  outbox.add({ id: newId(), sessionKey: study.sessionKey, assignment: id, answer: side, timing, given_at: Date.now() });
  supply.finished(id);
  progress.set(progress.answered + 1);
  note.clear();
  setWaiting(true);
  resolve();
}

function peek(on, event) {
  if (!current || current.blocked || stage.isPeeking === on) return;
  stage.peek(on);
  current.record.note(on ? "peek_on" : "peek_off", event.timeStamp);
}

/** Buttons that would not be heard yet look so, and say so to a screen reader. */
function setWaiting(waiting) {
  for (const button of document.querySelectorAll("[data-answer]")) button.setAttribute("aria-disabled", waiting);
}

/** Shows the pair where it fits; explains where it does not, until it does. */
function applyLayout({ fits, lack }) {
  stage.element.classList.toggle("is-blocked", !fits);
  if (fits === !current.blocked) return;
  current.blocked = !fits;
  current.record.note(fits ? "visible" : "hidden", performance.now(), "window too small");
  if (fits) panel.hide();
  else panel.show(say.tooSmall(lack, devicePixelRatio, () => document.documentElement.requestFullscreen()));
}

function listen() {
  addEventListener("keydown", onKeyDown);
  addEventListener("keyup", (event) => meaning(event) === "peek" && peek(false, event));
  addEventListener("pointerdown", (event) => current?.record.touched(event.timeStamp), { capture: true });
  for (const button of document.querySelectorAll("[data-answer]")) {
    button.addEventListener("click", (event) => answer(button.dataset.answer, event));
  }
  listenToPeekButton(byId("peek"));
  byId("open-help").addEventListener("click", showHelp);
  help.addEventListener("close", () => current?.record.note("focus", performance.now(), "help"));
  listenToWindow();
}

function onKeyDown(event) {
  const wanted = meaning(event);
  if (!wanted || help.open || !stage.pair) return;
  event.preventDefault(); // the space bar would press the button that has the focus, the arrows would scroll
  if (event.repeat) return;
  current?.record.touched(event.timeStamp);
  if (wanted === "help") showHelp();
  else if (wanted === "peek") peek(true, event);
  else if (wanted !== "tie" || study.allowTies) answer(wanted, event);
}

function listenToPeekButton(button) {
  const release = (event) => peek(false, event);
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    peek(true, event);
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) button.addEventListener(name, release);
  button.addEventListener("keydown", (event) => event.key === "Enter" && !event.repeat && peek(true, event));
  button.addEventListener("keyup", (event) => event.key === "Enter" && release(event));
}

function showHelp() {
  if (help.open) return;
  current?.record.note("blur", performance.now(), "help");
  help.showModal();
}

function listenToWindow() {
  document.addEventListener("visibilitychange", (event) => {
    current?.record.note(document.hidden ? "hidden" : "visible", event.timeStamp);
  });
  for (const name of ["blur", "focus"]) {
    addEventListener(name, (event) => {
      if (name === "blur") peek(false, event);
      current?.record.note(name, event.timeStamp);
    });
  }
  onScreenChange(() => {
    current?.record.note("zoom", performance.now(), devicePixelRatio);
    if (current) applyLayout(stage.arrange());
  });
  addEventListener("beforeunload", (event) => outbox?.size > 0 && !outbox.lasting && event.preventDefault());
}

function watchOutbox() {
  const ours = ({ detail }) => detail.judgment.sessionKey === study.sessionKey;
  outbox.addEventListener("refused", (event) => {
    note.say(`One answer was not counted. ${event.detail.refusal.message}`);
    if (ours(event)) progress.set(progress.answered - 1);
  });
  outbox.addEventListener("confirmed", (event) => {
    if (outbox.size === 0 && ours(event)) progress.set(event.detail.said.progress.answered);
  });
}

begin().catch((error) => {
  console.error(error);
  panel.show({
    name: "failed",
    title: "This page has failed",
    text: "Your answers are kept. Load the page again; if it fails again, tell the person who sent you here.",
    small: String(error?.message ?? error),
    action: { label: "Load the page again", act: () => location.reload() },
  });
});
