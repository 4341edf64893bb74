/**
 * Sealed transport: one blob that only this server can open.
 * Twin of media/sealing.py, where the format stands; shared vectors hold both.
 */

import { base64url, join, number, unhex, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { idBytes } from "./ids.ts";
import { keyId } from "./keys.ts";

export const CHUNK_BYTES = 1 << 20;
const TAG_BYTES = 16;
const DOMAIN = "MINGCHA-SEAL-V1\n";
const CURVE = { name: "ECDH", namedCurve: "P-256" } as const;

/** The bytes on the wire of a blob of `plain` bytes. */
export function sealedSize(plain: number): number {
  return plain + TAG_BYTES * Math.ceil(plain / CHUNK_BYTES);
}

/** A fresh key for one blob; it is used for nothing else. */
export async function newBlobKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
}

/** Seal chunk `index` of a blob; `last` is signed into it, so that a cut end shows. */
export async function sealChunk(
  key: CryptoKey,
  blob: string,
  index: number,
  last: boolean,
  plain: Bytes,
): Promise<Bytes> {
  const made = await crypto.subtle.encrypt(parameters(blob, index, last), key, plain);
  return new Uint8Array(made);
}

/** Open what `sealChunk` made; throws where it was altered or moved. */
export async function openChunk(
  key: CryptoKey,
  blob: string,
  index: number,
  last: boolean,
  text: Bytes,
): Promise<Bytes> {
  const plain = await crypto.subtle.decrypt(parameters(blob, index, last), key, text);
  return new Uint8Array(plain);
}

function parameters(blob: string, index: number, last: boolean): AesGcmParams {
  const additionalData = join(idBytes(blob), number(index, 4), number(last ? 1 : 0, 1));
  return { name: "AES-GCM", iv: number(index, 12), additionalData };
}

/** The blob's key for the server's eyes; `once` is a fresh ECDH pair in all but tests. */
export async function wrapKey(
  key: CryptoKey,
  blob: string,
  server: Bytes,
  once?: CryptoKeyPair,
): Promise<string> {
  const pair = once ?? (await crypto.subtle.generateKey(CURVE, true, ["deriveBits"]));
  const theirs = await crypto.subtle.importKey("spki", server, CURVE, true, []);
  const sender = await point(pair.publicKey);
  const shared = await crypto.subtle.deriveBits(
    { name: "ECDH", public: theirs },
    pair.privateKey,
    256,
  );
  const salt = join(sender, await point(theirs));
  const info = join(utf8(DOMAIN), idBytes(blob));
  const under = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info },
    await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]),
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  const plain = await crypto.subtle.exportKey("raw", key);
  const text = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: new Uint8Array(12) },
    under,
    plain,
  );
  const kid = unhex(await keyId(server));
  return base64url(join(number(1, 1), kid, sender, new Uint8Array(text)));
}

async function point(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", key));
}
