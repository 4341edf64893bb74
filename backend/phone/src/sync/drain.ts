/**
 * Everything that waits, sent in turn by one tab at a time. Words first: a slow video never holds
 * them back, and what is stuck never holds back the rest.
 */

import { store } from "../store/db.ts";
import type { KeptCapture, KeptOp } from "../store/db.ts";
import { read, write } from "../store/cells.ts";
import { unlessBusy } from "../store/locks.ts";
import { signAnswers, waiting } from "../store/outbox.ts";
import type { components } from "../wire/api";
import { join, unbase64url, utf8 } from "../wire/bytes.ts";
import { Refused } from "../wire/call.ts";
import { readReceipt } from "../wire/receipts.ts";
import type { Pinned } from "../wire/receipts.ts";
import { send } from "./lanes.ts";
import { deviceKey, get, post } from "./link.ts";
import { fetchTasks, forgetPersons } from "./tasks.ts";

type Schemas = components["schemas"];

const OPS_MOST = 100;
const BATCH_BYTES = 900_000;
const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 300_000;
const DAY_MS = 86_400_000;
/** Days that bytes stay after their receipt was checked, where the task says nothing else. */
const KEEP_DAYS = 7;

/** What the last drain met, for the status line. */
export interface Drained {
  readonly at: number;
  readonly refused: Refused | null;
}

/** Send what waits; false when another tab is at it. */
export async function drain(tell: (done: Drained) => void): Promise<boolean> {
  return unlessBusy("drain", async () => {
    const now = Date.now();
    await forgetPersons(now);
    await free(now);
    if (!navigator.onLine || (await deviceKey()) === null || (await read("session")) === null) {
      return;
    }
    let refused: Refused | null = null;
    for (const step of [words, bytes, receipts, beat, () => fetchTasks(now)]) {
      try {
        await step();
      } catch (fault) {
        if (!(fault instanceof Refused)) {
          throw fault;
        }
        refused = fault;
        if (fault.offline || fault.status === 401) {
          break;
        }
      }
    }
    tell({ at: Date.now(), refused });
  });
}

/** Sign open answers, then send operations in order until the server has had each. */
async function words(): Promise<void> {
  const key = await deviceKey();
  for (const kept of key === null ? [] : await store.tasks.toArray()) {
    await signAnswers(key!, kept.task);
  }
  const tried = new Set<number>();
  for (;;) {
    const batch = fitting((await waiting()).filter((op) => !tried.has(op.seq)));
    if (batch.length === 0) {
      return;
    }
    batch.forEach((op) => tried.add(op.seq));
    const commas = batch.flatMap((op, at) => (at === 0 ? [op.bytes] : [utf8(","), op.bytes]));
    const body = join(utf8('{"ops":['), ...commas, utf8("]}"));
    const answer = await post<Schemas["BatchOut"]>("/api/v1/ops", body);
    await told(batch, answer.results);
  }
}

function fitting(ops: readonly KeptOp[]): KeptOp[] {
  const batch: KeptOp[] = [];
  let size = 0;
  for (const op of ops) {
    size += op.bytes.length + 1;
    if (batch.length === OPS_MOST || (size > BATCH_BYTES && batch.length > 0)) {
      break;
    }
    batch.push(op);
  }
  return batch;
}

/** No answer makes the phone delete anything: a refused operation stays and is shown. */
async function told(batch: readonly KeptOp[], results: Schemas["Told"][]): Promise<void> {
  const byId = new Map(results.map((one) => [one.op_id, one]));
  await store.transaction("rw", store.ops, async () => {
    for (const op of batch) {
      const one = byId.get(op.id);
      const state = one === undefined ? "waiting" : STATES[one.result];
      const outcome = one?.outcome as { code?: string; needs?: string[] } | null | undefined;
      const said = outcome?.code ?? outcome?.needs?.join(" ");
      await store.ops.update(op.seq, { state, ...(said === undefined ? {} : { told: said }) });
    }
  });
}

const STATES: Record<Schemas["Told"]["result"], KeptOp["state"]> = {
  applied: "applied",
  duplicate: "applied",
  conflict_digest: "conflict",
  rejected: "refused",
  blocked: "waiting",
  retry: "waiting",
};

/** Send captures that are due, each by itself: one that fails waits, the next one goes. */
async function bytes(): Promise<void> {
  const due = await store.captures
    .where("state")
    .equals("kept")
    .filter((one) => one.next <= Date.now())
    .sortBy("seq");
  for (const capture of due) {
    try {
      await send(capture);
      await store.captures.update(capture.id, { state: "sent", sent: capture.wire.size });
    } catch (fault) {
      if (!(fault instanceof Refused)) {
        throw fault;
      }
      await later(capture, fault);
      if (fault.offline && !navigator.onLine) {
        throw fault;
      }
    }
  }
}

/** Full jitter: many phones that lost the same line do not come back at once. */
async function later(capture: KeptCapture, fault: Refused): Promise<void> {
  const tries = capture.tries + 1;
  const most = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** tries);
  const wait = Math.max(1000 * fault.retryAfter, Math.random() * most);
  const error = fault.message || fault.code;
  await store.captures.update(capture.id, { tries, error, next: Date.now() + wait });
}

/** Fetch signed receipts and believe those that hold; only they start the time until freeing. */
async function receipts(): Promise<void> {
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
    return;
  }
  const same = receipt.id === capture.id && receipt.sha256 === media.sha256;
  if (same && receipt.size === media.size && receipt.state === "sealed") {
    const days = (await store.tasks.get(capture.visit))?.task.policy["phone_keep_days"];
    const free = Date.now() + (days ?? KEEP_DAYS) * DAY_MS;
    await store.captures.update(capture.id, { state: "sealed", free });
  }
}

/** Free bytes whose time after a checked receipt is over; the capture's record stays. */
async function free(now: number): Promise<void> {
  const over = await store.captures
    .where("state")
    .equals("sealed")
    .filter((one) => (one.free ?? Infinity) < now)
    .toArray();
  for (const capture of over) {
    await store.transaction("rw", store.captures, store.chunks, async () => {
      await store.chunks.where("id").equals(capture.id).delete();
      await store.captures.update(capture.id, { state: "freed" });
    });
  }
}

/** Tell the office what has not been sent yet. */
async function beat(): Promise<void> {
  const [ops, captures] = [await waiting(), await unsent()];
  const oldest = Math.min(...[...ops, ...captures].map((one) => one.at));
  await post("/api/v1/devices/me/heartbeat", {
    pending_count: ops.length + captures.length,
    pending_bytes: captures.reduce((sum, one) => sum + one.wire.size - one.sent, 0),
    ...(Number.isFinite(oldest) ? { oldest_pending_at: new Date(oldest).toISOString() } : {}),
  });
}

/** Captures whose bytes the server does not have. */
export async function unsent(): Promise<KeptCapture[]> {
  return store.captures.where("state").equals("kept").sortBy("seq");
}
