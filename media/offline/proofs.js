// Checks RFC 6962 proofs and signed heads (proofs.py, trees.py).

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
