/**
 * What the page says beside a pair: notes, bars, the badge, the progress and the keys, in the language of the page.
 */

import { formatted, gettext, ngettext } from "./gettext.js";

const nameOf = (slot) => (slot === "original" ? gettext("the original") : { left: "A", right: "B" }[slot]);

/** Why an answer was not taken yet. */
export const tooEarly = (minViewMs) =>
  gettext("Look a little longer: an answer counts after %(seconds)s s.", { seconds: formatted(minViewMs / 1000, 1) });

/** In a layout of one place, what has not been looked at. */
export const lookFirst = (slots) => gettext("Look first at: %(pictures)s.", { pictures: slots.map(nameOf).join(", ") });

/** The original was not put in the place of the others often enough; `key` does that. */
export const switchFirst = (times, key) =>
  ngettext(
    "Compare with the original first: hold %(key)s at least %(number)s time before you answer.",
    "Compare with the original first: hold %(key)s at least %(number)s times before you answer.",
    times,
    { key },
  );

/** Which picture is up in a layout of one place. */
export function nowUp(slot) {
  return slot === "original"
    ? gettext("The original is shown")
    : gettext("%(side)s is shown", { side: nameOf(slot) });
}

/** What a flicker shows now. */
export const takesTurns = (slot) =>
  slot === "original" ? nowUp(slot) : gettext("%(side)s alternates with the original", { side: nameOf(slot) });

/** The pair has been open for as long as the study finds sensible. */
export const longLook = (ms) =>
  ngettext(
    "You have looked for %(number)s minute. Your first impression is good enough.",
    "You have looked for %(number)s minutes. Your first impression is good enough.",
    Math.round(ms / 60_000) || 1,
  );

/** The pair in hand is about to be somebody else's. */
export const leaseEnds = () => gettext("In one minute this pair will be given to somebody else.");

/** What a practice answer should have been; `peek` is the sign of the key that shows the original in place. */
export function feedback({ right, closer }, peek) {
  const label = gettext("Next");
  if (closer === "tie") {
    return { text: right ? gettext("Right: both are equally close.") : gettext("Here both are equally close."), label };
  }
  const values = { side: nameOf(closer), key: peek };
  const text = right
    ? gettext("Right: %(side)s is closer. Hold %(key)s and watch what changes.", values)
    : gettext("The other one was closer: %(side)s. Hold %(key)s and watch what changes.", values);
  return { text, label };
}

/** The answer is on its way and its verdict is awaited. */
export const checking = () => ({ text: gettext("Checking your answer …") });

/** An answered pair is up again; `side` is what was answered. */
export function revising(side) {
  const text = side === "tie"
    ? gettext("The previous pair. You could not tell: answer again, or keep your answer.")
    : gettext("The previous pair. You chose %(side)s: answer again, or keep your answer.", { side: nameOf(side) });
  return { text, label: gettext("Keep the answer") };
}

/** Why U does nothing. */
export const nothingToUndo = (undoDepth) =>
  undoDepth ? gettext("There is no answer that can be undone.") : gettext("Answers cannot be undone in this study.");

/** Somebody has told us that a pair is broken. */
export const flagged = () => gettext("Thank you. Somebody will look at that pair; here is another one.");

/** The server did not take an answer, and says why. What is wrong with the request itself is for its programmer. */
export function notCounted({ code, message }) {
  const forPeople = !["bad_timing", "invalid", "parse_error", "refused"].includes(code);
  return [gettext("One answer was not counted."), forPeople ? message : ""].join(" ").trim();
}

/** What the browser does not keep, the page must. */
export const keepOpen = () => gettext("This browser cannot store answers: leave the page open until it shows “saved”.");

/** The badge of the outbox: `state` is "saved", "saving" or "waiting", with so many answers. */
export function badge({ state, size, lasting }, online) {
  const text = {
    saved: () => (online ? gettext("saved") : gettext("offline – all saved")),
    saving: () => gettext("saving"),
    waiting: () =>
      online
        ? gettext("server not reached – %(number)s waiting", { number: size })
        : gettext("offline – %(number)s waiting", { number: size }),
  }[state]();
  return lasting ? text : gettext("%(state)s (in memory only)", { state: text });
}

/** "12 / 60", or the same of the practice. */
export const progress = ({ answered, total, stage }) =>
  stage === "training" ? gettext("practice %(answered)s / %(total)s", { answered, total }) : `${answered} / ${total}`;

/** What keys without a sign of their own are called. */
export const keyNames = () => ({ space: gettext("Space"), shift: gettext("Shift") });

/** While another key is chosen. */
export const choosingKey = {
  waiting: () => gettext("Press the new key, or Escape to keep the old one."),
  kept: () => gettext("The key has not changed."),
  done: () => gettext("Done. This browser remembers it."),
  reset: () => gettext("All keys are reset."),
  reserved: (key) => gettext("The key %(key)s belongs to the browser. Choose another one.", { key }),
  taken: (key) => gettext("The key %(key)s is used already. Choose another one.", { key }),
};
