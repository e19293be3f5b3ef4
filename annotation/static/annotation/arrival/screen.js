// The screen step: measures, shows what it measured, measures again when the window moves.
import { formatted, gettext } from "../gettext.js";
import { devicePixels, screenNow } from "./measure.js";

const form = document.getElementById("step");
const [goOn, measureAgain, endHere] = ["go-on", "measure-again", "end-here"].map((id) => document.getElementById(id));
const tooSmall = document.getElementById("too-small");
const GAMUTS = { srgb: "sRGB", p3: "Display P3", rec2020: "Rec. 2020", unknown: gettext("gamut unknown") };
const show = (name, words) => { document.querySelector(`[data-show="${name}"]`).textContent = words; };

function measure() {
  const now = screenNow();
  for (const [name, value] of Object.entries(now)) form.elements[name].value = value;
  const [width, height] = devicePixels(now);
  show("screen", gettext("%(width)s × %(height)s pixels", { width, height }));
  show("viewport", `${now.viewport_width} × ${now.viewport_height}`);
  show("dpr", formatted(now.dpr, 2));
  show("zoom", now.zoom === 1 ? "" : gettext("(browser zoom %(percent)s %)", { percent: Math.round(now.zoom * 100) }));
  show("colours", gettext("%(gamut)s, %(depth)s bits", { gamut: GAMUTS[now.gamut], depth: now.depth }) + (now.hdr ? ", HDR" : ""));
  const least = tooSmall.dataset;
  const fits = least.required !== "true" || (width >= Number(least.width) && height >= Number(least.height));
  tooSmall.hidden = fits;
  goOn.hidden = !fits;
  // What ends the study is never the button at hand.
  for (const button of [measureAgain, endHere]) button.hidden = fits;
}

measureAgain.addEventListener("click", measure);
measure();
for (const event of ["resize", "focus"]) addEventListener(event, measure);
document.getElementById("needs-script").hidden = true;
document.getElementById("measured").hidden = false;
goOn.disabled = false;
