/**
 * Everything that waits, sent by one tab at a time. Words and bytes travel apart: a slow video
 * never holds back a finding, and what is stuck never holds back the rest.
 */

import { store } from "../store/db.ts";
import type { KeptOp } from "../store/db.ts";
import { read } from "../store/cells.ts";
import { sweep } from "../store/captures.ts";
import { note, shorten } from "../store/journal.ts";
import { unlessBusy } from "../store/locks.ts";
import { signAnswers, waiting } from "../store/outbox.ts";
import type { components } from "../wire/api";
import { join, utf8 } from "../wire/bytes.ts";
import { Refused } from "../wire/call.ts";
import { beat, compare } from "./beat.ts";
import { deviceKey, post } from "./link.ts";
import { pieces } from "./pieces.ts";
import { free, receipts } from "./receipts.ts";
import { fetchTasks, forgetPersons } from "./tasks.ts";

type Schemas = components["schemas"];

const OPS_MOST = 100;
const BATCH_BYTES = 900_000;
/** An answer rests so long before it is signed (ms): a word is not an operation a letter. */
const REST_MS = 1_500;
const TIDY_MS = 60_000;

/** What the last drain met, for the status line. */
export type Tell = (refused: Refused | null) => void;

let tidied = -Infinity;

/** Send words, then let bytes follow by themselves; ends when the words are through. */
export async function drain(tell: Tell): Promise<void> {
  await tidy();
  if (!navigator.onLine || (await deviceKey()) === null || (await read("session")) === null) {
    return;
  }
  await unlessBusy("words", async () => tell(await talk()));
  void unlessBusy("pieces", async () => {
    const refused = await pieces();
    if (refused !== null) {
      tell(refused);
    }
  }).catch((fault: unknown) => note("fault", String(fault)));
}

/** What needs no line: times that are over, and what killed pages left behind. */
async function tidy(): Promise<void> {
  if (performance.now() - tidied < TIDY_MS) {
    return;
  }
  tidied = performance.now();
  await forgetPersons(Date.now());
  await sweep();
  await shorten();
}

async function talk(): Promise<Refused | null> {
  let refused: Refused | null = null;
  for (const step of [words, compare, receipts, beat, free, () => fetchTasks(Date.now())]) {
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
  return refused;
}

/** Sign open answers, then send operations in order until the server has had each. */
async function words(): Promise<void> {
  await signAll();
  const tried = new Set<string>();
  for (;;) {
    const batch = fitting((await waiting()).filter((op) => !tried.has(op.id)));
    if (batch.length === 0) {
      return;
    }
    batch.forEach((op) => tried.add(op.id));
    const commas = batch.flatMap((op, at) => (at === 0 ? [op.bytes] : [utf8(","), op.bytes]));
    const body = join(utf8('{"ops":['), ...commas, utf8("]}"));
    const answer = await post<Schemas["BatchOut"]>("/api/v1/ops", body);
    await told(batch, answer.results);
  }
}

async function signAll(): Promise<void> {
  const key = await deviceKey();
  const open = await store.answers.where("op").equals(0).toArray();
  for (const visit of new Set(open.map((kept) => kept.visit))) {
    const kept = await store.tasks.get(visit);
    if (key !== null && kept !== undefined) {
      await signAnswers(key, kept.task, REST_MS);
    }
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
  await store.transaction("rw", store.ops, store.journal, async () => {
    for (const op of batch) {
      const one = byId.get(op.id);
      const outcome = one?.outcome as Outcome | null | undefined;
      const state = one === undefined ? "waiting" : stateOf(one.result, outcome);
      const said = outcome?.code || outcome?.needs?.join(" ");
      await store.ops.update(op.id, { state, ...(said ? { told: said } : {}) });
      if (state === "refused" || state === "conflict") {
        await note("refused", said ?? op.kind);
      }
    }
  });
}

interface Outcome {
  readonly result?: string;
  readonly code?: string;
  readonly needs?: readonly string[];
}

const STATES: Record<string, KeptOp["state"]> = {
  applied: "applied",
  duplicate: "applied",
  conflict_digest: "conflict",
  rejected: "refused",
  blocked: "waiting",
  retry: "waiting",
};

/** A repeated operation is told its stored outcome, which may have been a refusal. */
function stateOf(result: Schemas["Told"]["result"], outcome?: Outcome | null): KeptOp["state"] {
  const final = result === "duplicate" ? (outcome?.result ?? result) : result;
  return STATES[final] ?? "waiting";
}
