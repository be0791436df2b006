// One headless Chromium or Firefox that plays many MPDs: one command per line on standard input, one report per line on
// standard output. node dash.mjs '{"modules": …, "browser": "firefox", "program": …}', then {"id": 1, "page": …, "url": …, …}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const how = JSON.parse(process.argv[2]);
const require = createRequire(join(how.modules, "x.js"));
const { default: puppeteer } = await import(require.resolve("puppeteer-core"));

const CHROMIUM = {
  browser: "chrome",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage", "--mute-audio",
    // Several pages play at once, and all but one are in the background.
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
  ],
};
const FIREFOX = {
  browser: "firefox",
  protocol: "webDriverBiDi",
  extraPrefsFirefox: {
    "media.autoplay.default": 0,
    "media.suspend-background-video.enabled": false,
    "media.suspend-bkgnd-video.enabled": false,
    "dom.timeout.enable_budget_timer_throttling": false,
    "dom.min_background_timeout_value": 4,
    // ClearKey comes with the program; nothing is to be fetched.
    "media.gmp-manager.updateEnabled": false,
    "media.gmp-manager.url": "",
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
  },
};
const WAIT = 30_000;

const idle = [];
let creation = Promise.resolve();

/** A page with a cookie jar of its own, used before or new. Firefox loses pages that are made at the same time. */
function taken() {
  if (idle.length) return idle.pop();
  creation = creation.catch(() => null).then(async () => {
    const context = await browser.createBrowserContext();
    // Windows are all visible, tabs are not.
    const page = await context.newPage({ type: "window" });
    await page.setViewport({ width: 320, height: 180 });
    return page;
  });
  return creation;
}

/** The page alone: the picture of an encrypted video is in no canvas. On a busy machine a browser paints a picture later than it
 * says: until two screenshots are the same, and other than `last`. */
async function painted(page, last) {
  let picture = await page.screenshot({ encoding: "base64" });
  for (let tries = 0; tries < 20; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const next = await page.screenshot({ encoding: "base64" });
    if (next === picture && next !== last) break;
    picture = next;
  }
  return picture;
}

async function play(page, { page: address, times, ...options }) {
  const requests = [], complaints = [];
  const answered = (response) => requests.push({ url: response.url(), status: response.status() });
  const broken = (error) => complaints.push(String(error));
  page.on("response", answered).on("pageerror", broken);
  await page.goto(address, { timeout: WAIT });
  const report = await page.evaluate((options) => window.play(options), options);
  report.pictures = [];
  if (report.ended) {
    for (const time of times) {
      const shown = await page.evaluate((time) => window.show(time), time);
      if (shown !== null) report.errors.push(shown);
      report.pictures.push(await painted(page, report.pictures.at(-1)));
    }
  }
  report.errors.push(...await page.evaluate(() => window.complaints()), ...complaints);
  page.off("response", answered).off("pageerror", broken);
  await page.goto("about:blank");
  return { ...report, requests };
}

/** The report of a play. A page that hangs is not used again. */
async function reported(command) {
  const page = await taken();
  let timer;
  const hung = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the page hangs")), command.seconds * 1000 + 20_000);
  });
  const report = await Promise.race([play(page, command), hung]).finally(() => clearTimeout(timer));
  idle.push(page);
  return report;
}

const browser = await puppeteer.launch({
  ...(how.browser === "firefox" ? FIREFOX : CHROMIUM), executablePath: how.program, headless: true,
});
const version = (name) => JSON.parse(readFileSync(join(how.modules, name, "package.json"), "utf8")).version;
console.log(JSON.stringify({
  versions: { browser: (await browser.version()).split("/")[1], Shaka: version("shaka-player"), "dash.js": version("dashjs") },
}));
const plays = [];
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  plays.push(reported(command)
    .catch((error) => ({ crashed: String(error?.stack ?? error) }))
    .then((report) => console.log(JSON.stringify({ id: command.id, report }))));
}
await Promise.all(plays);
await browser.close();
