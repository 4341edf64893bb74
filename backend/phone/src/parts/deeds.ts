/** What this phone has recorded of a visit: its signed operations, read back from their bytes. */

import { liveQuery } from "dexie";
import { computed, onBeforeUnmount, shallowRef } from "vue";
import type { ComputedRef, Ref } from "vue";
import { send } from "../state.ts";
import { store } from "../store/db.ts";
import type { KeptOp, Task } from "../store/db.ts";
import { NotEnrolled, record } from "../store/outbox.ts";
import { deviceKey } from "../sync/link.ts";
import type { Body } from "../wire/ops.ts";

export interface Deed {
  readonly id: string;
  readonly seq: number;
  readonly kind: string;
  readonly at: number;
  readonly state: KeptOp["state"];
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Deeds {
  readonly all: Ref<readonly Deed[]>;
  readonly kinds: ComputedRef<ReadonlySet<string>>;
  of(kind: string): readonly Deed[];
}

const SILENT: readonly string[] = ["answer.set", "evidence.declare"];

/** Follow the operations of one visit; those of answers and captures are shown by their pages. */
export function useDeeds(visit: string): Deeds {
  const all = shallowRef<readonly Deed[]>([]);
  const watching = liveQuery(() => store.ops.where("visit").equals(visit).sortBy("seq")).subscribe(
    (ops) => {
      all.value = ops.filter((op) => !SILENT.includes(op.kind)).map(readBack);
    },
  );
  onBeforeUnmount(() => watching.unsubscribe());
  const kinds = computed(() => new Set(all.value.map((deed) => deed.kind)));
  return { all, kinds, of: (kind) => all.value.filter((deed) => deed.kind === kind) };
}

function readBack(op: KeptOp): Deed {
  const { id, seq, kind, at, state } = op;
  const { body } = JSON.parse(new TextDecoder().decode(op.bytes)) as Pick<Deed, "body">;
  return { id, seq, kind, at, state, body };
}

/** Sign and keep an operation, then try to send; throws NotEnrolled. */
export async function write(task: Task, kind: string, body: Body): Promise<void> {
  const key = await deviceKey();
  if (key === null) {
    throw new NotEnrolled();
  }
  await record(key, task, kind, body);
  void send();
}
