// Plays a session of HLS: with hls.js, recording every request, or with the browser's own player if it has no Media Source
// Extensions. Also plays a single segment with or without its key. The players know nothing of playlock. (DASH: dash.js.)

import { ask, recording } from "./requests.js";
import { mediaOf, pathOf, sessionTokenOf, variantsOf, withParameter, withSessionToken } from "./wire.js";

const { Hls } = window;
const PLAYLIST = "application/vnd.apple.mpegurl";
const TRIAL_SECONDS = 20;

/** Plays what `url`, with its access token, leads to. `tell` is told of every request, `found` of the first media playlist
 * of pictures (as `mediaOf` reads it), `trouble` of what ends it. Returns what stops it. */
export function play(video, url, { tell, found, trouble }) {
  if (Hls?.isSupported()) return playByHls(video, url, { tell, found, trouble });
  if (video.canPlayType(PLAYLIST)) return playByBrowser(video, url, { tell, found, trouble });
  trouble("This browser supports neither HLS nor Media Source Extensions, which hls.js needs.");
  return () => {};
}

const begin = (video) => video.play().catch(() => { /* the viewer may press play */ });

function playByHls(video, url, { tell, found, trouble }) {
  const told = (made, context) => {
    if (made.allowed && context.type === "level") found(mediaOf(new TextDecoder().decode(made.body), made.url));
    tell(made);
  };
  // A short buffer, so that one can watch the segments come, again and again.
  const hls = new Hls({
    maxBufferLength: 8, maxMaxBufferLength: 8, backBufferLength: 4, loader: recording(Hls.DefaultConfig.loader, told),
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => begin(video));
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (data.details === "internalException") console.error(data.event, data.error);
    if (data.fatal) trouble(`${data.details}${data.response ? `: ${data.response.code}` : ""}`);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return () => hls.destroy();
}

/** A browser's own player tells a page nothing of its requests: the page opens the session in its place, reads what the
 * player will read, and hands the session over. */
function playByBrowser(video, url, { tell, found, trouble }) {
  let stopped = false;
  const read = async (kind, from) => {
    const made = await ask(kind, from, tell, "player");
    if (!made.allowed) throw new Error(`${pathOf(from)}: ${made.verdict}`);
    return new TextDecoder().decode(made.body);
  };
  (async () => {
    const [variant] = variantsOf(await read("master", url), url);
    const media = mediaOf(await read("media", variant), variant);
    await ask("key", media.key, tell, "player");
    if (stopped) return;
    found(media);
    video.src = withSessionToken(withParameter(url, "hdnts", null), sessionTokenOf(variant));
    video.addEventListener("error", () => video.error && !stopped && trouble(video.error.message), { once: true });
    begin(video);
  })().catch((error) => trouble(error.message));
  return () => {
    stopped = true;
    video.removeAttribute("src");
    video.load();
  };
}

/** Whether `tryToPlay` can. */
export const canTry = () => Boolean(Hls?.isSupported());

/** Gives these bytes of a segment to a player of their own, which gets no key unless `keyLine` (of a playlist) names one;
 * `tell` is told of what that asks the edge for. Says what became of it: `{width, height}` with the first picture drawn on
 * `canvas`, or `{error}` in the player's words. */
export function tryToPlay(bytes, { init, keyLine, tell }, canvas) {
  const made = [];
  const blob = (part, type) => {
    made.push(URL.createObjectURL(new Blob([part], { type })));
    return made.at(-1);
  };
  const playlist = [
    "#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:10", "#EXT-X-PLAYLIST-TYPE:VOD",
    ...(init ? [`#EXT-X-MAP:URI="${init}"`] : []), ...(keyLine ? [keyLine] : []),
    "#EXTINF:4,", blob(bytes, ""), "#EXT-X-ENDLIST", "",
  ].join("\n");
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const asked = (one) => one.url.startsWith("blob:") || tell(one);
  const hls = new Hls({ enableWorker: false, loader: recording(Hls.DefaultConfig.loader, asked, "you") });
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve({ error: `no picture within ${TRIAL_SECONDS} seconds` }), TRIAL_SECONDS * 1000);
    video.addEventListener("loadeddata", () => {
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      clearTimeout(limit);
      resolve({ width: video.videoWidth, height: video.videoHeight });
    });
    hls.on(Hls.Events.ERROR, (_, { details, error }) => {
      clearTimeout(limit);
      resolve({ error: `${details}: ${error?.message ?? "no reason given"}` });
    });
    hls.loadSource(blob(playlist, PLAYLIST));
    hls.attachMedia(video);
  }).finally(() => {
    hls.destroy();
    for (const url of made) URL.revokeObjectURL(url);
  });
}
