/** Beside each time in UTC what the clock of this browser showed then; nothing where that is the same. */

function addLocal(time) {
  const moment = new Date(time.dateTime);
  if (time.dataset.local || Number.isNaN(moment.valueOf()) || moment.getTimezoneOffset() === 0) return;
  const isSameDay = moment.getDate() === moment.getUTCDate();
  const day = isSameDay ? {} : { day: "numeric", month: "short" };
  time.dataset.local = moment.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
  const beside = document.createElement("span");
  beside.className = "local-time";
  beside.textContent = ` (${time.dataset.local} local)`;
  time.append(beside);
}

const addAll = () => document.querySelectorAll("time[data-local]").forEach(addLocal);

addAll();
// Parts of a page that are brought up to date come with times of their own.
new MutationObserver(addAll).observe(document.body, { childList: true, subtree: true });
