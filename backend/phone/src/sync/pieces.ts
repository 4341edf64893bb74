/**
 * Pieces of evidence that wait, small ones first: a long video stands back for each photo that is
 * taken meanwhile, and one that fails waits while the next one goes.
 */

import { note } from "../store/journal.ts";
import { store } from "../store/db.ts";
import type { KeptCapture } from "../store/db.ts";
import { Refused } from "../wire/call.ts";
import { PART_BYTES, PIECES_A_CALL, send, sendTogether } from "./lanes.ts";
import type { Outcome } from "./lanes.ts";
import { closed, laneFor } from "./line.ts";

const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 300_000;
/** Longer pieces wait for a line that costs nothing, unless somebody says otherwise. */
const WIFI_BYTES = 20_000_000;

interface Connection {
  readonly type?: string;
}

/** Whether a piece is held back because the phone pays for the line. */
export function waitsForWifi(capture: KeptCapture): boolean {
  const { connection } = navigator as { connection?: Connection };
  return (
    capture.wire.size > WIFI_BYTES && connection?.type === "cellular" && capture.anyway !== true
  );
}

/** Send everything that is due; the last refusal that was met, if any. */
export async function pieces(): Promise<Refused | null> {
  let met: Refused | null = null;
  for (;;) {
    const due = await ready();
    if (due.length === 0 || met?.status === 401) {
      return met;
    }
    met = (await step(due)) ?? met;
  }
}

/** Pieces that may go now: declared, due, small ones first. */
async function ready(): Promise<KeptCapture[]> {
  const now = Date.now();
  const kept = await store.captures
    .where("state")
    .equals("kept")
    // A wait that lies farther off than any was set by a clock that was wrong.
    .filter((one) => one.next <= now || one.next > now + WAIT_MAX_MS)
    .sortBy("seq");
  const ops = await store.ops.bulkGet(kept.map((one) => one.op));
  const due = kept.filter((one, at) => ops[at]?.state === "applied" && !waitsForWifi(one));
  return [...due.filter(isSmall), ...due.filter((one) => !isSmall(one))];
}

function isSmall(capture: KeptCapture): boolean {
  return capture.wire.size <= PART_BYTES;
}

async function step(due: readonly KeptCapture[]): Promise<Refused | null> {
  const small = due.filter(isSmall).slice(0, PIECES_A_CALL);
  const most = Math.max(0, ...small.map((one) => one.wire.size));
  if (small.length > 1 && (await laneFor(most)) === "direct") {
    return together(small);
  }
  return single(due[0]!);
}

/** Several at once; where one of them is strange to the server, each by itself. */
async function together(small: readonly KeptCapture[]): Promise<Refused | null> {
  let met: Refused | null = null;
  try {
    const found = await sendTogether(small);
    for (const one of small) {
      const fault = found.get(one.id) ?? null;
      await settled(one, fault);
      met = fault ?? met;
    }
  } catch (fault) {
    if (!(fault instanceof Refused)) {
      throw fault;
    }
    met = fault;
    for (const one of small) {
      await (fault.status === 404 ? single(one) : settled(one, fault));
    }
  }
  return met;
}

async function single(one: KeptCapture): Promise<Refused | null> {
  try {
    // Between two units of a long piece: a small one that came meanwhile goes first.
    const goOn = async (): Promise<boolean> => isSmall((await ready())[0] ?? one) === isSmall(one);
    if (await send(one, goOn)) {
      await settled(one, null);
    }
    return null;
  } catch (fault) {
    if (!(fault instanceof Refused)) {
      throw fault;
    }
    await settled(one, fault);
    return fault;
  }
}

async function settled(one: KeptCapture, fault: Outcome): Promise<void> {
  if (fault === null) {
    await store.captures.update(one.id, { state: "sent", sent: one.wire.size, error: "" });
    await note("sent", one.item);
    return;
  }
  if (fault.code === "upload.lane_closed") {
    await closed();
    return;
  }
  await later(one, fault);
}

/** Full jitter: many phones that lost the same line do not come back at once. */
async function later(one: KeptCapture, fault: Refused): Promise<void> {
  const tries = ((await store.captures.get(one.id))?.tries ?? 0) + 1;
  const most = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** tries);
  const wait = Math.max(1000 * fault.retryAfter, Math.random() * most);
  const error = fault.offline ? "offline" : fault.message || fault.code;
  await store.captures.update(one.id, { tries, error, next: Date.now() + wait });
}

/** The line is back, or the page: nothing has to wait any longer. */
export async function wake(): Promise<void> {
  await store.captures.where("state").equals("kept").modify({ next: 0, tries: 0 });
}
