// Reads session tokens. Only for showing: the edge alone can verify them. The format is described in docs/tokens.md.

import { base64url, unbase64url } from "./wire.js";

const IPV4 = 16;
const IPV6 = 8;
const HEADER = 4;
const ACCESS_TOKEN = 2;
const PAYLOAD = 1;
const ID = 6;
const REST = 22;
const MAC = 16;

const startOf = (bytes) => new DataView(bytes.buffer).getUint32(2);

/** An address of 4 or 16 bytes, the last ones of which may be missing. */
function address(bytes, length) {
  const all = [...bytes, ...new Array(length - bytes.length).fill(0)];
  if (length === 4) return all.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => (all[2 * at] * 256 + all[2 * at + 1]).toString(16));
  return groups.join(":").replace(/(:0)+$/, "::");
}

/** The fields of a session token: id, network (null if it is bound to none), acl, and end in seconds since 1970. */
export function sessionFieldsOf(token) {
  const bytes = unbase64url(token);
  let at = REST;
  const take = (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = () => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const [byte] = take(1);
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  const end = startOf(bytes) + varint();
  let network = null;
  if (bytes[0] & (IPV4 | IPV6)) {
    const [bits] = take(1);
    network = `${address(take(Math.ceil(bits / 8)), bytes[0] & IPV4 ? 4 : 16)}/${bits}`;
  }
  if (bytes[0] & HEADER) take(8);
  if (bytes[0] & ACCESS_TOKEN) take(varint());
  if (bytes[0] & PAYLOAD) take(varint());
  const acl = new TextDecoder().decode(bytes.subarray(at, bytes.length - MAC));
  return { id: base64url(bytes.subarray(ID, REST)), network, acl, end };
}

/** The token with a start that is `seconds` later, and with it its end, under the old MAC. */
export function delayed(token, seconds) {
  const bytes = unbase64url(token);
  new DataView(bytes.buffer).setUint32(2, startOf(bytes) + seconds);
  return base64url(bytes);
}
