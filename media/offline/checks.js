// The checks V1 to V9, step by step as checks.py has them.

const CHECKS = ["V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9"];
const SUMS = "SHA256SUMS";
const SUMS_SIG = "SHA256SUMS.sig";
const ROOTS = "tsa/roots.pem";
const CASE = "case.pdf";
const SUMS_MOST = 1 << 25;
const FIXED = [
  "README.zh.txt",
  "checkpoints/at-export.note",
  "checkpoints/at-seal.note",
  "checkpoints/consistency.json",
  "custody.csv",
  "derivatives/derivation.json",
  "environment.json",
  "extraction.json",
  "verify.html",
  "verify.py",
  "verify.sh",
];
const SPKI_BYTES = 44;
const TAGS = Object.fromEntries(
  ["CAPTURE", "RECEIPT", "TIME", "BUNDLE"].map((name) => [name, utf8(`MINGCHA-${name}-V1\n`)]),
);

const bulky = (name) => name.startsWith("originals/") || name.startsWith("derivatives/");

class Report {
  constructor() {
    this.faults = [];
    this.unchecked = {};
    this.items = [];
    this.keys = {};
    this.trusted = null;
    this.extraction = {};
    this.stamps = [];
    this.finished = false;
  }

  fault(check, code, subject = "") {
    this.faults.push({ check, code, subject });
  }

  state(check) {
    if (this.faults.some((fault) => fault.check === check)) return "failed";
    return this.finished ? (this.unchecked[check] ?? "ok") : "not-checked";
  }

  verdict() {
    const states = CHECKS.map((check) => this.state(check));
    if (states.includes("failed")) return "rejected";
    return states.includes("not-checked") ? "partial" : "verified";
  }
}

function wantedBy(said) {
  const wanted = [...FIXED, ...said.stamps, ...said.keys.map((kid) => `keys/${kid}.json`)];
  if ("case" in said) wanted.push(CASE);
  for (const number of said.entries) wanted.push(`log/${number}.json`, `proofs/${number}.json`);
  for (const item of said.items) {
    const base = `manifests/${item.id}`;
    wanted.push(`${base}.json`, `${base}.sig`);
    if (item.kind === "capture") wanted.push(`${base}.sig.der`);
    if ("file" in item) wanted.push(item.file);
  }
  return wanted;
}

class Examination {
  constructor(box, trust, tell) {
    Object.assign(this, { box, trust, tell, report: new Report() });
    this.sums = new Map();
    this.bad = new Set();
    this.publics = {};
    this.keys = new Map();
    this.entries = new Map();
    this.sealed = null;
  }

  async run() {
    try {
      await this.list();
      await this.contents();
      await this.believe();
      await this.log();
      const items = this.report.extraction.items;
      for (const [place, item] of items.entries()) {
        this.tell(place, items.length);
        await this.item(item);
      }
      await this.derivatives();
      await this.stamps();
      this.report.finished = true;
    } catch (fault) {
      if (fault instanceof Fault) this.note(fault);
      else if (!(fault instanceof Stop)) throw fault;
    }
    return this.report;
  }

  note(fault) {
    if (!(fault instanceof Fault)) throw fault;
    this.report.faults.push(fault);
  }

  async record(name, form) {
    return this.spelled(await this.box.text(name), form, name);
  }

  spelled(raw, form, name) {
    try {
      return record(raw, form);
    } catch (wrong) {
      if (wrong instanceof Unfit) throw new Fault("V3", "record.form", name);
      throw wrong;
    }
  }

  async list() {
    const { names } = this.box;
    const bad = names.find((name) => !legal(name));
    if (bad !== undefined) throw new Fault("V1", "name.illegal", plain(bad));
    if (new Set(names).size !== names.length) throw new Fault("V1", "name.twice");
    if (!names.includes(SUMS) || !names.includes(SUMS_SIG)) {
      throw new Fault("V1", "list.missing", SUMS);
    }
    const raw = await this.box.text(SUMS);
    if (raw.length > SUMS_MOST || raw.some((byte) => byte > 127)) {
      throw new Fault("V1", "sums.form");
    }
    const lines = new TextDecoder().decode(raw).split("\n").slice(0, -1);
    this.sums = new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
    const listed = [...this.sums.keys()].filter(legal).sort();
    const spelled = listed.map((name) => `${this.sums.get(name)}  ${name}\n`).join("");
    if (!same(utf8(spelled), raw)) throw new Fault("V1", "sums.form");
    this.agree([...listed, SUMS, SUMS_SIG], names);
    if (names.some((name, at) => name !== [...listed, SUMS, SUMS_SIG][at])) {
      throw new Fault("V1", "zip.order");
    }
  }

  agree(wanted, found) {
    const [asked, there] = [new Set(wanted), new Set(found)];
    const missing = [...asked].filter((name) => !there.has(name)).sort();
    const extra = [...there].filter((name) => !asked.has(name)).sort();
    for (const name of missing) this.report.fault("V1", "list.missing", name);
    for (const name of extra) this.report.fault("V1", "list.extra", name);
    if (missing.length + extra.length > 0) throw new Stop();
  }

  async contents() {
    for (const [name, said] of this.sums) {
      const { bytes, holds } = await this.box.bytes(name);
      if (hex(await digest(bytes)) !== said) {
        this.bad.add(name);
        this.report.fault("V2", "sum.differs", name);
      } else if (!holds) this.report.fault("V1", "zip.crc", name);
    }
    for (const name of [SUMS, SUMS_SIG]) {
      if (!(await this.box.bytes(name)).holds) this.report.fault("V1", "zip.crc", name);
    }
    if ([...this.bad].some((name) => !bulky(name))) throw new Stop();
  }

  async believe() {
    this.agree([...this.sums.keys(), ...FIXED], [...this.sums.keys()]);
    const said = (this.report.extraction = await this.record("extraction.json", "extraction"));
    const ids = new Set(said.items.map((item) => item.id));
    const tokens = said.stamps.every((name) => name.startsWith("tsa/"));
    if (ids.size !== said.items.length || !tokens) {
      throw new Fault("V3", "record.form", "extraction.json");
    }
    const derived = (await this.record("derivatives/derivation.json", "derivation")).files;
    this.agree([...wantedBy(said), ...derived.map((one) => one.file)], [...this.sums.keys()]);
    for (const kid of said.keys) {
      await this.key(kid, `keys/${kid}.json`).catch((fault) => this.note(fault));
    }
    for (const role of ["server", "log"]) {
      const key = this.keys.get(said[role]);
      if (key?.role !== role) throw new Fault("V4", "key.missing", role);
      this.report.keys[role] = key.print;
      this.publics[role] = key.public;
    }
    const message = join(TAGS.BUNDLE, await this.box.text(SUMS));
    if (!(await ed25519(this.publics.server, message, await this.box.text(SUMS_SIG)))) {
      throw new Fault("V2", "sums.signature", SUMS_SIG);
    }
    if (this.trust.size > 0) {
      this.report.trusted = Object.values(this.report.keys).every((one) => this.trust.has(one));
      if (!this.report.trusted) throw new Fault("V2", "key.untrusted");
    }
  }

  async key(kid, name) {
    const key = await this.record(name, "key");
    let spki;
    try {
      spki = base64url(key.spki);
    } catch {
      throw new Fault("V3", "record.form", name);
    }
    key.print = hex(await digest(spki));
    if (kid !== key.kid || kid !== key.print.slice(0, 16)) throw new Fault("V4", "key.id", name);
    key.public = spki.subarray(12);
    const device = key.role === "device";
    key.point = device ? await p256(spki) : null;
    const office = spki.length === SPKI_BYTES && same(spki.subarray(0, 12), SPKI_ED25519);
    const fit = device ? key.point !== null : office;
    if (!fit || key.alg !== (device ? "ES256" : "Ed25519")) {
      throw new Fault("V8", "key.algorithm", name);
    }
    this.keys.set(kid, key);
  }

  async log() {
    const { origin, entries } = this.report.extraction;
    const heads = [];
    for (const when of ["at-seal", "at-export"]) {
      const name = `checkpoints/${when}.note`;
      try {
        heads.push(await headOf(await this.box.text(name), origin, this.publics.log));
      } catch (wrong) {
        if (!(wrong instanceof Unfit)) throw wrong;
        this.report.fault("V7", `head.${wrong.message}`, name);
      }
    }
    if (heads.length !== 2) throw new Stop();
    const [sealed, newest] = heads;
    this.sealed = sealed;
    const name = "checkpoints/consistency.json";
    const grown = await this.record(name, "consistency");
    const proof = grown.proof.map(unhex);
    const sizes = grown.old === sealed.size && grown.new === newest.size;
    const grew =
      sizes && (await extendsTree(grown.old, grown.new, proof, sealed.root, newest.root));
    if (!grew) this.report.fault("V7", "head.inconsistent", name);
    for (const number of entries) await this.entry(number, newest);
    for (const [kid, key] of [...this.keys].sort(([one], [other]) => (one < other ? -1 : 1))) {
      if (key.role === "device") this.enrolment(key, `keys/${kid}.json`);
    }
    this.ordered();
  }

  async entry(number, newest) {
    const name = `log/${number}.json`;
    const raw = await this.box.text(name);
    let entry;
    let way;
    try {
      entry = this.spelled(raw, "entry", name);
      way = await this.record(`proofs/${number}.json`, "inclusion");
    } catch (fault) {
      this.note(fault);
      return;
    }
    const leaf = await leafHash(raw);
    const fits = way.index === number && way.size === newest.size && way.leaf === hex(leaf);
    const proof = way.proof.map(unhex);
    if (!fits || !(await includes(leaf, number, newest.size, proof, newest.root))) {
      this.report.fault("V6", "entry.not_included", name);
    } else this.entries.set(number, entry);
  }

  says(number, verb, about) {
    const entry = this.entries.get(number);
    return entry?.verb === verb && entry.object.id === about ? entry : null;
  }

  ordered() {
    const said = this.report.extraction;
    const entry = this.says(said.entry, "dossier.ordered", said.id);
    if (entry?.t !== said.ordered) this.report.fault("V6", "entry.other", "extraction.json");
    if ("case" in said) this.caseFile(said.case);
  }

  caseFile(said) {
    const entry = this.says(said.entry, "document.rendered", said.id);
    const known = entry?.object.title_snapshot === said.number;
    if (!known || entry.after_sha !== this.sums.get(CASE)) {
      this.report.fault("V6", "entry.other", CASE);
    }
  }

  enrolment(key, name) {
    const entry = this.says(key.enrolled_entry, "device.enrolled", key.dev ?? "");
    let known =
      entry !== null &&
      entry.t === key.enrolled &&
      entry.object.title_snapshot === key.kid &&
      ["", key.print].includes(entry.after_sha);
    if ("revoked" in key || "revoked_entry" in key || "since" in key) {
      const gone = this.says(key.revoked_entry, "device.revoked", key.dev ?? "");
      const since = "since" in key ? String(key.since) : "";
      known &&= gone !== null && gone.t === key.revoked && gone.object.title_snapshot === since;
    }
    if (!known) {
      this.report.fault("V5", "key.not_in_log", name);
      this.keys.delete(key.kid);
    }
  }

  async item(item) {
    const line = { id: item.id, state: "failed", key: "-", source: "-" };
    Object.assign(line, { flags: item.flags, withheld: !("file" in item) });
    this.report.items.push(line);
    const before = this.report.faults.length;
    await this.piece(item, line).catch((fault) => this.note(fault));
    if (this.report.faults.length === before && !this.bad.has(item.file)) line.state = "ok";
  }

  async piece(item, line) {
    const name = `manifests/${item.id}.json`;
    const raw = await this.box.text(name);
    const signature = await this.box.text(`${name.slice(0, -4)}sig`);
    const said = this.spelled(raw, item.kind, name);
    const own = !("file" in item) || item.file.startsWith(`originals/${item.id}.`);
    if (said.id !== item.id || !own) throw new Fault("V3", "record.form", name);
    const capture = item.kind === "capture";
    const key = capture ? await this.signed(said, raw, signature, name) : null;
    if (!capture) await this.taken(said, raw, signature, name);
    const media = capture ? said.media : said;
    line.source = capture ? media.src : "received";
    if ("file" in item && this.sums.get(item.file) !== media.sha256) {
      throw new Fault("V2", "original.differs", item.file);
    }
    const received = this.says(item.received, "evidence.received", item.id);
    const verified = this.says(item.verified, "evidence.verified", item.id);
    if ([received, verified].some((entry) => entry?.after_sha !== media.sha256)) {
      throw new Fault("V6", "entry.other", name);
    }
    if (item.verified >= this.sealed.size) throw new Fault("V7", "head.before_seal", name);
    line.until = received.t;
    if (!capture) return;
    [line.since, line.claimed] = await this.times(said);
    if ("anchored" in item) line.gap = item.anchored - line.claimed;
    this.standing(key, said, line, name);
  }

  async taken(said, raw, signature, name) {
    const ours = said.kid === this.report.extraction.server;
    const message = join(TAGS.RECEIPT, raw);
    if (!ours || !(await ed25519(this.publics.server, message, signature))) {
      throw new Fault("V4", "signature.wrong", name);
    }
  }

  async signed(said, raw, signature, name) {
    if (said.alg !== "ES256") throw new Fault("V8", "manifest.algorithm", name);
    const key = this.keys.get(said.kid);
    if (key?.role !== "device" || key.dev !== said.dev) {
      throw new Fault("V4", "key.missing", name);
    }
    if (!(await es256(key.point, join(TAGS.CAPTURE, raw), signature))) {
      throw new Fault("V4", "signature.wrong", name);
    }
    if (!same(await this.box.text(`${name.slice(0, -4)}sig.der`), der(signature))) {
      throw new Fault("V4", "signature.der", name);
    }
    return key;
  }

  async times(said) {
    const { anchor, mono, wall } = said.t;
    const passed = mono - anchor.mono;
    const cut = anchor.tok.indexOf(".");
    const body = cut < 0 ? anchor.tok : anchor.tok.slice(0, cut);
    let token;
    let holds;
    try {
      const raw = base64url(body);
      token = record(raw, "time");
      const stamp = base64url(cut < 0 ? "" : anchor.tok.slice(cut + 1));
      holds = await ed25519(this.publics.server, join(TAGS.TIME, raw), stamp);
    } catch (wrong) {
      if (!(wrong instanceof Unfit)) throw wrong;
      return [null, wall];
    }
    const known = holds && token.kid === this.report.extraction.server;
    if (!known || token.srv !== anchor.srv || passed < 0) return [null, wall];
    return [anchor.srv, anchor.srv + passed];
  }

  standing(key, said, line, name) {
    line.key = "ok";
    if (line.until < key.enrolled) throw new Fault("V5", "key.too_early", name);
    if (!("revoked" in key)) return;
    if (line.claimed >= (key.since ?? key.revoked) || line.until >= key.revoked) {
      line.key = `revoked@${key.revoked}`;
      line.state = "revoked";
      this.report.fault("V5", "key.revoked", `${said.id} ${key.revoked}`);
    } else line.key = `ok,revoked@${key.revoked}`;
  }

  async derivatives() {
    const parents = new Set(this.report.extraction.items.map((item) => item.id));
    for (const one of (await this.record("derivatives/derivation.json", "derivation")).files) {
      if (!one.file.startsWith("derivatives/") || !parents.has(one.parent)) {
        this.report.fault("V3", "record.form", one.file);
      } else if (this.sums.get(one.file) !== one.sha256 && !this.bad.has(one.file)) {
        this.report.fault("V2", "derivative.differs", one.file);
      }
    }
  }

  async stamps() {
    const names = this.report.extraction.stamps;
    const tokens = names.filter((name) => name.endsWith(".tsr"));
    const roots = names.includes(ROOTS) ? await this.box.text(ROOTS) : null;
    let holds = roots !== null;
    for (const name of tokens) {
      const note = `checkpoints/${name.slice(4, -4)}.note`;
      try {
        if (!FIXED.includes(note)) throw new Unfit("note");
        const wanted = await digest(await this.box.text(note));
        const { at, known } = await stampedAt(await this.box.text(name), wanted, roots);
        this.report.stamps.push([name, at]);
        holds &&= known;
      } catch (wrong) {
        if (!(wrong instanceof Unfit)) throw wrong;
        this.report.fault("V9", "stamp.other", name);
      }
    }
    if (tokens.length === 0) this.report.unchecked.V9 = "none";
    else this.report.unchecked.V9 = holds ? "ok" : "not-checked";
  }
}
