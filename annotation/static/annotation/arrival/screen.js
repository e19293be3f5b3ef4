// The screen step: measures, shows what it measured, measures again when the window moves.
import { devicePixels, screenNow } from "./measure.js";

const form = document.getElementById("step");
const tooSmall = document.getElementById("too-small");
const GAMUTS = { srgb: "sRGB", p3: "Display P3", rec2020: "Rec. 2020", unknown: "gamut unknown" };
const show = (name, words) => { document.querySelector(`[data-show="${name}"]`).textContent = words; };

function measure() {
  const now = screenNow();
  for (const [name, value] of Object.entries(now)) form.elements[name].value = value;
  const [width, height] = devicePixels(now);
  show("screen", `${width} × ${height}`);
  show("viewport", `${now.viewport_width} × ${now.viewport_height}`);
  show("dpr", String(Math.round(now.dpr * 100) / 100));
  show("zoom", now.zoom === 1 ? "" : `, of which the browser’s zoom is ${Math.round(now.zoom * 100)} %`);
  show("colours", `${GAMUTS[now.gamut]}, ${now.depth} bits${now.hdr ? ", HDR" : ""}`);
  const least = tooSmall.dataset;
  tooSmall.hidden = least.required !== "true" || (width >= Number(least.width) && height >= Number(least.height));
}

measure();
for (const event of ["resize", "focus"]) addEventListener(event, measure);
document.getElementById("needs-script").hidden = true;
document.getElementById("measured").hidden = false;
document.getElementById("go-on").disabled = false;
