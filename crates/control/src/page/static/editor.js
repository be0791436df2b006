// An editor of one JSON document: line numbers, the schema's help for the member at the caret, faults on their lines.

import { h } from "./dom.js";
import { lineOf, nearest, pathAt, read } from "./json-text.js";

const CHECK_AFTER_MS = 400;

/**
 * Creates an editor. `check(document)` resolves to {errors: [{member, detail}], warnings: [text]}.
 * Returns {element, document(): the parsed document or null, show(errors)}.
 */
export function editor({ label, text, schema, check, signal }) {
  const area = h("textarea.code", { id: "editor-text", spellcheck: "false", autocapitalize: "off", autocomplete: "off",
    wrap: "off", rows: 26, "aria-describedby": "editor-faults editor-help" });
  area.value = text;
  const numbers = h("pre.numbers", { "aria-hidden": "true" });
  const faults = h("ul.faults", { id: "editor-faults", "aria-live": "polite" });
  const help = h("aside.help", { id: "editor-help", "aria-live": "polite", "aria-label": "Help" });
  let state = read(text);
  let timer = 0;
  let asked = 0;

  function number(marked) {
    const count = area.value.split("\n").length;
    numbers.replaceChildren(...Array.from({ length: count }, (_, index) =>
      h(marked.has(index + 1) ? "span.bad" : "span", {}, `${index + 1}\n`)));
    numbers.scrollTop = area.scrollTop;
  }

  /** Shows faults: of the syntax, or of the API with their paths. */
  function show(errors, warnings = []) {
    const marked = new Set();
    const lines = errors.map((error) => {
      const offset = error.offset ?? place(error.member);
      const line = lineOf(area.value, offset);
      marked.add(line);
      return h("li.bad", {}, h("button.link", { type: "button", onclick: () => jump(offset) }, `Line ${line}`), " ",
        error.member ? h("code", {}, error.member) : null, error.member ? ": " : null, error.detail);
    });
    faults.replaceChildren(...lines, ...warnings.map((warning) => h("li.wait", {}, "Warning: ", warning)));
    if (!lines.length && !warnings.length) faults.append(h("li.good", {}, "No faults found."));
    area.setAttribute("aria-invalid", String(lines.length > 0));
    number(marked);
  }

  function place(member) {
    const found = nearest(state.places, member ?? "$").place;
    return found?.key ?? found?.start ?? 0;
  }

  function jump(offset) {
    area.focus();
    area.setSelectionRange(offset, offset);
    const line = lineOf(area.value, offset);
    area.scrollTop = Math.max(0, (line - 5) * Number.parseFloat(getComputedStyle(area).lineHeight));
    explain();
  }

  async function checkNow() {
    if (signal?.aborted) return;
    state = read(area.value);
    if (state.error) {
      show([{ offset: state.error.offset, detail: state.error.message }]);
      return;
    }
    const mine = ++asked;
    const found = await check(JSON.parse(area.value)).catch((problem) => ({
      errors: problem.errors?.length ? problem.errors : [{ member: "$", detail: problem.message }], warnings: [],
    }));
    if (mine === asked && !signal?.aborted) show(found.errors, found.warnings);
  }

  function explain() {
    const path = pathAt(state.places, area.selectionStart);
    const found = schema?.help(path);
    help.replaceChildren(h("h3", {}, h("code", {}, path || "The policy")), ...(found ? describe(found, path) : [
      h("p", {}, "This member is not known."),
    ]));
  }

  function describe(found, path) {
    const present = new Set([...state.places.keys()]);
    const missing = found.members.filter(({ name }) => !present.has(path ? `${path}.${name}` : name));
    return [
      h("p", {}, found.description.split("\n\n")[0]),
      h("p.quiet", {}, [found.type, found.choices.length ? `one of ${found.choices.map((each) => JSON.stringify(each)).join(", ")}` : null,
        found.standard === undefined ? null : `default ${JSON.stringify(found.standard)}`].filter(Boolean).join("; ")),
      found.examples.length ? h("p.quiet", {}, "Example: ", h("code", {}, JSON.stringify(found.examples[0]))) : null,
      missing.length ? h("p", {}, "Members that can be added:") : null,
      missing.length ? h("ul.members", {}, missing.map((member) => h("li", {},
        h("button.link", { type: "button", onclick: () => add(path, member) }, member.name), member.required ? " (required)" : "",
        h("span.quiet", {}, ` ${member.description.split(/(?<=\.)\s/)[0]}`)))) : null,
    ].filter(Boolean);
  }

  /** Adds a member at the end of the object at `path`, in the document's own indentation. */
  function add(path, { name, sample }) {
    const document = JSON.parse(area.value);
    let target = document;
    for (const step of path.match(/[^.[\]]+/g) ?? []) target = target[step];
    if (target === null || typeof target !== "object") return;
    target[name] = sample;
    area.value = JSON.stringify(document, null, 2);
    state = read(area.value);
    const added = state.places.get(path ? `${path}.${name}` : name);
    area.focus();
    area.setSelectionRange(added.start, added.end);
    changed();
    explain();
  }

  function changed() {
    clearTimeout(timer);
    state = read(area.value);
    number(new Set());
    timer = setTimeout(checkNow, CHECK_AFTER_MS);
  }

  area.addEventListener("input", changed);
  area.addEventListener("keyup", explain);
  area.addEventListener("click", explain);
  area.addEventListener("scroll", () => {
    numbers.scrollTop = area.scrollTop;
  });
  signal?.addEventListener("abort", () => clearTimeout(timer));
  number(new Set());
  explain();
  checkNow();

  return {
    element: h("div.editor", {},
      h("div.text", {}, h("label", { for: "editor-text" }, label), h("div.pane", {}, numbers, area), faults), help),
    document: () => {
      state = read(area.value);
      return state.error ? null : JSON.parse(area.value);
    },
    show: (errors) => show(errors),
  };
}
