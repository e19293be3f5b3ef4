// The card step: an outline that follows a slider.

const form = document.getElementById("step");
const outline = document.getElementById("outline");
const slider = document.getElementById("width");

function draw() {
  outline.style.setProperty("--card", `${slider.value}px`);
  slider.setAttribute("aria-valuetext", `${slider.value} pixels`);
}

slider.addEventListener("input", draw);
form.elements.dpr.value = devicePixelRatio;
draw();
document.getElementById("needs-script").hidden = true;
document.getElementById("go-on").disabled = false;
