// Owns a picture of the demo's page: opens it in headless Chromium, waits until it plays, says what it shows.
//   node tools/shot.mjs URL PICTURE.png [ts|cmaf] [light|dark]     (after make demo, with the tests' set-up done)

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { chromium } = createRequire(`${root}target/node/`)("playwright-core");
const [url, picture, stream = "ts", scheme = "light"] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: execFileSync(`${root}tools/chromium.sh`, { encoding: "utf8" }).trim(),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: scheme });
  page.on("console", (message) => console.log(`console: ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => console.log(`page error: ${error}`));
  await page.goto(url);
  if (stream !== "ts") await page.locator(`input[value=${stream}]`).check({ force: true });
  await page.waitForFunction(() => document.querySelector("video").currentTime > 3, null, { timeout: 30_000 });
  await page.screenshot({ path: picture });
  console.log(await page.evaluate(() => ({
    time: document.querySelector("video").currentTime,
    scrolls: document.documentElement.scrollHeight > innerHeight,
    trouble: document.querySelector("#trouble").textContent,
    key: document.querySelector("#key-print").textContent,
    segments: document.querySelector("#segment-count").textContent,
    denied: document.querySelector("#denied").innerText.replaceAll("\n", " "),
  })));
} finally {
  await browser.close();
}
