/** Which layout a session has: the study's, or a gentler one that this window or this person needs. */

import { Flicker } from "./flicker.js";
import { Side } from "./side.js";
import { Toggle } from "./toggle.js";

/** The layout called `name` on a stage; `hz` is how fast a flicker is. */
export function layoutCalled(name, stage, hz) {
  if (name === "flicker") return new Flicker(stage, hz);
  return name === "toggle" ? new Toggle(stage) : new Side();
}

/** Whether flicker must be asked about first: those who want less motion get none of it, and no question. */
export const mayFlicker = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
