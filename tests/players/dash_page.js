// Runs in a page: Shaka or dash.js plays an MPD to its end, or a live one for some seconds. dash.mjs calls what is at `window`.

const video = document.querySelector("video");
const report = { errors: [], ended: false, cues: [] };
let handle;

const PLAYERS = {
  async Shaka({ url, license }) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.addEventListener("error", ({ detail }) => failed(`Shaka ${told(detail)}`));
    await player.attach(video);
    // A stall is to be seen, not to be skipped.
    player.configure({ streaming: { bufferingGoal: 60, stallEnabled: false } });
    if (license) player.configure({ drm: { servers: { "org.w3.clearkey": license } } });
    await player.load(url).catch((error) => failed(`Shaka's load ${told(error)}`));
    const [track] = player.getTextTracks();
    if (track) player.selectTextTrack(track);
    return { live: () => player.isLive(), begin: player.seekRange().start };
  },

  async "dash.js"({ url, license }) {
    const player = dashjs.MediaPlayer().create();
    const events = dashjs.MediaPlayer.events;
    for (const event of [events.ERROR, events.PLAYBACK_ERROR]) {
      player.on(event, ({ error }) => failed(`dash.js ${event} ${error?.code} ${error?.message ?? error}`));
    }
    const begun = new Promise((resolve) => player.on(events.STREAM_INITIALIZED, resolve));
    player.initialize(null, null, false);
    player.updateSettings({
      debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
      streaming: { buffer: { bufferTimeDefault: 60, bufferTimeAtTopQuality: 60 }, text: { defaultEnabled: true } },
    });
    if (license) {
      player.setProtectionData({ "org.w3.clearkey": { serverURL: license } });
      player.on(events.MANIFEST_LOADED, ({ data }) => without_common_pssh(data));
    }
    // What loads low-latency segments sends no cookies otherwise, to the page's own site neither.
    player.setXHRWithCredentialsForType("MediaSegment", true);
    player.attachView(video);
    player.attachTTMLRenderingDiv(document.querySelector("div"));
    player.attachSource(url);
    // Whoever calls play() before stops its reloads of the MPD.
    await Promise.race([begun, failure]);
    return { live: () => player.isDynamic() };
  },
};

/** dash.js 5.2 hands the common pssh of an MPD to the browser as if it were a list of key ids. From default_KID alone it makes
 * one. */
function without_common_pssh(manifest) {
  const all = (one) => [one ?? []].flat();
  for (const set of all(manifest.Period).flatMap((period) => all(period.AdaptationSet))) {
    for (const protection of all(set.ContentProtection).filter(({ schemeIdUri }) => /1077efec/.test(schemeIdUri))) {
      protection.schemeIdUri = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e";
      delete protection.pssh;
    }
  }
}

const told = ({ code, data, severity }) => `error ${code} (severity ${severity}) ${JSON.stringify(data)}`.slice(0, 500);

let fail;
const failure = new Promise((resolve) => (fail = resolve));
function failed(what) {
  report.errors.push(what);
  fail();
}
video.addEventListener("error", () => failed(`video: ${video.error.code} ${video.error.message}`));

/** The text of dash.js's cues from TTML, which are trees. */
const words = ({ text = "", contents = [] }) => text + contents.map(words).join("");

const moment = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Plays all of it, at `rate`; of a live stream, `advance` seconds. Nobody waits longer than `seconds`. */
window.play = async ({ player, url, license, rate, seconds, advance }) => {
  const over = moment(seconds).then(() => report.errors.push(`not over after ${seconds} s`));
  const cues = new Set();
  const collect = () => {
    for (const track of Array.from(video.textTracks)) {
      if (track.mode === "disabled") track.mode = "hidden";
      for (const cue of Array.from(track.cues ?? [])) cues.add(cue.text || words(cue.isd ?? {}));
    }
  };
  const played = async () => {
    handle = await PLAYERS[player]({ url, license });
    report.live = handle.live();
    if (report.errors.length) return;
    await video.play();
    let first = null;
    for (;;) {
      await moment(0.03);
      if (video.playbackRate !== rate && !report.live && video.readyState >= 3) video.playbackRate = rate;
      if (first === null && video.readyState >= 3 && !video.seeking) report.first = first = video.currentTime;
      collect();
      // A browser can stop a hair before the end at a high rate.
      const end = report.live ? first + advance : video.duration - 0.05;
      if (first !== null && (video.ended || video.currentTime >= end)) break;
    }
    report.ended = true;
  };
  await Promise.race([played().catch((error) => failed(String(error))), failure, over]);
  const ranges = ({ length }, of) => [...Array(length).keys()].map((i) => [of.start(i), of.end(i)]);
  video.pause();
  return {
    ...report, errors: window.complaints(), cues: [...cues].sort(), currentTime: video.currentTime, duration: Number(video.duration),
    played: ranges(video.played, video.played), buffered: ranges(video.buffered, video.buffered),
    frames: video.getVideoPlaybackQuality().totalVideoFrames, audio: video.webkitAudioDecodedByteCount ?? null,
  };
};

/** Shows the picture at a time. What went wrong, or null. */
window.show = async (time) => {
  // Subtitles come and go by themselves.
  for (const track of Array.from(video.textTracks)) track.mode = "hidden";
  document.querySelector("div").style.visibility = "hidden";
  let there = false;
  // On a busy machine a browser may say nothing of a picture: it is sought again.
  for (let tries = 0; tries < 3 && !there; tries += 1) {
    const shown = new Promise((resolve) => {
      // A picture of before may still come.
      const look = (_, { mediaTime }) => {
        if (mediaTime <= time && mediaTime > time - 0.04) resolve(true);
        else video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
    });
    video.currentTime = time;
    there = await Promise.race([shown, moment(5).then(() => false)]);
  }
  const painted = new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  await Promise.race([painted, moment(1)]);
  return there ? null : `no picture at ${time}: ${video.currentTime}, ${video.readyState}`;
};

/** Errors since the report. */
window.complaints = () => report.errors.splice(0);
