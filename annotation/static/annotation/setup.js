/**
 * The steps of a study's set-up: the outline of a crop is dragged, and unsaved changes are not lost by a click: another
 * step of the rail saves them on the way, every other link asks.
 * Every page works without it: a crop's corner can be typed, and each step has a button that saves.
 */

/** Moves the outline to `left`, `top`, as far as the photograph has room, and writes the corner into the field. */
function place(view, field, left, top) {
  const box = view.querySelector(".crop-box");
  const { width, height } = view.viewBox.baseVal;
  const room = { x: width - box.width.baseVal.value, y: height - box.height.baseVal.value };
  const x = Math.round(Math.min(Math.max(left, 0), room.x));
  const y = Math.round(Math.min(Math.max(top, 0), room.y));
  box.setAttribute("x", x);
  box.setAttribute("y", y);
  if (field.value !== `${x},${y}`) {
    field.value = `${x},${y}`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Where a pointer is, in pixels of the photograph. */
function inPhotograph(view, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(view.getScreenCTM().inverse());
}

function makeMovable(view) {
  const field = document.getElementById(view.dataset.crop);
  const box = view.querySelector(".crop-box");
  let from = null;
  view.addEventListener("pointerdown", (event) => {
    const at = inPhotograph(view, event);
    from = { x: at.x - box.x.baseVal.value, y: at.y - box.y.baseVal.value };
    view.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  view.addEventListener("pointermove", (event) => {
    if (!from) return;
    const at = inPhotograph(view, event);
    place(view, field, at.x - from.x, at.y - from.y);
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => { from = null; });
  field.addEventListener("change", () => {
    const [left, top] = field.value.split(",").map(Number);
    if (Number.isFinite(left) && Number.isFinite(top)) place(view, field, left, top);
  });
}

/** Asks before a page is left whose changes were not saved. */
function guard(form) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => changed && event.preventDefault());
  for (const link of document.querySelectorAll("a[data-step]")) {
    link.addEventListener("click", (event) => {
      if (!changed || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      saveAndGo(form, link.dataset.step);
    });
  }
}

/** Sends the form as its buttons do, with the step to go to; faults are shown here instead. */
function saveAndGo(form, step) {
  const button = document.createElement("button");
  button.name = "then";
  button.value = step;
  button.hidden = true;
  form.append(button);
  form.requestSubmit(button);
  button.remove();
}

for (const view of document.querySelectorAll("[data-crop]")) makeMovable(view);
for (const form of document.querySelectorAll("form[data-guard]")) guard(form);
document.getElementById("faults")?.focus();
