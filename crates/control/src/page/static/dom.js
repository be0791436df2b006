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
        h("td", { "data-title": titles[index] }, cell)))))));
}

/** A word in a coloured frame; `kind` is good, bad, wait or quiet. */
export function badge(text, kind = "quiet") {
  return h(`span.badge.${kind}`, {}, text);
}

/** A time of the API in the reader's zone, with the exact value as a title. */
export function time(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return h("span", {}, String(text));
  return h("time", { datetime: text, title: text }, date.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }));
}

/** A message for the status line, which screen readers read. */
export function say(text, kind = "") {
  const line = document.getElementById("status");
  line.className = kind;
  line.textContent = text;
}
