// The page of those whose answers are not all here: asks again, and loads the end once they are.

import { gettext } from "../gettext.js";

const EVERY_MS = 3000;
const status = document.getElementById("waiting");

async function ask() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && answer.status !== 202) location.reload();
  } catch {
    status.textContent = gettext("There is no connection at the moment. Your answers are kept in this browser, and this page tries again "
      + "by itself.");
  }
}

setInterval(ask, EVERY_MS);
