// A key's fingerprint: the first bytes of its SHA-256 (FIPS 180-4), for input of one block. The browser's own SHA-256
// is not available on pages served over plain HTTP from another machine, as for the demo on a phone.

import { hex } from "./wire.js";

const SHOWN = 8;
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n += 1) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) >>> 0;
const K = PRIMES.map((p) => fraction(Math.cbrt(p)));
const START = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
const turn = (x, n) => (x >>> n) | (x << (32 - n));

/** The SHA-256 of at most 55 bytes. */
function sha256(bytes) {
  const block = new DataView(new ArrayBuffer(64));
  for (const [at, byte] of bytes.entries()) block.setUint8(at, byte);
  block.setUint8(bytes.length, 0x80);
  block.setUint32(60, bytes.length * 8);
  const w = Array.from({ length: 16 }, (_, t) => block.getUint32(4 * t));
  for (let t = 16; t < 64; t += 1) {
    const low = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ (w[t - 15] >>> 3);
    const high = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ (w[t - 2] >>> 10);
    w.push((w[t - 16] + low + w[t - 7] + high) >>> 0);
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let t = 0; t < 64; t += 1) {
    const first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
    const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
  }
  const out = new DataView(new ArrayBuffer(32));
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) out.setUint32(4 * at, (START[at] + word) >>> 0);
  return new Uint8Array(out.buffer);
}

/** A key's fingerprint, in hex. */
export const fingerprint = (key) => hex(sha256(key).subarray(0, SHOWN), ":");
