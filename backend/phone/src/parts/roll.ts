/** A roster being called: who is shown, what was marked, and what a part of the call proves. */

import { computed, reactive, ref, shallowRef, watch } from "vue";
import type { ComputedRef, Ref } from "vue";
import { atLeastAbsent } from "../core/attendance.ts";
import { sample } from "../core/sampling.ts";
import { store } from "../store/db.ts";
import type { MarkState, Task } from "../store/db.ts";

export const VIEWS = ["all", "open", "drawn", "missing"] as const;
export type View = (typeof VIEWS)[number];
type Person = NonNullable<Task["roster"]>["trainees"][number];

export interface Told {
  readonly all: number;
  readonly called: number;
  readonly present: number;
  readonly absent: number;
  readonly least: number;
}

export interface Roll {
  readonly roster: ComputedRef<readonly Person[]>;
  readonly marks: Map<string, MarkState>;
  readonly told: ComputedRef<Told>;
  readonly shown: ComputedRef<readonly Person[]>;
  readonly drawn: Ref<ReadonlySet<string>>;
  mark(trainee: string, state: MarkState): Promise<void>;
  /** The person that a scanned text names, by id or by number and end of the identity number. */
  named(text: string): Person | undefined;
}

const ID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/;
const NUMBERED = /^\s*(\d{1,4})\s*[/ ]\s*(\d{3}[\dX])\s*$/i;
const ABSENT: readonly MarkState[] = ["absent", "excused"];

/** Follow the roll of a visit; `wanted` and `view` narrow the list, `n` is how many are drawn. */
export function useRoll(
  visit: string,
  task: Ref<Task | null>,
  asked: { readonly wanted: Ref<string>; readonly view: Ref<View>; readonly n: Ref<number> },
): Roll {
  const marks = reactive(new Map<string, MarkState>());
  const drawn = shallowRef<ReadonlySet<string>>(new Set());
  const settled = ref<ReadonlySet<string>>(new Set());
  const roster = computed(() => task.value?.roster?.trainees ?? []);

  void store.marks
    .where("visit")
    .equals(visit)
    .each((kept) => {
      marks.set(kept.trainee, kept.state);
    });
  watch(
    [roster, asked.n],
    async ([people, n]) => {
      const seed = task.value?.sample_seed;
      const ids = people.map((one) => one.id);
      drawn.value = new Set(seed === undefined ? [] : await sample(seed, "roll", ids, n));
    },
    { immediate: true },
  );
  // A name that was just marked stays where the thumb is until the view is chosen again.
  watch([asked.view, asked.wanted, roster], settle, { immediate: true });

  function settle(): void {
    settled.value = new Set(marks.keys());
  }

  const told = computed(() => {
    const states = [...marks.values()];
    const absent = states.filter((one) => ABSENT.includes(one)).length;
    const [all, called] = [roster.value.length, states.length];
    const least = all >= called ? atLeastAbsent(all, called, absent) : absent;
    return { all, called, present: called - absent, absent, least };
  });
  const shown = computed(() =>
    roster.value.filter((one) => {
      const line = `${one.roster_no} ${one.name} ${one.id_tail}`.toUpperCase();
      return line.includes(asked.wanted.value.toUpperCase()) && isIn(asked.view.value, one.id);
    }),
  );

  function isIn(view: View, id: string): boolean {
    switch (view) {
      case "all":
        return true;
      case "open":
        return !settled.value.has(id);
      case "drawn":
        return drawn.value.has(id);
      case "missing":
        return ABSENT.includes(marks.get(id) ?? "present");
    }
  }

  async function mark(trainee: string, state: MarkState): Promise<void> {
    marks.set(trainee, state);
    await store.marks.put({ visit, trainee, state, at: Date.now() });
  }

  function named(text: string): Person | undefined {
    const id = ID.exec(text)?.[0];
    const [, number, tail] = NUMBERED.exec(text) ?? [];
    return roster.value.find(
      (one) => one.id === id || (one.roster_no === Number(number) && one.id_tail === tail?.toUpperCase()),
    );
  }

  return { roster, marks, told, shown, drawn, mark, named };
}
