/** The phone in somebody else's hand: until it is given back, one page is all there is. */

import { ref } from "vue";
import { mine, stayOpen, unlock } from "../state.ts";
import { read } from "../store/cells.ts";
import { store } from "../store/db.ts";
import { TRIES, proofOf, proves } from "../store/vault.ts";
import type { Opened, Proof } from "../store/vault.ts";
import { signIn } from "../sync/link.ts";

const CELL = "handed";

/** Which visit's questions; where no PIN was set, the proof of the code that ends this. */
interface Handed {
  readonly visit: string;
  readonly code: Proof | null;
  readonly wrong: number;
}

/** The visit whose questionnaire a trainee is answering, or null. */
export const handed = ref<string | null>(null);
/** In a trainee's hand the phone does not close by itself; only the inspector has the PIN. */
let release = (): void => undefined;

async function now(): Promise<Handed | null> {
  return ((await store.cells.get(CELL))?.value as Handed | undefined) ?? null;
}

export async function recall(): Promise<void> {
  handed.value = (await now())?.visit ?? null;
}

/** Whether a code of its own is wanted: a phone with a PIN is taken back with that. */
export async function wantsCode(): Promise<boolean> {
  return (await read("lock")) === null;
}

export async function handOver(visit: string, code: string): Promise<void> {
  const proof = (await wantsCode()) ? await proofOf(code) : null;
  await store.cells.put({ name: CELL, value: { visit, code: proof, wrong: 0 } satisfies Handed });
  release = stayOpen();
  handed.value = visit;
}

/** Take it back with the PIN or the code; the fifth wrong one leaves the password alone. */
export async function takeBack(typed: string): Promise<Opened> {
  const held = await now();
  const found = held?.code ? await tried(typed, held, held.code) : await unlock(typed);
  if (found === "open") {
    await end();
  }
  return found;
}

async function tried(typed: string, held: Handed, code: Proof): Promise<Opened> {
  if (held.wrong >= TRIES) {
    return "locked";
  }
  if (await proves(typed, code)) {
    return "open";
  }
  const wrong = held.wrong + 1;
  await store.cells.put({ name: CELL, value: { ...held, wrong } });
  return wrong >= TRIES ? "locked" : "wrong";
}

/** Take it back with the password, online. Throws Refused. */
export async function takeBackSignedIn(password: string): Promise<void> {
  const { login, device } = mine.value!;
  await signIn(login, password, device);
  await end();
}

async function end(): Promise<void> {
  await store.cells.delete(CELL);
  handed.value = null;
  release();
}
