// The page of a fleet in which one Envoy has no module, and another one the certificate of another network than it claims.

import { WAIT, enter, read } from "./hands.mjs";

export async function troubled(browser, how, logIn, name, way, viewport) {
  const user = await enter(browser, how, way, { name, viewport });
  const { page, report } = user;
  await logIn(user, how.codes[name]);
  await user.part("Nodes");
  const state = (node, text) => page.locator("tbody tr").filter({ hasText: node }).locator(`.badge:text-is("${text}")`).waitFor(WAIT);
  await state("bare", "refused");
  await state("claimant", "in force");
  report.counts = await read(page.locator("main p").filter({ hasText: "in force" }));
  report.nodes = await page.locator("tbody tr").allInnerTexts();
  await user.look("nodes");
  return user.close();
}
