/** Tasks of this inspector: fetched whole or since the last time, kept for work without signal. */

import { store } from "../store/db.ts";
import type { KeptTask, Task } from "../store/db.ts";
import { read, write } from "../store/cells.ts";
import { note } from "../store/journal.ts";
import type { components } from "../wire/api";
import { get } from "./link.ts";

type Bundle = components["schemas"]["Bundle"];

/** How long persons on a roster are kept after they were last fetched. */
const ROSTER_MS = 72 * 3_600_000;
/** What asks for everything. */
const ALL = "0";

/** Fetch what changed; tasks that are no longer open are marked, not erased. */
export async function fetchTasks(now: number): Promise<void> {
  const since = (await lacksPersons()) ? ALL : ((await read("tasks"))?.cursor ?? ALL);
  const bundle = await get<Bundle>(`/api/v1/tasks?since=${since}`);
  await store.transaction("rw", store.tables, async () => {
    for (const [digest, sheet] of Object.entries(bundle.sheets)) {
      await store.sheets.put({ digest, sheet: sheet as never });
    }
    for (const task of bundle.tasks) {
      await store.tasks.put(await taken(task, now));
    }
    await close(bundle);
    const next = bundle.next_at === null ? null : Date.parse(bundle.next_at);
    await write("tasks", { cursor: bundle.cursor, next, at: now });
  });
}

/** A visit that was begun here keeps its sheet and what was drawn by it; a later one is noted. */
async function taken(task: Task, now: number): Promise<KeptTask> {
  const kept = { visit: task.visit, task, fetched: now, expires: now + ROSTER_MS, gone: false };
  const before = await store.tasks.get(task.visit);
  const draft = before?.task;
  if (draft === undefined || draft.sheet_digest === task.sheet_digest || !(await begun(task.visit))) {
    return kept;
  }
  const { sheet, sheet_digest, sample_seed, samples } = draft;
  const mine = { ...task, sheet, sheet_digest, sample_seed, samples };
  return { ...kept, task: mine, newer: task.sheet_digest };
}

async function begun(visit: string): Promise<boolean> {
  for (const table of [store.answers, store.captures, store.ops]) {
    if ((await table.where("visit").equals(visit).count()) > 0) {
      return true;
    }
  }
  return false;
}

async function close(bundle: Bundle): Promise<void> {
  for (const visit of bundle.gone) {
    await store.tasks.update(visit, { gone: true });
  }
  for (const { visit, state } of bundle.over) {
    await store.tasks.update(visit, { over: state });
  }
  if (bundle.whole) {
    const open = new Set(bundle.tasks.map((task) => task.visit));
    const rest = await store.tasks.filter((kept) => !open.has(kept.visit) && !kept.gone).toArray();
    for (const kept of rest) {
      await store.tasks.update(kept.visit, { over: kept.over ?? "closed" });
    }
  }
}

/** Whether an open task lost its persons to their time here, so that they are asked for again. */
async function lacksPersons(): Promise<boolean> {
  const found = await store.tasks
    .filter((kept) => isOpen(kept) && kept.task.training_class !== null && kept.task.roster === null)
    .count();
  return found > 0;
}

function isOpen(kept: KeptTask): boolean {
  return !kept.gone && kept.over === undefined;
}

/**
 * Forget persons: 72 hours after they were fetched, or once a visit is over or another's and
 * nothing of it waits here. What was recorded of them stays.
 */
export async function forgetPersons(now: number): Promise<number> {
  const waiting = new Set([
    ...(await store.ops.where("state").equals("waiting").toArray()).map((op) => op.visit),
    ...(await store.answers.where("op").equals(0).toArray()).map((kept) => kept.visit),
    ...(await store.captures.where("state").equals("kept").toArray()).map((one) => one.visit),
  ]);
  const forgotten = await store.tasks
    .filter(
      (kept) =>
        kept.task.roster !== null &&
        (kept.expires < now || (!isOpen(kept) && !waiting.has(kept.visit))),
    )
    .modify((kept: { task: Task }) => {
      kept.task = { ...kept.task, roster: null, samples: [] };
    });
  if (forgotten > 0) {
    await note("forgotten", String(forgotten));
  }
  return forgotten;
}
