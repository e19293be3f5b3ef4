// The card step: an outline that follows a slider.

import { ngettext } from "../gettext.js";

const form = document.getElementById("step");
const outline = document.getElementById("outline");
const slider = document.getElementById("width");

function draw() {
  outline.style.setProperty("--card", `${slider.value}px`);
  slider.setAttribute("aria-valuetext", ngettext("%(number)s pixel", "%(number)s pixels", Number(slider.value)));
}

slider.addEventListener("input", draw);
form.elements.dpr.value = devicePixelRatio;
draw();
document.getElementById("needs-script").hidden = true;
document.getElementById("go-on").disabled = false;
