// Visits to the control plane's page: performs an operator's actions and prints what the page shows, as one JSON object on
// standard output. node page.mjs '{"modules": …, "chromium": …, "url": …, "codes": {visit: CODE}, "pictures": FOLDER}'

import { launch } from "../players/chromium.mjs";
import { canned } from "./canned.mjs";
import { fleet } from "./fleet.mjs";
import { WAIT, enter, read } from "./hands.mjs";
import { troubled } from "./troubled.mjs";

const how = JSON.parse(process.argv[2]);
/** A name that would be seen to run if it became HTML. */
const HTML = "<img src=x onerror=\"document.title='owned'\">";

const editor = (user) => user.page.getByRole("textbox", { name: /^Policy/ });
const unfaulted = (user) => user.page.locator(".faults .good").waitFor(WAIT);

async function logIn(user, code) {
  const { page, report } = user;
  await page.goto(`${how.url}/login#${code}`);
  await page.getByLabel("One-time code").waitFor(WAIT);
  report.login = { hash: await page.evaluate(() => location.hash), code: await page.getByLabel("One-time code").inputValue() };
  await user.press(user.button("Log in"));
  await user.heading("Policies");
}

/** A policy with a fault in its sixth line, and without. */
const policy = (name, password, more = {}) => JSON.stringify({
  policyName: name,
  tokenAuth: { enabled: true, password },
  mediaEncryption: { enabled: true },
  ...more,
}, null, 2);
/** A market area that the operator's file does not list. */
const UNLISTED = { contentTargeting: { enabled: true, geoProtection: { enabled: true, mode: "DENY", dmas: [{ dmaCode: "999" }] } } };

async function create(user, name) {
  const { page, report } = user;
  await user.part("Policies");
  await user.press(user.button("New policy"));
  await user.heading("New policy");
  report.password = JSON.parse(await editor(user).inputValue()).tokenAuth.password;
  await user.type(editor(user), "{ \"policyName\": \"a\",\n  \"tokenAuth\": { \"enabled\": }\n}");
  // The empty name of a new policy is a fault, too.
  await page.locator(".faults .bad").filter({ hasText: "Line 2" }).waitFor(WAIT);
  report.syntax = await read(page.locator(".faults"));
  await user.type(editor(user), policy(name, "abc"));
  await page.locator(".faults .bad").filter({ hasText: "password" }).waitFor(WAIT);
  report.fault = await read(page.locator(".faults"));
  await user.press(page.locator(".faults").getByRole("button", { name: "Line 5" }));
  report.caret = await page.evaluate(() => {
    const area = document.activeElement;
    return { id: area.id, line: area.value.slice(0, area.selectionStart).split("\n").length };
  });
  report.marked = await page.locator(".numbers .bad").allInnerTexts();
  report.help = await read(page.locator("aside.help"));
  // A choice is added with its default, and each of its values is explained.
  await editor(user).evaluate((area) => {
    const at = area.value.indexOf("mediaEncryption");
    area.setSelectionRange(at, at);
    area.dispatchEvent(new Event("keyup"));
  });
  await user.press(page.locator("aside.help").getByRole("button", { name: "keyScope", exact: true }));
  report.choice = [JSON.parse(await editor(user).inputValue()).mediaEncryption.keyScope, await read(page.locator("aside.help"))];
  await page.locator(".faults .bad").filter({ hasText: "password" }).waitFor(WAIT);
  await user.look("fault");
  user.expect(400);
  await user.press(user.button("Create on staging"));
  await page.locator("#status.bad").waitFor(WAIT);
  report.refusedSave = await read(page.locator("#status"));
  await user.type(editor(user), policy(name, report.password, UNLISTED));
  await page.locator(".faults .wait").waitFor(WAIT);
  report.warning = await read(page.locator(".faults"));
  await user.type(editor(user), policy(name, report.password));
  await unfaulted(user);
  await user.press(user.button("Create on staging"));
  await user.said("Created on staging.");
  await user.heading(name);
  await page.locator("h2 .badge:text-is('never promoted')").waitFor(WAIT);
}

/** Presses a button that asks, and agrees; returns the question. */
async function agree(user, name, done, index = 0) {
  await user.press(user.button(name).nth(index));
  const asked = await user.asked();
  await user.press(user.answer(name));
  await user.closed();
  await user.said(done);
  return asked;
}

async function assign(user, name, host) {
  const { page, report } = user;
  await user.part("Assignments");
  await user.press(user.button("New configuration"));
  await user.type(page.getByLabel("Name", { exact: true }), name);
  await user.type(page.getByLabel("Hosts, one in each line"), `${host}\n*.${host}`);
  await user.press(user.answer("Create"));
  await user.closed();
  await user.said("Created.");
  await user.press(user.button(`Edit the assignments of ${name}`));
  await user.press(user.answer("Add an assignment"));
  await user.choose(page.locator("dialog select").last(), report.id);
  await user.type(page.locator("dialog input[name=path]").last(), "vod");
  await user.press(user.answer("Save on staging"));
  await page.locator("dialog .bad").filter({ hasText: "path" }).waitFor(WAIT);
  report.assignmentFault = await read(page.locator("dialog .bad"));
  await user.type(page.locator("dialog input[name=path]").last(), "/vod/...");
  await user.look("assigning");
  await user.press(user.answer("Save on staging"));
  await user.closed();
  await user.said("Saved on staging.");
  await user.press(user.button(`Promote ${name}`));
  report.assignmentsAsked = await user.asked();
  await user.press(user.answer("Promote"));
  await user.closed();
  await user.said("Promoted to production.");
  const section = page.locator("section.configuration").filter({ hasText: name });
  report.bars = await section.locator("svg .bar").count();
  await user.look("assignments");
}

async function open(user, name) {
  await user.part("Policies");
  await user.press(user.page.getByRole("link", { name, exact: true }));
  await user.heading(name);
}

/** Changes the policy's text. */
async function edit(user, change) {
  const document = JSON.parse(await editor(user).inputValue());
  change(document);
  await user.type(editor(user), JSON.stringify(document, null, 2));
  await unfaulted(user);
}

/** The whole life of a policy, by one way to use the page. */
async function story(browser, visit, way, viewport) {
  const user = await enter(browser, how, way, { name: visit, viewport });
  const { page, report } = user;
  const name = `${visit} ${HTML}`;
  const host = `${visit}.example`;
  await logIn(user, how.codes[visit]);
  await create(user, name);
  report.id = new URL(page.url()).hash.split("/").pop();
  report.promoteAsked = await agree(user, "Promote", "Promoted to production.");
  await page.locator("h2 .badge.good").waitFor(WAIT);
  await assign(user, `site ${visit}`, host);

  await open(user, name);
  await edit(user, (document) => { document.tokenAuth.enforceOnContentRequest = false; });
  // Edits that are not saved: a warning when the part is left, and no action but to save or discard them.
  await user.press(page.locator("nav").getByRole("link", { name: "Nodes" }));
  report.leaving = await user.asked();
  await user.press(user.answer("Cancel"));
  await user.closed();
  await user.press(user.button("Mark for deletion"));
  await user.said("save or discard them first");
  await user.press(user.button("Save on staging"));
  await user.said("Saved on staging.");
  await page.locator("h2 .badge:text-is('staging differs')").waitFor(WAIT);
  report.difference = await read(page.locator("section").filter({ hasText: "Staging against production" }));
  await user.press(user.button("Promote"));
  report.editAsked = await user.asked();
  await user.look("promote");
  await user.press(user.answer("Cancel"));
  await user.closed();
  report.resetAsked = await agree(user, "Reset staging", "Staging is as production again.");
  await page.locator("h2 .badge.good").waitFor(WAIT);

  await edit(user, (document) => { document.tokenAuth.enforceOnContentRequest = false; });
  await user.press(user.button("Save on staging"));
  await page.locator("h2 .badge:text-is('staging differs')").waitFor(WAIT);
  await agree(user, "Promote", "Promoted to production.");
  await page.locator("h2 .badge.good").waitFor(WAIT);
  // The first version is the last row.
  await user.press(page.getByRole("group", { name: "Version 1", exact: true }).getByRole("button", { name: "To production" }));
  report.rollBackAsked = await user.asked();
  await user.press(user.answer("To production"));
  await user.closed();
  await user.said("Version 1 is on production.");
  await agree(user, "Reset staging", "Staging is as production again.");

  report.steps = [];
  for (const [step, done] of [["Add the new secret", "Done: add"], ["Swap", "Done: swap"], ["Drop the old secret", "Done: drop"]]) {
    await user.page.locator(`button:text-is("${step}"):not([aria-disabled])`).waitFor(WAIT);
    report.steps.push(await agree(user, step, done));
  }
  await user.look("policy");

  await user.part("Why");
  await user.type(page.getByLabel("URL", { exact: true }), `https://${host}/vod/master.m3u8`);
  await user.press(user.button("Explain"));
  await page.locator(".checks li").first().waitFor(WAIT);
  report.why = await read(page.locator("main"));
  await user.look("why");

  await remove(user, name, visit);
  await user.part("Audit");
  report.audit = await read(page.locator("main"));
  await user.press(page.locator("summary").first());
  await page.locator("details[open] code").first().waitFor(WAIT);
  await user.look("audit");
  await access(browser, user, visit);
  await sessions(user, visit);
  for (const part of ["Settings", "Nodes", "Refusals"]) {
    await user.part(part);
    await user.look(part.toLowerCase());
  }
  report.title = await page.title();
  user.expect(401);
  await user.press(user.button("Log out"));
  await page.getByLabel("One-time code").waitFor(WAIT);
  await user.look("login");
  await page.goto(`${how.url}/#/audit`);
  await page.waitForURL(/\/login$/, WAIT);
  return user.close();
}

/** Takes the assignment away, marks the policy and deletes it; before that, the server refuses to. */
async function remove(user, name, visit) {
  const { page, report } = user;
  await open(user, name);
  await agree(user, "Mark for deletion", "Marked for deletion.");
  await page.locator("h2 .badge:text-is('marked for deletion')").waitFor(WAIT);
  user.expect(409);
  await user.press(user.button("Delete"));
  await user.press(user.answer("Delete"));
  await page.locator("dialog .bad").filter({ hasText: /\w/ }).waitFor(WAIT);
  report.deleteRefused = await read(page.locator("dialog .bad"));
  await user.press(user.answer("Cancel"));
  await user.closed();
  await user.part("Assignments");
  await user.press(user.button(`Edit the assignments of site ${visit}`));
  await user.press(user.answer("Remove"));
  await user.press(user.answer("Save on staging"));
  await user.said("Saved on staging.");
  await user.press(user.button(`Promote site ${visit}`));
  await user.press(user.answer("Promote"));
  await user.said("Promoted to production.");
  await agreeLabelled(user, `Delete site ${visit}`, "Delete", "Deleted.");
  await open(user, name);
  report.deleteAsked = await agree(user, "Delete", "Deleted.");
  await user.heading("Policies");
  report.policies = await read(page.locator("main"));
}

/** Who is watching: the viewer's three sessions; one ends, then the others. The names are HTML. */
async function sessions(user, visit) {
  const { page, report } = user;
  const viewer = `${visit} ${HTML}`;
  const rows = page.locator("tbody tr").filter({ hasText: "End all" });
  await user.part("Sessions");
  report.counted = await read(page.locator("main section").first());
  await user.type(page.getByLabel("Viewer", { exact: true }), viewer);
  await user.choose(page.getByLabel("Network", { exact: true }), "production");
  await user.press(user.button("Search"));
  await page.locator("[role=status]").filter({ hasText: "3 sessions, as of" }).waitFor(WAIT);
  report.watching = await rows.allInnerTexts();
  await user.look("sessions");
  const [download] = await Promise.all([page.waitForEvent("download", WAIT), user.press(user.button("Download CSV"))]);
  report.csv = [download.suggestedFilename(), await (await download.createReadStream()).toArray().then((parts) => parts.join(""))];
  await user.press(user.button(/^End the session/, false).first());
  report.endAsked = [await user.asked(), await page.getByLabel("Ids of the sessions").inputValue()];
  await user.look("ending");
  await user.press(user.answer("Copy ids"));
  await page.locator("dialog [role=status]").filter({ hasText: /Copied|does not allow/ }).waitFor(WAIT);
  await user.press(user.answer("End"));
  await user.closed();
  await user.said("Ended 1 session.");
  await page.locator("main [role=status]").filter({ hasText: "2 sessions, as of" }).waitFor(WAIT);
  report.focused = await page.evaluate(() => document.activeElement !== document.body);
  await user.press(user.button(`End all sessions of ${viewer}`).first());
  report.endAllAsked = [await user.asked(), await page.getByLabel("Ids of the sessions").inputValue()];
  await user.press(user.answer("End all"));
  await user.closed();
  await user.said("Ended 2 sessions.");
  await page.locator("main [role=status]").filter({ hasText: "No session, as of" }).waitFor(WAIT);
  await user.part("Audit");
  report.ended = await read(page.locator("main"));
}

async function agreeLabelled(user, label, answer, done) {
  await user.press(user.button(label));
  await user.press(user.answer(answer));
  await user.closed();
  await user.said(done);
}

/** A token, shown once. */
async function access(browser, user, visit) {
  const { page, report } = user;
  await user.part("Access");
  await user.press(user.button("New bearer token"));
  await user.type(page.getByLabel("Name", { exact: true }), `${visit} ${HTML}`);
  await user.press(user.answer("Create"));
  await page.getByRole("textbox", { name: "Shown once" }).waitFor(WAIT);
  report.token = await page.getByRole("textbox", { name: "Shown once" }).inputValue();
  await user.press(user.answer("Done"));
  await user.closed();
  await user.said("Created.");
  await user.look("access");
  // A reader with it, in a window of its own: no cookie, and no secret.
  report.reader = await reader(browser, visit, report.token);
  await user.press(user.button(`End ${visit} ${HTML}`));
  await user.press(user.answer("End"));
  await user.closed();
  await user.said("Ended.");
}

/** A user who may only read: every action says why it is not possible. */
async function reader(browser, visit, token) {
  const user = await enter(browser, how, "mouse", {
    name: `${visit}-reader`, viewport: { width: 1280, height: 800 }, extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const { page, report } = user;
  await page.goto(`${how.url}/`);
  await user.heading("Policies");
  await page.getByRole("link", { name: "kept", exact: true }).click();
  await user.heading("kept");
  report.actions = {};
  for (const name of ["Promote", "Reset staging", "Mark for deletion", "Delete", "Save on staging", "Discard edits"]) {
    const action = user.button(name);
    report.actions[name] = [await action.getAttribute("aria-disabled"), await action.getAttribute("title")];
  }
  // Force: Playwright would wait until it is no longer disabled.
  await user.button("Mark for deletion").click({ force: true });
  await user.said("lacks the role edit");
  report.readonly = await editor(user).getAttribute("readonly");
  await user.look("policy");
  for (const part of ["Assignments", "Settings", "Nodes", "Sessions", "Refusals", "Why", "Audit", "Access"]) {
    await user.part(part);
    await user.look(part.toLowerCase());
    if (part !== "Sessions") continue;
    const end = user.button(/^End the session/, false).first();
    report.actions.End = [await end.getAttribute("aria-disabled"), await end.getAttribute("title")];
  }
  return user.close();
}

const browser = await launch(how);
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const VISITS = {
  mouse: () => story(browser, "mouse", "mouse", DESK),
  phone: () => story(browser, "phone", "finger", PHONE),
  keyboard: () => story(browser, "keyboard", "keyboard", DESK),
  canned: () => canned(browser, how, logIn),
  fleet: () => fleet(browser, how, logIn),
  "troubled-desk": () => troubled(browser, how, logIn, "troubled-desk", "mouse", DESK),
  "troubled-phone": () => troubled(browser, how, logIn, "troubled-phone", "finger", PHONE),
};
try {
  const visits = Object.entries(VISITS).filter(([name]) => how.codes[name]).map(async ([name, visit]) => [name, await visit()]);
  console.log(JSON.stringify(Object.fromEntries(await Promise.all(visits))));
} finally {
  await browser.close();
}
