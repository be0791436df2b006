// The session card: the fields of the session token, the key's fingerprint, and the remaining lifetime of the tokens.

import { fingerprint } from "./fingerprint.js";
import { ivOf } from "./mp4.js";
import { sessionFieldsOf } from "./session-token.js";
import { accessTokenOf, fieldsOf, hex, keysOf, mpdMediaOf, sessionTokenOf } from "./wire.js";

const $ = (id) => document.getElementById(id);
const NOTHING = "–";
const FIELDS = ["session-id", "session-network", "session-scope", "session-end", "token-end", "key-print", "key-iv"];

let shown = null;

/** Sets a badge's text and kind: "good", "bad" or none. */
export function badge(element, words, kind = "") {
  element.textContent = words;
  element.className = `badge ${kind}`;
}

/** A new session is about to be opened by `url`, with its access token; `now` is the site's time, in s. */
export function begin(url, now) {
  const before = shown?.print ?? null;
  for (const id of FIELDS) $(id).textContent = NOTHING;
  $("key-note").textContent = "";
  badge($("session-state"), "opening");
  shown = { behind: now - Date.now() / 1000, access: Number(fieldsOf(accessTokenOf(url)).exp), before };
  tick();
}

/** Takes from a request of the player's what it tells of the session. */
export function observe({ allowed, kind, url, body }) {
  if (!allowed || !shown) return;
  const token = sessionTokenOf(kind === "mpd" ? mpdMediaOf(new TextDecoder().decode(body), url)?.url ?? url : url);
  if (token && (kind === "media" || kind === "mpd")) {
    const fields = sessionFieldsOf(token);
    $("session-id").textContent = fields.id;
    $("session-network").textContent = fields.network ?? "any network";
    $("session-scope").textContent = fields.acl.split("!").join("  ");
    shown.end = fields.end;
    badge($("session-state"), "open", "good");
    tick();
  }
  if (kind === "samples-init" && ivOf(body)) observeIv(hex(ivOf(body)));
  const [key] = kind === "license" ? keysOf(body) : [body];
  if (["key", "license"].includes(kind) && key?.length === 16) {
    shown.print = fingerprint(key);
    $("key-print").textContent = shown.print;
    const other = shown.before && shown.before !== shown.print;
    $("key-note").textContent = other ? `previous session: ${shown.before}` : "first 8 bytes of its SHA-256";
  }
}

/** The player was refused. */
export function refused() {
  badge($("session-state"), "refused", "bad");
}

/** The IV that a media playlist or an init section names, in hex. */
export function observeIv(iv) {
  $("key-iv").textContent = iv ?? "media sequence number";
}

function left(seconds) {
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Counts down; to be called every second. */
export function tick() {
  if (!shown) return;
  const now = Date.now() / 1000 + shown.behind;
  const access = shown.access - now;
  $("token-end").textContent = access > 0 ? `${left(access)} left` : "expired; the session continues";
  if (!shown.end) return;
  const session = shown.end - now;
  const end = new Date((shown.end - shown.behind) * 1000);
  const until = end.toLocaleString("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit" });
  $("session-end").textContent = session > 0 ? `in ${left(session)}, ${until}` : "expired";
  if (session <= 0) badge($("session-state"), "expired", "bad");
}
