/** What a person does to a piece that waits: send it now, take it away with a reason, look at it. */

import type { DeviceKey } from "../wire/keys.ts";
import { store } from "./db.ts";
import type { KeptCapture, KeptOp } from "./db.ts";
import { note } from "./journal.ts";
import { record } from "./outbox.ts";

/** It stands in a record that was submitted, so that it can no more be taken away. */
export class InRecord extends Error {}

/** Try again now, over mobile data too. */
export async function hurry(capture: KeptCapture): Promise<void> {
  await store.captures.update(capture.id, { next: 0, anyway: true });
}

/** Ask the server again what it says of an operation that it refused. */
export async function askAgain(op: KeptOp): Promise<void> {
  await store.ops.update(op.id, { state: "waiting" });
}

/** Whether a piece may be taken away: not sent, and in no record that was submitted. */
export async function removable(capture: KeptCapture): Promise<boolean> {
  if (capture.state !== "kept") {
    return false;
  }
  const claims = await store.ops
    .where("visit")
    .equals(capture.visit)
    .filter((op) => op.kind === "visit.finalize")
    .count();
  return claims === 0;
}

/**
 * Withdraw an unsent piece: number, manifest and reason stay and are told to the server, the bytes
 * go. Throws InRecord.
 */
export async function withdraw(
  key: DeviceKey,
  capture: KeptCapture,
  reason: string,
): Promise<void> {
  const task = (await store.tasks.get(capture.visit))?.task;
  if (task === undefined || !(await removable(capture))) {
    throw new InRecord();
  }
  await record(key, task, "evidence.withdraw", { evidence: capture.id, reason }, async () => {
    await store.captures.update(capture.id, { state: "withdrawn", why: reason });
    await store.chunks.where("id").equals(capture.id).delete();
    await note("withdrawn", capture.item);
  });
}
