// Verifies RFC 3161 time stamps as far as the browser's cryptography goes (stamps.py).

const HOPS_MOST = 4;
const TAGS_OF = { integer: 2, bits: 3, octets: 4, oid: 6, time: 0x18, sequence: 0x30, set: 0x31 };
const CONTENT = 0xa0;
const SHORT_TIME = 0x17;
const EXTENSIONS = 0xa3;
const STAMP_INFO = "2a864886f70d0109100104";
const FOR_STAMPS = "06082b06010505070308";
const RSA = "2a864886f70d010101";
const HASHES = {
  "608648016503040201": "SHA-256",
  "608648016503040202": "SHA-384",
  "608648016503040203": "SHA-512",
};
const RSA_WITH = {
  "2a864886f70d01010b": "SHA-256",
  "2a864886f70d01010c": "SHA-384",
  "2a864886f70d01010d": "SHA-512",
};

/** An algorithm that is not verified here; nothing is wrong. */
class Unread extends Error {}

function split(raw) {
  const found = [];
  let at = 0;
  while (at < raw.length) {
    const first = at;
    let length = at + 1 < raw.length ? raw[at + 1] : 128;
    let start = at + 2;
    if (length >= 128) {
      const count = length - 128;
      if (!(count > 0 && count <= 4) || start + count > raw.length) throw new Unfit("length");
      length = raw.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
      start += count;
    }
    at = start + length;
    if (at > raw.length) throw new Unfit("cut");
    found.push({ tag: raw[first], content: raw.subarray(start, at), whole: raw.subarray(first, at) });
  }
  return found;
}

function valueAt(values, place, tag) {
  if (place >= values.length || values[place].tag !== tag) throw new Unfit("form");
  return values[place];
}

const inner = (raw, tag, place) => valueAt(split(raw), place, tag).content;

function must(holds, why) {
  if (!holds) throw new Unfit(why);
}

function instantOf(value) {
  must(value !== undefined && value.content.every((byte) => byte < 128), "time");
  let text = String.fromCharCode(...value.content);
  if (value.tag === SHORT_TIME) text = (text.slice(0, 2) < "50" ? "20" : "19") + text;
  must(/^[0-9]{14}(?:[.][0-9]+)?Z$/.test(text), "time");
  return text;
}

function certificateOf(raw) {
  const { sequence, integer, oid, bits } = TAGS_OF;
  const outer = split(inner(raw, sequence, 0));
  const body = valueAt(outer, 0, sequence);
  let parts = split(body.content);
  if (parts.length > 0 && parts[0].tag === CONTENT) parts = parts.slice(1);
  const [start, end] = split(valueAt(parts, 3, sequence).content);
  return {
    serial: hex(valueAt(parts, 0, integer).content),
    issuer: hex(valueAt(parts, 2, sequence).whole),
    subject: hex(valueAt(parts, 4, sequence).whole),
    start: instantOf(start),
    end: instantOf(end),
    spki: valueAt(parts, 5, sequence).whole,
    extensions: parts.slice(6).filter((one) => one.tag === EXTENSIONS).map((one) => hex(one.content)),
    body: body.whole,
    algorithm: hex(inner(valueAt(outer, 1, sequence).content, oid, 0)),
    signature: valueAt(outer, 2, bits).content.subarray(1),
    whole: hex(raw),
  };
}

const ecdsa = "2a8648ce3d040302";

async function signedBy(spki, algorithm, hash, message, signature) {
  const point = await p256(spki);
  if (point !== null && algorithm === ecdsa) {
    const numbers = split(inner(signature, TAGS_OF.sequence, 0));
    const halves = [0, 1].map((place) => {
      const digits = hex(valueAt(numbers, place, TAGS_OF.integer).content).replace(/^0+/, "");
      return digits.padStart(64, "0");
    });
    return halves.every((half) => half.length === 64) && es256(point, message, unhex(halves.join("")));
  }
  const kind = split(inner(spki, TAGS_OF.sequence, 0));
  const name = RSA_WITH[algorithm] ?? (algorithm === RSA ? hash : "");
  const rsa = hex(inner(valueAt(kind, 0, TAGS_OF.sequence).content, TAGS_OF.oid, 0)) === RSA;
  if (!rsa || !name) throw new Unread();
  const how = { name: "RSASSA-PKCS1-v1_5", hash: name };
  let key;
  try {
    key = await crypto.subtle.importKey("spki", spki, how, false, ["verify"]);
  } catch {
    throw new Unread();
  }
  return crypto.subtle.verify(how, key, signature, message);
}

async function trusted(first, others, roots) {
  let one = first;
  for (let hop = 0; hop < HOPS_MOST; hop += 1) {
    const issues = (issuer) => issuer.subject === one.issuer;
    const issuer = roots.find(issues) ?? others.find(issues);
    if (!issuer) return false;
    if (!(await signedBy(issuer.spki, one.algorithm, "", one.body, one.signature))) return false;
    if (roots.some((root) => root.whole === issuer.whole)) return true;
    one = issuer;
  }
  return false;
}

function textsOf(pem, kind) {
  const text = Array.from(pem, (byte) => String.fromCharCode(byte)).join("");
  const found = text.matchAll(
    new RegExp(`-----BEGIN ${kind}-----([A-Za-z0-9+/=\\s]*)-----END`, "g"),
  );
  return [...found].map((one) => unbase64(one[1].replace(/\s/g, "")));
}

async function notRevoked(one, issuers, pem, at) {
  const { sequence, integer, oid, bits } = TAGS_OF;
  for (const raw of textsOf(pem, "X509 CRL")) {
    const outer = split(inner(raw, sequence, 0));
    const body = valueAt(outer, 0, sequence);
    let parts = split(body.content);
    if (parts.length > 0 && parts[0].tag === integer) parts = parts.slice(1);
    if (hex(valueAt(parts, 1, sequence).whole) !== one.issuer) continue;
    const issuer = issuers.find((known) => known.subject === one.issuer);
    const algorithm = hex(inner(valueAt(outer, 1, sequence).content, oid, 0));
    const signature = valueAt(outer, 2, bits).content.subarray(1);
    const holds = issuer && (await signedBy(issuer.spki, algorithm, "", body.whole, signature));
    must(holds, "revocations");
    const listed = parts.slice(3).filter((part) => part.tag === sequence);
    for (const entry of listed.flatMap((part) => split(part.content))) {
      const [serial, since] = split(entry.content);
      must(serial !== undefined && since !== undefined, "form");
      const gone = hex(serial.content) === one.serial;
      must(!gone || instantOf(since).slice(0, 14) > at.slice(0, 14), "revoked");
    }
  }
}

/** When a granted reply says that these bytes existed, and whether its signer holds. */
async function stampedAt(reply, wanted, pem) {
  const { sequence, integer, oid, octets, time } = TAGS_OF;
  const answer = inner(reply, sequence, 0);
  must(hex(inner(inner(answer, sequence, 0), integer, 0)) === "00", "refused");
  const content = inner(answer, sequence, 1);
  must(hex(inner(content, oid, 0)) === "2a864886f70d010702", "form");
  const signed = split(inner(inner(content, CONTENT, 1), sequence, 0));
  const wrapped = valueAt(signed, 2, sequence).content;
  must(hex(inner(wrapped, oid, 0)) === STAMP_INFO, "form");
  const stamp = inner(inner(wrapped, CONTENT, 1), octets, 0);
  const info = split(inner(stamp, sequence, 0));
  const imprint = valueAt(info, 2, sequence).content;
  must(hex(inner(inner(imprint, sequence, 0), oid, 0)) === "608648016503040201", "algorithm");
  must(same(inner(imprint, octets, 1), wanted), "imprint");
  const at = instantOf(valueAt(info, 4, time));
  if (pem === null) return { at, known: false };
  try {
    await checkSigner(signed, stamp, at, pem);
    return { at, known: true };
  } catch (wrong) {
    if (wrong instanceof Unread) return { at, known: false };
    throw wrong;
  }
}

async function checkSigner(signed, stamp, at, pem) {
  const { sequence, integer, oid, octets, set } = TAGS_OF;
  const roots = textsOf(pem, "CERTIFICATE").map(certificateOf);
  const given = split(valueAt(signed, 3, CONTENT).content).filter((one) => one.tag === sequence);
  const certificates = given.map((one) => certificateOf(one.whole));
  const signer = split(inner(valueAt(signed, signed.length - 1, set).content, sequence, 0));
  const name = split(valueAt(signer, 1, sequence).content);
  const issuer = hex(valueAt(name, 0, sequence).whole);
  const serial = hex(valueAt(name, 1, integer).content);
  const chosen = [...certificates, ...roots].find(
    (one) => one.issuer === issuer && one.serial === serial,
  );
  const hash = HASHES[hex(inner(valueAt(signer, 2, sequence).content, oid, 0))];
  if (!hash) throw new Unread();
  const attributes = valueAt(signer, 3, CONTENT);
  const said = new Map(
    split(attributes.content).map((one) => [hex(inner(one.content, oid, 0)), inner(one.content, set, 1)]),
  );
  const none = new Uint8Array();
  const stated = inner(said.get("2a864886f70d010904") ?? none, octets, 0);
  must(same(stated, await digest(stamp, hash)) && chosen, "digest");
  must(hex(inner(said.get("2a864886f70d010903") ?? none, oid, 0)) === STAMP_INFO, "form");
  const message = join(Uint8Array.of(set), attributes.whole.subarray(1));
  const algorithm = hex(inner(valueAt(signer, 4, sequence).content, oid, 0));
  const signature = valueAt(signer, 5, octets).content;
  must(await signedBy(chosen.spki, algorithm, hash, message, signature), "signature");
  const day = at.slice(0, 14);
  must(chosen.start.slice(0, 14) <= day && day <= chosen.end.slice(0, 14), "validity");
  must(chosen.extensions.join("").includes(FOR_STAMPS), "purpose");
  const known = roots.some((root) => root.whole === chosen.whole);
  must(known || (await trusted(chosen, certificates, roots)), "untrusted");
  await notRevoked(chosen, [...roots, ...certificates], pem, at);
}
