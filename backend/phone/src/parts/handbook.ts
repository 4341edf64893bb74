/** The rules of a task's place and day that a phone looks up without signal: clauses, words, questions. */

import { shallowRef, watch } from "vue";
import type { Ref } from "vue";
import { store } from "../store/db.ts";
import type { Task } from "../store/db.ts";
import { get } from "../sync/link.ts";
import type { components } from "../wire/api";

export type Handbook = components["schemas"]["Handbook"];

interface KeptHandbook {
  readonly at: number;
  readonly book: Handbook;
}

const DAY_MS = 24 * 3_600_000;

/** Follow the handbook of a task: what is kept at once, a newer one when there is signal. */
export function useHandbook(task: Ref<Task | null>): Ref<Handbook | null> {
  const book = shallowRef<Handbook | null>(null);
  watch(
    task,
    async (now) => {
      if (now !== null && book.value === null) {
        book.value = await kept(now);
        book.value = (await renewed(now)) ?? book.value;
      }
    },
    { immediate: true },
  );
  return book;
}

function nameOf(task: Task): string {
  return `handbook/${String(task.facts["jurisdiction"])}/${task.on_date}`;
}

async function kept(task: Task): Promise<Handbook | null> {
  return ((await store.cells.get(nameOf(task)))?.value as KeptHandbook | undefined)?.book ?? null;
}

/** Fetch it unless that was done within a day; null where there is nothing newer to be had. */
async function renewed(task: Task): Promise<Handbook | null> {
  const name = nameOf(task);
  const known = (await store.cells.get(name))?.value as KeptHandbook | undefined;
  if (known !== undefined && Date.now() - known.at < DAY_MS) {
    return null;
  }
  try {
    const place = String(task.facts["jurisdiction"]);
    const book = await get<Handbook>(`/api/v1/handbook?place=${place}&on=${task.on_date}`);
    await store.cells.put({ name, value: { at: Date.now(), book } });
    return book;
  } catch {
    return null;
  }
}

/** Make sure that the handbooks of all tasks are here before the signal is gone. */
export async function fetchHandbooks(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    await renewed(task);
  }
}
