/** What every page may show: whose phone this is, the line, what waits; and when to send. */

import { liveQuery } from "dexie";
import { computed, ref, shallowRef } from "vue";
import { read } from "./store/cells.ts";
import type { Identity } from "./store/cells.ts";
import { store } from "./store/db.ts";
import { note } from "./store/journal.ts";
import * as vault from "./store/vault.ts";
import type { Opened } from "./store/vault.ts";
import { drain } from "./sync/drain.ts";
import { lacks } from "./sync/enrol.ts";
import type { Lack } from "./sync/enrol.ts";
import { deviceKey, signIn } from "./sync/link.ts";
import { wake } from "./sync/pieces.ts";
import type { Refused } from "./wire/call.ts";
import type { Program } from "./store/captures.ts";

const TICK_MS = 2_000;
/** How often to ask when nothing waits here, and when only receipts are still to come. */
const QUIET_MS = 60_000;
const SOON_MS = 10_000;
/** Where nothing got through the waits grow up to this. */
const LONG_MS = 60_000;
/** Nobody touched the phone for so long: what is on it closes. */
const IDLE_MS = 5 * 60_000;

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
/** What offline work needs and this browser lacks: then nothing is promised, all is sent at once. */
export const lacking = shallowRef<readonly Lack[]>([]);
export const weak = computed(() => mine.value !== null && lacking.value.length > 0);
/** Closed under the PIN: sending goes on, nothing is shown. */
export const locked = ref(false);

/** Load what is known, then keep it true. */
export async function begin(): Promise<void> {
  // A key that this browser did not store is gone with its page: the phone is enrolled anew.
  mine.value = (await deviceKey()) === null ? null : await read("identity");
  locked.value = (await read("lock")) !== null;
  liveQuery(count).subscribe((now) => {
    hopeless = now.count === pending.value.count ? hopeless : 0;
    pending.value = now;
  });
  const look = (): void => {
    online.value = navigator.onLine;
    hopeless = 0;
    void wake().then(send);
  };
  window.addEventListener("online", look);
  window.addEventListener("offline", look);
  document.addEventListener("visibilitychange", look);
  for (const touch of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(touch, () => (touched = performance.now()), { passive: true });
  }
  setInterval(tick, TICK_MS);
  void wake();
  void learn();
  void keepShell();
}

let last = -Infinity;
let hopeless = 0;
let touched = 0;
let held = 0;

function tick(): void {
  minute.value = Date.now();
  rest();
  const { count: waiting, unproved } = pending.value;
  const soon = Math.min(LONG_MS, TICK_MS * 2 ** hopeless);
  const pause = waiting > 0 ? soon : unproved > 0 ? SOON_MS : QUIET_MS;
  if (performance.now() - last >= pause) {
    void send();
  }
}

/** Send what waits, now; pages call it when somebody has done something. */
export async function send(): Promise<void> {
  if (mine.value === null || document.visibilityState === "hidden") {
    return;
  }
  last = performance.now();
  // Where nothing has moved there is no need to ask again so soon.
  hopeless += 1;
  await drain((now) => {
    refused.value = now;
  });
}

/** The phone is not to close by itself before the function that is given back was called. */
export function stayOpen(): () => void {
  held += 1;
  return () => {
    held -= 1;
    touched = performance.now();
  };
}

function rest(): void {
  if (vault.isOpen() && held === 0 && performance.now() - touched > IDLE_MS) {
    close();
  }
}

/** Close what is kept here, where a PIN was set. */
export function close(): void {
  vault.close();
  locked.value = true;
  void note("locked");
}

/** Try the PIN; an open phone shows everything again. */
export async function unlock(pin: string): Promise<Opened> {
  const found = await vault.tryPin(pin);
  if (found === "open" || found === "unset") {
    locked.value = false;
    touched = performance.now();
  }
  return found;
}

/** A new PIN instead of a forgotten one, after the password was given online. Throws Refused. */
export async function renewPin(password: string, pin: string): Promise<void> {
  const { login, device } = mine.value!;
  await signIn(login, password, device);
  await vault.setPin(pin);
  locked.value = false;
  touched = performance.now();
  void send();
}

async function count(): Promise<Pending> {
  const ops = await store.ops.where("state").equals("waiting").toArray();
  const captures = await store.captures.where("state").equals("kept").toArray();
  const answers = await store.answers.where("op").equals(0).toArray();
  const times = [...ops, ...captures, ...answers].map((one) => one.at);
  const unproved = await store.captures.where("state").equals("sent").count();
  const oldest = times.length === 0 ? null : Math.min(...times);
  return { count: times.length, oldest, unproved };
}

/** What a manifest states of this program, and what it can promise. */
export async function learn(): Promise<void> {
  lacking.value = await lacks();
  const persisted = (await navigator.storage?.persisted?.()) ?? false;
  const known = await fetch("./build.json")
    .then((answer) => answer.json() as Promise<{ version: string }>)
    .catch(() => null);
  const build = known?.version ?? program.value.build_sha256;
  program.value = { ...program.value, build_sha256: build, persisted };
}

let agreed = false;

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
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (agreed) {
      location.reload();
    }
  });
}

/** Take the new version, because the person said so. */
export function takeOver(): void {
  agreed = true;
  update.value?.postMessage("take-over");
}
