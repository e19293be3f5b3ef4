/**
 * Everything the page says while judging, as the panels take it.
 */

const seconds = (ms) => (ms % 1000 === 0 ? `${ms / 1000} s` : `${(ms / 1000).toFixed(1)} s`);
const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const counted = (answers) => (answers === 1 ? "1 answer is" : `${answers} answers are`);
const NAMES = { left: "A", original: "the original", right: "B" };

/** Why an answer was not taken yet. */
export const tooEarly = (minViewMs) => `Look a little longer: an answer counts after ${seconds(minViewMs)}.`;

/** In a layout of one place, what has not been looked at. */
export const lookFirst = (slots) => `Look at ${slots.map((slot) => NAMES[slot]).join(" and ")} first.`;

/** Which picture is up in a layout of one place. */
export const nowUp = (slot) => ({ left: "A is up", original: "The original is up", right: "B is up" })[slot];

/** What a flicker shows now. */
export const takesTurns = (slot) =>
  slot === "original" ? nowUp(slot) : `${NAMES[slot]} and the original take turns`;

/** The pair has been open for as long as the study finds sensible. */
export const longLook = (ms) =>
  `You have looked for ${Math.round(ms / 60_000) || 1} min. Your first impression is good enough.`;

/** The pair in hand is about to be somebody else's. */
export const LEASE_ENDS = "In a minute this pair goes back to the pool for somebody else.";

/** What stands there until the first pair is ready. */
export const LOADING = { name: "loading", title: "Getting the next pair ready", busy: true };

/** The network is gone and there is no pair left to judge. */
export function connectionLost(waiting) {
  return {
    name: "unreachable",
    title: "The server cannot be reached",
    text: waiting > 0
      ? "Your answers are kept in this browser and are sent as soon as the connection is back."
      : "Your answers so far are saved.",
    small: "This page tries by itself and goes on as soon as it can.",
    busy: true,
  };
}

/** There will be pairs again in a moment. */
export const nothingFree = (detail) => ({
  name: "nothing_free",
  title: "One moment",
  text: detail,
  small: "This page asks again by itself; you can leave it open.",
  busy: true,
});

/** The pictures of several pairs in a row failed. */
export const broken = (detail) => ({
  name: "broken",
  title: "The pictures cannot be shown",
  text: "Nothing was counted for those pairs, and your other answers are kept. Try again; if it does not help, "
    + "tell the person who sent you here.",
  small: detail,
  label: "Try again",
});

/** The study takes no answers, in the server's words. */
export const closed = (detail, actions) => ({ name: "closed", title: "No pairs at the moment", text: detail, actions });

/** The end of a session, or of everything. `waiting` answers are not confirmed yet. */
export function over({ status, detail, answered, waiting }) {
  const title = status === "nothing_left" ? "That was everything. Thank you!" : "Thank you!";
  if (waiting === 0) return { name: status, title, text: detail, small: `${counted(answered)} saved.`, busy: true };
  const text = `${counted(waiting)} still on the way. Keep this page open until it says that all are saved.`;
  return { name: status, title, text, busy: true };
}

/** The window cannot hold the pictures at their own size; `lack` is in device pixels. */
export function tooSmall([width, height], dpr, actions) {
  const points = (pixels) => Math.ceil(pixels / dpr);
  const short = [width && `${points(width)} points wider`, height && `${points(height)} points higher`];
  return {
    name: "too_small",
    title: "This window is too small",
    text: "The pictures are shown at their own size, never shrunk, since that would change what you judge. "
      + `The window must be ${short.filter(Boolean).join(" and ")}.`,
    small: "Make it larger and the pair comes back by itself, or choose what suits you.",
    actions,
  };
}

/** The scale of the page changed. `until` is when the pair goes back to the pool. */
export function paused({ magnified, until, act }) {
  return {
    name: "paused",
    title: "Paused: the size of the page has changed",
    text: magnified
      ? "The page is magnified, so the pictures would not have their own size. Spread it back to normal, then go on."
      : "The zoom of the browser or the screen is another one than before. Leave it as it is now, and the pictures "
        + "stand at their own size again. Nothing is lost.",
    small: until ? `This pair is kept for you until ${clock(until)}.` : "",
    actions: [{ label: "Go on", act }],
  };
}

/** The pair went back to the pool while nobody answered. */
export const LATE = {
  name: "late",
  title: "That pair was open for too long",
  text: "It went back to the pool for somebody else, and nothing was counted. Your other answers are kept.",
  label: "Go on with another one",
};

/** A break, after `answered` of `total`. */
export const rest = ({ answered, total, minutes }) => ({
  name: "break",
  title: "Time for a short break",
  text: `You have judged ${answered} of ${total} pairs in ${minutes < 2 ? "a minute or so" : `${minutes} minutes`}. `
    + "Look out of a window, at something far away, for a while.",
  small: `It is ${clock(new Date())}.`,
  label: "Go on",
});

/** Before the first training pair. */
export const training = (total) => ({
  name: "training",
  title: "First, some practice",
  text: `${total} pairs to get used to the task. After each of them you are told which picture is closer to the `
    + "original. They are not counted.",
  label: "Begin the practice",
});

/** Too few right answers: once more. */
export const TRAINING_AGAIN = {
  name: "training_again",
  title: "Once more",
  text: "Some of these were hard to see. Here is the practice once again: hold the key that shows the original in "
    + "place, and watch what changes.",
  label: "Practise again",
};

/** From here on it counts. */
export const TRAINED = {
  name: "trained",
  title: "The practice is over",
  text: "From now on your answers count, and nobody tells you whether they are right: where pictures differ little, "
    + "what you see is what we want to know.",
  label: "Begin",
};

/** What a training answer should have been; `peek` is the sign of the key that shows the original in place. */
export function feedback({ right, closer }, peek) {
  if (closer === "tie") return { text: `${right ? "Right:" : "Here"} both are equally close.`, label: "Next" };
  const side = NAMES[closer];
  const verdict = right ? `Right: ${side} is closer.` : `The other one was closer: ${side}.`;
  return { text: `${verdict} Hold ${peek} and watch what changes.`, label: "Next" };
}

/** The answer is on its way and its verdict is awaited. */
export const CHECKING = { text: "Checking your answer …" };

const ANSWERED = { left: "You chose A", right: "You chose B", tie: "You could not tell" };

/** An answered pair is up again; `side` is what was answered. */
export const revising = (side) => ({
  text: `The pair before. ${ANSWERED[side]}: answer again, or keep it.`,
  label: "Keep it",
});

/** Somebody has told us that a pair is broken. */
export const FLAGGED = "Thank you. Somebody will look at that pair; here is another one.";

/** This session is open in another window. */
export const elsewhere = (act) => ({
  name: "elsewhere",
  title: "You are judging in another window",
  text: "One window at a time, so that no pair is shown twice. You can go on in the other window, or here.",
  actions: [{ label: "Go on here", act }],
});

/** Before a flickering layout. */
export const flickerWarning = ({ agree, refuse, leave }) => ({
  name: "flicker_warning",
  title: "Flickering pictures",
  text: "In this study two pictures take turns in one place, up to twice a second. If flickering light has ever made "
    + "you unwell, or you have photosensitive epilepsy, choose to switch the pictures yourself: it is just as good.",
  actions: [
    { label: "I switch them myself", act: refuse },
    { label: "Flickering is fine for me", act: agree },
    { label: "I would rather leave", act: leave },
  ],
});

/** They would rather not. */
export const LEFT = {
  name: "left",
  title: "You have left",
  text: "Nothing was shown and nothing was counted. You can close this page, or open your link again at any time.",
};

/** Steps of the arrival are still to be taken. */
export const notReady = (detail, act) => ({
  name: "not_ready",
  title: "One more step first",
  text: detail,
  actions: [{ label: "Go to it", act }],
});
