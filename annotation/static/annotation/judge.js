/**
 * The judging page: wires the parts together and begins the session.
 *
 * Everything the page knows about the study stands in data attributes of the body.
 */

import { Api } from "./api.js";
import { ClockWatch } from "./clock.js";
import { Controls } from "./controls.js";
import { FlagDialog, KeysDialog } from "./dialogs.js";
import { Keys } from "./keys.js";
import { layoutCalled, mayFlicker } from "./layouts/choice.js";
import { Outbox } from "./outbox.js";
import { Bar, Note, Panel } from "./panels.js";
import { paintSurround } from "./screen.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { Badge, Progress } from "./status.js";
import { openStore } from "./store.js";
import { Supply } from "./supply.js";
import { Viewer } from "./viewer.js";
import { Windows } from "./windows.js";
import * as texts from "./panel_texts.js";
import * as say from "./words.js";

const byId = (id) => document.getElementById(id);
const study = readStudy(document.body.dataset);
const panel = new Panel(byId("panel"));
const note = new Note(byId("note"));
const keys = new Keys();

function readStudy(data) {
  return {
    apiRoot: data.apiRoot,
    sessionKey: data.session,
    endUrl: data.endUrl,
    answered: Number(data.answered),
    total: Number(data.total),
    minViewMs: Number(data.minViewMs),
    maxViewMs: Number(data.maxViewMs),
    originalSwitches: Number(data.originalSwitches),
    undoDepth: Number(data.undoDepth),
    breakEvery: Number(data.breakEvery),
    allowTies: data.allowTies === "true",
    layout: data.layout,
    largest: { width: Number(data.maxWidth), height: Number(data.maxHeight) },
    flickerHz: Number(data.flickerHz),
    surround: data.surround,
    preview: data.store === "preview",
  };
}

async function begin() {
  byId("needs-script").hidden = true;
  paintSurround(document.documentElement, study.surround);
  const writeKeys = () => keys.write(document);
  keys.addEventListener("change", writeKeys);
  writeKeys();
  const windows = new Windows(study.sessionKey);
  const [store, occupied] = await Promise.all([openStore(study), windows.occupied()]);
  if (occupied) await new Promise((resolve) => panel.show(texts.elsewhere(resolve)));
  panel.hide();
  windows.take();
  await judge(store, windows);
}

async function judge(store, windows) {
  const api = new Api(study.apiRoot, study.sessionKey);
  const outbox = new Outbox(store, api);
  const supply = new Supply(api, outbox);
  const element = byId("stage");
  const layout = layoutCalled(await layoutName(), element, study.flickerHz);
  const stage = new Stage({ element, frame: byId("pair"), room: byId("room"), layout, largest: study.largest });
  const viewer = new Viewer({ study, stage, panel, note, keys, clock: new ClockWatch() });
  const help = new KeysDialog(byId("help"), viewer, keys);
  const flag = new FlagDialog(byId("flag"), viewer);
  new Controls({ study, viewer, keys, help, flag });
  new Badge(byId("badge"), outbox);
  await outbox.resume();
  const answered = study.answered + outbox.assignments(study.sessionKey).length;
  const progress = new Progress(byId("line"), byId("figure"), { answered, total: study.total });
  watch(outbox, progress);
  const session = new Session({ study, viewer, outbox, supply, progress, panel, keys, bar: new Bar(byId("bar")) });
  windows.addEventListener("lost", () => {
    session.stop();
    panel.show(texts.elsewhere(() => location.reload()));
  });
  supply.prepare();
  await welcome();
  if (!outbox.lasting) note.say(say.keepOpen());
  await session.run();
}

/** The study's layout; flicker only for those who want it. */
async function layoutName() {
  if (study.layout !== "flicker") return study.layout;
  if (!mayFlicker()) return "toggle";
  const name = await new Promise((resolve) => {
    const answers = { agree: "flicker", refuse: "toggle", leave: "" };
    const acts = Object.entries(answers).map(([answer, chosen]) => [answer, () => resolve(chosen)]);
    panel.show(texts.flickerWarning(Object.fromEntries(acts)));
  });
  if (!name) {
    panel.show(texts.left());
    return new Promise(() => {}); // nothing comes after this
  }
  panel.hide();
  return name;
}

/** Shows the instructions, where the study has some and they were not read in this session. */
function welcome() {
  const words = byId("welcome");
  if (!words || study.answered > 0) return undefined;
  panel.hide();
  words.hidden = false;
  byId("begin").focus({ preventScroll: true }); // what is above the button is to be read first
  return new Promise((resolve) => {
    byId("begin").onclick = () => {
      words.hidden = true;
      resolve();
    };
  });
}

function watch(outbox, progress) {
  const ours = ({ judgment }) => judgment.sessionKey === study.sessionKey;
  outbox.addEventListener("refused", ({ detail }) => {
    const { judgment, refusal } = detail;
    note.say(say.notCounted(refusal));
    if (ours(detail) && !judgment.supersedes && !judgment.flag) progress.add(-1);
  });
  outbox.addEventListener("confirmed", ({ detail }) => {
    if (outbox.size === 0 && ours(detail)) progress.take(detail.reply.progress);
  });
  addEventListener("beforeunload", (event) => outbox.size > 0 && !outbox.lasting && event.preventDefault());
}

begin().catch((error) => {
  console.error(error);
  panel.show(texts.failed(error, () => location.reload()));
});
