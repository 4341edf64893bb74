/** One visit as its pages see it: task, checklist, answers of this phone, captures; always true. */

import { liveQuery } from "dexie";
import { computed, onBeforeUnmount, shallowReactive, shallowRef, toRaw } from "vue";
import type { ComputedRef, Ref } from "vue";
import { judge } from "../core/checklist.ts";
import type { Judgement } from "../core/checklist.ts";
import {
  knownFrom,
  missingEvidence,
  missingItems,
  relevantItems,
} from "../core/completeness.ts";
import type { Carrier, Held, MissingEvidence } from "../core/completeness.ts";
import type { Answer, Item, Sheet } from "../core/sheet.ts";
import { store } from "../store/db.ts";
import type { KeptCapture, Task } from "../store/db.ts";

export interface Visit {
  readonly task: Ref<Task | null>;
  readonly sheet: Ref<Sheet | null>;
  readonly answers: Map<string, Answer>;
  readonly captures: Ref<readonly KeptCapture[]>;
  readonly asked: ComputedRef<readonly Item[]>;
  readonly judged: ComputedRef<ReadonlyMap<string, Judgement>>;
  readonly openItems: ComputedRef<readonly string[]>;
  readonly owed: ComputedRef<readonly MissingEvidence[]>;
  /** Keep an answer: shown at once, on the disk before the promise ends. */
  answer(given: Answer): Promise<void>;
}

/** Follow one visit until the page that asked is gone. */
export function useVisit(visit: string): Visit {
  const task = shallowRef<Task | null>(null);
  const sheet = shallowRef<Sheet | null>(null);
  const captures = shallowRef<readonly KeptCapture[]>([]);
  const answers = shallowReactive(new Map<string, Answer>());

  const tasks = liveQuery(async () => {
    const kept = await store.tasks.get(visit);
    const found = kept && (await store.sheets.get(kept.task.sheet_digest));
    return { task: kept?.task ?? null, sheet: found?.sheet ?? null };
  }).subscribe((now) => {
    task.value = now.task;
    sheet.value = now.sheet;
  });
  const pieces = liveQuery(() => store.captures.where("visit").equals(visit).toArray()).subscribe(
    (now) => {
      captures.value = now;
    },
  );
  // An answer that another page of this phone changed later is shown here too.
  const changed = new Map<string, number>();
  const said = liveQuery(() => store.answers.where("visit").equals(visit).toArray()).subscribe(
    (now) => {
      for (const kept of now.filter((one) => one.at > (changed.get(one.item) ?? -1))) {
        changed.set(kept.item, kept.at);
        answers.set(kept.item, kept.answer);
      }
    },
  );
  onBeforeUnmount(() => {
    tasks.unsubscribe();
    said.unsubscribe();
    pieces.unsubscribe();
  });

  // An answer is judged once: a tap judges the item that was touched, not sixty.
  const verdicts = new WeakMap<Answer, Judgement>();
  function verdictOf(of: Sheet, given: Answer): Judgement {
    const found = verdicts.get(toRaw(given)) ?? judge(of, given);
    verdicts.set(toRaw(given), found);
    return found;
  }

  const known = computed(() =>
    sheet.value === null
      ? null
      : knownFrom(sheet.value, [...answers.values()], task.value?.facts ?? {}),
  );
  const asked = computed(() => {
    if (sheet.value === null || known.value === null) {
      return [];
    }
    const codes = new Set(relevantItems(sheet.value, known.value));
    return sheet.value.items.filter((item) => codes.has(item.code));
  });
  const judged = computed(() => {
    const one = sheet.value;
    return new Map(
      one === null ? [] : [...answers.values()].map((given) => [given.item, verdictOf(one, given)]),
    );
  });
  const openItems = computed(() =>
    sheet.value === null || known.value === null ? [] : missingItems(sheet.value, known.value),
  );
  const owed = computed(() => {
    if (sheet.value === null || known.value === null) {
      return [];
    }
    const excused = [...answers.values()].filter((one) => (one.without ?? "") !== "");
    const codes = new Set(excused.map((one) => one.item));
    return missingEvidence(sheet.value, known.value, heldBy(captures.value), codes);
  });

  async function answer(given: Answer): Promise<void> {
    answers.set(given.item, given);
    const plain = JSON.parse(JSON.stringify(given)) as Answer;
    // Later than what it replaces, also where the clock was set back meanwhile.
    const at = Math.max(Date.now(), (changed.get(given.item) ?? 0) + 1);
    changed.set(given.item, at);
    await store.answers.put({ visit, item: given.item, answer: plain, at, op: 0 });
  }

  return { task, sheet, answers, captures, asked, judged, openItems, owed, answer };
}

/** Pieces by item and carrier, withdrawn ones left out. */
function heldBy(captures: readonly KeptCapture[]): Held {
  const held: Record<string, Partial<Record<Carrier, number>>> = {};
  for (const one of captures) {
    if (one.state !== "withdrawn") {
      const group = one.manifest.media.mime.split("/")[0] ?? "";
      const carrier: Carrier = isCarrier(group) ? group : "file";
      const item = (held[one.item] ??= {});
      item[carrier] = (item[carrier] ?? 0) + 1;
    }
  }
  return held;
}

function isCarrier(group: string): group is "image" | "video" | "audio" {
  return group === "image" || group === "video" || group === "audio";
}
