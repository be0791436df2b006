// A user of the page: a window, and the ways to press and type in it: by mouse, by finger, or by keyboard alone.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { layout } from "../players/layout.mjs";

export const WAIT = { timeout: 30_000 };
const TARGETS = "button, a.button, nav a, a.target, input:not([type=checkbox]), select, textarea, summary, label.check";
const SCROLLED = ".skip, .hidden, nav *, .scroll *, textarea, dialog .scroll *";
// What cannot be pressed now, and what lies on a bar of a chart, whose colours are chosen in pairs.
const EXEMPT = "[aria-disabled=true], svg *, option, .skip";

/** The text of an element as it is shown: without what is hidden, and with its lines. */
export async function read(locator) {
  await locator.waitFor(WAIT);
  const [text] = await locator.allInnerTexts();
  return text;
}

/** By keyboard alone: Tab until the element has the focus; two ways round, the nearer one is found first. */
async function reach(page, target) {
  const there = () => target.evaluate((element) => element === document.activeElement);
  await target.waitFor(WAIT);
  for (const [key, most] of [["Tab", 60], ["Shift+Tab", 200]]) {
    for (let n = 0; n < most; n += 1) {
      if (await there()) return;
      await page.keyboard.press(key);
    }
  }
  throw new Error(`the keyboard does not reach ${target}`);
}

/** The ways to use the page; `type` replaces a field's text, `choose` takes an option by its value. */
const WAYS = {
  mouse: {
    press: (_, target) => target.click(WAIT),
    type: (_, target, text) => target.fill(text, WAIT),
    choose: (_, target, value) => target.selectOption(value, WAIT),
  },
  finger: {
    press: (_, target) => target.tap(WAIT),
    type: async (_, target, text) => {
      await target.tap(WAIT);
      await target.fill(text, WAIT);
    },
    choose: (_, target, value) => target.selectOption(value, WAIT),
  },
  keyboard: {
    press: async (page, target) => {
      await reach(page, target);
      const space = await target.evaluate((element) => element.matches("input[type=checkbox]"));
      await page.keyboard.press(space ? "Space" : "Enter");
    },
    type: async (page, target, text) => {
      await reach(page, target);
      await page.keyboard.press("Control+A");
      await page.keyboard.press("Delete");
      await page.keyboard.insertText(text);
    },
    choose: async (page, target, value) => {
      await reach(page, target);
      const label = await target.locator(`option[value="${value}"]`).textContent();
      await page.keyboard.type(label);
    },
  },
};

/** A window with its user. `report` gets the complaints of the browser, the layouts and the texts. */
export async function enter(browser, how, way, options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, hasTouch: way === "finger", ...options });
  const page = await context.newPage();
  const report = { complaints: [], others: [], layouts: {}, texts: {}, unlabelled: {} };
  const axe = readFileSync(join(how.modules, "axe-core/axe.min.js"), "utf8");
  const expected = new Set();
  page.on("pageerror", (error) => report.complaints.push(String(error)));
  page.on("console", (message) => {
    const refused = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text());
    if (message.type() === "error" && !(refused && expected.has(Number(refused[1])))) report.complaints.push(message.text());
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^https?:/.test(url.protocol) && url.origin !== new URL(how.url).origin) report.others.push(url.href);
  });
  const hands = WAYS[way];
  const user = {
    page, report, how,
    press: (target) => hands.press(page, target),
    type: (target, text) => hands.type(page, target, text),
    choose: (target, value) => hands.choose(page, target, value),
    /** A status of the API that is a part of the story; browsers log those as errors. */
    expect: (status) => expected.add(status),
    button: (name, exact = true) => page.getByRole("button", { name, exact }),
    /** A button of the dialog that is open. */
    answer: (name) => page.locator("dialog[open]").getByRole("button", { name, exact: true }),
    /** The text of the dialog that is open. */
    asked: async () => {
      return read(page.locator("dialog[open]"));
    },
    /** Waits until no dialog is open. */
    closed: () => page.locator("dialog").waitFor({ state: "detached", ...WAIT }).catch(async (error) => {
      throw new Error(await read(page.locator("dialog")), { cause: error });
    }),
    /** Waits for a message of the status line. */
    said: (text) => page.locator("#status").filter({ hasText: text }).waitFor(WAIT),
    heading: (text) => page.locator("main h2").filter({ hasText: text }).first().waitFor(WAIT),
    /** Goes to a part by its link. */
    part: async (name) => {
      await hands.press(page, page.locator("nav").getByRole("link", { name, exact: true }));
      await page.locator(`nav a[aria-current=page]:text-is("${name}")`).waitFor(WAIT);
      await page.locator("main:not([aria-busy])").waitFor(WAIT);
    },
    /** Measures what is shown, in both colour schemes, and takes its pictures. */
    look: async (name) => {
      // With the styles of a page that has just been entered.
      await page.waitForLoadState("load");
      await page.locator("main:not([aria-busy])").waitFor(WAIT);
      const fields = await page.locator("input, textarea").evaluateAll((all) => all.map((field) => field.value));
      report.texts[name] = [await read(page.locator("body")), ...fields].join("\n");
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        report.layouts[`${name} ${colorScheme}`] = await page.evaluate(layout, {
          width: page.viewportSize().width, targets: TARGETS, scrolled: SCROLLED, exempt: EXEMPT,
        });
        const file = `control-${options.name}-${name}-${colorScheme}.png`;
        await page.screenshot({ path: join(how.pictures, file), fullPage: true });
        await page.evaluate(axe);
        report.unlabelled[`${name} ${colorScheme}`] = await page.evaluate(async () => (await globalThis.axe.run()).violations
          .map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(" ")}`));
      }
      await page.emulateMedia({ colorScheme: "light" });
    },
    close: async () => {
      await context.close();
      return report;
    },
  };
  return user;
}
