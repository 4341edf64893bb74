// Checks RFC 6962 proofs, signed heads and time stamps (proofs.py, trees.py, stamps.py).

const NOTE_MOST = 4096;
const SIGNERS_MOST = 16;
const HEAD = /^([!-*,-~]{1,200})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;
const SIGNED = /^— ([!-*,-~]{1,200}) ([A-Za-z0-9+/]{8,400}={0,2})$/;
const EPOCH = /^(?:\/epoch-[0-9]{8}T[0-9]{6}Z)?$/;

const leafHash = (body) => digest(join(Uint8Array.of(0), body));
const nodeHash = (left, right) => digest(join(Uint8Array.of(1), left, right));
const odd = (value) => value % 2 === 1;
const half = (value) => Math.floor(value / 2);

async function includes(leaf, index, size, proof, root) {
  if (!(index >= 0 && index < size)) return false;
  let [position, last, value] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (odd(position) || position === last) {
      value = await nodeHash(sibling, value);
      while (!odd(position) && position) [position, last] = [half(position), half(last)];
    } else {
      value = await nodeHash(value, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && same(value, root);
}

async function extendsTree(old, grown, proof, oldRoot, newRoot) {
  if (!(old > 0 && old <= grown)) return false;
  if (old === grown) return proof.length === 0 && same(oldRoot, newRoot);
  const full = Number.isInteger(Math.log2(old));
  const [first, ...path] = full ? [oldRoot, ...proof] : proof;
  if (!first) return false;
  let [position, last] = [old - 1, grown - 1];
  while (odd(position)) [position, last] = [half(position), half(last)];
  let [before, after] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (odd(position) || position === last) {
      before = await nodeHash(sibling, before);
      after = await nodeHash(sibling, after);
      while (!odd(position) && position) [position, last] = [half(position), half(last)];
    } else {
      after = await nodeHash(after, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && same(before, oldRoot) && same(after, newRoot);
}

/** Size and root of a note that the log itself signed; throws Unfit "form" or "signature". */
async function headOf(raw, origin, key) {
  let text = "";
  try {
    if (raw.length <= NOTE_MOST) {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    }
  } catch {
    throw new Unfit("form");
  }
  const cut = text.indexOf("\n\n");
  const [body, tail] = cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut + 2)];
  const said = HEAD.exec(`${body}\n`);
  const signers = tail.split("\n").slice(0, -1).map((line) => SIGNED.exec(line));
  const whole = tail.endsWith("\n") && signers.length > 0 && signers.length <= SIGNERS_MOST;
  if (!said || !whole || !said[1].startsWith(origin)) throw new Unfit("form");
  if (!EPOCH.test(said[1].slice(origin.length))) throw new Unfit("form");
  const [name, root] = [said[1], plainBase64(said[3])];
  const named = (await digest(join(utf8(`${name}\n\x01`), key))).subarray(0, 4);
  for (const signer of signers) {
    if (!signer) throw new Unfit("form");
    const stamp = plainBase64(signer[2]);
    if (signer[1] === name && same(stamp.subarray(0, 4), named)) {
      if (!(await ed25519(key, utf8(`${body}\n`), stamp.subarray(4)))) throw new Unfit("signature");
      return { size: Number(said[2]), root };
    }
  }
  throw new Unfit("signature");
}

function plainBase64(text) {
  try {
    return unbase64(text);
  } catch {
    throw new Unfit("form");
  }
}

function split(raw) {
  const found = [];
  let at = 0;
  while (at < raw.length) {
    const tag = raw[at];
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
    found.push([tag, raw.subarray(start, at)]);
  }
  return found;
}

function inner(raw, tag, place) {
  const values = split(raw);
  if (place >= values.length || values[place][0] !== tag) throw new Unfit("form");
  return values[place][1];
}

function stampedAt(reply, wanted) {
  const is = (value, text) => {
    if (hex(value) !== text) throw new Unfit("form");
  };
  const answer = inner(reply, 0x30, 0);
  is(inner(inner(answer, 0x30, 0), 2, 0), "00");
  const content = inner(answer, 0x30, 1);
  is(inner(content, 6, 0), "2a864886f70d010702");
  const signed = inner(inner(content, 0xa0, 1), 0x30, 0);
  const wrapped = inner(signed, 0x30, 2);
  is(inner(wrapped, 6, 0), "2a864886f70d0109100104");
  const info = inner(inner(inner(wrapped, 0xa0, 1), 4, 0), 0x30, 0);
  const imprint = inner(info, 0x30, 2);
  is(inner(inner(imprint, 0x30, 0), 6, 0), "608648016503040201");
  is(inner(imprint, 4, 1), hex(wanted));
  const text = String.fromCharCode(...inner(info, 0x18, 4));
  if (!/^[0-9]{14}(?:[.][0-9]+)?Z$/.test(text)) throw new Unfit("time");
  return text;
}
