/**
 * One session: pair after pair, with training before and breaks in between, until the server says that it is over.
 *
 * A pair is taken from the supply, looked at, answered; the answer goes to the outbox while the next pair, already
 * decoded, takes its place. How a single look goes is the viewer's business.
 */

import { pause } from "./backoff.js";
import { newId } from "./timing.js";
import * as texts from "./panel_texts.js";
import * as say from "./words.js";

const LOADING_AFTER_MS = 300;

export class Session {
  #history = [];
  #before = null; // the assignment before this one
  #begun = performance.now();
  #stopped = false;

  constructor({ study, viewer, outbox, supply, progress, panel, bar, keys }) {
    Object.assign(this, { study, viewer, outbox, supply, progress, panel, bar, keys });
    viewer.canUndo = () => this.#history.length > 0;
  }

  async run() {
    while (!this.#stopped) {
      const next = await this.#taken();
      if (this.#stopped) return;
      if (next.status === "pair") await this.#judge(next);
      else if (await this.#ended(next)) return;
    }
  }

  /** Another window goes on with it. */
  stop() {
    this.#stopped = true;
    this.supply.stop();
    this.bar.hide();
    this.viewer.leave("lost");
    this.viewer.clear();
  }

  /** The next of the supply, with a word about the wait when there is one. */
  async #taken() {
    const show = (panel) => {
      this.viewer.clear();
      if (!this.#stopped) this.panel.show(panel);
    };
    const lost = () => show(texts.connectionLost(this.outbox.size));
    const timer = setTimeout(() => (this.supply.reachable ? show(texts.loading()) : lost()), LOADING_AFTER_MS);
    this.supply.addEventListener("unreachable", lost);
    const next = await this.supply.take();
    clearTimeout(timer);
    this.supply.removeEventListener("unreachable", lost);
    return next;
  }

  /** Says why there is no pair; true when the session is over. */
  async #ended(next) {
    this.viewer.clear();
    if (next.status === "nothing_free") {
      this.panel.show(texts.nothingFree(next.detail));
      await pause(1000 * (next.retry_after_s ?? 5));
      return false;
    }
    if (next.status === "broken") {
      await this.panel.ask(texts.broken(next.pairs));
      return false;
    }
    if (next.status === "closed") this.#tellClosed(next);
    else this.#leaveWhenSaved(next);
    return true;
  }

  #tellClosed({ code, detail }) {
    const again = () => location.reload();
    if (code === "not_ready") this.panel.show(texts.notReady(detail, again));
    else this.panel.show(texts.closed(detail, again, () => location.assign(this.study.endUrl)));
  }

  #leaveWhenSaved({ status, detail, progress }) {
    const tell = () => {
      const waiting = this.outbox.size;
      const answered = Math.max(this.progress.answered, progress?.answered ?? 0);
      this.panel.show(texts.over({ status, detail, answered, waiting }));
      if (waiting > 0) return;
      this.outbox.removeEventListener("change", tell);
      location.assign(this.study.endUrl);
    };
    this.outbox.addEventListener("change", tell);
    tell();
  }

  async #judge({ pair, progress }) {
    await this.#introduce(pair, progress);
    let outcome = await this.viewer.look(pair, { whenUp: () => this.supply.prepare() });
    while (outcome.what === "undo") {
      await this.#revise(1);
      outcome = await this.viewer.look(pair, { record: outcome.record });
    }
    this.#before = pair.assignment;
    await this.#conclude(pair, outcome);
    this.supply.finished(pair.assignment.id);
  }

  async #conclude(pair, outcome) {
    if (outcome.what === "answer") {
      await this.#answered(pair, outcome);
      return;
    }
    if (outcome.what === "flag") {
      this.#send({ assignment: pair.assignment.id, flag: outcome.flag });
      this.viewer.note.say(say.flagged());
    }
    this.viewer.discard(pair);
    if (outcome.what !== "late") return;
    this.viewer.clear();
    await this.panel.ask(texts.late());
  }

  async #answered(pair, { side, timing }) {
    const { id: assignment, training } = pair.assignment;
    this.progress.add(1);
    if (training) {
      await this.#teach({ assignment, answer: side, timing });
      this.viewer.discard(pair);
      return;
    }
    this.#remember(pair, this.#send({ assignment, answer: side, timing }), side);
    await this.#rest();
  }

  /** Puts an answer or a flag on its way; returns its id. */
  #send(content, id = newId()) {
    this.outbox.add({ id, sessionKey: this.study.sessionKey, given_at: Date.now(), ...content });
    return id;
  }

  /** Keeps the pair for an undo, as many as the study allows. */
  #remember(pair, id, side) {
    this.#history.push({ pair, id, side });
    while (this.#history.length > this.study.undoDepth) this.viewer.discard(this.#history.shift().pair);
  }

  /** Shows the answered pair so many back again; its new answer replaces the old one. */
  async #revise(back) {
    const entry = this.#history.at(-back);
    this.bar.show({ ...say.revising(entry.side), act: () => this.viewer.leave("kept") });
    this.viewer.given(entry.side);
    const canUndo = () => back < this.#history.length;
    const outcome = await this.viewer.look({ ...entry.pair, leaseEnds: Infinity }, { canUndo, revised: true });
    this.bar.hide();
    this.viewer.given("");
    if (outcome.what === "undo") await this.#revise(back + 1);
    if (outcome.what !== "answer") return;
    const { side: answer, timing } = outcome;
    entry.id = this.#send({ assignment: entry.pair.assignment.id, answer, timing, supersedes: entry.id });
    entry.side = answer;
  }

  /** After a training answer: what it should have been, with the pair still up. */
  async #teach(content) {
    const id = newId();
    const confirmation = this.outbox.outcome(id);
    this.#send(content, id);
    this.bar.show(say.checking());
    const { reply: recorded } = await confirmation;
    if (recorded?.feedback) {
      this.viewer.stage.point(recorded.feedback.closer);
      await this.bar.ask(say.feedback(recorded.feedback, this.keys.sign("peek")));
      this.viewer.stage.point("");
    }
    this.bar.hide();
  }

  /** Says what the next pairs are for, where that has changed. */
  async #introduce(pair, progress) {
    const { training } = pair.assignment;
    if (!this.#before && progress.stage === "training") this.progress.take(progress);
    const words = this.#introduction(training);
    if (!words) return;
    this.viewer.clear();
    await this.panel.ask(words);
  }

  #introduction(training) {
    if (!this.#before) return training && this.progress.answered === 0 ? texts.training(this.progress.total) : null;
    if (!this.#before.training) return null;
    if (!training) return texts.trained();
    return this.progress.answered === 0 ? texts.trainingAgain() : null;
  }

  async #rest() {
    const { answered, total } = this.progress;
    const { breakEvery } = this.study;
    if (!breakEvery || answered % breakEvery || answered >= total) return;
    this.viewer.clear();
    const minutes = Math.round((performance.now() - this.#begun) / 60_000);
    await this.panel.ask(texts.rest({ answered, total, minutes }));
  }
}
