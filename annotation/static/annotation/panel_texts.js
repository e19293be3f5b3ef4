/**
 * What the page says in the place of a pair, as `Panel.show` of panels.js takes it, in the language of the page.
 */

import { LANGUAGE, gettext, ngettext } from "./gettext.js";

const clock = (date) => date.toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit" });

/** What stands there until the first pair is ready. */
export const loading = () => ({ name: "loading", title: gettext("Preparing the next pair"), busy: true });

/** The network is gone and there is no pair left to judge. */
export function connectionLost(waiting) {
  return {
    name: "unreachable",
    title: gettext("The server cannot be reached"),
    text: waiting > 0
      ? gettext("Your answers are kept in this browser and are sent as soon as the connection is back.")
      : gettext("Your answers so far are saved."),
    small: gettext("This page tries again automatically and continues as soon as possible."),
    busy: true,
  };
}

/** There will be pairs again in a moment. */
export const nothingFree = (detail) => ({
  name: "nothing_free",
  title: gettext("One moment"),
  text: detail,
  small: gettext("This page tries again automatically; you can leave it open."),
  busy: true,
});

/** The pictures of several pairs in a row failed. */
export const broken = (pairs) => ({
  name: "broken",
  title: gettext("The pictures cannot be shown"),
  text: gettext("Nothing was counted for those pairs, and your other answers are kept. Try again. If it does not help, tell "
    + "the person who invited you."),
  small: ngettext("%(number)s pair in a row failed.", "%(number)s pairs in a row failed.", pairs),
  label: gettext("Try again"),
});

/** The study takes no answers, in the server's words: perhaps it is paused, so the first button does not end it. */
export const closed = (detail, again, end) => ({
  name: "closed",
  title: gettext("No pairs at the moment"),
  text: detail,
  actions: [{ label: gettext("Try again"), act: again }, { label: gettext("Go to the end"), act: end }],
});

/** The end of a session, or of everything. `waiting` answers are not confirmed yet. */
export function over({ status, detail, answered, waiting }) {
  const title = status === "nothing_left" ? gettext("That was everything. Thank you!") : gettext("Thank you!");
  if (waiting === 0) {
    const small = ngettext("%(number)s answer is saved.", "%(number)s answers are saved.", answered);
    return { name: status, title, text: detail, small, busy: true };
  }
  const text = ngettext(
    "%(number)s answer is still on its way. Keep this page open until all answers are saved.",
    "%(number)s answers are still on their way. Keep this page open until all answers are saved.",
    waiting,
  );
  return { name: status, title, text, busy: true };
}

/** The window cannot hold the pictures at their own size; `lack` is in device pixels, `act` what each way out does. */
export function tooSmall([width, height], dpr, { fullScreen, oneAtATime, giveBack }) {
  const points = (pixels) => Math.ceil(pixels / dpr);
  const sizes = { width: points(width), height: points(height) };
  const lack = !height
    ? gettext("The window must be %(width)s points wider.", sizes)
    : !width
      ? gettext("The window must be %(height)s points higher.", sizes)
      : gettext("The window must be %(width)s points wider and %(height)s points higher.", sizes);
  return {
    name: "too_small",
    title: gettext("This window is too small"),
    text: [
      gettext("The pictures are shown in their own size, never reduced, since that would change what you judge."),
      lack,
    ].join(" "),
    small: gettext("Make it larger, and the pair appears again; or choose one of these."),
    actions: [
      { label: gettext("Show one at a time"), act: oneAtATime },
      { label: gettext("Full screen"), act: fullScreen },
      { label: gettext("Return this pair"), act: giveBack },
    ].filter(({ act }) => act),
  };
}

/** The scale of the page changed. `until` is when the pair goes back to the pool. */
export function paused({ magnified, until, act }) {
  return {
    name: "paused",
    title: gettext("Paused: the scale of the page has changed"),
    text: magnified
      ? gettext("The page is magnified, so the pictures would not have their own size. Pinch it back to normal, then continue.")
      : gettext("The zoom of the browser or the screen is not the same as before. Leave it as it is now: the pictures are "
        + "shown in their own size again. Nothing is lost."),
    small: until ? gettext("This pair is kept for you until %(time)s.", { time: clock(until) }) : "",
    actions: [{ label: gettext("Continue"), act }],
  };
}

/** The pair went back to the pool while nobody answered. */
export const late = () => ({
  name: "late",
  title: gettext("That pair was open for too long"),
  text: gettext("It was given to somebody else, and nothing was counted. Your other answers are kept."),
  label: gettext("Continue with another pair"),
});

/** A break, after `answered` of `total`. */
export const rest = ({ answered, total, minutes }) => ({
  name: "break",
  title: gettext("Time for a short break"),
  text: [
    ngettext(
      "You have judged %(answered)s of %(total)s pairs in %(number)s minute.",
      "You have judged %(answered)s of %(total)s pairs in %(number)s minutes.",
      Math.max(1, minutes),
      { answered, total },
    ),
    gettext("Look at something far away for a while, for example out of a window."),
  ].join(" "),
  small: gettext("It is %(time)s.", { time: clock(new Date()) }),
  label: gettext("Continue"),
});

/** Before the first practice pair. */
export const training = (total) => ({
  name: "training",
  title: gettext("First, some practice"),
  text: ngettext(
    "%(number)s pair to get used to the task. After it you are told which picture is closer to the original. It is not counted.",
    "%(number)s pairs to get used to the task. After each you are told which picture is closer to the original. They are not "
      + "counted.",
    total,
  ),
  label: gettext("Begin the practice"),
});

/** Too few right answers: once more. */
export const trainingAgain = () => ({
  name: "training_again",
  title: gettext("Once more"),
  text: gettext("Some of these were hard to see. Here is the practice once again: hold the key that shows the original in place, "
    + "and watch what changes."),
  label: gettext("Practise again"),
});

/** From here on it counts. */
export const trained = () => ({
  name: "trained",
  title: gettext("The practice is over"),
  text: gettext("From now on your answers count, and you are no longer told whether they are right: where pictures differ little, "
    + "what you see is what we want to know."),
  label: gettext("Begin"),
});

/** This session is open in another window. */
export const elsewhere = (act) => ({
  name: "elsewhere",
  title: gettext("You are judging in another window"),
  text: gettext("Only one window at a time, so that no pair is shown twice. Continue in the other window, or here."),
  actions: [{ label: gettext("Continue here"), act }],
});

/** Before a flickering layout. */
export const flickerWarning = ({ agree, refuse, leave }) => ({
  name: "flicker_warning",
  title: gettext("Flickering pictures"),
  text: gettext("In this study two pictures alternate in one place, up to twice a second. If flickering light has ever made you "
    + "unwell, or you have photosensitive epilepsy, switch the pictures yourself: it is just as good."),
  actions: [
    { label: gettext("I switch them myself"), act: refuse },
    { label: gettext("Flickering is fine for me"), act: agree },
    { label: gettext("I would rather leave"), act: leave },
  ],
});

/** They would rather not. */
export const left = () => ({
  name: "left",
  title: gettext("You have left"),
  text: gettext("Nothing was shown and nothing was counted. You can close this page, or open your link again at any time."),
});

/** Steps of the arrival are still to be taken. */
export const notReady = (detail, act) => ({
  name: "not_ready",
  title: gettext("One more step first"),
  text: detail,
  actions: [{ label: gettext("Continue"), act }],
});

/** The page itself has failed. */
export const failed = (error, act) => ({
  name: "failed",
  title: gettext("An error occurred on this page"),
  text: gettext("Your answers are kept. Reload the page; if it fails again, tell the person who invited you."),
  small: String(error?.message ?? error),
  actions: [{ label: gettext("Reload the page"), act }],
});
