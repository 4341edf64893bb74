/**
 * The device's key and the tags under its signatures.
 * Twin of media/keys.py (Tag, key_id, verify_server).
 */

import { base64url, hex, join, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";

/** First bytes under every signature, so that one purpose cannot serve another. */
export const TAG = {
  capture: utf8("MINGCHA-CAPTURE-V1\n"),
  op: utf8("MINGCHA-OP-V1\n"),
  request: utf8("MINGCHA-REQ-V1\n"),
  receipt: utf8("MINGCHA-RECEIPT-V1\n"),
} as const;

const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const ES256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** A P-256 pair whose private half cannot leave the browser; `spki` is the public half in DER. */
export interface DeviceKey {
  readonly pair: CryptoKeyPair;
  readonly spki: Bytes;
  readonly kid: string;
}

export async function generateKey(): Promise<DeviceKey> {
  return keyOf(await crypto.subtle.generateKey(P256, false, ["sign", "verify"]));
}

export async function keyOf(pair: CryptoKeyPair): Promise<DeviceKey> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  return { pair, spki, kid: await keyId(spki) };
}

/** First 16 hex digits of SHA-256 over the SubjectPublicKeyInfo DER. */
export async function keyId(spki: Bytes): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki))).slice(0, 16);
}

/** ES256 over tag and message, r then s, in base64url. */
export async function sign(key: DeviceKey, tag: Bytes, message: Bytes): Promise<string> {
  const made = await crypto.subtle.sign(ES256, key.pair.privateKey, join(tag, message));
  return base64url(new Uint8Array(made));
}

/** Whether the server's Ed25519 key signed these bytes; older browsers compute it in script. */
export async function signedByServer(
  spoken: Bytes,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", spoken, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch (fault) {
    if (!(fault instanceof DOMException) || fault.name !== "NotSupportedError") {
      return false;
    }
    const { verifyAsync } = await import("@noble/ed25519");
    return verifyAsync(signature, message, spoken).catch(() => false);
  }
}
