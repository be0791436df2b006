// Runs in a page: one of the three players, or the plain video element, plays a URL to its end and reports the result.

const PLAYERS = {
  "video element"({ video, url, report, failed }) {
    report.canPlayType = video.canPlayType("application/vnd.apple.mpegurl");
    video.addEventListener("error", () => failed(`${video.error.code} ${video.error.message}`));
    video.src = url;
    return { tracks: () => video.textTracks, over: () => Number.isFinite(video.duration) };
  },

  "hls.js"({ video, url, live, license, report, failed }) {
    const eme = license ? {
      emeEnabled: true,
      drmSystems: { "org.w3.clearkey": { licenseUrl: license } },
      licenseXhrSetup: (request, url) => {
        request.open("POST", url, true);
        request.setRequestHeader("Content-Type", "application/json");
      },
    } : {};
    const hls = new Hls({ ...(live ? {} : { maxBufferLength: 60 }), ...eme });
    hls.on(Hls.Events.ERROR, (_, data) => {
      // That the next segment was not there in time says how busy the machine is, not whether the stream plays.
      if (!data.fatal && /bufferStalled|bufferNudge|bufferSeekOverHole/.test(data.details)) return;
      const what = `${data.type} ${data.details} ${data.response?.code ?? ""} ${data.error?.message ?? ""}`;
      report.errors.push(what);
      if (data.fatal) failed(what);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return { tracks: () => video.textTracks, over: () => hls.latestLevelDetails?.live === false };
  },

  async Shaka({ video, url, live, subtitles, report, failed }) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.configure({ streaming: { bufferingGoal: live ? 10 : 60 } });
    player.addEventListener("error", ({ detail }) => {
      const what = `${detail.code} ${JSON.stringify(detail.data)}`.slice(0, 500);
      report.errors.push(what);
      if (detail.severity === 2) failed(what);
    });
    try {
      await player.load(url);
      if (subtitles) player.selectTextTrack(player.getTextTracks()[0]);
    } catch (error) {
      failed(`load: ${error.code} ${JSON.stringify(error.data)}`.slice(0, 500));
    }
    return { tracks: () => video.textTracks, over: () => !player.isLive() };
  },

  "video.js"({ video, url, failed }) {
    video.className = "video-js";
    const player = videojs(video, { muted: true, html5: { vhs: { overrideNative: true, llhls: true } } });
    player.on("error", () => failed(`${player.error().code} ${player.error().message}`));
    player.src({ src: url, type: "application/x-mpegURL" });
    // video.js may put another element in the place of the first.
    return {
      tracks: () => player.textTracks(), over: () => player.tech(true).vhs?.playlists.media()?.endList,
      video: () => player.tech(true).el(),
    };
  },
};

// biome-ignore lint/correctness/noUnusedVariables: browser.mjs calls it
async function play({ player, url, license, rate, seconds, subtitles, live, until }) {
  const report = { errors: [], fatal: null, ended: false, cues: [] };
  let video = document.querySelector("video");
  let first = null;
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const failed = (what) => {
    report.fatal ??= what;
    finish();
  };
  setTimeout(finish, seconds * 1000);
  const handle = await PLAYERS[player]({ video, url, live, subtitles, license, report, failed });
  const cues = new Set();
  const ticker = setInterval(() => {
    video = handle.video?.() ?? video;
    if (video.paused && !video.ended) video.play().catch((error) => report.errors.push(String(error)));
    if (video.playbackRate !== rate && video.readyState >= 3) video.playbackRate = rate;
    if (first === null && video.readyState >= 3 && !video.seeking && !video.paused) first = video.currentTime;
    for (const track of Array.from(handle.tracks()).filter(({ kind }) => kind === "subtitles")) {
      if (subtitles && track.mode === "disabled") track.mode = "showing";
      for (const cue of Array.from(track.cues ?? [])) cues.add(cue.text);
    }
    // Chromium can stop a hair before the end at high rates; and while a stream is live, its end so far is none.
    const end = until ?? (handle.over() ? video.duration - 0.05 : Infinity);
    const last = video.readyState >= 2 && !video.seeking && video.currentTime >= end;
    if (video.ended || last) {
      report.ended = true;
      finish();
    }
  }, 50);
  await finished;
  clearInterval(ticker);
  const quality = video.getVideoPlaybackQuality();
  return {
    ...report, cues: [...cues].sort(), first, currentTime: video.currentTime, duration: Number(video.duration),
    buffered: [...Array(video.buffered.length).keys()].map((i) => [video.buffered.start(i), video.buffered.end(i)]),
    frames: quality.totalVideoFrames, dropped: quality.droppedVideoFrames, width: video.videoWidth,
    audio: video.webkitAudioDecodedByteCount, mediaError: video.error?.message ?? null,
  };
}
