// One headless Chromium with a page for each viewer: one command per line on standard input, one report per line on standard
// output. node leases.mjs '{"modules": …, "chromium": …}', then {"id": 1, "do": "open", "viewer": "a", "url": …, "config": {}},
// {"id": 2, "do": "diary", "viewer": "a"} or {"id": 3, "do": "close", "viewer": "a"}.

import { join } from "node:path";
import { createInterface } from "node:readline";

import { launch } from "./chromium.mjs";

const how = JSON.parse(process.argv[2]);
const browser = await launch(how);
const viewers = new Map();

/** The type of a refusal, a problem document. */
async function problem(response) {
  if (response.status() < 400) return null;
  const text = await response.text().catch(() => "");
  return /"type":"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 99);
}

const commands = {
  async open({ viewer, url, config }) {
    // A context has a cache and connections of its own.
    const context = await browser.newContext();
    const page = await context.newPage();
    const keys = [];
    page.on("response", (response) => {
      if (!new URL(response.url()).pathname.endsWith(".key")) return;
      const seen = { time: Date.now(), url: response.url(), status: response.status(), problem: null };
      keys.push(seen);
      problem(response).then((type) => (seen.problem = type));
    });
    await page.goto(`${new URL(url).origin}/player-of-the-tests`);
    await page.setContent("<!doctype html><title>player</title><video muted width=160 height=90></video>");
    await page.addScriptTag({ path: join(how.modules, "hls.js/dist/hls.min.js") });
    await page.addScriptTag({ path: new URL("leases_page.js", import.meta.url).pathname });
    await page.evaluate(([url, config]) => watch(url, config), [url, config]);
    viewers.set(viewer, { context, page, keys });
    return {};
  },
  async diary({ viewer }) {
    const { page, keys } = viewers.get(viewer);
    return { ...(await page.evaluate(() => window.diary)), keys };
  },
  async close({ viewer }) {
    await viewers.get(viewer).context.close();
    viewers.delete(viewer);
    return {};
  },
};

console.log(JSON.stringify({ versions: { Chromium: browser.version() } }));
const running = [];
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  running.push(commands[command.do](command)
    .catch((error) => ({ crashed: String(error?.stack ?? error) }))
    .then((report) => console.log(JSON.stringify({ id: command.id, report }))));
}
await Promise.all(running);
await browser.close();
