// Reads fragmented MP4: which boxes there are, whether samples are encrypted, and the IV that an init section names.

import { ascii } from "./wire.js";

const HEADER = 8;
// Boxes that hold boxes, on the way to what is read here.
const HOLDERS = new Set(["moof", "traf"]);
// The parts of a `trun` (ISO/IEC 14496-12, 8.8.8): flag → bytes in the box, or for each sample.
const TRUN = { offset: 0x1, first: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };
// Shorter samples have no block to encrypt.
const BLOCK = 16;

/** The boxes in these bytes, those within fragments too: `{type, start, content}`. */
export function boxesOf(bytes, from = 0) {
  const found = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    if (length < HEADER) break;
    const content = bytes.subarray(at + HEADER, at + length);
    const type = ascii(bytes, at + 4, at + HEADER);
    found.push({ type, start: from + at, content });
    if (HOLDERS.has(type)) found.push(...boxesOf(content, from + at + HEADER));
    at += length;
  }
  return found;
}

/** Whether these bytes are an init section. */
export const isInit = (bytes) => boxesOf(bytes).some(({ type }) => type === "moov");

/** The IV of all samples that an init section names in its `tenc` (ISO/IEC 23001-7, 8.2), or null. */
export function ivOf(init) {
  const at = ascii(init, 0, init.length).indexOf("tenc");
  if (at < 0) return null;
  const [size] = init.subarray(at + 28);
  return size ? init.subarray(at + 29, at + 29 + size) : null;
}

/** The samples of a segment's fragments, by the sizes in `trun`. */
function samplesOf(bytes) {
  const found = [];
  let moof = 0;
  for (const { type, start, content } of boxesOf(bytes)) {
    if (type === "moof") moof = start;
    if (type !== "trun") continue;
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    const flags = view.getUint32(0) & 0xffffff;
    if (!(flags & TRUN.offset && flags & TRUN.size)) continue;
    let [from, at] = [moof + view.getInt32(8), flags & TRUN.first ? 16 : 12];
    const each = 4 * [TRUN.duration, TRUN.size, TRUN.flags, TRUN.composition].filter((part) => flags & part).length;
    for (let count = view.getUint32(4); count > 0; count -= 1, at += each) {
      const size = view.getUint32(at + (flags & TRUN.duration ? 4 : 0));
      found.push(bytes.subarray(from, from + size));
      from += size;
    }
  }
  return found;
}

/** The number of samples whose encrypted ranges a segment lists (`senc`). */
export function listedSamples(bytes) {
  const counts = boxesOf(bytes).filter(({ type }) => type === "senc")
    .map(({ content }) => new DataView(content.buffer, content.byteOffset).getUint32(4));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Whether the samples of a segment are in clear. Video lists its encrypted ranges. Audio under `cbcs` lists none: but in
 * clear, each AAC frame begins with the same 3 bits, the type of its first element (ISO/IEC 14496-3, 4.4.2.1). */
export function hasClearSamples(bytes) {
  if (listedSamples(bytes)) return false;
  const starts = samplesOf(bytes).filter((sample) => sample.length >= BLOCK).map(([first]) => first >> 5);
  return new Set(starts).size <= 1;
}

/** The boxes of a segment in words, with how often each comes. */
export function boxesIn(bytes) {
  const counts = new Map();
  for (const { type } of boxesOf(bytes)) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => (count === 1 ? type : `${count} × ${type}`)).join(", ");
}
