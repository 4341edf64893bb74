/** What the office is told of this phone, and what the server says that it lacks. */

import { read } from "../store/cells.ts";
import { note } from "../store/journal.ts";
import { store } from "../store/db.ts";
import type { KeptCapture, KeptOp } from "../store/db.ts";
import { waiting } from "../store/outbox.ts";
import type { components } from "../wire/api";
import { get, post } from "./link.ts";

type Schemas = components["schemas"];

const AGAIN_MS = 10 * 60_000;
const TASKS_MOST = 500;

let said = "";
let saidAt = -Infinity;
let comparedAt = -Infinity;

/** Captures whose bytes the server does not have. */
export async function unsent(): Promise<KeptCapture[]> {
  return store.captures.where("state").equals("kept").sortBy("seq");
}

/** Tell the office what has not been sent yet, when that has changed or was told long ago. */
export async function beat(): Promise<void> {
  const [ops, captures] = [await waiting(), await unsent()];
  const visits = [...new Set([...ops, ...captures].map((one) => one.visit))];
  const tasks = visits.slice(0, TASKS_MOST).map((visit) => {
    const mine = (one: { readonly visit: string }): boolean => one.visit === visit;
    return { visit, ...owed(ops.filter(mine), captures.filter(mine)) };
  });
  const epoch = (await read("counters"))?.epoch;
  const now = { ...owed(ops, captures), tasks, ...(epoch === undefined ? {} : { inst_epoch: epoch }) };
  const text = JSON.stringify(now);
  if (text !== said || performance.now() - saidAt > AGAIN_MS) {
    await post("/api/v1/devices/me/heartbeat", now);
    [said, saidAt] = [text, performance.now()];
  }
}

function owed(
  ops: readonly KeptOp[],
  captures: readonly KeptCapture[],
): Omit<Schemas["Pending"], "visit"> {
  const oldest = Math.min(...[...ops, ...captures].map((one) => one.at));
  return {
    pending_count: ops.length + captures.length,
    pending_bytes: captures.reduce((sum, one) => sum + one.wire.size - one.sent, 0),
    ...(Number.isFinite(oldest) ? { oldest_pending_at: new Date(oldest).toISOString() } : {}),
  };
}

/**
 * Ask now and then what the server lacks of what it once had: after its restore from a backup the
 * phone may be ahead of it, and sends again what is still here.
 */
export async function compare(): Promise<void> {
  const epoch = (await read("counters"))?.epoch;
  if (epoch === undefined || performance.now() - comparedAt < AGAIN_MS) {
    return;
  }
  // Read before the question: what is sent meanwhile is not missed.
  const applied = (await store.ops.where("state").equals("applied").toArray()).filter(
    (op) => op.epoch === epoch,
  );
  const path = `/api/v1/devices/me/cursor?inst_epoch=${epoch}`;
  const cursor = await get<Schemas["Cursor"]>(path);
  const lost = applied.filter(
    (op) =>
      op.seq > cursor.highest ||
      cursor.holes.some((hole) => op.seq >= hole.first && op.seq <= hole.last),
  );
  for (const op of lost) {
    await store.ops.update(op.id, { state: "waiting" });
  }
  const due = await store.captures.bulkGet(cursor.expected_items);
  const here = due.filter((one) => one?.state === "sent" || one?.state === "sealed");
  for (const one of here) {
    await store.captures.update(one!.id, { state: "kept", sent: 0, next: 0 });
  }
  if (lost.length + here.length > 0) {
    await note("resent", String(lost.length + here.length));
  }
  comparedAt = performance.now();
}
