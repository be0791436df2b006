// Parses wire formats: tokens, playlists, MPDs, refusals and the first bytes of segments. Independent of page and player.

/** Bytes as characters. */
export const ascii = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const TS_PACKET = 188;
// A session token is the first segment of a path, behind this marker (docs/tokens.md).
const TOKEN = /^\/~([^/]+)/;

/** Bytes in hex. */
export function hex(bytes, between = "") {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(between);
}

/** What hex says. */
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Bytes in base64url. */
export const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** What base64url says. */
export const unbase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));

/** Whether a segment starts as its format must: if it does not, it is encrypted. */
export function isClear(name, bytes) {
  switch (name.split(".").pop()) {
    // One byte of noise in 256 is this one too.
    case "ts": return [0, 1, 2].every((packet) => bytes[packet * TS_PACKET] === 0x47);
    // Packed audio begins with its time stamp (RFC 8216, 3.4).
    case "aac": return ascii(bytes, 0, 3) === "ID3";
    case "vtt": return ascii(bytes, 0, 6) === "WEBVTT";
    default: return /^(ftyp|styp|sidx|moof|moov)$/.test(ascii(bytes, 4, 8));
  }
}

/** What there is of a segment's format in its bytes, in words. */
export function formOf(name, bytes) {
  if (name.endsWith(".ts")) {
    const packets = Math.floor(bytes.length / TS_PACKET);
    let synced = 0;
    for (let packet = 0; packet < packets; packet += 1) synced += bytes[packet * TS_PACKET] === 0x47;
    return `${synced} of ${packets} packets begin with the sync byte 0x47 (1 in 256 by chance)`;
  }
  const box = ascii(bytes, 4, 8).replace(/[^ -~]/g, "·");
  return isClear(name, bytes) ? `starts with the MP4 box “${box}”` : `“${box}” instead of an MP4 box name`;
}

/** The fields of an access token: name → text. Only for showing: the edge alone can verify it. */
export function fieldsOf(token) {
  return Object.fromEntries(token.split("~").map((field) => {
    const at = field.indexOf("=");
    return [field.slice(0, at), field.slice(at + 1)];
  }));
}

/** The access token in a URL, or null. */
export const accessTokenOf = (url) => new URL(url, location.href).searchParams.get("hdnts");

/** The session token in a URL, or null. */
export const sessionTokenOf = (url) => TOKEN.exec(new URL(url, location.href).pathname)?.[1] ?? null;

/** A URL with this session token instead, or without one (null). */
export function withSessionToken(url, token) {
  const made = new URL(url, location.href);
  made.pathname = (token === null ? "" : `/~${token}`) + pathOf(url);
  return made.href;
}

/** A URL with this parameter instead, or without it (null), what else is in its query untouched. */
export function withParameter(url, name, value) {
  const made = new URL(url, location.href);
  const kept = made.search.slice(1).split("&").filter((pair) => pair && !pair.startsWith(`${name}=`));
  made.search = (value === null ? kept : [...kept, `${name}=${value}`]).join("&");
  return made.href;
}

/** The value of a parameter in a URL, as it stands there. */
export const parameterOf = (url, name) =>
  new URL(url).search.slice(1).split("&").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;

/** The path and file name of a URL, without the session token. */
export const pathOf = (url) => new URL(url, location.href).pathname.replace(TOKEN, "");

/** A URL's path and query with tokens and signatures cut short, for showing. */
export function shortly(url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname.replace(/^(\/~[^/]{12})[^/]{8,}/, "$1…") + search.replace(/(hmac=[0-9a-f]{6})[0-9a-f]+/g, "$1…")
    .replace(/(plk=[^&]{12})[^&]{8,}/g, "$1…");
}

/** The URIs in a master playlist, absolute: the media playlists of its variants. */
export function variantsOf(text, url) {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line, at) => line && !line.startsWith("#") && lines[at - 1]?.startsWith("#EXT-X-STREAM-INF"))
    .map((line) => new URL(line, new URL(url, location.href)).href);
}

/** What a media playlist says up to its first segment: that one's URL, the key's URL, line and IV, the init section. */
export function mediaOf(text, url) {
  const found = { url, segment: null, key: null, keyLine: null, iv: null, init: null };
  const uri = (line) => new URL(/URI="([^"]+)"/.exec(line)[1], url).href;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line.startsWith("#EXT-X-KEY:METHOD=AES-128")) {
      found.key = uri(line);
      found.keyLine = line.replace(/URI="[^"]+"/, `URI="${found.key}"`);
      found.iv = /IV=0x([0-9a-fA-F]+)/.exec(line)?.[1] ?? null;
    } else if (line.startsWith("#EXT-X-MAP:")) {
      found.init = uri(line);
    } else if (line && !line.startsWith("#")) {
      found.segment = new URL(line, url).href;
      break;
    }
  }
  return found;
}

/** What an MPD says of its first set, which is video: the URLs of a segment, its init section and the license, the key ID, and
 * the media type; beside them the MPD's own URL with the session of these URLs. Segments are those of SegmentTemplate. Null if
 * it is no such MPD. */
export function mpdMediaOf(text, url) {
  const mpd = new DOMParser().parseFromString(text, "application/xml");
  const set = mpd.querySelector("AdaptationSet");
  if (!set) return null;
  // The session token stands there if the MPD's own URL does not have it.
  const base = new URL(mpd.querySelector("MPD > BaseURL")?.textContent ?? url, url);
  const [template, representation] = ["SegmentTemplate", "Representation"].map((name) => set.querySelector(name));
  const named = (attribute) => new URL(template.getAttribute(attribute)
    .replaceAll("$RepresentationID$", representation.id)
    .replaceAll("$Number$", template.getAttribute("startNumber")), base).href;
  const protection = mpd.querySelector("ContentProtection[*|default_KID]");
  return {
    url: withSessionToken(withParameter(url, "hdnts", null), sessionTokenOf(base.href)),
    segment: named("media"), init: named("initialization"),
    key: mpd.getElementsByTagNameNS("*", "Laurl")[0]?.textContent ?? null,
    kid: protection?.getAttributeNS("urn:mpeg:cenc:2013", "default_KID") ?? null,
    contentType: `${set.getAttribute("mimeType")}; codecs="${representation.getAttribute("codecs")}"`,
  };
}

/** The keys in a ClearKey license, or none. */
export function keysOf(body) {
  try {
    return JSON.parse(new TextDecoder().decode(body)).keys.map(({ k }) => unbase64url(k));
  } catch {
    return [];
  }
}

/** What an answer says of a refusal: its problem document (RFC 9457), or null. */
export function problemOf(type, bytes) {
  if (!type.startsWith("application/problem+json")) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
