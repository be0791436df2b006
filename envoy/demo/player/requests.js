// Requests of this page, by hls.js (through a recording loader), by Shaka Player, by the page itself, or by the site from
// another address. Each record takes the verdict from the response alone.

import { hasClearSamples, ivOf } from "./mp4.js";
import { isClear, keysOf, pathOf, problemOf, sessionTokenOf, unhex, variantsOf } from "./wire.js";

const text = (body) => new TextDecoder().decode(body);

/** What an answer that was allowed holds, in a few words. */
function holding(kind, url, body) {
  switch (kind) {
    case "master": return variantsOf(text(body), url).some(sessionTokenOf) ? "opens a session" : "opens no session";
    case "media": return text(body).includes("METHOD=AES-128") ? "key tag added" : "no key tag";
    case "mpd": return text(body).includes("<ContentProtection") ? "content protection added" : "no content protection";
    case "key": return `${body.length} bytes`;
    case "license": return `${keysOf(body).length} key`;
    // Players read text and boxes themselves. The samples are what is encrypted.
    case "text": return "clear, as intended";
    case "samples-init": return ivOf(body) ? "names the key and the IV" : "names no key";
    case "samples": return hasClearSamples(body) ? "CLEAR" : "samples encrypted";
    // An init section holds no picture and no sound, and must be clear for some players.
    case "init": return isClear(pathOf(url), body) ? "clear, as intended" : "encrypted";
    default: return isClear(pathOf(url), body) ? "CLEAR" : "encrypted";
  }
}

/** A request that has been answered. `at`: when it began, in ms of performance.now(); `status` 0: there was no answer. */
export function record(who, { kind, url, at, status, type, body, from = null }) {
  const allowed = status >= 200 && status < 300;
  const problem = problemOf(type, body);
  const verdict = allowed ? "allowed" : problem ? `refused: ${problem.type}` : status ? `HTTP ${status}` : "no response";
  const note = allowed ? holding(kind, url, body) : problem?.title ?? "";
  return {
    who, kind, url, at, ms: performance.now() - at, status, type, body, from, allowed, problem, verdict, note,
    alarm: allowed && note === "CLEAR",
  };
}

function kindOf({ keyInfo, frag, type }) {
  if (keyInfo) return "key";
  if (frag) return frag.sn === "initSegment" ? "init" : "segment";
  return type === "manifest" ? "master" : "media";
}

/** hls.js's loader, and `tell` is told of everything that it loads for `who`, before hls.js is. */
export function recording(Loader, tell, who = "player") {
  return class extends Loader {
    load(context, config, callbacks) {
      const [kind, at] = [kindOf(context), performance.now()];
      const done = (status, xhr, data) => {
        const body = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data ?? 0);
        const type = xhr?.getResponseHeader?.("content-type") ?? "";
        tell(record(who, { kind, url: context.url, at, status, type, body }), context);
      };
      super.load(context, config, {
        ...callbacks,
        onSuccess: (response, stats, ctx, xhr) => {
          done(response.code, xhr, response.data);
          callbacks.onSuccess(response, stats, ctx, xhr);
        },
        onError: (error, ctx, xhr, stats) => {
          done(error.code, xhr, xhr?.response);
          callbacks.onError(error, ctx, xhr, stats);
        },
        onTimeout: (stats, ctx, xhr) => {
          done(0, null, null);
          callbacks.onTimeout(stats, ctx, xhr);
        },
      });
    }
  };
}

/** Asks the edge for a URL, past every cache, as the page itself (`who`: "you", or "player" in the place of one). Licenses are
 * asked for with a POST (W3C Encrypted Media Extensions, 9.1.3), in which playlock reads nothing. */
export async function ask(kind, url, tell, who = "you") {
  const at = performance.now();
  let made;
  try {
    const post = kind === "license" ? { method: "POST", body: JSON.stringify({ kids: [], type: "temporary" }) } : {};
    const response = await fetch(url, { cache: "no-store", ...post });
    const body = new Uint8Array(await response.arrayBuffer());
    const type = response.headers.get("content-type") ?? "";
    made = record(who, { kind, url: response.url, at, status: response.status, type, body });
  } catch {
    made = record(who, { kind, url, at, status: 0, type: "", body: new Uint8Array() });
  }
  tell(made);
  return made;
}

/** Has the site ask the edge for a URL, from another address; the body is the beginning of what came. */
export async function askElsewhere(kind, url, tell) {
  const at = performance.now();
  const { pathname, search } = new URL(url, location.href);
  const response = await fetch(`elsewhere?target=${encodeURIComponent(pathname + search)}`, { cache: "no-store" });
  const { from, status, type, body, title } = await response.json();
  if (!response.ok) throw new Error(title);
  const made = record("you", { kind, url, at, status, type, body: unhex(body), from });
  tell(made);
  return made;
}
