// Reads a bundle's one ZIP: written anew from what was read it must be the same bytes (boxes.py).

const WIDE = 0xffffffff;
const MANY = 0xffff;
const EXTRA_BYTES = 12;
const NAME_MOST = 120;
const FILES_MOST = 200000;
const STAMP = 0x0021;
const KEPT_MOST = 512 << 20; // a bundle up to this size is read once and held in memory
const CRCS = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    crc = CRCS[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian numbers: widths in bytes, values in order. */
function packed(widths, values) {
  const out = new Uint8Array(widths.reduce((sum, width) => sum + width, 0));
  let at = 0;
  widths.forEach((width, place) => {
    let left = BigInt(values[place]);
    for (let byte = 0; byte < width; byte += 1, left >>= 8n) out[at + byte] = Number(left & 255n);
    at += width;
  });
  return out;
}

const ascii = (bytes) => {
  if (bytes.some((byte) => byte > 127)) throw new Fault("V1", "zip.form");
  return String.fromCharCode(...bytes);
};

function localHeader(entry) {
  const name = utf8(entry.name);
  const fields = [10, 0, 0, 0, STAMP, entry.crc, entry.size, entry.size, name.length, 0];
  return join(utf8("PK\x03\x04"), packed([2, 2, 2, 2, 2, 4, 4, 4, 2, 2], fields), name);
}

function directory(entries, start) {
  const parts = entries.map((entry) => {
    const name = utf8(entry.name);
    const wide = entry.offset >= WIDE;
    const extra = wide ? packed([2, 2, 8], [1, 8, entry.offset]) : new Uint8Array();
    const need = wide ? 45 : 10;
    const head = [need, need, 0, 0, 0, STAMP, entry.crc, entry.size, entry.size];
    const tail = [name.length, extra.length, 0, 0, 0, 0, wide ? WIDE : entry.offset];
    const fields = packed([2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4], [...head, ...tail]);
    return join(utf8("PK\x01\x02"), fields, name, extra);
  });
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  if (start >= WIDE || count >= MANY) {
    const fields = [44, 45, 45, 0, 0, count, count, size, start];
    parts.push(utf8("PK\x06\x06"), packed([8, 2, 2, 4, 4, 8, 8, 8, 8], fields));
    parts.push(utf8("PK\x06\x07"), packed([4, 8, 4], [0, start + size, 1]));
  }
  const few = Math.min(count, MANY);
  const fields = [0, 0, few, few, size, Math.min(start, WIDE), 0];
  parts.push(utf8("PK\x05\x06"), packed([2, 2, 2, 2, 4, 4, 2], fields));
  return join(...parts);
}

function number(bytes, at, width) {
  let value = 0n;
  for (let byte = width - 1; byte >= 0; byte -= 1) value = (value << 8n) | BigInt(bytes[at + byte]);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Fault("V1", "zip.form");
  return Number(value);
}

class Zip {
  static async open(file) {
    const zip = new Zip();
    zip.file = file;
    zip.size = file.size;
    zip.kept = file.size <= KEPT_MOST ? new Uint8Array(await file.arrayBuffer()) : null;
    await zip.read();
    return zip;
  }

  async at(offset, length) {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new Fault("V1", "zip.form");
    if (this.kept) return this.kept.subarray(offset, offset + length);
    return new Uint8Array(await this.file.slice(offset, offset + length).arrayBuffer());
  }

  async read() {
    const end = await this.at(this.size - 22, 22);
    if (!same(end.subarray(0, 4), utf8("PK\x05\x06"))) throw new Fault("V1", "zip.end");
    let [count, size, start] = [number(end, 10, 2), number(end, 12, 4), number(end, 16, 4)];
    if (start === WIDE || count === MANY) {
      const wide = await this.at(this.size - 98, 56);
      [count, size, start] = [32, 40, 48].map((at) => number(wide, at, 8));
    }
    if (count > FILES_MOST || start + size > this.size) throw new Fault("V1", "zip.form");
    const raw = await this.at(start, this.size - start);
    const entries = Zip.listed(raw, count);
    let place = 0;
    for (const entry of entries) {
      const header = localHeader(entry);
      if (entry.offset !== place || !same(await this.at(place, header.length), header)) {
        throw new Fault("V1", "zip.header", plain(entry.name));
      }
      entry.start = place + header.length;
      place = entry.start + entry.size;
    }
    if (place !== start || !same(directory(entries, start), raw)) {
      throw new Fault("V1", "zip.directory");
    }
    this.names = entries.map((entry) => entry.name);
    this.entries = new Map(entries.map((entry) => [entry.name, entry]));
  }

  static listed(raw, count) {
    const found = [];
    let at = 0;
    for (let done = 0; done < count; done += 1) {
      if (!same(raw.subarray(at, at + 4), utf8("PK\x01\x02"))) {
        throw new Fault("V1", "zip.directory");
      }
      if (at + 46 > raw.length) throw new Fault("V1", "zip.form");
      const [crc, size] = [number(raw, at + 16, 4), number(raw, at + 20, 4)];
      const [length, extra] = [number(raw, at + 28, 2), number(raw, at + 30, 2)];
      let offset = number(raw, at + 42, 4);
      const name = ascii(raw.subarray(at + 46, at + 46 + length));
      if (offset === WIDE && extra === EXTRA_BYTES) {
        if (at + 58 + length > raw.length) throw new Fault("V1", "zip.form");
        offset = number(raw, at + 50 + length, 8);
      }
      found.push({ name, size, crc, offset });
      at += 46 + length + extra;
    }
    return found;
  }

  /** A file's bytes; whether the container's own sum of them is right. */
  async bytes(name) {
    const entry = this.entries.get(name);
    const bytes = await this.at(entry.start, entry.size);
    return { bytes, holds: crc32(bytes) === entry.crc };
  }

  async text(name) {
    return (await this.bytes(name)).bytes;
  }
}

const plain = (name) => name.replace(/[^!-~]/gu, "?");

const legal = (name) => name.length <= NAME_MOST && COMPILED.name.test(name);
