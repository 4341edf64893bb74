/**
 * From the shutter to "kept": bytes sealed and stored, read back and hashed, manifest signed, then
 * shown. What this module promises to have kept is on the disk.
 */

import { createSHA256 } from "hash-wasm";
import { unbase64url } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { timesNow } from "../wire/clock.ts";
import { newId } from "../wire/ids.ts";
import type { DeviceKey } from "../wire/keys.ts";
import { signManifest } from "../wire/manifest.ts";
import type { Location, Manifest, Media, Roll } from "../wire/manifest.ts";
import { CHUNK_BYTES, newBlobKey, openChunk, sealChunk, wrapKey } from "../wire/sealing.ts";
import { read, write } from "./cells.ts";
import { store } from "./db.ts";
import type { KeptCapture, Task } from "./db.ts";
import { alone } from "./locks.ts";
import { note } from "./journal.ts";
import { NotEnrolled, recordAll } from "./outbox.ts";
import type { Said } from "./outbox.ts";
import { sealHere, unwrapLocally, wrapLocally } from "./vault.ts";

/** What was captured, beside its bytes. */
export interface Shot {
  readonly item: string;
  readonly src: Media["src"];
  readonly mime: string;
  readonly width?: number;
  readonly height?: number;
  readonly durationMs?: number;
  readonly loc: Location;
  readonly code?: string;
  readonly roll?: Roll;
  readonly preview?: Bytes;
}

/** The store gave back other bytes than it was given: this capture is not kept. */
export class NotStored extends Error {}

/** The phone has no room left: this capture is not kept, all earlier ones are. */
export class NoRoom extends Error {}

interface Stored {
  readonly id: string;
  readonly media: { readonly sha256: string; readonly size: number };
  readonly wire: KeptCapture["wire"];
  readonly local: Bytes | undefined;
}

/** What a manifest says of the program; its digest stands in build.json. */
export interface Program {
  readonly ver: string;
  readonly build_sha256: string;
  readonly persisted: boolean;
}

/** An operation that names a capture and is kept with it, or neither is. */
export type Beside = (capture: string) => Said;

/** Keep one capture; the capture as shown is the one that was read back. */
export async function keep(
  key: DeviceKey,
  task: Task,
  bytes: Blob,
  shot: Shot,
  program: Program,
  beside?: Beside,
): Promise<KeptCapture> {
  const id = newId();
  return alone("shutter", async () => {
    try {
      return await sign(key, task, await put(id, bytes), shot, program, beside);
    } catch (fault) {
      // On a full disk taking away may fail, too; the sweep comes back to it.
      await store.chunks.where("id").equals(id).delete().catch(() => 0);
      throw isFull(fault) ? new NoRoom() : fault;
    }
  });
}

function isFull(fault: unknown): boolean {
  const { name, inner } = fault as { name?: string; inner?: { name?: string } };
  return [name, inner?.name].includes("QuotaExceededError");
}

/** Drop chunks of captures that a killed page never came to sign; nobody was told of them. */
export async function sweep(): Promise<number> {
  return alone("shutter", async () => {
    let dropped = 0;
    let last = "";
    for (;;) {
      const next = await store.chunks.where("[id+n]").above([last, Infinity]).first();
      if (next === undefined) {
        return dropped;
      }
      last = next.id;
      if ((await store.captures.get(last)) === undefined) {
        await store.chunks.where("id").equals(last).delete();
        dropped += 1;
      }
    }
  });
}

/** Seal and store, one chunk in memory at a time; then read back what lies on the disk. */
async function put(id: string, bytes: Blob): Promise<Stored> {
  const pinned = await read("pinned");
  if (pinned === null) {
    throw new NotEnrolled();
  }
  const [plain, wire, key] = [await createSHA256(), await createSHA256(), await newBlobKey()];
  plain.init();
  wire.init();
  let size = 0;
  const chunks = Math.max(1, Math.ceil(bytes.size / CHUNK_BYTES));
  for (let n = 0; n < chunks; n += 1) {
    const part = new Uint8Array(
      await bytes.slice(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES).arrayBuffer(),
    );
    plain.update(part);
    const text = await sealChunk(key, id, n, n === chunks - 1, part);
    wire.update(text);
    size += text.length;
    await store.chunks.put({ id, n, bytes: text });
  }
  const sha256 = wire.digest("hex");
  if ((await wireHash(id)) !== sha256) {
    throw new NotStored();
  }
  const wrapped = await wrapKey(key, id, unbase64url(pinned.transport));
  return {
    id,
    media: { sha256: plain.digest("hex"), size: bytes.size },
    wire: { sha256, size, wrapped },
    local: await wrapLocally(key),
  };
}

async function wireHash(id: string): Promise<string> {
  const hash = await createSHA256();
  hash.init();
  await store.chunks
    .where("id")
    .equals(id)
    .each((chunk) => {
      hash.update(chunk.bytes);
    });
  return hash.digest("hex");
}

/** Sign the manifest as the next of its chain, and keep it with its operation and counters. */
async function sign(
  key: DeviceKey,
  task: Task,
  stored: Stored,
  shot: Shot,
  program: Program,
  beside?: Beside,
): Promise<KeptCapture> {
  const [identity, counters, anchor] = [
    await read("identity"),
    await read("counters"),
    await read("anchor"),
  ];
  if (identity === null || counters === null || anchor === null) {
    throw new NotEnrolled();
  }
  const { session: _session, ...held } = anchor;
  const manifest: Manifest = {
    typ: "mingcha.capture/1",
    alg: "ES256",
    kid: key.kid,
    id: stored.id,
    dev: identity.device,
    inst_epoch: counters.epoch,
    seq: counters.shot + 1,
    prev: counters.prev,
    asg: task.assignment,
    asg_epoch: task.asg_epoch,
    visit: task.visit,
    org: task.institution.id,
    plan: task.sheet_digest,
    item: shot.item,
    media: mediaOf(stored, shot),
    t: timesNow(held),
    loc: shot.loc,
    chal: task.challenge,
    people: [identity.inspector],
    app: program,
    ...(shot.code === undefined ? {} : { code: shot.code }),
    ...(shot.roll === undefined ? {} : { roll: shot.roll }),
  };
  const signed = await signManifest(key, manifest);
  const preview = shot.preview === undefined ? undefined : await sealHere(shot.preview);
  const kept: KeptCapture = {
    id: stored.id,
    visit: task.visit,
    item: shot.item,
    seq: manifest.seq,
    at: manifest.t.wall,
    manifest,
    sig: signed.sig,
    wire: stored.wire,
    ...(stored.local === undefined ? {} : { local: stored.local }),
    ...(preview === undefined ? {} : { preview }),
    op: "",
    state: "kept",
    sent: 0,
    tries: 0,
    next: 0,
  };
  const transport = {
    enc: "a256gcm",
    sha256: stored.wire.sha256,
    size: stored.wire.size,
    wrapped_key: stored.wire.wrapped,
  };
  const body = { manifest, sig: signed.sig, transport };
  const said = [{ kind: "evidence.declare", body }, ...(beside ? [beside(kept.id)] : [])];
  await recordAll(key, task, said, async ([op]) => {
    await store.captures.add({ ...kept, op: op!.id });
    await note("kept", kept.item);
    const now = (await read("counters")) ?? counters;
    await write("counters", { ...now, shot: manifest.seq, prev: signed.digest });
  });
  return kept;
}

function mediaOf(stored: Stored, shot: Shot): Media {
  return {
    ...stored.media,
    mime: shot.mime,
    src: shot.src,
    ...(shot.width === undefined ? {} : { w: shot.width }),
    ...(shot.height === undefined ? {} : { h: shot.height }),
    ...(shot.durationMs === undefined ? {} : { dur_ms: shot.durationMs }),
  };
}

/** The plain bytes for looking at them here, or null where the PIN does not open them. */
export async function look(capture: KeptCapture): Promise<Blob | null> {
  const key = capture.local === undefined ? null : await unwrapLocally(capture.local);
  if (key === null) {
    return null;
  }
  const chunks = await store.chunks.where("id").equals(capture.id).sortBy("n");
  const parts: Bytes[] = [];
  for (const [n, chunk] of chunks.entries()) {
    parts.push(await openChunk(key, capture.id, n, n === chunks.length - 1, chunk.bytes));
  }
  return new Blob(parts, { type: capture.manifest.media.mime });
}

/** Sealed bytes from `from` to `to`, as a fresh body for sending. */
export async function range(capture: KeptCapture, from: number, to: number): Promise<Blob> {
  const text = CHUNK_BYTES + 16;
  const [first, last] = [Math.floor(from / text), Math.ceil(to / text) - 1];
  const chunks = await store.chunks
    .where("[id+n]")
    .between([capture.id, first], [capture.id, last], true, true)
    .toArray();
  const parts = chunks.map((chunk) => chunk.bytes);
  return new Blob(parts).slice(from - first * text, to - first * text);
}
