/**
 * One session, one window: a second one says so and offers to take over.
 *
 * Windows of one browser talk over a BroadcastChannel. A new one asks; the one that judges replies. Whoever takes
 * over says so, and the other one stops. A window that crashed cannot reply, so it holds nobody up.
 */

const REPLY_WITHIN_MS = 350;

/** Event "lost" when another window has taken over. */
export class Windows extends EventTarget {
  #channel;
  #judging = false;
  #own = crypto.getRandomValues(new Uint32Array(2)).join("-");

  constructor(sessionKey) {
    super();
    this.#channel = new BroadcastChannel(`closer-sitting-${sessionKey}`);
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data));
  }

  /** Resolves to whether another window has this session. */
  occupied() {
    return new Promise((resolve) => {
      const hear = ({ data }) => data.what === "here" && resolve(true);
      this.#channel.addEventListener("message", hear);
      setTimeout(() => {
        this.#channel.removeEventListener("message", hear);
        resolve(false);
      }, REPLY_WITHIN_MS);
      this.#say("who");
    });
  }

  /** From now on this window has the session. */
  take() {
    this.#judging = true;
    this.#say("taken");
  }

  #say(what) {
    this.#channel.postMessage({ what, from: this.#own });
  }

  #hear({ what, from }) {
    if (!this.#judging || from === this.#own) return;
    if (what === "who") this.#say("here");
    if (what === "taken") {
      this.#judging = false;
      this.dispatchEvent(new Event("lost"));
    }
  }
}
