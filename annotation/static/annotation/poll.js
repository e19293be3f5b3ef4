/** Asks an address again and again, gently. */

const MOST_MS = 30000;

/**
 * Calls `use` with the JSON at `address` every `everyMs` until it returns false.
 * Waits while the page is hidden, and waits longer each time the server does not answer.
 */
export function poll(address, everyMs, use) {
  let wait = everyMs;

  async function ask() {
    if (!document.hidden) {
      try {
        const answer = await fetch(address, { headers: { Accept: "application/json" }, redirect: "error" });
        if (answer.status === 404) return;
        if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
        wait = everyMs;
        if (use(await answer.json()) === false) return;
      } catch (error) {
        console.warn(error);
        wait = Math.min(wait * 2, MOST_MS);
      }
    }
    setTimeout(ask, wait);
  }

  setTimeout(ask, everyMs);
}
