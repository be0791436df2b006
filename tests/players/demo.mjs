// Visits to the demo's page: performs a viewer's actions and prints what the page shows, as one JSON object on standard
// output. node demo.mjs '{"modules": …, "chromium": …, "url": …, "pictures": FOLDER}'

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { launch } from "./chromium.mjs";
import { layout } from "./layout.mjs";

const how = JSON.parse(process.argv[2]);
const ATTACKS = ["expired", "stolen", "missing", "raw", "session", "path", "signature", "parameter"];
const ON_DASH = ["expired", "stolen", "missing", "raw", "session", "purpose", "path", "signature", "parameter"];
const WAIT = { timeout: 45_000 };

// --- In the page ---

/** What is shown of session and requests. */
function shown() {
  const text = (id) => document.getElementById(id).textContent;
  const ids = ["session-state", "session-id", "session-network", "session-scope", "session-end", "token-end", "key-print",
    "key-note", "key-iv", "request-count", "trouble"];
  const parts = ["kind", "name", "status", "ms", "bytes", "verdict", "note"];
  const rows = [...document.querySelectorAll("#requests li")]
    .map((row) => Object.fromEntries(parts.map((part) => [part, row.querySelector(`.${part}`).textContent])));
  return { ...Object.fromEntries(ids.map((id) => [id, text(id)])), rows, marks: document.querySelectorAll(".strip i").length };
}

// --- Of the viewer ---

const plays = (page, after = 0) => page.waitForFunction((after) => {
  const video = document.querySelector("video");
  return video.currentTime > after + 0.3 && video.getVideoPlaybackQuality().totalVideoFrames > 5
    && /\d/.test(document.querySelector("#key-print").textContent);
}, after, WAIT);

/** Presses an attack's button, by keyboard or finger, and reads what unfolds. */
async function attack(page, id, touch = false) {
  const button = page.locator(`#attack-${id} > button`);
  if (touch) await button.tap(); else await button.press("Enter");
  await page.locator(`#attack-${id} > button[aria-expanded=true]`).waitFor(WAIT);
  return page.evaluate((id) => {
    const panel = document.querySelector(`#attack-${id} .answer`);
    const all = (selector) => [...panel.querySelectorAll(selector)].map((element) => element.textContent);
    return {
      badge: document.querySelector(`#attack-${id} .badge`).textContent,
      open: [...document.querySelectorAll("#attacks .answer")].filter((one) => one.checkVisibility()).length,
      heard: document.querySelector("#said").textContent,
      urls: all(".url"), said: all(".said"), problems: all(".problem").map((text) => JSON.parse(text)),
      facts: all(".facts li"), trials: all("figcaption"), why: all(".why").join(), wrong: Boolean(panel.querySelector(".wrong")),
    };
  }, id);
}

/** Opens the page in a window of its own; `report` gets what goes wrong and what came over the wire. */
async function visit(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const report = { complaints: [], others: [], keys: [] };
  page.on("pageerror", (error) => report.complaints.push(String(error)));
  page.on("console", (message) => {
    const refusal = message.text().startsWith("Failed to load resource: the server responded with a status of 403");
    if (message.type() === "error" && !refusal) report.complaints.push(message.text());
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:/.test(url.protocol) && url.origin !== new URL(how.url).origin) report.others.push(url.href);
  });
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (!response.ok()) return;
    if (pathname.endsWith("/serve.key")) report.keys.push(response.body().then((body) => body.toString("hex")));
    if (pathname.endsWith("/license")) {
      report.keys.push(response.json().then(({ keys: [{ k }] }) => Buffer.from(k, "base64url").toString("hex")));
    }
  });
  report.close = async () => {
    report.keys = await Promise.all(report.keys);
    delete report.close;
    await context.close();
    return report;
  };
  return { page, report };
}

async function attacks(page, touch, ids = ATTACKS) {
  const came = {};
  for (const id of ids) came[id] = await attack(page, id, touch);
  return came;
}

async function picture(page, report, name) {
  report.layouts ??= {};
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    report.layouts[`${name} ${colorScheme}`] = await page.evaluate(layout, {
      width: page.viewportSize().width, targets: "button, .switch span",
    });
    await page.screenshot({ path: join(how.pictures, `demo-${name}-${colorScheme}.png`), fullPage: true });
  }
}

/** A desk: everything by keyboard; then another session, the other packaging, a reload; at last very many requests. */
async function desk(browser) {
  const { page, report } = await visit(browser, { viewport: { width: 1280, height: 800 } });
  await page.goto(how.url);
  await plays(page);
  report.begun = await page.evaluate(shown);
  report.attacks = await attacks(page, false);
  report.shown = await page.evaluate(shown);
  await attack(page, "raw");
  await picture(page, report, "desk");
  await page.getByRole("button", { name: "New session" }).press("Enter");
  const other = (id) => !["–", id].includes(document.querySelector("#session-id").textContent);
  await page.waitForFunction(other, report.shown["session-id"], WAIT);
  await plays(page);
  report.again = await page.evaluate(shown);
  await page.getByRole("radio", { name: "fMP4" }).press("Space");
  await page.waitForFunction(() => document.querySelector("#session-scope").textContent === "/cmaf/*", null, WAIT);
  await plays(page);
  report.cmaf = { ...await page.evaluate(shown), raw: await attack(page, "raw"), path: await attack(page, "path") };
  await page.reload();
  await plays(page);
  report.reloaded = { ...await page.evaluate(shown), expired: await attack(page, "expired") };
  report.many = await page.evaluate(async () => {
    const { add } = await import("./timeline.js");
    const made = { who: "player", kind: "segment", url: "/ts/v360/seg0.ts", ms: 1, status: 200, body: new Uint8Array(16),
      allowed: true, verdict: "allowed", note: "encrypted", alarm: false };
    for (let n = 0; n < 1000; n += 1) add({ ...made, at: performance.now() });
    return { rows: document.querySelectorAll("#requests li").length, marks: document.querySelectorAll(".strip i").length };
  });
  return report.close();
}

/** Chooses a packaging. */
async function choose(page, name, scope) {
  await page.getByRole("radio", { name }).press("Space");
  await page.waitForFunction((scope) => document.querySelector("#session-scope").textContent === scope, scope, WAIT);
  await plays(page);
}

/** The picture of the programme at 2 s, in hex. */
async function still(page) {
  await page.evaluate(async () => {
    const video = document.querySelector("video");
    video.controls = false;
    video.pause();
    const there = new Promise((resolve) => {
      const shown = (_, { mediaTime }) => {
        if (mediaTime > 1.99 && mediaTime < 2.03) resolve(); else video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    });
    video.currentTime = 2.02;
    await there;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
  const picture = await page.locator("#video").screenshot();
  await page.evaluate(() => {
    const video = document.querySelector("video");
    video.controls = true;
    return video.play();
  });
  const height = await page.locator("#video").evaluate((video) => video.videoHeight);
  return { picture: createHash("sha256").update(picture).digest("hex"), height };
}

/** The same files as DASH, after HLS and before it; at last in a browser without Encrypted Media Extensions. */
async function dash(browser) {
  const { page, report } = await visit(browser, { viewport: { width: 1280, height: 800 } });
  await page.goto(how.url);
  await choose(page, "HLS fMP4", "/cmaf/*");
  report.hls = await still(page);
  const before = await page.locator("#session-id").textContent();
  await page.getByRole("radio", { name: "DASH" }).press("Space");
  await page.waitForFunction((id) => !["–", id].includes(document.querySelector("#session-id").textContent), before, WAIT);
  await plays(page);
  await plays(page, await page.locator("#video").evaluate((video) => video.currentTime));
  report.begun = await page.evaluate(shown);
  report.dash = await still(page);
  report.plain = await page.evaluate(async (segments) => {
    const { hasClearSamples } = await import("./mp4.js");
    return segments.map((hex) => hasClearSamples(Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))));
  }, how.plain.map((path) => readFileSync(path, "hex")));
  report.attacks = await attacks(page, false, ON_DASH);
  report.shown = await page.evaluate(shown);
  await attack(page, "raw");
  await picture(page, report, "dash");
  await choose(page, "HLS TS", "/ts/*");
  report.back = await page.evaluate(shown);
  await page.evaluate(() => {
    Navigator.prototype.requestMediaKeySystemAccess = undefined;
  });
  await page.getByRole("radio", { name: "DASH" }).press("Space");
  await page.getByRole("alert").waitFor(WAIT);
  report.without = await page.evaluate(shown);
  return report.close();
}

/** A phone, by finger. */
async function phone(browser) {
  const { page, report } = await visit(browser, {
    viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2,
  });
  await page.goto(how.url);
  await plays(page);
  report.attacks = await attacks(page, true);
  report.shown = await page.evaluate(shown);
  await attack(page, "stolen", true);
  await picture(page, report, "phone");
  return report.close();
}

/** An edge that lets through what it should not, a segment in clear, and at last a player that is refused: the page must
 * say so. */
async function deceived(browser) {
  const { page, report } = await visit(browser, { viewport: { width: 1280, height: 800 } });
  await page.goto(how.url);
  await plays(page);
  await page.route(/master\.m3u8\?hdnts=/, (route) => route.fulfill({ status: 200, body: "#EXTM3U\n" }));
  await page.route(/seg0\.ts/, (route) => route.fulfill({ status: 200, path: how.clear }));
  report.attacks = {};
  for (const id of ["expired", "raw", "session"]) report.attacks[id] = await attack(page, id);
  await page.route(/master\.m3u8\?hdnts=/, (route) => route.fulfill({
    status: 403, contentType: "application/problem+json", body: '{"type":"revoked","title":"It is over","status":403}',
  }));
  await page.getByRole("button", { name: "New session" }).press("Enter");
  await page.getByRole("alert").waitFor(WAIT);
  report.shown = await page.evaluate(shown);
  return report.close();
}

/** A browser without Media Source Extensions, which plays HLS itself. */
async function browsers_own(browser) {
  const { page, report } = await visit(browser, { viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    delete window.MediaSource;
    delete window.ManagedMediaSource;
  });
  await page.goto(how.url);
  await plays(page);
  report.attacks = { raw: await attack(page, "raw"), missing: await attack(page, "missing") };
  report.shown = await page.evaluate(shown);
  return report.close();
}

const browser = await launch(how);
const visits = Object.entries({ desk, phone, dash, deceived, browsers_own })
  .map(async ([name, visited]) => [name, await visited(browser)]);
console.log(JSON.stringify(Object.fromEntries(await Promise.all(visits))));
await browser.close();
