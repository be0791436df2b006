// Plays an HLS URL to its end with hls.js in headless Chromium and prints a report as one JSON object.
// node play.mjs '{"modules": …, "chromium": …, "profile": …, "url": …, "rate": 8}'
// Further members: `page`, the URL of a page on another site to play in (default: one of the stream's own origin); `headers` for
// every request of hls.js; `credentials`, whether to send cookies; `fetch`, URLs that the page tries to read at the end;
// `thumbnails`, the URI of a thumbnail track, relative to the media playlist that hls.js has loaded.

import { createRequire } from "node:module";
import { join } from "node:path";

const how = JSON.parse(process.argv[2]);
const require = createRequire(join(how.modules, "x.js"));
const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];

// Runs in the page: plays, and tells how it went.
function play({ url, rate, seconds, headers, credentials, thumbnails }) {
  const video = document.querySelector("video");
  const report = { errors: [], fatal: [], stalls: 0, levels: 0, ended: false };
  return new Promise((resolve) => {
    const xhrSetup = (xhr) => {
      xhr.withCredentials = credentials;
      for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    };
    const asUsual = !credentials && !Object.keys(headers).length;
    const hls = new Hls({ maxBufferLength: 60, ...(asUsual ? {} : { xhrSetup }) });
    // As pages show previews: each cue of the WebVTT file names a part of an image, relative to the file.
    const previews = async (track) => {
      const names = (await (await fetch(track)).text()).split("\n").filter((line) => line.includes("#xywh="));
      return Promise.all(names.map(async (name) => {
        const image = Object.assign(new Image(), { src: new URL(name, track) });
        const loaded = await image.decode().then(() => true, () => false);
        return { name, url: image.src, loaded, width: image.naturalWidth, height: image.naturalHeight };
      }));
    };
    const finish = async () => {
      clearTimeout(timer);
      clearInterval(ticker);
      const quality = video.getVideoPlaybackQuality();
      if (thumbnails) report.previews = await previews(new URL(thumbnails, hls.levels[hls.currentLevel].details.url).href);
      resolve({
        ...report, ended: video.ended, currentTime: video.currentTime, duration: video.duration,
        frames: quality.totalVideoFrames, width: video.videoWidth, height: video.videoHeight,
        audio: video.webkitAudioDecodedByteCount, mediaError: video.error?.message ?? null,
      });
    };
    const timer = setTimeout(finish, seconds * 1000);
    // Chromium can stop a hair before the end at high rates; the last fragment being buffered is what counts then.
    const ticker = setInterval(() => {
      if (video.duration && video.currentTime >= video.duration - 0.05) finish();
    }, 100);
    hls.on(Hls.Events.ERROR, (_, data) => {
      // That the next segment was not there in time says how busy the machine is, not whether the stream plays.
      if (!data.fatal && data.details === "bufferStalledError") {
        report.stalls += 1;
        return;
      }
      const fragment = data.frag ? `${data.frag.type} ${data.frag.sn} of level ${data.frag.level}` : "";
      const line = `${data.type} ${data.details} ${data.response?.code ?? ""} ${fragment} ${data.error?.message ?? ""}`;
      report.errors.push(line);
      if (data.fatal) {
        report.fatal.push(line);
        finish();
      }
    });
    hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => {
      report.levels = data.levels.length;
      video.play().catch((error) => report.errors.push(String(error)));
      video.playbackRate = rate;
    });
    video.addEventListener("ended", finish);
    hls.loadSource(url);
    hls.attachMedia(video);
  });
}

// Runs in the page: what of an answer its scripts may read.
async function read({ url, headers, credentials }) {
  try {
    const response = await fetch(url, { headers, credentials: credentials ? "include" : "omit" });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
  } catch (error) {
    return { error: String(error) };
  }
}

const context = await chromium.launchPersistentContext(how.profile, {
  executablePath: how.chromium, headless: true, args: ARGUMENTS, chromiumSandbox: false,
});
let result;
try {
  const page = await context.newPage();
  const requests = [];
  page.on("response", (response) => requests.push({ url: response.url(), status: response.status() }));
  const origin = new URL(how.url).origin;
  const address = how.page ?? `${origin}/player-of-the-tests`;
  // A page of the stream's own origin, which the edge never hears of. Elsewhere nothing may be routed: Playwright would
  // answer preflight requests itself.
  if (!how.page) {
    await page.route(address, (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>player</title><video muted></video>" }));
    await page.route(`${origin}/favicon.ico`, (route) => route.fulfill({ status: 204 }));
  }
  await page.goto(address);
  await page.addScriptTag({ path: join(how.modules, "hls.js/dist/hls.min.js") });
  const manner = { headers: how.headers ?? {}, credentials: how.credentials ?? false };
  result = await page.evaluate(play, { url: how.url, rate: how.rate ?? 8, seconds: how.seconds ?? 45, thumbnails: how.thumbnails, ...manner });
  result.read = [];
  for (const url of how.fetch ?? []) result.read.push(await page.evaluate(read, { url, ...manner }));
  result.requests = requests.filter(({ url }) => url.startsWith(origin) && url !== address);
} finally {
  await context.close();
}
console.log(JSON.stringify(result));
