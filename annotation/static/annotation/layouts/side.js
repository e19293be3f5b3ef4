/** Side by side: A, the original and B at once. The model of what a layout is; the others have the same members. */

export class Side {
  /** As the judgment stores it. */
  name = "side";
  /** How many pictures share the width. */
  across = 3;

  /** A new pair is up. `viewed(slot, t)` hears which picture is up from `t` on; here all are, all the time. */
  begin() {}

  /** Puts one picture up; false where that means nothing. */
  view() {
    return false;
  }

  /** The slots that were not up yet: an answer waits for them. */
  get unseen() {
    return [];
  }

  /** The pair is taken down or covered: nothing moves any more, until `resume`. */
  rest() {}

  resume() {}
}
