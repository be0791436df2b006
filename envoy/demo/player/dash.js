// Plays MPDs: a session with Shaka Player, which is loaded when it is first needed, recording every request; or a single
// segment with the browser's own decoder, with or without its key. The players know nothing of playlock.

import { isInit } from "./mp4.js";
import { ask, record } from "./requests.js";
import { base64url, mpdMediaOf, pathOf, unhex } from "./wire.js";

const SCRIPT = "shaka/shaka-player.dash-es2021.js";
const KEY_SYSTEM = "org.w3.clearkey";
// Codes of shaka.util.Error.
const BAD_STATUS = 1001;
const ABORTED = 7001;
const TRIAL_SECONDS = 20;
const AHEAD_SECONDS = 8;

let loading = null;

/** Shaka Player. */
function loaded() {
  loading ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: SCRIPT });
    script.addEventListener("load", () => resolve(window.shaka));
    script.addEventListener("error", () => reject(new Error(`${SCRIPT} is not there`)));
    document.head.append(script);
  });
  return loading;
}

/** Why this browser plays no protected MPD, or null. */
const obstacle = () => (window.isSecureContext && navigator.requestMediaKeySystemAccess ? null
  : "DASH needs Encrypted Media Extensions, which browsers have only for pages of https and of this machine.");

/** Makes Shaka tell of every request, before it gets the response. */
function recordRequests(shaka, tell) {
  const { NetworkingEngine, HttpFetchPlugin } = shaka.net;
  const { MANIFEST, LICENSE } = NetworkingEngine.RequestType;
  const kindOf = (type, url, body) => {
    if (type === MANIFEST) return "mpd";
    if (type === LICENSE) return "license";
    if (pathOf(url).endsWith(".vtt")) return "text";
    return isInit(body) ? "samples-init" : "samples";
  };
  const plugin = (asked, request, type, ...others) => {
    const at = performance.now();
    const done = (url, status, headers, data) => {
      const body = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data ?? 0);
      tell(record("player", { kind: kindOf(type, url, body), url, at, status, type: headers?.["content-type"] ?? "", body }));
    };
    const operation = HttpFetchPlugin.parse(asked, request, type, ...others);
    operation.promise.then(
      ({ uri, status, headers, data }) => done(uri, status ?? 200, headers, data),
      ({ code, data }) => {
        if (code === BAD_STATUS) done(data[0], data[1], data[3], data[2]);
        else if (code !== ABORTED) done(asked, 0);
      },
    );
    return operation;
  };
  for (const scheme of ["http", "https"]) {
    NetworkingEngine.registerScheme(scheme, plugin, NetworkingEngine.PluginPriority.APPLICATION, true);
  }
}

/** Plays an MPD; as `play` in player.js. */
export function playMpd(video, url, { tell, found, trouble }) {
  let player = null;
  let stopped = false;
  const told = (made) => {
    if (stopped) return;
    const media = made.allowed && made.kind === "mpd" && mpdMediaOf(new TextDecoder().decode(made.body), made.url);
    if (media) found(media);
    tell(made);
  };
  const start = async () => {
    if (obstacle()) throw new Error(obstacle());
    const shaka = await loaded();
    if (stopped) return;
    recordRequests(shaka, told);
    player = new shaka.Player();
    const failed = ({ code }) => trouble(Object.keys(shaka.util.Error.Code).find((name) => shaka.util.Error.Code[name] === code));
    player.addEventListener("error", ({ detail }) => failed(detail));
    // A short buffer, so that one can watch the segments come, again and again.
    player.configure({ streaming: { bufferingGoal: AHEAD_SECONDS, bufferBehind: AHEAD_SECONDS / 2 } });
    await player.attach(video);
    await player.load(url).catch((error) => {
      if (!stopped) failed(error);
    });
    await video.play();
  };
  start().catch((error) => stopped || trouble(error.message));
  return async () => {
    stopped = true;
    await player?.destroy();
  };
}

/** Gets the license for a video's media. */
async function unlock(video, { key, kid, contentType, tell }) {
  const videoCapabilities = [{ contentType, encryptionScheme: "cbcs" }];
  const access = await navigator.requestMediaKeySystemAccess(KEY_SYSTEM, [{ initDataTypes: ["keyids"], videoCapabilities }]);
  const keys = await access.createMediaKeys();
  await video.setMediaKeys(keys);
  const session = keys.createSession();
  session.addEventListener("message", async () => session.update((await ask("license", key, tell)).body));
  const kids = [base64url(unhex(kid.replaceAll("-", "")))];
  await session.generateRequest("keyids", new TextEncoder().encode(JSON.stringify({ kids })));
}

/** Gives a segment to a player of its own, which asks for the license if `withKey`. `{video, width, height}` with the first
 * picture in `video`, or `{error}`. */
export async function tryToPlaySamples(bytes, { media, tell }, withKey) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const source = new MediaSource();
  const event = (target, name) => new Promise((resolve) => {
    target.addEventListener(name, resolve, { once: true });
  });
  const open = event(source, "sourceopen");
  video.src = URL.createObjectURL(source);
  let limit;
  const outcome = new Promise((resolve) => {
    limit = setTimeout(() => resolve({ error: `no picture within ${TRIAL_SECONDS} seconds` }), TRIAL_SECONDS * 1000);
    video.addEventListener("loadeddata", () => resolve({ video, width: video.videoWidth, height: video.videoHeight }));
    video.addEventListener("error", () => resolve({ error: video.error.message }));
    // Fired as long as the key is not there yet, too.
    if (!withKey) video.addEventListener("waitingforkey", () => resolve({ error: "waitingforkey: no key for these samples" }));
  });
  try {
    if (withKey) await unlock(video, { ...media, tell });
    await open;
    const buffer = source.addSourceBuffer(media.contentType);
    const init = await ask("samples-init", media.init, tell);
    for (const part of [init.body, bytes]) {
      const appended = event(buffer, "updateend");
      buffer.appendBuffer(part);
      await appended;
    }
    return await outcome;
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  } finally {
    clearTimeout(limit);
  }
}
