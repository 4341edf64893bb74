/** The device's row of operations: numbered without gaps, signed once, kept until the server has them. */

import { encode } from "../wire/canon.ts";
import { newId } from "../wire/ids.ts";
import type { DeviceKey } from "../wire/keys.ts";
import { buildOp } from "../wire/ops.ts";
import type { Body } from "../wire/ops.ts";
import type { Answer } from "../core/sheet.ts";
import { sha256 } from "../wire/bytes.ts";
import { read, write } from "./cells.ts";
import { store } from "./db.ts";
import type { KeptAnswer, KeptOp, Task } from "./db.ts";
import { alone } from "./locks.ts";

/** Answers under one signature at most. */
const ANSWERS_MOST = 200;

/** This phone is nobody's yet, or lost its key; nothing can be signed. */
export class NotEnrolled extends Error {}

/** Rows that are written together with an operation, or not at all. */
export type Also = (op: KeptOp) => Promise<unknown>;

/** What an operation says, before it has a number. */
export interface Said {
  readonly kind: string;
  readonly body: Body;
}

/** Sign the next operation of a visit and keep it; `also` joins its transaction. */
export async function record(
  key: DeviceKey,
  task: Task,
  kind: string,
  body: Body,
  also: Also = async () => undefined,
): Promise<KeptOp> {
  const [kept] = await recordAll(key, task, [{ kind, body }], ([op]) => also(op!));
  return kept!;
}

/**
 * Sign the next operations of a visit and keep them, all or none; `also` joins their transaction,
 * so it may use nothing but the store. Signing comes before: no transaction waits for a signature.
 */
export async function recordAll(
  key: DeviceKey,
  task: Task,
  said: readonly Said[],
  also: (ops: readonly KeptOp[]) => Promise<unknown>,
): Promise<readonly KeptOp[]> {
  return alone("row", async () => {
    const [identity, counters] = [await read("identity"), await read("counters")];
    if (identity === null || counters === null) {
      throw new NotEnrolled();
    }
    const at = Date.now();
    const base = { asg_epoch: task.asg_epoch, plan: task.sheet_digest };
    const kept: KeptOp[] = [];
    for (const { kind, body } of said) {
      const op = { id: newId(), epoch: counters.epoch, seq: counters.op + 1 + kept.length };
      const whose = { op_id: op.id, dev: identity.device, inst_epoch: op.epoch, seq: op.seq };
      const full = { visit: task.visit, at, ...body };
      const bytes = await buildOp(key, { ...whose, kind, base }, full);
      kept.push({ ...op, visit: task.visit, kind, bytes, state: "waiting", at });
    }
    await store.transaction("rw", store.tables, async () => {
      await store.ops.bulkAdd(kept);
      // What else the counters hold may have moved while this was signed.
      const now = (await read("counters")) ?? counters;
      await write("counters", { ...now, op: counters.op + kept.length });
      await also(kept);
    });
    return kept;
  });
}

/**
 * Sign the answers of a visit that no operation carries yet, as many operations as they need.
 * What changed less than `rest` ms ago is left: somebody may still be typing it.
 */
export async function signAnswers(key: DeviceKey, task: Task, rest = 0): Promise<void> {
  for (;;) {
    const now = Date.now();
    const waiting = await store.answers
      .where("op")
      .equals(0)
      .filter((kept) => kept.visit === task.visit && Math.abs(now - kept.at) >= rest)
      .limit(ANSWERS_MOST)
      .toArray();
    if (waiting.length === 0) {
      return;
    }
    const answers = waiting.map((kept) => spelled(kept.answer));
    await record(key, task, "answer.set", { answers }, (op) => carried(waiting, op.seq));
  }
}

/** Note which operation carries an answer, unless the person has changed it since. */
async function carried(waiting: readonly KeptAnswer[], seq: number): Promise<void> {
  for (const one of waiting) {
    const now = await store.answers.get([one.visit, one.item]);
    // Not by the time alone: a clock that was set back gives the same instant twice.
    if (now?.at === one.at && JSON.stringify(now.answer) === JSON.stringify(one.answer)) {
      await store.answers.put({ ...one, op: seq });
    }
  }
}

/** An answer as it is signed: what is not there is left out. */
function spelled(answer: Answer): Body {
  return Object.fromEntries(
    Object.entries(answer).filter(([, value]) => value !== null && value !== ""),
  ) as Body;
}

/** SHA-256 of this device's latest answers to a visit, sorted by item; signed into the claim. */
export async function answersDigest(visit: string): Promise<string> {
  const kept = await store.answers.where("visit").equals(visit).toArray();
  const sorted = kept.sort((one, other) => (one.item < other.item ? -1 : 1));
  const pieces = sorted.map((one) => new TextDecoder().decode(encode(spelled(one.answer))));
  return sha256(new TextEncoder().encode(`[${pieces.join(",")}]`));
}

/** Operations that the server has not answered for good: those of an earlier storage first. */
export async function waiting(): Promise<KeptOp[]> {
  const epoch = (await read("counters"))?.epoch;
  const found = await store.ops.where("state").equals("waiting").sortBy("seq");
  return [...found.filter((op) => op.epoch !== epoch), ...found.filter((op) => op.epoch === epoch)];
}
