// The acuity step: one ring after another, each five gaps wide in whole device pixels, on whole device pixels.

import { gettext } from "../gettext.js";

const form = document.getElementById("step");
const rings = [...document.querySelectorAll(".ring-field")];
const note = document.getElementById("acuity-note");
const goOn = document.getElementById("go-on");
const KEYS = { ArrowUp: "up", ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left", " ": "" };
// A size of which nothing could be read is the end: the smaller ones need not be shown.
const OF_A_SIZE = 4;

let at = 0;

function place(ring) {
  const stage = ring.querySelector(".ring-place");
  stage.style.setProperty("--ring", `${(5 * Number(ring.dataset.gap)) / devicePixelRatio}px`);
  for (const name of ["--x", "--y"]) stage.style.setProperty(name, "0px");
  const { left, top } = stage.getBoundingClientRect();
  const snapped = (edge) => Math.round(edge * devicePixelRatio) / devicePixelRatio - edge;
  stage.style.setProperty("--x", `${snapped(left)}px`);
  stage.style.setProperty("--y", `${snapped(top)}px`);
}

function showRing() {
  rings.forEach((ring, number) => { ring.hidden = number !== at; });
  if (at < rings.length) {
    note.textContent = gettext("Ring %(number)s of at most %(total)s.", { number: at + 1, total: rings.length });
    place(rings[at]);
    return;
  }
  note.textContent = gettext("That was the last one. Thank you.");
  document.getElementById("acuity-help").hidden = true;
  goOn.disabled = false;
  goOn.focus();
}

function answered() {
  const size = rings.filter((ring) => ring.dataset.gap === rings[at].dataset.gap);
  const given = size.map((ring) => ring.querySelector("input:checked")?.value);
  const unread = given.length === OF_A_SIZE && given.every((value) => value === "");
  at = unread ? rings.length : at + 1;
  showRing();
}

function choose(value) {
  [...rings[at].querySelectorAll("input")].find((input) => input.value === value).checked = true;
  answered();
}

addEventListener("keydown", (event) => {
  if (at >= rings.length || !(event.key in KEYS) || event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === " " && event.target.matches("input")) return; // the radio that has the focus is meant
  event.preventDefault();
  choose(KEYS[event.key]);
});
for (const ring of rings) {
  // A click, or a label's; arrow keys never get here, so no radio is chosen in passing.
  ring.addEventListener("change", answered);
}
addEventListener("resize", () => { if (at < rings.length) place(rings[at]); });
form.elements.dpr.value = devicePixelRatio;
document.getElementById("needs-script").hidden = true;
showRing();
document.getElementById("rings").dataset.ready = "";
