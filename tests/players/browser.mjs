// One headless Chromium that plays many streams: one command per line on standard input, one report per line on standard
// output. node browser.mjs '{"modules": …, "chromium": …}', then {"id": 1, "player": "hls.js", "url": …, "rate": 4, …}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { launch } from "./chromium.mjs";

const how = JSON.parse(process.argv[2]);
const SCRIPTS = {
  "hls.js": "hls.js/dist/hls.min.js",
  Shaka: "shaka-player/dist/shaka-player.compiled.js",
  "video.js": "video.js/dist/video.min.js",
};
const page_script = new URL("page.js", import.meta.url).pathname;

async function play(browser, { player, url, ...options }) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const requests = [];
    page.on("response", (response) => {
      const request = { url: response.url(), status: response.status() };
      // What the player was told, reload by reload.
      if (/\.m3u8(\?|$)/.test(request.url)) request.text = response.text().catch(() => null);
      requests.push(request);
    });
    // The stream's own site, so that nothing here depends on CORS; what it answers to this does not matter. (Playwright's
    // own way to put a page there, routing, would turn the browser's cache off.)
    const origin = new URL(url).origin;
    await page.goto(`${origin}/player-of-the-tests`);
    await page.setContent("<!doctype html><title>player</title><video muted width=320 height=180></video>");
    if (SCRIPTS[player]) await page.addScriptTag({ path: join(how.modules, SCRIPTS[player]) });
    await page.addScriptTag({ path: page_script });
    const report = await page.evaluate((how) => play(how), { player, url, ...options });
    report.requests = await Promise.all(requests.map(async (request) => ({ ...request, text: await request.text })));
    return report;
  } finally {
    await context.close();
  }
}

const browser = await launch(how);
const version = (name) => JSON.parse(readFileSync(join(how.modules, name, "package.json"), "utf8")).version;
console.log(JSON.stringify({
  versions: {
    Chromium: browser.version(), "hls.js": version("hls.js"), Shaka: version("shaka-player"), "video.js": version("video.js"),
  },
}));
const plays = [];
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  plays.push(play(browser, command)
    .catch((error) => ({ crashed: String(error?.stack ?? error) }))
    .then((report) => console.log(JSON.stringify({ id: command.id, report }))));
}
await Promise.all(plays);
await browser.close();
