/** Tasks of this inspector: fetched whole or since the last time, kept for work without signal. */

import { store } from "../store/db.ts";
import type { KeptTask } from "../store/db.ts";
import { read, write } from "../store/cells.ts";
import type { components } from "../wire/api";
import { get } from "./link.ts";

type Bundle = components["schemas"]["Bundle"];

/** How long persons on a roster are kept after they were last fetched. */
const ROSTER_MS = 72 * 3_600_000;

/** Fetch what changed; the tasks of other inspectors and withdrawn ones are marked, not erased. */
export async function fetchTasks(now: number): Promise<void> {
  const since = (await read("tasks"))?.cursor ?? 0;
  const bundle = await get<Bundle>(`/api/v1/tasks?since=${since}`);
  await store.transaction("rw", store.tasks, store.sheets, store.cells, async () => {
    for (const [digest, sheet] of Object.entries(bundle.sheets)) {
      await store.sheets.put({ digest, sheet: sheet as never });
    }
    for (const task of bundle.tasks) {
      const expires = now + ROSTER_MS;
      await store.tasks.put({ visit: task.visit, task, fetched: now, expires, gone: false });
    }
    for (const visit of bundle.gone) {
      await store.tasks.update(visit, { gone: true });
    }
    const next = bundle.next_at === null ? null : Date.parse(bundle.next_at);
    await write("tasks", { cursor: bundle.cursor, next, at: now });
  });
}

/** Forget the persons of rosters whose time is over; what was recorded of them stays. */
export async function forgetPersons(now: number): Promise<number> {
  return store.tasks
    .filter((kept) => kept.expires < now && kept.task.roster !== null)
    .modify((kept: { task: KeptTask["task"] }) => {
      kept.task = { ...kept.task, roster: null, samples: [] };
    });
}
