/** What this phone did, in few words, for the person and for support. */

import { store } from "./db.ts";
import type { Happened, Line } from "./db.ts";

const LINES_MOST = 500;

/** Write one line; may stand in a transaction that holds the journal. */
export async function note(what: Happened, about = ""): Promise<void> {
  await store.journal.add({ at: Date.now(), what, about });
}

/** The latest lines, the newest first. */
export async function latest(count: number): Promise<Line[]> {
  return store.journal.reverse().limit(count).toArray();
}

/** Drop the oldest lines. */
export async function shorten(): Promise<void> {
  const over = (await store.journal.count()) - LINES_MOST;
  if (over > 0) {
    await store.journal.orderBy(":id").limit(over).delete();
  }
}
