// The page of a fleet that runs: its Envoys, and a promotion that reaches them. Also takes the pictures of the documentation.

import { join } from "node:path";

import { WAIT, enter } from "./hands.mjs";

export async function fleet(browser, how, logIn) {
  const user = await enter(browser, how, "mouse", { name: "fleet", viewport: { width: 1200, height: 720 } });
  const { page, report } = user;
  await logIn(user, how.codes.fleet);
  const rows = () => page.locator("tbody tr").allInnerTexts();
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
  report.nodes = await rows();
  await user.part("Refusals");
  await page.locator("tbody tr").first().waitFor(WAIT);
  report.refusals = await rows();
  await user.part("Nodes");
  await user.look("nodes");
  await page.setViewportSize({ width: 1200, height: 340 });
  await page.screenshot({ path: join(how.pictures, "control-nodes.png") });
  return user.close();
}
