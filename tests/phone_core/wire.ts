/** The phone's half of what is signed and sealed, asked about many cases: JSON in, JSON out. */

import { readFileSync } from "node:fs";
import { base64, base64url, hex, unhex, utf8 } from "../../backend/phone/src/wire/bytes.ts";
import type { Bytes } from "../../backend/phone/src/wire/bytes.ts";
import { NotCanonical, encode } from "../../backend/phone/src/wire/canon.ts";
import { uuid7 } from "../../backend/phone/src/wire/ids.ts";
import { generateKey } from "../../backend/phone/src/wire/keys.ts";
import { signManifest } from "../../backend/phone/src/wire/manifest.ts";
import type { Manifest } from "../../backend/phone/src/wire/manifest.ts";
import { buildOp, buildProof } from "../../backend/phone/src/wire/ops.ts";
import type { Body, Head } from "../../backend/phone/src/wire/ops.ts";
import { includes, readReceipt } from "../../backend/phone/src/wire/receipts.ts";
import {
  CHUNK_BYTES,
  newBlobKey,
  openChunk,
  sealChunk,
  sealedSize,
  wrapKey,
} from "../../backend/phone/src/wire/sealing.ts";

interface Case {
  readonly value: Body;
  readonly head: Head;
  readonly body: Body;
  readonly manifest: Manifest;
  readonly call: { method: string; path: string; body: string; nonce: string; jti: string };
  readonly blob: string;
  readonly plain: string;
  readonly server: string;
  readonly raw: string;
  readonly signature: string;
  readonly pinned: { readonly server: string; readonly log: string; readonly origin: string };
  readonly ms: number;
  readonly random: string;
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly string[];
  readonly root: string;
}

const key = await generateKey();
const spki = base64(key.spki);

function spelled(one: Case): unknown {
  try {
    return { hex: hex(encode(one.value)) };
  } catch (fault) {
    return { reason: fault instanceof NotCanonical ? fault.reason : String(fault) };
  }
}

async function proof(one: Case): Promise<unknown> {
  return { spki, header: await buildProof(key, { ...one.call, body: utf8(one.call.body) }) };
}

async function manifest(one: Case): Promise<unknown> {
  const signed = await signManifest(key, { ...one.manifest, kid: key.kid });
  return { spki, raw: hex(encode(signed.manifest)), sig: signed.sig, digest: signed.digest };
}

async function seal(one: Case): Promise<unknown> {
  const plain = unhex(one.plain);
  const blobKey = await newBlobKey();
  const chunks = Math.ceil(plain.length / CHUNK_BYTES);
  const texts: Bytes[] = [];
  for (let index = 0; index < chunks; index += 1) {
    const part = plain.slice(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    const last = index === chunks - 1;
    const text = await sealChunk(blobKey, one.blob, index, last, part);
    const again = await openChunk(blobKey, one.blob, index, last, text);
    texts.push(hex(again) === hex(part) ? text : new Uint8Array());
  }
  return {
    wrapped: await wrapKey(blobKey, one.blob, unhex(one.server)),
    wire: texts.map(hex).join(""),
    size: sealedSize(plain.length),
  };
}

function receipt(one: Case): Promise<unknown> {
  const { server, log, origin } = one.pinned;
  const pinned = { server: unhex(server), log: unhex(log), origin };
  return readReceipt(one.raw, one.signature, pinned);
}

const QUESTIONS: ReadonlyMap<string, (one: Case) => unknown> = new Map<
  string,
  (one: Case) => unknown
>([
  ["spelled", spelled],
  ["op", async (one) => ({ spki, raw: hex(await buildOp(key, one.head, one.body)) })],
  ["proof", proof],
  ["manifest", manifest],
  ["seal", seal],
  ["receipt", receipt],
  ["id", (one) => uuid7(one.ms, unhex(one.random))],
  ["base64url", (one) => base64url(unhex(one.plain))],
  [
    "includes",
    (one) =>
      includes(unhex(one.leaf), one.index, one.size, one.proof.map(unhex), unhex(one.root)),
  ],
]);

const asked = JSON.parse(readFileSync(0, "utf-8")) as { name: string; cases: Case[] };
const ask = QUESTIONS.get(asked.name);
if (ask === undefined) {
  throw new Error(`no question ${asked.name}`);
}
process.stdout.write(JSON.stringify(await Promise.all(asked.cases.map(ask))));
