/** Tables with `data-sortable`: a click on a head sorts by that column, a second one turns it round. */

/** What a cell sorts by: the number it starts with, or its words. */
function valueOf(row, column) {
  const words = row.cells[column]?.textContent.trim() ?? "";
  const number = parseFloat(words.replaceAll(",", "").replace("−", "-"));
  return Number.isNaN(number) ? words : number;
}

/** Empty cells ("–") last, numbers by size, words by letter. */
function compare(a, b) {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return typeof a === "number" ? a - b : a.localeCompare(b);
}

function sortBy(table, head) {
  const body = table.tBodies[0];
  const column = head.cellIndex;
  const descending = head.getAttribute("aria-sort") === "ascending";
  const rows = [...body.rows].sort((a, b) => compare(valueOf(a, column), valueOf(b, column)));
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  body.append(...(descending ? rows.reverse() : rows));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}
