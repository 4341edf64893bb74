/** Signed receipts: fetched, believed only where they hold, and what they allow after their time. */

import { read, write } from "../store/cells.ts";
import { note } from "../store/journal.ts";
import { store } from "../store/db.ts";
import type { components } from "../wire/api";
import { unbase64url } from "../wire/bytes.ts";
import { provenNow } from "../wire/clock.ts";
import { readReceipt } from "../wire/receipts.ts";
import type { Pinned } from "../wire/receipts.ts";
import { get } from "./link.ts";

type Schemas = components["schemas"];

const DAY_MS = 86_400_000;
/** Days that bytes stay after their receipt was checked, where the task says nothing else. */
const KEEP_DAYS = 7;

/** Fetch signed receipts and believe those that hold; only they start the time until freeing. */
export async function receipts(): Promise<void> {
  const cell = await read("pinned");
  if (cell === null) {
    return;
  }
  const pinned = {
    server: unbase64url(cell.server),
    log: unbase64url(cell.log),
    origin: cell.origin,
  };
  for (;;) {
    const after = (await read("receipts")) ?? 0;
    const path = `/api/v1/devices/me/receipts?after=${after}`;
    const found = (await get<Schemas["ReceiptsOut"]>(path)).receipts;
    for (const one of found) {
      await believe(one, pinned);
    }
    const last = found.at(-1);
    if (last === undefined) {
      return;
    }
    await write("receipts", last.number);
  }
}

async function believe(record: Schemas["ReceiptRecord"], pinned: Pinned): Promise<void> {
  const receipt = await readReceipt(record.receipt, record.signature, pinned);
  const capture = await store.captures.get(record.evidence);
  const media = capture?.manifest.media;
  if (receipt === null || capture === undefined || media === undefined) {
    await note("refused", "receipt");
    return;
  }
  const same = receipt.id === capture.id && receipt.sha256 === media.sha256;
  const waits = capture.state === "sent" || capture.state === "kept";
  if (waits && same && receipt.size === media.size && receipt.state === "sealed") {
    const days = (await store.tasks.get(capture.visit))?.task.policy["phone_keep_days"];
    const free = receipt.t + (days ?? KEEP_DAYS) * DAY_MS;
    await store.captures.update(capture.id, { state: "sealed", free });
    await note("sealed", capture.item);
  }
}

/**
 * Free bytes whose time after a checked receipt is over; the capture's record stays. The time is
 * the server's: a phone's clock that jumps frees nothing.
 */
export async function free(): Promise<void> {
  const now = provenNow(await read("anchor"));
  if (now === null) {
    return;
  }
  const over = await store.captures
    .where("state")
    .equals("sealed")
    .filter((one) => (one.free ?? Infinity) < now)
    .toArray();
  for (const capture of over) {
    await store.transaction("rw", store.captures, store.chunks, store.journal, async () => {
      await store.chunks.where("id").equals(capture.id).delete();
      await store.captures.update(capture.id, { state: "freed" });
      await note("freed", capture.item);
    });
  }
}
