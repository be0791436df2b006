// Owns reading what is on the wire: session tokens and the first bytes of segments. No page, no player.

const ascii = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** The first four bytes in hex. */
export const firstBytes = (bytes) => hex(bytes.subarray(0, 4), " ");

/** Bytes in hex. */
export function hex(bytes, between = "") {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(between);
}

/** Whether a segment starts as its format must: if it does not, it is encrypted. */
export function isClear(name, bytes) {
  switch (name.split(".").pop()) {
    case "ts": return bytes[0] === 0x47;
    case "aac": return ascii(bytes, 0, 3) === "ID3" || (bytes[0] === 0xff && (bytes[1] & 0xf6) === 0xf0);
    case "vtt": return ascii(bytes, 0, 6) === "WEBVTT";
    default: return /^(ftyp|styp|sidx|moof|moov)$/.test(ascii(bytes, 4, 8));
  }
}

/** The fields of the session token in a URL, or null. Only for showing: the edge alone can verify it. */
export function sessionOf(url) {
  const token = new URL(url, location.href).searchParams.get("hdntl");
  if (!token) return null;
  const fields = Object.fromEntries(token.split("~").map((field) => {
    const at = field.indexOf("=");
    return [field.slice(0, at), field.slice(at + 1)];
  }));
  return { id: fields.id ?? "", end: new Date(Number(fields.exp) * 1000), scope: (fields.acl ?? "").split("!").join("  ") };
}

/** A URL without the viewer's tokens. */
export function withoutToken(url) {
  const bare = new URL(url, location.href);
  for (const name of ["hdnts", "hdntl"]) bare.searchParams.delete(name);
  return bare;
}

/** The path and file name of a URL, for showing. */
export const pathOf = (url) => new URL(url, location.href).pathname;
