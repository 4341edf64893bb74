/** What somebody has begun to write on a page: kept at every tap, there again after a death. */

import { onBeforeUnmount, reactive, ref, watch } from "vue";
import type { Ref } from "vue";
import { store } from "../store/db.ts";

export interface Draft<Content extends object> {
  readonly content: Content;
  /** False until what was kept is there; a page shows its fields only then. */
  readonly ready: Ref<boolean>;
  /** Forget it: what it was for is recorded. */
  clear(): Promise<void>;
}

/** Follow one draft by its name; `blank` is what an empty one holds. */
export function useDraft<Content extends object>(name: string, blank: () => Content): Draft<Content> {
  const key = `draft/${name}`;
  const content = reactive(blank()) as Content;
  const ready = ref(false);
  let silent = true;

  const stop = watch(
    () => JSON.stringify(content),
    (text) => {
      if (!silent) {
        void store.cells.put({ name: key, value: JSON.parse(text) as Content });
      }
    },
    { flush: "sync" },
  );
  onBeforeUnmount(stop);
  void store.cells.get(key).then((cell) => {
    Object.assign(content, cell?.value ?? {});
    silent = false;
    ready.value = true;
  });

  async function clear(): Promise<void> {
    silent = true;
    Object.assign(content, blank());
    await store.cells.delete(key);
    silent = false;
  }

  return { content, ready, clear };
}

const NAMED = /^draft\/[a-z]+\/([0-9a-f-]{36})/;

/** Drafts of visits that are over are forgotten: they hold names. */
export async function forgetDrafts(): Promise<void> {
  const open = await store.tasks.filter((kept) => kept.over === undefined).primaryKeys();
  const known = new Set<string>(open);
  const names = await store.cells.where("name").startsWith("draft/").primaryKeys();
  const over = names.filter((name) => !known.has(NAMED.exec(name)?.[1] ?? ""));
  await store.cells.bulkDelete(over);
}
