/**
 * Bytes on their way: straight to the store where the line carries it, in small chunks through the
 * app where it does not. Both end in one object, so a capture may change lanes half-way.
 */

import type { components } from "../wire/api";
import { base64, hex, utf8 } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { Refused } from "../wire/call.ts";
import { range } from "../store/captures.ts";
import { read, write } from "../store/cells.ts";
import { store } from "../store/db.ts";
import type { KeptCapture } from "../store/db.ts";
import { post, vouched } from "./link.ts";

type Schemas = components["schemas"];

export const PART_BYTES = 5 << 20;
export const CHUNK_BYTES = 256 << 10;
/** A unit that would take longer than this on the last seen line goes in small chunks (s). */
const PATIENCE_S = 10;
const PARTS_A_CALL = 20;
const FAILURES = 2;
/** A line that has not been seen yet counts as this fast (bytes a second). */
const UNSEEN = 250_000;
const PUT_MS = 120_000;

export type Lane = "direct" | "tus";

/** The lane for the next unit of this size, by what the line just did. */
export async function laneFor(size: number): Promise<Lane> {
  const link = (await read("link")) ?? { bytesPerSecond: UNSEEN, failures: 0 };
  const slow = Math.min(size, PART_BYTES) > PATIENCE_S * link.bytesPerSecond;
  return slow || link.failures >= FAILURES ? "tus" : "direct";
}

async function saw(bytes: number, ms: number): Promise<void> {
  const before = (await read("link"))?.bytesPerSecond ?? UNSEEN;
  const now = (1000 * bytes) / Math.max(1, ms);
  await write("link", { bytesPerSecond: Math.round((before + now) / 2), failures: 0 });
}

async function failed(): Promise<void> {
  const link = (await read("link")) ?? { bytesPerSecond: UNSEEN, failures: 0 };
  await write("link", { ...link, failures: link.failures + 1 });
}

/** Send what the server lacks of one capture; it is "sent" when the server has all of it. */
export async function send(capture: KeptCapture): Promise<void> {
  const lane = await laneFor(capture.wire.size);
  if (lane === "direct") {
    await direct(capture);
  } else {
    await throughTheApp(capture);
  }
}

async function direct(capture: KeptCapture): Promise<void> {
  const small = capture.wire.size <= PART_BYTES;
  const parts = small ? [] : await partsOf(capture);
  for (let at = 0; at < Math.max(1, parts.length); at += PARTS_A_CALL) {
    const asked = { parts: parts.slice(at, at + PARTS_A_CALL) };
    const path = `/api/v1/evidence/${capture.id}/urls`;
    const where = await post<Schemas["UploadOut"]>(path, asked);
    for (const url of where.urls) {
      const from = (url.n - 1) * PART_BYTES;
      const to = Math.min(capture.wire.size, small ? capture.wire.size : from + PART_BYTES);
      await putAway(url, await range(capture, from, to));
      await store.captures.update(capture.id, { sent: to });
    }
  }
  await post(`/api/v1/evidence/${capture.id}/complete`, {});
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
  const answer = await reach(url.url, { method: url.method, headers: url.headers, body });
  // An address takes its bytes once; 412 says that they are there.
  if (!answer.ok && answer.status !== 412) {
    await failed();
    throw new Refused(answer.status, "store.refused", `${answer.status}`);
  }
  await saw(body.size, performance.now() - start);
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PUT_MS);
  try {
    const answer = await fetch(url, { ...init, signal: late.signal });
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
async function throughTheApp(capture: KeptCapture): Promise<void> {
  const evidence = base64(utf8(capture.id));
  const opened = await tus("/api/v1/uploads", null, {
    "Upload-Length": String(capture.wire.size),
    "Upload-Metadata": `evidence ${evidence}`,
  });
  let offset = Number(opened.headers.get("Upload-Offset") ?? 0);
  const path = `/api/v1/uploads/${capture.id}`;
  const head = await tus(path, null, { "X-HTTP-Method-Override": "HEAD" });
  offset = Number(head.headers.get("Upload-Offset") ?? offset);
  while (offset < capture.wire.size) {
    const body = await range(capture, offset, Math.min(capture.wire.size, offset + CHUNK_BYTES));
    const bytes = new Uint8Array(await body.arrayBuffer());
    const start = performance.now();
    const told = await tus(path, bytes, {
      "X-HTTP-Method-Override": "PATCH",
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(offset),
      "Upload-Checksum": `sha256 ${base64(await digest(bytes))}`,
    });
    offset = Number(told.headers.get("Upload-Offset"));
    await saw(bytes.length, performance.now() - start);
    await store.captures.update(capture.id, { sent: offset });
  }
}

async function digest(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

async function tus(
  path: string,
  body: Bytes | null,
  headers: Record<string, string>,
): Promise<Response> {
  const proof = await vouched(path, body ?? new Uint8Array());
  const sent = { ...headers, ...proof, "Tus-Resumable": "1.0.0" };
  const answer = await reach(path, { method: "POST", headers: sent, body });
  if (!answer.ok) {
    throw new Refused(answer.status, `tus.${answer.status}`, `${answer.status}`);
  }
  return answer;
}
