// Starts the tests' Chromium.

import { createRequire } from "node:module";
import { join } from "node:path";

const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage",
  // Several pages play at once, and all but one are in the background.
  "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
];

/** One Chromium, the program at `chromium`, driven by the playwright-core among `modules`. */
export function launch({ modules, chromium }) {
  return createRequire(join(modules, "x.js"))("playwright-core").chromium.launch({
    executablePath: chromium, headless: true, args: ARGUMENTS, chromiumSandbox: false,
  });
}
