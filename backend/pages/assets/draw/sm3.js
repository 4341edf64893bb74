/** SM3 (GB/T 32905-2016): first state and one step over a block of 64 bytes. */

export const START = new Int32Array([
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
]);

const words = new Int32Array(68);

function rotate(word, by) {
  return (word << by) | (word >>> (32 - by));
}

// The constant of a round, turned by the round's number; by 32 a shift would turn nothing.
const ROUND = Int32Array.from({ length: 64 }, (_, at) => {
  const constant = at < 16 ? 0x79cc4519 : 0x7a879d8a;
  return at % 32 === 0 ? constant : rotate(constant, at % 32);
});

function expand(block) {
  for (let at = 0; at < 16; at += 1) words[at] = block.getInt32(4 * at);
  for (let at = 16; at < 68; at += 1) {
    const mixed = words[at - 16] ^ words[at - 9] ^ rotate(words[at - 3], 15);
    const spread = mixed ^ rotate(mixed, 15) ^ rotate(mixed, 23);
    words[at] = spread ^ rotate(words[at - 13], 7) ^ words[at - 6];
  }
}

/** `state` (8 words, changed in place) after one more block (a DataView of 64 bytes). */
export function step(state, block) {
  expand(block);
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let at = 0; at < 64; at += 1) {
    const turned = rotate(a, 12);
    const ss1 = rotate((turned + e + ROUND[at]) | 0, 7);
    const ff = at < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = at < 16 ? e ^ f ^ g : (e & f) | (~e & g);
    const tt1 = (ff + d + (ss1 ^ turned) + (words[at] ^ words[at + 4])) | 0;
    const tt2 = (gg + h + ss1 + words[at]) | 0;
    d = c;
    c = rotate(b, 9);
    b = a;
    a = tt1;
    h = g;
    g = rotate(f, 19);
    f = e;
    e = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17);
  }
  state[0] ^= a;
  state[1] ^= b;
  state[2] ^= c;
  state[3] ^= d;
  state[4] ^= e;
  state[5] ^= f;
  state[6] ^= g;
  state[7] ^= h;
}
