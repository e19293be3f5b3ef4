/** One look at one pair: its record, since when it stands there, and what keeps it from being answered. */

export class Look {
  paused = false;
  fit = { fits: true, lack: [0, 0] };
  /** Which panel stands in the way: "paused", "too_small" or "". */
  obstacle = "";

  /** `since` is the frame in which the pair came up for this look; the record may have begun in an earlier one. */
  constructor(pair, record, since) {
    this.pair = pair;
    this.record = record;
    this.since = since;
    this.over = new Promise((resolve) => {
      this.end = (what) => resolve({ record, ...what });
    });
  }
}
