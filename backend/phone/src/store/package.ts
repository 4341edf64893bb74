/**
 * The emergency package: what could not be sent, as one file that the server takes later.
 * Twin of media/package.py, where the format stands; everything in it is sealed for the server.
 */

import { createSHA256 } from "hash-wasm";
import { join, number, sha256, unbase64url, unhex, utf8 } from "../wire/bytes.ts";
import type { Bytes } from "../wire/bytes.ts";
import { encode } from "../wire/canon.ts";
import type { Canonical } from "../wire/canon.ts";
import { newId } from "../wire/ids.ts";
import { newBlobKey, sealChunk, wrapKey } from "../wire/sealing.ts";
import { read } from "./cells.ts";
import { store } from "./db.ts";
import type { KeptCapture, KeptOp } from "./db.ts";
import { note } from "./journal.ts";
import { NotEnrolled, waiting } from "./outbox.ts";

const MAGIC = utf8("MINGCHA-PACKAGE-V1\n");
const MARK = utf8("MINGCHA-FRAME-V1\n");
const BATCH_BYTES = 900_000;
const BATCH_MOST = 100;

export interface Package {
  readonly file: File;
  readonly ops: number;
  readonly blobs: number;
}

/** Everything that the server does not have: words, and pieces with their bytes. */
export async function packUnsent(): Promise<Package> {
  return pack(await waiting(), await store.captures.where("state").equals("kept").sortBy("seq"));
}

/** One piece with its declaration. */
export async function packOne(capture: KeptCapture): Promise<Package> {
  const op = await store.ops.get(capture.op);
  return pack(op === undefined ? [] : [op], [capture]);
}

async function pack(ops: readonly KeptOp[], pieces: readonly KeptCapture[]): Promise<Package> {
  const [identity, counters, pinned] = [
    await read("identity"),
    await read("counters"),
    await read("pinned"),
  ];
  if (identity === null || counters === null || pinned === null) {
    throw new NotEnrolled();
  }
  const id = newId();
  const declared = await declarationsOf(ops, pieces);
  const batches = batched(declared);
  const head = { typ: "package", id, dev: identity.device, inst_epoch: counters.epoch };
  const told = { t: Date.now(), ops: declared.length, blobs: pieces.length };
  const parts: BlobPart[] = [MAGIC, await frame({ ...head, ...told })];
  for (const batch of batches) {
    parts.push(await words(batch, unbase64url(pinned.transport)));
  }
  for (const piece of pieces) {
    parts.push(...(await blob(piece)));
  }
  parts.push(await frame({ typ: "end", id, frames: batches.length + pieces.length + 2 }));
  await note("exported", String(declared.length + pieces.length));
  const name = `mingcha-${new Date().toISOString().slice(0, 10)}-${id.slice(-6)}.package`;
  const file = new File(parts, name, { type: "application/octet-stream" });
  return { file, ops: declared.length, blobs: pieces.length };
}

/** A piece without its declaration is nobody's: those that the server has go with it once more. */
async function declarationsOf(
  ops: readonly KeptOp[],
  pieces: readonly KeptCapture[],
): Promise<readonly KeptOp[]> {
  const known = new Set(ops.map((op) => op.id));
  const more = await store.ops.bulkGet(pieces.map((one) => one.op).filter((op) => !known.has(op)));
  return [...ops, ...more.filter((op) => op !== undefined)];
}

function batched(ops: readonly KeptOp[]): KeptOp[][] {
  const batches: KeptOp[][] = [];
  let size = Infinity;
  for (const op of ops) {
    size += op.bytes.length + 1;
    if (size > BATCH_BYTES || batches.at(-1)!.length === BATCH_MOST) {
      batches.push([]);
      size = op.bytes.length + 1;
    }
    batches.at(-1)!.push(op);
  }
  return batches;
}

/** A batch as it is sent, sealed under the frame's id. */
async function words(batch: readonly KeptOp[], server: Bytes): Promise<Bytes> {
  const commas = batch.flatMap((op, at) => (at === 0 ? [op.bytes] : [utf8(","), op.bytes]));
  const plain = join(utf8('{"ops":['), ...commas, utf8("]}"));
  const [id, key] = [newId(), await newBlobKey()];
  const text = await sealChunk(key, id, 0, true, plain);
  const head = {
    typ: "ops",
    id,
    enc: "a256gcm",
    plain: plain.length,
    sha256: await sha256(text),
    size: text.length,
    wrapped_key: await wrapKey(key, id, server),
  };
  return join(await frame(head), text);
}

/** A piece's bytes as they lie here, one chunk in memory at a time. */
async function blob(piece: KeptCapture): Promise<BlobPart[]> {
  const parts: Blob[] = [];
  const hash = await createSHA256();
  hash.init();
  for (let n = 0; ; n += 1) {
    const chunk = await store.chunks.get([piece.id, n]);
    if (chunk === undefined) {
      break;
    }
    hash.update(chunk.bytes);
    parts.push(new Blob([chunk.bytes]));
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const head = { typ: "blob", id: piece.id, sha256: hash.digest("hex"), size };
  return [await frame(head), ...parts];
}

async function frame(head: { readonly [key: string]: Canonical }): Promise<Bytes> {
  const raw = encode(head);
  const check = unhex((await sha256(raw)).slice(0, 16));
  return join(MARK, number(raw.length, 4), check, raw);
}
