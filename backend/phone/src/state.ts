/** What every page may show: whose phone this is, the line, what waits; and when to send. */

import { liveQuery } from "dexie";
import { ref, shallowRef } from "vue";
import { read } from "./store/cells.ts";
import type { Identity } from "./store/cells.ts";
import { store } from "./store/db.ts";
import { drain } from "./sync/drain.ts";
import type { Refused } from "./wire/call.ts";
import type { Program } from "./store/captures.ts";

const TICK_MS = 5_000;
/** How often to ask when nothing waits here, and when only receipts are still to come. */
const QUIET_MS = 60_000;
const SOON_MS = 10_000;

/** `unproved` are captures that the server has and has not given a sealed receipt for. */
export interface Pending {
  readonly count: number;
  readonly oldest: number | null;
  readonly unproved: number;
}

export const mine = shallowRef<Identity | null>(null);
export const online = ref(navigator.onLine);
/** Operations and captures that the server does not have, and since when the oldest waits. */
export const pending = ref<Pending>({ count: 0, oldest: null, unproved: 0 });
export const refused = shallowRef<Refused | null>(null);
/** A new version of the shell that waits for the person's word. */
export const update = shallowRef<ServiceWorker | null>(null);
/** Plain, because it is stored as it is. */
export const program = shallowRef<Program>({
  ver: "0.1.0",
  build_sha256: "0".repeat(64),
  persisted: false,
});
export const minute = ref(Date.now());

/** Load what is known, then keep it true. */
export async function begin(): Promise<void> {
  mine.value = await read("identity");
  liveQuery(count).subscribe((now) => {
    pending.value = now;
  });
  const look = (): void => {
    online.value = navigator.onLine;
    void send();
  };
  window.addEventListener("online", look);
  window.addEventListener("offline", look);
  document.addEventListener("visibilitychange", look);
  setInterval(tick, TICK_MS);
  void learn();
  void keepShell();
}

let last = 0;

function tick(): void {
  minute.value = Date.now();
  const { count: waiting, unproved } = pending.value;
  const rest = waiting > 0 ? 0 : unproved > 0 ? SOON_MS : QUIET_MS;
  if (Date.now() - last > rest) {
    void send();
  }
}

/** Send what waits, now; pages call it when somebody has done something. */
export async function send(): Promise<void> {
  if (mine.value === null || document.visibilityState === "hidden") {
    return;
  }
  last = Date.now();
  await drain((done) => {
    refused.value = done.refused;
  });
}

async function count(): Promise<Pending> {
  const ops = await store.ops.where("state").equals("waiting").toArray();
  const captures = await store.captures.where("state").equals("kept").toArray();
  const answers = await store.answers.filter((one) => one.op === 0).toArray();
  const times = [...ops, ...captures, ...answers].map((one) => one.at);
  const unproved = await store.captures.where("state").equals("sent").count();
  const oldest = times.length === 0 ? null : Math.min(...times);
  return { count: times.length, oldest, unproved };
}

/** What a manifest states of this program. */
async function learn(): Promise<void> {
  const persisted = (await navigator.storage?.persisted?.()) ?? false;
  const known = await fetch("./build.json")
    .then((answer) => answer.json() as Promise<{ version: string }>)
    .catch(() => null);
  const build = known?.version ?? program.value.build_sha256;
  program.value = { ...program.value, build_sha256: build, persisted };
}

async function keepShell(): Promise<void> {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) {
    return;
  }
  const shell = await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
  const found = (): void => {
    const next = shell.installing ?? shell.waiting;
    next?.addEventListener("statechange", () => {
      update.value = navigator.serviceWorker.controller === null ? null : shell.waiting;
    });
  };
  update.value = navigator.serviceWorker.controller === null ? null : shell.waiting;
  shell.addEventListener("updatefound", found);
  let agreed = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (agreed || update.value !== null) {
      agreed = true;
      location.reload();
    }
  });
}

/** Take the new version, because the person said so. */
export function takeOver(): void {
  update.value?.postMessage("take-over");
}
