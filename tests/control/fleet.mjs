// The page of a fleet that runs: its Envoys, a promotion that reaches them, an exchange that waits for one. Also takes the pictures of the documentation.

import { join } from "node:path";

import { WAIT, enter } from "./hands.mjs";

export async function fleet(browser, how, logIn) {
  const user = await enter(browser, how, "mouse", { name: "fleet", viewport: { width: 1200, height: 720 } });
  const { page, report } = user;
  await logIn(user, how.codes.fleet);
  const inForce = (count) => page.locator(".badge:text-is('in force')").nth(count - 1).waitFor(WAIT);

  await page.getByRole("link", { name: "demo", exact: true }).click();
  await user.heading("demo");
  const editor = page.getByRole("textbox", { name: /^Policy/ });
  const document = JSON.parse(await editor.inputValue());
  document.mediaEncryption.percentageCoverage = "30";
  document.contentTargeting.geoProtection = { ...document.contentTargeting.geoProtection, enabled: true, countries: [{ countryCode: "AQ" }] };
  await editor.fill(JSON.stringify(document, null, 2));
  await user.button("Save on staging").click();
  await user.said("Saved on staging.");
  await user.button("Promote").click();
  report.asked = await user.asked();
  await page.screenshot({ path: join(how.pictures, "control-promote.png") });
  await user.answer("Promote").click();
  await user.said("Promoted to production.");

  await user.part("Nodes");
  await inForce(3);
  report.nodes = await rowsOf(page);
  await exchange(user, how.pid);
  await user.part("Refusals");
  await page.locator("tbody tr").first().waitFor(WAIT);
  report.refusals = await rowsOf(page);
  await user.part("Nodes");
  await user.look("nodes");
  await page.setViewportSize({ width: 1200, height: 340 });
  await page.screenshot({ path: join(how.pictures, "control-nodes.png") });
  return user.close();
}

/** The exchange of the password while edge-2 is stopped: the next step waits for it, and for it alone. */
async function exchange(user, pid) {
  const { page, report } = user;
  await user.part("Policies");
  await page.getByRole("link", { name: "demo", exact: true }).click();
  await user.heading("demo");
  const step = async (name, done) => {
    await page.locator(`button:text-is("${name}"):not([aria-disabled])`).click(WAIT);
    await user.answer(name).click();
    await user.closed();
    await user.said(done);
  };
  process.kill(pid, "SIGSTOP");
  try {
    await step("Add the new secret", "Done: add");
    await page.locator(".exchange").filter({ hasText: /Not yet in force on:\s+production\/edge-2\s+Envoys/ }).waitFor(WAIT);
    report.waiting = await user.button("Swap").getAttribute("title");
    await user.part("Nodes");
    await page.locator("tbody tr").filter({ hasText: "edge-2" }).filter({ hasNotText: "in force" }).waitFor(WAIT);
    report.behind = await rowsOf(page);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await user.part("Policies");
  await page.getByRole("link", { name: "demo", exact: true }).click();
  await step("Swap", "Done: swap");
  await step("Drop the old secret", "Done: drop");
}

const rowsOf = (page) => page.locator("tbody tr").allInnerTexts();
