// The page with answers that a fresh server does not give: nodes in every state, an exchange that waits, very many
// policies and nodes, a policy of 600 lines, a server that goes away, a login that ends.

import { WAIT, enter, read } from "./hands.mjs";

const STATES = ["in_force", "updating", "refused", "behind", "disconnected", "never_ran"];
const HTML = "<img src=x onerror=\"document.title='owned'\">";

/** 200 Envoys; the first have one state each. */
const nodes = () => Array.from({ length: 200 }, (_, index) => {
  const state = STATES[index] ?? "in_force";
  return {
    network: index % 5 ? "production" : "staging", node: index ? `edge-${index}` : HTML, cluster: "eu", connected: state !== "disconnected",
    since: "2026-11-20T11:00:00Z", offered: 12, inForce: state === "in_force" ? 12 : state === "never_ran" ? null : 11, state,
    refused: state === "refused" ? { revision: 12, reason: `Unable to create Wasm plugin ${"long ".repeat(20)}`, since: "2026-11-20T11:00:00Z" } : null,
  };
});

const policies = () => Array.from({ length: 200 }, (_, index) => ({
  policyId: index + 1000, policyName: index === 7 ? "unbroken".repeat(30) : `series ${index}`, environment: "staging", status: "ACTIVE",
  tokenAuth: { enabled: true }, mediaEncryption: { enabled: index % 2 === 0 },
}));

const refusals = () => Array.from({ length: 59 }, (_, index) => ({
  minute: new Date(Date.now() - index * 60_000).toISOString(), policy: index % 3 ? HTML : "kept", reason: index % 2 ? "expired" : "missing", count: index * 7,
}));

export async function canned(browser, how, logIn) {
  const user = await enter(browser, how, "mouse", { name: "canned", viewport: { width: 360, height: 740 } });
  const { page, report } = user;
  await logIn(user, how.codes.canned);
  const answer = (path, body) => page.route(path, (route) => route.fulfill({ json: typeof body === "function" ? body() : body }));

  await answer("**/control/v1/nodes", nodes);
  await user.part("Nodes");
  report.nodes = await page.locator("tbody tr").allInnerTexts();
  report.nodes.length = 6;
  await page.getByLabel("Filter nodes").fill("edge-19 production");
  report.filtered = await read(page.locator(".filters [role=status]"));
  await user.look("nodes");
  // Hidden pages ask for nothing.
  let asked = 0;
  page.on("request", (request) => { asked += request.url().endsWith("/nodes") ? 1 : 0; });
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await page.waitForRequest("**/control/v1/nodes", WAIT);
  await page.waitForTimeout(200);
  await hide(true);
  const before = asked;
  await page.waitForTimeout(5000);
  report.askedWhileHidden = asked - before;
  await Promise.all([page.waitForRequest("**/control/v1/nodes", WAIT), hide(false)]);
  await page.route("**/control/v1/nodes", (route) => route.abort());
  user.report.complaints.length = 0;
  await page.locator("main .bad").filter({ hasText: "does not answer" }).waitFor(WAIT);
  report.gone = await read(page.locator("main .bad").first());
  await page.unroute("**/control/v1/nodes");
  report.complaints = report.complaints.filter((text) => !text.includes("ERR_FAILED"));

  await answer("**/config-media-security/v2/policies", policies);
  await user.part("Policies");
  await page.getByLabel("Filter policies").fill("series 19");
  report.policiesShown = await read(page.locator(".filters [role=status]"));
  await page.getByLabel("Filter policies").fill("");
  await user.look("policies");
  await page.unroute("**/config-media-security/v2/policies");

  await page.route("**/control/v1/refusals*", (route) => route.fulfill({ json: refusals() }));
  await user.part("Refusals");
  report.refusals = await page.locator("tbody tr").allInnerTexts();
  await page.getByLabel("Policy").selectOption("kept");
  report.ofOnePolicy = await page.locator("tbody tr").allInnerTexts();
  await user.look("refusals");

  await sessions(user);
  await settings(user);
  await client(user);
  await user.part("Policies");
  await page.getByRole("link", { name: "kept", exact: true }).waitFor(WAIT);
  const href = await page.getByRole("link", { name: "kept", exact: true }).getAttribute("href");
  await answer("**/exchange", { secret: "tokenAuth.password", step: "added", waitingFor: ["production/edge-7", `staging/${HTML}`], next: "swap" });
  await page.getByRole("link", { name: "kept", exact: true }).click();
  await user.heading("kept");
  report.exchange = await read(page.locator(".exchange"));
  const swap = user.button("Swap");
  report.swap = [await swap.getAttribute("aria-disabled"), await swap.getAttribute("title")];
  await answer("**/exchange", { secret: "tokenAuth.password", step: "added", waitingFor: [], next: "swap" });
  await page.locator("button:text-is('Swap'):not([aria-disabled])").waitFor(WAIT);
  await user.look("exchange");

  const id = href.split("/").pop();
  const countries = Array.from({ length: 190 }, (_, index) => ({ countryCode: `${"ABCDEFGHIJ"[Math.floor(index / 26)]}${String.fromCharCode(65 + (index % 26))}` }));
  await page.route(`**/config-media-security/v2/policies/${id}`, (route) => route.fulfill({ json: {
    policyId: 1, policyName: "kept", status: "ACTIVE", tokenAuth: { enabled: true, password: "********" }, mediaEncryption: { enabled: true },
    contentTargeting: { enabled: true, geoProtection: { enabled: true, mode: "ALLOW", countries } },
  } }));
  await user.part("Nodes");
  await page.goto(`${how.url}/#/policies/${id}`);
  await user.heading("kept");
  report.lines = await page.locator(".numbers").evaluate((element) => element.textContent.trim().split("\n").length);
  report.mask = await read(page.locator("#editor-hint"));
  await page.getByRole("textbox", { name: /^Policy/ }).evaluate((area) => { area.scrollTop = area.scrollHeight; });
  await page.waitForTimeout(100);
  report.scrolled = await page.evaluate(() => [".numbers", "textarea.code"].map((each) => document.querySelector(each).scrollTop));
  await user.look("long");

  // The login ends: back at the form, and after the next login at the same part.
  user.expect(401);
  await page.context().clearCookies();
  await page.locator("nav").getByRole("link", { name: "Audit" }).click();
  await page.waitForURL(/\/login$/, WAIT);
  report.ended = await page.getByLabel("One-time code").isVisible();
  await page.getByLabel("One-time code").fill("not a code");
  await user.button("Log in").click();
  await page.locator("#status").filter({ hasText: /\w/ }).waitFor(WAIT);
  report.wrongCode = await read(page.locator("#status"));
  await user.look("wrong-code");
  report.title = await page.title();
  await page.getByLabel("One-time code").fill(how.codes.again);
  await user.button("Log in").click();
  await user.heading("Audit");
  report.back = new URL(page.url()).hash;
  return user.close();
}

/** Very many sessions, in pages of which one is empty; and a server without leases. */
async function sessions(user) {
  const { page, report } = user;
  const watching = (index) => ({
    realm: index % 7 ? "production" : "staging", group: "tv", viewer: index ? `viewer-${index}` : "unbroken".repeat(30), policy: "kept",
    session: `${String(index).padStart(21, "A")}A`, stream: index % 2 ? `/vod/${HTML}/*` : "/live/news/", client: index % 3 ? "2001:db8:1::/48" : null,
    since: "2026-11-20T11:00:00Z", renewed: "2026-11-20T11:05:00Z", expires: "2026-11-20T11:07:00Z",
  });
  const policies = ["production", "staging"].flatMap((realm) => Array.from({ length: 6 }, (_, index) => ({ realm, policy: `series ${index}`, sessions: 1000 * index })));
  await page.route("**/control/v1/sessions/counts", (route) => route.fulfill({ json: { viewers: 21_000, sessions: 30_000, policies } }));
  await page.route("**/control/v1/sessions?*", (route) => {
    const query = new URL(route.request().url()).searchParams;
    report.queries = [...(report.queries ?? []), Object.fromEntries(query)];
    const number = Number(query.get("cursor") ?? 0);
    const found = number === 1 ? [] : Array.from({ length: number ? 30 : 50 }, (_, index) => watching(number * 50 + index));
    return route.fulfill({ json: { sessions: found, next: number < 2 ? String(number + 1) : null } });
  });
  await user.part("Sessions");
  await page.locator("[role=status]").filter({ hasText: "The first 50 sessions" }).waitFor(WAIT);
  await user.look("many-sessions");
  await user.button("More sessions").click();
  await page.locator("[role=status]").filter({ hasText: /^80 sessions/ }).waitFor(WAIT);
  report.moreHidden = !(await user.button("More sessions").isVisible());
  await page.getByLabel("Stream", { exact: true }).fill("/a b&c=d/*");
  await user.button("Search").click();
  await page.locator("[role=status]").filter({ hasText: "The first 50 sessions" }).waitFor(WAIT);
  await page.unroute("**/control/v1/sessions?*");
  user.expect(404);
  await page.route("**/control/v1/sessions/counts", (route) => route.fulfill({
    status: 404, contentType: "application/problem+json", body: JSON.stringify({ title: "Not found", status: 404, detail: "none", errors: [] }),
  }));
  await user.part("Nodes");
  await user.part("Sessions");
  report.withoutLeases = await read(page.locator("main"));
  await user.look("without-leases");
  user.expect(503);
  await page.unroute("**/control/v1/sessions/counts");
  await page.route("**/control/v1/sessions/counts", (route) => route.fulfill({
    status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "Unavailable", status: 503, detail: "The store is away.", errors: [] }),
  }));
  await user.part("Nodes");
  await user.part("Sessions");
  report.storeAway = await read(page.locator("main"));
  await page.unroute("**/control/v1/sessions/counts");
}

/** An EdgeGrid client, whose credentials are shown once. */
async function client(user) {
  const { page, report } = user;
  await user.part("Access");
  await user.button("New EdgeGrid client").click();
  await page.getByLabel("Name", { exact: true }).fill("automation");
  await user.look("new-client");
  await user.answer("Create").click();
  await page.getByRole("textbox", { name: "Shown once" }).waitFor(WAIT);
  report.edgerc = await page.getByRole("textbox", { name: "Shown once" }).inputValue();
  await user.answer("Done").click();
  await user.closed();
  await user.button("End automation").click();
  await user.answer("End").click();
  await user.closed();
  await user.said("Ended.");
}

/** The settings of staging: a fault, an edit, its promotion. */
async function settings(user) {
  const { page, report } = user;
  await user.part("Settings");
  const text = page.getByRole("textbox", { name: "Settings on staging" });
  const document = JSON.parse(await text.inputValue());
  await text.fill(JSON.stringify({ ...document, batching: "yes" }, null, 2));
  await page.locator(".faults .bad").waitFor(WAIT);
  report.settingsFault = await read(page.locator(".faults"));
  await text.fill(JSON.stringify({ ...document, batching: true }, null, 2));
  await page.locator(".faults .good, .faults .wait").first().waitFor(WAIT);
  // Two clicks are one request.
  report.writes = 0;
  page.on("request", (request) => { report.writes += request.method() === "PUT" ? 1 : 0; });
  await user.button("Save on staging").dblclick();
  await user.said("Saved on staging.");
  report.focus = await page.evaluate(() => globalThis.document.activeElement.id);
  await user.button("Promote").click();
  report.settingsAsked = await user.asked();
  await user.look("settings");
  await user.answer("Promote").click();
  await user.closed();
  await user.said("Promoted to production.");
}
