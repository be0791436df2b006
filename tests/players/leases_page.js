// Runs in a page: hls.js plays a URL until the page is closed, and the page keeps a diary of the play.

// biome-ignore lint/correctness/noUnusedVariables: leases.mjs calls it
function watch(url, config) {
  const video = document.querySelector("video");
  // moments: [milliseconds, position, end of the buffer, both in seconds]; shown: [milliseconds, media
  // sequence number, position of its begin].
  const diary = { moments: [], shown: [], errors: [], fatal: null };
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_, data) => {
    // That the next segment was not there in time says how busy the machine is, not whether the stream plays.
    if (!data.fatal && /bufferStalled|bufferNudge|bufferSeekOverHole/.test(data.details)) return;
    const what = `${data.type} ${data.details} ${data.response?.code ?? ""}`.trim();
    diary.errors.push([Date.now(), what]);
    if (data.fatal) diary.fatal ??= what;
  });
  hls.on(Hls.Events.FRAG_CHANGED, (_, { frag }) => diary.shown.push([Date.now(), frag.sn, frag.start]));
  hls.loadSource(url);
  hls.attachMedia(video);
  let last = -1;
  setInterval(() => {
    if (video.paused && !video.ended) video.play().catch(() => {});
    const { currentTime, buffered } = video;
    if (video.readyState < 2 || video.seeking || currentTime === last) return;
    last = currentTime;
    const end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
    // The clock of a video without sound runs on for a while where the buffer ends, if the machine is busy.
    diary.moments.push([Date.now(), Math.min(currentTime, end), end]);
  }, 100);
  window.diary = diary;
}
