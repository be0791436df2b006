// Elements of the page. Texts are always set as text: nothing from the API becomes HTML.

/** An element with attributes, listeners (`onclick`), properties of its own and children; `null` children are left out. */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElement(tag), classes, attributes, children);
}

/** An SVG element, as `h`. */
export function svg(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** A table whose cells carry their column's title, so that it can be read as a list on a phone. */
export function table(caption, titles, rows) {
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": caption },
    h("table", {},
      h("caption.hidden", {}, caption),
      h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) =>
        h("td", { "data-title": titles[index] }, h("div", {}, cell))))))));
}

/** A word in a coloured frame; `kind` is good, bad, wait or quiet. */
export function badge(text, kind = "quiet") {
  return h(`span.badge.${kind}`, {}, text);
}

/** A time of the API in the reader's zone, with the exact value as a title. */
export function time(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, String(text ?? ""));
  return h("time", { datetime: text, title: text }, date.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }));
}

/** The parts of a text in which backticks mark code. */
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

/** A field of a form with its label and its help. */
export function field(label, attributes, help) {
  const { id, tag = "input", ...rest } = attributes;
  const described = help ? `${id}-help` : null;
  return [h("label", { for: id }, label),
    h(tag, { id, name: id, "aria-describedby": described, spellcheck: "false", autocapitalize: "off", ...rest }),
    help ? h("p.help", { id: described }, help) : null];
}

/**
 * A button whose action runs once at a time; the status line shows why it failed. With `refused`, the reason why the
 * action is not possible, it stays reachable by keyboard and only shows that reason.
 */
export function button(label, { kind, refused, ...attributes }, action) {
  const element = h(kind ? `button.${kind}` : "button", {
    type: "button", title: refused, "aria-disabled": refused ? "true" : null, ...attributes,
    onclick: async () => {
      if (refused) say(refused, "wait");
      if (refused || element.hasAttribute("aria-busy")) return;
      element.setAttribute("aria-busy", "true");
      try {
        await action();
      } catch (problem) {
        say(sentence(problem), "bad");
      } finally {
        element.removeAttribute("aria-busy");
      }
    },
  }, label);
  return element;
}

/** A problem and its faults as one text. */
export function sentence(problem) {
  const faults = (problem.errors ?? []).map((each) => `${each.member}: ${each.detail}`);
  const shown = faults.every((fault) => problem.message.includes(fault)) ? [] : faults;
  return [problem.message, ...shown].join(" ");
}

/** The reason why a user may not do something, or null: `roles` are all needed. */
export function lacks(user, ...roles) {
  const missing = roles.filter((role) => !user.roles.includes(role));
  return missing.length ? `Your login lacks the role ${missing.join(" and ")}.` : null;
}

/** A field that hides the rows of the table in `place` that do not contain its text; null if there are few rows. */
export function filter(count, place, label) {
  if (count <= 8) return null;
  const input = h("input.filter", { type: "search", "aria-label": label, placeholder: label, spellcheck: "false" });
  const shown = h("span.quiet", { role: "status" });
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...place.querySelectorAll("tbody tr")];
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    shown.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  };
  input.addEventListener("input", apply);
  return { element: h("div.filters", {}, input, shown), apply };
}

/** A message for the status line, which screen readers read. */
export function say(text, kind = "") {
  const line = document.getElementById("status");
  line.className = kind;
  line.textContent = text;
}

let brought = [""];

/** Goes to a part of the page, and shows a message there. */
export function go(hash, ...message) {
  brought = message;
  location.hash = hash;
}

/** A part has been entered: the message from where the user came, or none. */
export function arrive() {
  say(...brought);
  brought = [""];
}
