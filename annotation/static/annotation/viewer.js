/**
 * One look at a pair, from the frame in which it comes up to its answer: what may be done with it, and what is noted.
 */

import { device } from "./keys.js";
import { layoutCalled } from "./layouts/choice.js";
import { Look } from "./look.js";
import { magnification } from "./screen.js";
import { Record } from "./timing.js";
import * as texts from "./panel_texts.js";
import * as say from "./words.js";

// How long before its lease ends a pair says so.
const WARN_MS = 60_000;

/**
 * Events "waiting" (detail: whether answers would not be heard yet), "undoable" (whether there is one to undo) and
 * "given" (the answer that stands, or "").
 */
export class Viewer extends EventTarget {
  /** The look that is under way, or null. */
  current = null;
  canUndo = () => false;
  #old = [];
  #dpr = devicePixelRatio;

  constructor({ study, stage, panel, note, clock, keys }) {
    super();
    Object.assign(this, { study, stage, panel, note, clock, keys });
    stage.addEventListener("view", ({ detail }) => this.current?.record.note("view", detail.t, detail.slot));
    stage.lens.addEventListener("zoom", ({ detail }) => this.current?.record.note("zoom", detail.t, detail.factor));
    stage.lens.addEventListener("pan", ({ detail }) => this.current?.record.note("pan", detail.t));
    clock.addEventListener("jump", ({ detail }) => this.current?.record.note("clock", detail.t, detail.ms));
  }

  /**
   * Shows a pair. Resolves to {what, record, …}: "answer" with side and timing, "flag" with flag, "undo", "late" when
   * its lease ran out, "kept" or "lost". With `record` it is shown once more and the record goes on.
   */
  async look(pair, { record, canUndo = this.canUndo, revised = false, whenUp = () => {} }) {
    this.#wait(true);
    const { onset, fit } = await this.stage.show(pair);
    this.panel.hide();
    this.#release();
    const look = new Look(pair, record ?? new Record(pair.images, onset), onset);
    Object.assign(look, { canUndo, revised });
    this.#noteStart(look, Boolean(record));
    whenUp();
    const timers = this.#timers(look);
    this.current = look;
    this.dispatchEvent(new CustomEvent("undoable", { detail: canUndo() }));
    if (devicePixelRatio !== this.#dpr || magnification() !== 1) this.pause(onset);
    this.#arranged(fit);
    const seen = await look.over;
    timers.forEach(clearTimeout);
    return seen;
  }

  #noteStart(look, again) {
    if (again) look.record.note("resume", look.since, "undo");
    if (look.revised) look.record.note("undo", look.since);
    if (this.stage.layout.across === 1) look.record.note("view", look.since, this.stage.element.dataset.up);
  }

  #timers(look) {
    const { minViewMs, maxViewMs } = this.study;
    const now = performance.now();
    const timers = [
      setTimeout(() => this.#wait(false), look.record.onset + minViewMs - now),
      setTimeout(() => this.note.say(say.longLook(maxViewMs)), look.record.onset + maxViewMs - now),
    ];
    const left = look.pair.leaseEnds - now;
    if (left === Infinity) return timers;
    if (left > WARN_MS) timers.push(setTimeout(() => this.note.say(say.leaseEnds()), left - WARN_MS));
    return [...timers, setTimeout(() => this.leave("late"), left)];
  }

  /** Ends the look without an answer. */
  leave(what, more = {}) {
    const look = this.current;
    if (!look) return;
    this.current = null;
    this.stage.peek(false);
    this.stage.layout.rest();
    this.note.clear();
    this.#wait(true);
    look.end({ what, ...more });
  }

  /** Takes the answer to the pair in hand, if it may be answered now. */
  answer(side, event) {
    const look = this.current;
    const t = event.timeStamp;
    if (!look || look.obstacle || t < look.since) return;
    if (devicePixelRatio !== this.#dpr) {
      this.screenChanged(); // the browser has not told of it yet
      return;
    }
    const { record } = look;
    if (t - record.onset < this.study.minViewMs) {
      record.note("key", t, `early ${side}`);
      this.note.say(say.tooEarly(this.study.minViewMs));
      return;
    }
    const { unseen } = this.stage.layout;
    if (unseen.length > 0) {
      record.note("key", t, `unseen ${side}`);
      this.note.say(say.lookFirst(unseen));
      return;
    }
    if (record.switches < this.study.originalSwitches) {
      record.note("key", t, `unswitched ${side}`);
      this.note.say(say.switchFirst(this.study.originalSwitches, this.keys.sign("peek")));
      return;
    }
    this.clock.look(t);
    const timing = record.finish(t, device(event), this.stage.measure());
    this.leave("answer", { side, timing });
  }

  /** Holds the original in place of both sides, also after a training answer. */
  peek(on, event) {
    if (!this.stage.pair || this.current?.obstacle || this.stage.isPeeking === on) return;
    this.stage.peek(on);
    this.current?.record.note(on ? "peek_on" : "peek_off", event.timeStamp);
  }

  /** Puts one picture up, in a layout of one place. */
  view(slot, t) {
    if (this.stage.pair && !this.current?.obstacle) this.stage.layout.view(slot, t);
  }

  /** The pair before this one, if the study allows that. */
  undo(t) {
    const look = this.current;
    if (!look) return;
    if (!look.canUndo()) {
      this.note.say(say.nothingToUndo(this.study.undoDepth));
      return;
    }
    look.record.note("undo", t);
    look.record.note("pause", t, "undo");
    this.leave("undo");
  }

  /** Something is wrong with the pair in hand: it goes back with these words. */
  flag(detail) {
    this.leave("flag", { flag: { cause: "flagged", slot: "", detail } });
  }

  /** The scale of the page is another one: nothing is judged until somebody presses "Continue". */
  pause(t) {
    const look = this.current;
    if (look.paused) return;
    look.paused = true;
    look.record.note("pause", t, `dpr ${this.#dpr} to ${devicePixelRatio}`);
  }

  #resume() {
    const look = this.current;
    if (!look || magnification() !== 1) return;
    this.#dpr = devicePixelRatio;
    look.paused = false;
    look.record.note("resume", performance.now());
    this.#arranged(this.stage.arrange());
  }

  /** The window has another size or scale. */
  screenChanged() {
    const look = this.current;
    if (!this.stage.pair) return;
    if (look && (devicePixelRatio !== this.#dpr || magnification() !== 1)) this.pause(performance.now());
    const fit = this.stage.arrange();
    if (look) this.#arranged(fit);
  }

  /** Shows the pair where it fits and nothing is paused; explains where not, until it does. */
  #arranged(fit) {
    const look = this.current;
    const before = look.obstacle;
    look.fit = fit;
    look.obstacle = look.paused ? "paused" : fit.fits ? "" : "too_small";
    if (look.obstacle) this.panel.show(this.#explain(look));
    if (look.obstacle === before) return; // as Stage.show left it
    this.stage.block(look.obstacle !== "");
    if (before === "too_small") look.record.note("visible", performance.now(), "window too small");
    if (look.obstacle === "too_small") look.record.note("hidden", performance.now(), "window too small");
    if (!look.obstacle) this.panel.hide();
  }

  #explain(look) {
    if (!look.paused) return texts.tooSmall(look.fit.lack, devicePixelRatio, this.#waysOut());
    const { leaseEnds } = look.pair;
    const until = leaseEnds === Infinity ? null : new Date(Date.now() + leaseEnds - performance.now());
    return texts.paused({ magnified: magnification() !== 1, until, act: () => this.#resume() });
  }

  #waysOut() {
    const mayFill = document.fullscreenEnabled && !document.fullscreenElement;
    const isBeside = this.stage.layout.across > 1;
    return {
      fullScreen: mayFill && (() => document.documentElement.requestFullscreen()),
      oneAtATime: isBeside && (() => this.#useToggle()),
      giveBack: !isBeside && (() => this.leave("flag", { flag: this.#tooSmall() })),
    };
  }

  #tooSmall() {
    return { cause: "too_small", slot: "", detail: `lacks ${this.current.fit.lack.join(" × ")} device pixels` };
  }

  /** One picture at a time, for the rest of the session. */
  #useToggle() {
    this.stage.use(layoutCalled("toggle", this.stage.element));
    this.stage.start(performance.now());
    this.#arranged(this.stage.arrange());
  }

  /** The pair is not needed any more; its memory is freed when another one, or nothing, stands there. */
  discard(pair) {
    this.#old.push(pair);
  }

  /** Marks the answer that a pair has already; "" marks none. */
  given(side) {
    this.dispatchEvent(new CustomEvent("given", { detail: side }));
  }

  clear() {
    this.stage.clear();
    this.#release();
  }

  #release() {
    for (const pair of this.#old.splice(0)) pair.release();
  }

  #wait(waiting) {
    this.dispatchEvent(new CustomEvent("waiting", { detail: waiting }));
  }
}
