/** The record of a visit as it is signed: its pieces, its digest, and who has signed that. */

import { liveQuery } from "dexie";
import { computed, onBeforeUnmount, shallowRef } from "vue";
import type { ComputedRef, Ref } from "vue";
import { isJudged } from "../core/checklist.ts";
import type { Item, Verdict } from "../core/sheet.ts";
import { store } from "../store/db.ts";
import type { KeptCapture } from "../store/db.ts";
import { answersDigest, signAnswers } from "../store/outbox.ts";
import { deviceKey } from "../sync/link.ts";
import { sha256 } from "../wire/bytes.ts";
import { encode } from "../wire/canon.ts";
import type { Deed, Deeds } from "./deeds.ts";
import type { Visit } from "./visit.ts";

/** Captures of signatures belong to the record they sign, so they are no part of its digest. */
export const SIGNATURE = "signature";

export type Listed = { readonly id: string; readonly sha256: string };

export interface Signed {
  readonly deed: Deed;
  /** Whether what was signed is still what stands here. */
  readonly current: boolean;
}

export interface RecordView {
  readonly results: ComputedRef<readonly { readonly item: Item; readonly verdict: Verdict }[]>;
  readonly faults: ComputedRef<readonly Item[]>;
  /** Own captures and those of colleagues, as the claim lists them. */
  readonly listed: ComputedRef<readonly Listed[]>;
  readonly joined: ComputedRef<readonly Listed[]>;
  readonly digest: Ref<string>;
  /** The newest signature of an inspector, or of the party (also a refusal). */
  signedBy(who: string): Signed | undefined;
  /** Sign all answers, then the digest of the record as it is now. */
  seal(): Promise<string>;
}

export function useRecord(visit: string, one: Visit, deeds: Deeds): RecordView {
  const digest = shallowRef("");
  const joined = computed(() =>
    deeds.of("contributor.list").flatMap((deed) => deed.body["items"] as readonly Listed[]),
  );
  const listed = computed(() => unique([...one.captures.value.flatMap(listedOf), ...joined.value]));
  const watching = liveQuery(async () => {
    const captures = await store.captures.where("visit").equals(visit).toArray();
    await store.answers.where("visit").equals(visit).count();
    const lists = await store.ops.where("visit").equals(visit).count();
    return { captures, lists };
  }).subscribe(() => {
    void digestNow().then((now) => {
      digest.value = now;
    });
  });
  onBeforeUnmount(() => watching.unsubscribe());

  const results = computed(() =>
    one.asked.value.flatMap((item) => {
      const found = one.judged.value.get(item.code);
      return found !== undefined && isJudged(found) ? [{ item, verdict: found.verdict }] : [];
    }),
  );
  const faults = computed(() =>
    results.value.filter(({ verdict }) => verdict === "fail").map(({ item }) => item),
  );

  async function digestNow(): Promise<string> {
    const captures = await store.captures.where("visit").equals(visit).toArray();
    const own = captures.filter((capture) => capture.item !== SIGNATURE).flatMap(listedOf);
    const items = unique([...own, ...joined.value]);
    return sha256(encode({ visit, answers_sha: await answersDigest(visit), items }));
  }

  async function seal(): Promise<string> {
    const key = await deviceKey();
    await signAnswers(key!, one.task.value!);
    return digestNow();
  }

  function signedBy(who: string): Signed | undefined {
    const deed = deeds.of("signature.record").findLast(({ body }) => nameOf(body) === who);
    return deed && { deed, current: deed.body["over"] === digest.value };
  }

  return { results, faults, listed, joined, digest, signedBy, seal };
}

function nameOf(body: Deed["body"]): string {
  return body["role"] === "inspector" ? String(body["inspector"]) : "party";
}

function listedOf(capture: KeptCapture): readonly Listed[] {
  const { id, state, manifest } = capture;
  return state === "withdrawn" ? [] : [{ id, sha256: manifest.media.sha256 }];
}

/** Once each, in the order of their ids, so that the digest does not hang on an index. */
function unique(items: readonly Listed[]): readonly Listed[] {
  const known = new Map(items.map((item) => [item.id, item]));
  return [...known.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}
