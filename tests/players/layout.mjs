// Measures how a page fits a window; shared by the tests of all pages.

/** How it fits: what is beyond `width` but for what is `scrolled`, how high `targets` are and which of them are smaller than
 * 24 pixels (WCAG 2.2, 2.5.8), texts that do not stand out (1.4.3) but for what is `exempt`. A phone's own window grows with
 * what does not fit. */
export function layout({ width, targets, scrolled = ".none", exempt = ".none" }) {
  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [red * scale, green * scale, blue * scale, alpha];
  };
  const luminance = (rgb) => rgb.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const over = (top, below) => top.slice(0, 3).map((part, at) => part * top[3] + below[at] * (1 - top[3])).concat(1);
  const behind = (element) => {
    if (!element) return [255, 255, 255, 1];
    const own = colour(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const unmeasured = `.hidden, legend, :disabled, :disabled *, ${exempt}`;
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const words = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words.length || !element.checkVisibility() || element.matches(unmeasured)) continue;
    const [a, b] = [luminance(colour(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${words[0].textContent.trim()}`);
  }
  const box = (element) => element.getBoundingClientRect();
  const all = [...document.querySelectorAll("body *")].filter((element) => !element.matches(scrolled));
  const beyond = all.map((element) => Math.floor(box(element).right - width));
  const shown = [...document.querySelectorAll(targets)].filter((element) => element.checkVisibility());
  return {
    faint,
    wide: [document.documentElement.scrollWidth - width, ...beyond].filter((by) => by > 0),
    heights: shown.map((element) => box(element).height),
    small: shown.filter((element) => Math.min(box(element).width, box(element).height) < 24).map((element) => element.outerHTML),
  };
}
