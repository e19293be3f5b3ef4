/**
 * The judging endpoints of /api/v1/. A request ends in one of three ways: an answer; a Refusal, which is the
 * server's last word; or Unreachable, which says nothing about the request and is worth another try.
 */

const PATIENCE_MS = 20_000;
// The header Date has whole seconds only.
const DATE_STEP_MS = 1000;
const TRY_AGAIN = new Set([408, 425, 429]);

/** The server understood and refused: `code` for programs, the message for people. */
export class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** No word from our server: no network, a broken one, or somebody in between who answered instead. */
export class Unreachable extends Error {}

/** A claimed pair with the end of its lease, for a request that began at `start` and was answered at `date`. */
function withLeaseEnd(claimed, start, date) {
  const left = claimed.assignment ? Date.parse(claimed.assignment.expires_at) - date - DATE_STEP_MS : 0;
  return { ...claimed, leaseEnds: start + left };
}

/** The endpoints, called in the name of one session; `sessionKey` is what opens them. */
export class Api {
  constructor(root, sessionKey) {
    this.root = root;
    this.sessionKey = sessionKey;
  }

  /**
   * The next pair or why there is none; `holding` are ids of assignments that need not be given again. `leaseEnds` is
   * when the pair goes back to the pool, on this page's monotonic clock: the server's calendar may differ from ours.
   */
  async claimNext(holding) {
    const path = `sessions/${encodeURIComponent(this.sessionKey)}/next/`;
    const start = performance.now();
    const [claimed, date] = await this.#send("POST", path, this.sessionKey, { holding });
    return withLeaseEnd(claimed, start, date);
  }

  /**
   * Sends an answer as it was stored: by its own session, under its own id, as often as needed. With `holding` the
   * response has the next pair in `next`, as `claimNext` gives it.
   */
  async putJudgment({ id, sessionKey, assignment, answer, timing, supersedes = null }, holding = null) {
    const content = { assignment, answer, timing, supersedes, holding };
    const start = performance.now();
    const [recorded, date] = await this.#send("PUT", `judgments/${id}/`, sessionKey, content);
    if (recorded.id !== id) throw new Unreachable("The confirmation names another judgment.");
    return recorded.next ? { ...recorded, next: withLeaseEnd(recorded.next, start, date) } : recorded;
  }

  /**
   * Gives a pair back that could not be shown or has something wrong with it; `why` is {cause, slot, detail}. Resolves
   * to {progress}.
   */
  async skip(assignment, why, sessionKey = this.sessionKey) {
    const content = { ...why, detail: why.detail.slice(0, 200) };
    const [progress] = await this.#send("POST", `assignments/${assignment}/skip/`, sessionKey, content);
    return { progress };
  }

  /** What the server replied, and its date. */
  async #send(method, path, sessionKey, content) {
    const response = await this.#fetch(method, path, sessionKey, JSON.stringify(content));
    const date = Date.parse(response.headers.get("Date")) || Date.now();
    const reply = await response.json().catch(() => null);
    if (response.ok && reply !== null) return [reply, date];
    const final = response.status >= 400 && response.status < 500 && !TRY_AGAIN.has(response.status);
    // A 4xx without our code comes from something in between, and must not cost an answer.
    if (final && reply?.code) throw new Refusal(response.status, reply.code, reply.detail ?? "Refused.");
    throw new Unreachable(`The server answered with status ${response.status}.`);
  }

  async #fetch(method, path, sessionKey, body) {
    try {
      return await fetch(this.root + path, {
        method,
        body,
        headers: {
          "Content-Type": "application/json",
          "X-Closer-Session": sessionKey,
          "Accept-Language": document.documentElement.lang,
        },
        cache: "no-store",
        keepalive: method === "PUT",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch (error) {
      throw new Unreachable(error.message, { cause: error });
    }
  }
}
