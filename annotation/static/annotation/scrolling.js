/**
 * What is wider than its place and scrolls sideways can be reached and scrolled by keyboard: tables and figures.
 * A page that is narrowed, or a part that is brought up to date, is looked at again.
 */
const SCROLLS = ".table-frame, .figure";

function nameOf(part) {
  const named = part.querySelector("caption, figcaption") ?? part.closest("section")?.querySelector("h2, h3");
  return named?.textContent.trim().slice(0, 80) || "Wide content";
}

function makeReachable(part) {
  if (part.scrollWidth <= part.clientWidth || part.hasAttribute("tabindex")) return;
  part.tabIndex = 0;
  if (part.tagName === "FIGURE") return;
  part.setAttribute("role", "group"); // no landmark: its section is one
  part.setAttribute("aria-label", nameOf(part));
}

let isPlanned = false;

/** Once before the next frame, however much has changed. */
function lookSoon() {
  if (isPlanned) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    document.querySelectorAll(SCROLLS).forEach(makeReachable);
  });
}

lookSoon();
addEventListener("resize", lookSoon);
document.addEventListener("toggle", lookSoon, { capture: true }); // of details: it does not bubble
new MutationObserver(lookSoon).observe(document.body, { childList: true, subtree: true });
