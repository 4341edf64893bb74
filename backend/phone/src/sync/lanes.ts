/**
 * Bytes on their way: straight to the store where the line carries it, in small chunks through the
 * app where it does not. Both end in one object, so a capture may change lanes half-way.
 */

import type { components } from "../wire/api";
import { base64, hex, utf8 } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { Refused } from "../wire/call.ts";
import { range } from "../store/captures.ts";
import { store } from "../store/db.ts";
import type { KeptCapture } from "../store/db.ts";
import { anchor, post, vouched } from "./link.ts";
import { chunkNow, failed, laneFor, lost, saw } from "./line.ts";

type Schemas = components["schemas"];

export const PART_BYTES = 5 << 20;
export const PIECES_A_CALL = 20;
const PARTS_A_CALL = 20;
const PUT_MS = 120_000;
const CHUNK_MS = 45_000;
/** How often in a row the server may say that it stands elsewhere than the phone thinks. */
const LOOKS = 5;

/** Asked between two units of a long piece: whether to go on with it now. */
export type GoOn = () => Promise<boolean>;

/** Send what the server lacks of one piece; whether it has all of it now. */
export async function send(capture: KeptCapture, goOn: GoOn): Promise<boolean> {
  const lane = await laneFor(Math.min(capture.wire.size, PART_BYTES));
  return lane === "direct" ? direct(capture, goOn) : throughTheApp(capture, goOn);
}

/** What became of one of several pieces: there, or why not. */
export type Outcome = Refused | null;

/** Send several small pieces straight to the store: one call for addresses, one for the end. */
export async function sendTogether(
  captures: readonly KeptCapture[],
): Promise<ReadonlyMap<string, Outcome>> {
  const ids = captures.map((one) => one.id);
  const asked = await post<Schemas["UploadsOut"]>("/api/v1/evidence/urls", { ids });
  const urls = new Map(asked.uploads.map((one) => [one.id, one.urls]));
  const found = new Map<string, Outcome>();
  for (const one of captures) {
    try {
      for (const url of urls.get(one.id) ?? []) {
        await putAway(url, await range(one, 0, one.wire.size));
      }
      found.set(one.id, null);
    } catch (fault) {
      if (!(fault instanceof Refused)) {
        throw fault;
      }
      found.set(one.id, fault);
    }
  }
  const put = ids.filter((id) => found.get(id) === null);
  if (put.length > 0) {
    const done = await post<Schemas["StandingsOut"]>("/api/v1/evidence/complete", { ids: put });
    for (const one of done.pieces.filter((piece) => piece.awaited)) {
      found.set(one.id, new Refused(409, "evidence.not_sent", ""));
    }
  }
  return found;
}

async function direct(capture: KeptCapture, goOn: GoOn): Promise<boolean> {
  const small = capture.wire.size <= PART_BYTES;
  const parts = small ? [] : await partsOf(capture);
  for (let at = 0; at < Math.max(1, parts.length); at += PARTS_A_CALL) {
    const asked = { parts: parts.slice(at, at + PARTS_A_CALL) };
    const path = `/api/v1/evidence/${capture.id}/urls`;
    const where = await post<Schemas["UploadOut"]>(path, asked);
    for (const [place, url] of where.urls.entries()) {
      if (place > 0 && !(await goOn())) {
        return false;
      }
      const from = (url.n - 1) * PART_BYTES;
      const to = Math.min(capture.wire.size, small ? capture.wire.size : from + PART_BYTES);
      await putAway(url, await range(capture, from, to));
      await store.captures.update(capture.id, { sent: to });
    }
  }
  await post(`/api/v1/evidence/${capture.id}/complete`, {});
  return true;
}

/** Number, size and hash of each part: the store takes no other bytes at its address. */
async function partsOf(capture: KeptCapture): Promise<Schemas["NewPart"][]> {
  const parts: Schemas["NewPart"][] = [];
  for (let from = 0; from < capture.wire.size; from += PART_BYTES) {
    const body = await range(capture, from, Math.min(capture.wire.size, from + PART_BYTES));
    const bytes = new Uint8Array(await body.arrayBuffer());
    parts.push({ n: parts.length + 1, size: body.size, sha256: hex(await digest(bytes)) });
  }
  return parts;
}

async function putAway(url: Schemas["UrlOut"], body: Blob): Promise<void> {
  const start = performance.now();
  const init = { method: url.method, headers: url.headers, body };
  const answer = await reach(url.url, init, PUT_MS).catch(async (fault: unknown) => {
    await lost();
    throw fault;
  });
  // An address takes its bytes once; 412 says that they are there.
  if (!answer.ok && answer.status !== 412) {
    await lost();
    throw new Refused(answer.status, "store.refused", `${answer.status}`);
  }
  await saw(body.size, performance.now() - start, "direct");
}

async function reach(url: string, init: RequestInit, patience: number): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patience);
  try {
    const answer = await fetch(url, { ...init, signal: late.signal });
    // An answer whose body is not read counts as broken off in some browsers.
    await answer.arrayBuffer();
    return answer;
  } catch (fault) {
    await failed();
    throw new Refused(0, "offline", String(fault));
  } finally {
    clearTimeout(timer);
  }
}

/** tus 1.0 over POST, which every proxy lets through. */
async function throughTheApp(capture: KeptCapture, goOn: GoOn): Promise<boolean> {
  const evidence = base64(utf8(capture.id));
  const length = String(capture.wire.size);
  const metadata = `evidence ${evidence}`;
  await tus("/api/v1/uploads", null, { "Upload-Length": length, "Upload-Metadata": metadata });
  const path = `/api/v1/uploads/${capture.id}`;
  let [offset, looks] = [await standing(path), 0];
  while (offset < capture.wire.size) {
    const step = await chunkNow();
    const body = await range(capture, offset, Math.min(capture.wire.size, offset + step));
    const bytes = new Uint8Array(await body.arrayBuffer());
    try {
      offset = await chunk(path, offset, bytes);
      looks = 0;
    } catch (fault) {
      // Told of another place: some of it came although its answer did not.
      if (!(fault instanceof Refused) || fault.status !== 409 || looks === LOOKS) {
        throw fault;
      }
      offset = await standing(path);
      looks += 1;
    }
    await store.captures.update(capture.id, { sent: offset });
    if (offset < capture.wire.size && !(await goOn())) {
      return false;
    }
  }
  return true;
}

/** Up to where the server has it. */
async function standing(path: string): Promise<number> {
  const head = await tus(path, null, { "X-HTTP-Method-Override": "HEAD" });
  return Number(head.headers.get("Upload-Offset"));
}

async function chunk(path: string, offset: number, bytes: Bytes): Promise<number> {
  const start = performance.now();
  const told = await tus(path, bytes, {
    "X-HTTP-Method-Override": "PATCH",
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(offset),
    "Upload-Checksum": `sha256 ${base64(await digest(bytes))}`,
  });
  await saw(bytes.length, performance.now() - start, "tus");
  return Number(told.headers.get("Upload-Offset"));
}

async function digest(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** One proved call of the weak lane; a token or a nonce that is over is replaced once. */
async function tus(
  path: string,
  body: Bytes | null,
  headers: Record<string, string>,
): Promise<Response> {
  for (const last of [false, true]) {
    const proof = await vouched(path, body ?? new Uint8Array());
    const sent = { ...headers, ...proof, "Tus-Resumable": "1.0.0" };
    const answer = await reach(path, { method: "POST", headers: sent, body }, CHUNK_MS);
    if (answer.ok) {
      return answer;
    }
    if (last || (answer.status !== 401 && answer.status !== 403)) {
      throw new Refused(answer.status, `tus.${answer.status}`, "");
    }
    await anchor();
  }
  throw new Refused(401, "tus.401", "");
}
