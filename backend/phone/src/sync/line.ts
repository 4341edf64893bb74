/** What the line just did, and what follows: which lane, and how much at a time. */

import { read, write } from "../store/cells.ts";
import type { Link } from "../store/cells.ts";

/** A unit that would take longer than this on the last seen line goes in small chunks (s). */
const PATIENCE_S = 10;
/** A chunk should not take longer (s): a cut costs half a chunk on average. */
const CHUNK_S = 1.5;
const CHUNK_LEAST = 32 << 10;
const CHUNK_MOST = 256 << 10;
/** After so many failures in a row the store is left alone for a while (ms). */
const FAILURES = 2;
const REST_MS = 10 * 60_000;
/** A line that has not been seen yet counts as this fast (bytes a second). */
const UNSEEN: Link = { bytesPerSecond: 600_000, failures: 0, straight: 0, again: 0 };

export type Lane = "direct" | "tus";

async function link(): Promise<Link> {
  return (await read("link")) ?? UNSEEN;
}

/** The lane for the next unit of this size, by what the line just did. */
export async function laneFor(size: number): Promise<Lane> {
  const { bytesPerSecond, again } = await link();
  const wait = again - Date.now();
  // A clock that was set back must not keep the store closed for longer.
  const resting = wait > 0 && wait <= REST_MS;
  return resting || size > PATIENCE_S * bytesPerSecond ? "tus" : "direct";
}

/** Bytes of the next chunk: fewer on a slow line, and fewer still where the last ones broke. */
export async function chunkNow(): Promise<number> {
  const { bytesPerSecond, failures } = await link();
  let size = CHUNK_MOST;
  while (size > CHUNK_LEAST && size > CHUNK_S * bytesPerSecond) {
    size /= 2;
  }
  return Math.max(CHUNK_LEAST, size / 2 ** Math.min(failures, 3));
}

/** So many bytes got through in that time. */
export async function saw(bytes: number, ms: number, lane: Lane): Promise<void> {
  const before = await link();
  const now = (1000 * bytes) / Math.max(1, ms);
  const bytesPerSecond = Math.round((before.bytesPerSecond + now) / 2);
  const straight = lane === "direct" ? 0 : before.straight;
  await write("link", { bytesPerSecond, failures: 0, straight, again: before.again });
}

/** A call broke off. */
export async function failed(): Promise<void> {
  const before = await link();
  await write("link", { ...before, failures: before.failures + 1 });
}

/** The store did not take a unit; after the second time the app takes it for a while. */
export async function lost(): Promise<void> {
  const before = await link();
  const straight = before.straight + 1;
  const over = straight >= FAILURES;
  const again = over ? Date.now() + REST_MS : before.again;
  await write("link", { ...before, straight: over ? 0 : straight, again });
}

/** The office has closed the way straight to the store. */
export async function closed(): Promise<void> {
  await write("link", { ...(await link()), straight: 0, again: Date.now() + REST_MS });
}
