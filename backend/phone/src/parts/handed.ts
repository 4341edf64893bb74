/** The phone in somebody else's hand: until it is given back, one page is all there is. */

import { ref } from "vue";
import { stayOpen, unlock } from "../state.ts";
import { store } from "../store/db.ts";

const CELL = "handed";
const DIGITS = 4;

/** The visit whose questionnaire a trainee is answering, or null. */
export const handed = ref<string | null>(null);
/** In a trainee's hand the phone does not close by itself; only the inspector has the PIN. */
let release = (): void => undefined;

export async function recall(): Promise<void> {
  handed.value = ((await store.cells.get(CELL))?.value as string | undefined) ?? null;
}

export async function handOver(visit: string): Promise<void> {
  await store.cells.put({ name: CELL, value: visit });
  release = stayOpen();
  handed.value = visit;
}

/** Take it back with the PIN; where none is set, with the end of one's own licence number. */
export async function takeBack(typed: string, licence: string): Promise<boolean> {
  const found = await unlock(typed);
  const right = found === "open" || (found === "unset" && typed === licence.slice(-DIGITS));
  if (right) {
    await store.cells.delete(CELL);
    handed.value = null;
    release();
  }
  return right;
}
