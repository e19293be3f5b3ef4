/**
 * One session: pair after pair, with training before and breaks in between, until the server says that it is over.
 *
 * A pair is taken from the supply, looked at, answered; the answer goes to the outbox while the next pair, already
 * decoded, takes its place. How a single look goes is the viewer's business.
 */

import { pause } from "./backoff.js";
import { newId } from "./timing.js";
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
      const found = await this.#taken();
      if (this.#stopped) return;
      if (found.status === "pair") await this.#judge(found);
      else if (await this.#ended(found)) return;
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
    const tell = (panel) => {
      this.viewer.clear();
      if (!this.#stopped) this.panel.show(panel);
    };
    const lost = () => tell(say.connectionLost(this.outbox.size));
    const timer = setTimeout(() => (this.supply.reachable ? tell(say.LOADING) : lost()), LOADING_AFTER_MS);
    this.supply.addEventListener("unreachable", lost);
    const found = await this.supply.take();
    clearTimeout(timer);
    this.supply.removeEventListener("unreachable", lost);
    return found;
  }

  /** Says why there is no pair; true when the session is over. */
  async #ended(found) {
    this.viewer.clear();
    if (found.status === "nothing_free") {
      this.panel.show(say.nothingFree(found.detail));
      await pause(1000 * (found.retry_after_s ?? 5));
      return false;
    }
    if (found.status === "broken") {
      await this.panel.ask(say.broken(found.detail));
      return false;
    }
    if (found.status === "closed") this.#tellClosed(found);
    else this.#leaveWhenSaved(found);
    return true;
  }

  #tellClosed({ code, detail }) {
    if (code === "not_ready") this.panel.show(say.notReady(detail, () => location.reload()));
    else this.panel.show(say.closed(detail, [{ label: "Go to the end", act: () => location.assign(this.study.endUrl) }]));
  }

  #leaveWhenSaved({ status, detail, progress }) {
    const tell = () => {
      const waiting = this.outbox.size;
      const answered = Math.max(this.progress.answered, progress?.answered ?? 0);
      this.panel.show(say.over({ status, detail, answered, waiting }));
      if (waiting > 0) return;
      this.outbox.removeEventListener("change", tell);
      location.assign(this.study.endUrl);
    };
    this.outbox.addEventListener("change", tell);
    tell();
  }

  async #judge({ pair, progress }) {
    await this.#introduce(pair, progress);
    let seen = await this.viewer.look(pair, { whenUp: () => this.supply.prepare() });
    while (seen.what === "undo") {
      await this.#revise(1);
      seen = await this.viewer.look(pair, { record: seen.record });
    }
    this.#before = pair.assignment;
    await this.#conclude(pair, seen);
    this.supply.finished(pair.assignment.id);
  }

  async #conclude(pair, seen) {
    if (seen.what === "answer") {
      await this.#answered(pair, seen);
      return;
    }
    if (seen.what === "flag") {
      this.#send({ assignment: pair.assignment.id, flag: seen.flag });
      this.viewer.note.say(say.FLAGGED);
    }
    this.viewer.discard(pair);
    if (seen.what !== "late") return;
    this.viewer.clear();
    await this.panel.ask(say.LATE);
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
    const seen = await this.viewer.look({ ...entry.pair, leaseEnds: Infinity }, { canUndo, revised: true });
    this.bar.hide();
    this.viewer.given("");
    if (seen.what === "undo") await this.#revise(back + 1);
    if (seen.what !== "answer") return;
    const { side: answer, timing } = seen;
    entry.id = this.#send({ assignment: entry.pair.assignment.id, answer, timing, supersedes: entry.id });
    entry.side = answer;
  }

  /** After a training answer: what it should have been, with the pair still up. */
  async #teach(content) {
    const id = newId();
    const heard = this.outbox.outcome(id);
    this.#send(content, id);
    this.bar.show(say.CHECKING);
    const { said } = await heard;
    if (said?.feedback) {
      this.viewer.stage.point(said.feedback.closer);
      await this.bar.ask(say.feedback(said.feedback, this.keys.sign("peek")));
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
    if (!this.#before) return training && this.progress.answered === 0 ? say.training(this.progress.total) : null;
    if (!this.#before.training) return null;
    if (!training) return say.TRAINED;
    return this.progress.answered === 0 ? say.TRAINING_AGAIN : null;
  }

  async #rest() {
    const { answered, total } = this.progress;
    const { breakEvery } = this.study;
    if (!breakEvery || answered % breakEvery || answered >= total) return;
    this.viewer.clear();
    const minutes = Math.round((performance.now() - this.#begun) / 60_000);
    await this.panel.ask(say.rest({ answered, total, minutes }));
  }
}
