// An editor of one JSON document: line numbers, the schema's help for the member at the caret, faults on their lines.

import { h, prose } from "./dom.js";
import { lineOf, nearest, pathAt, read } from "./json-text.js";

const CHECK_AFTER_MS = 400;
/** What the API shows in place of a secret, and takes for the stored one. */
const MASK = "********";

/**
 * Creates an editor; without a `schema` there is no help. `check(document)` resolves to {errors: [{member, detail}],
 * warnings: [text]}; `save` is called for Ctrl+S. Returns {element, document(): the parsed document or null, show(errors), edited(), saved()}.
 */
export function editor({ label, text, schema, check, save, readonly = false, signal }) {
  const area = h("textarea.code", {
    id: "editor-text", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
    rows: Math.min(26, Math.max(10, text.split("\n").length + 4)),
    "aria-describedby": "editor-hint", "aria-errormessage": "editor-faults", readonly, value: text,
  });
  const numbers = h("pre.numbers", { "aria-hidden": "true" });
  const faults = h("ul.faults", { id: "editor-faults", "aria-live": "polite", "aria-label": "Faults" });
  const help = h("aside.help", { "aria-label": "Help for the member at the caret", tabindex: 0 });
  const hint = h("p.help", { id: "editor-hint" });
  let original = text;
  let state = read(text);
  let timer = 0;
  let asked = 0;
  let numbered = "";

  function number(marked) {
    const count = area.value.split("\n").length;
    const wanted = `${count} ${[...marked].join()}`;
    if (wanted !== numbered) {
      numbers.replaceChildren(...Array.from({ length: count }, (_, index) =>
        marked.has(index + 1) ? h("span.bad", {}, `${index + 1}\n`) : `${index + 1}\n`));
    }
    numbered = wanted;
    numbers.scrollTop = area.scrollTop;
  }

  /** Shows faults: of the syntax, or of the API with their paths. */
  function show(errors, warnings = []) {
    const marked = new Set();
    const lines = errors.map((error) => {
      // Asked for again when it is pressed: the text may have changed.
      const offset = () => error.member ? place(error.member) : state.error?.offset ?? 0;
      const line = lineOf(area.value, offset());
      marked.add(line);
      return h("li.bad", {}, h("button.link", { type: "button", onclick: () => jump(offset()) }, `Line ${line}`), " ",
        error.member ? [h("code", {}, error.member), ": "] : null, error.detail);
    });
    lines.push(...warnings.map((warning) => h("li.wait", {}, "Warning: ", warning.detail
      ? [h("code", {}, warning.member), ": ", warning.detail] : warning)));
    if (!lines.length) lines.push(h("li.good", {}, "No faults found."));
    // What is said twice is read out twice.
    const before = faults.textContent;
    const list = h("ul", {}, lines);
    if (list.textContent !== before) faults.replaceChildren(...lines);
    area.setAttribute("aria-invalid", String(errors.length > 0));
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
    if (signal.aborted) return;
    state = read(area.value);
    explain();
    const mine = ++asked;
    if (state.error) {
      show([{ detail: state.error.message }]);
      return;
    }
    const found = await check(JSON.parse(area.value)).catch((problem) => (problem.errors?.length
      ? { errors: problem.errors, warnings: [] } : { errors: [], warnings: [`not checked: ${problem.message}`] }));
    if (mine === asked && !signal.aborted) show(found.errors, found.warnings);
  }

  let explained = "";
  function explain() {
    if (!schema) return;
    const path = pathAt(state.places, area.selectionStart);
    const found = schema.help(path);
    const present = state.places.size;
    const key = JSON.stringify([path, present, state.error !== null]);
    if (key === explained) return;
    explained = key;
    help.replaceChildren(h("h3", {}, h("code", {}, path || "The policy")),
      ...(found ? describe(found, path) : [h("p", {}, "This member is not known.")]));
    help.scrollTop = 0;
  }

  function describe(found, path) {
    const missing = found.members.filter(({ name }) => !state.places.has(path ? `${path}.${name}` : name));
    // Those that have a text are listed with it.
    const listed = found.meanings.length > 1;
    const choices = listed ? "" : found.choices.map((each) => JSON.stringify(each)).join(", ");
    const facts = [found.type, choices ? `one of ${choices}` : null,
      found.standard === undefined ? null : `default ${JSON.stringify(found.standard)}`].filter(Boolean).join("; ");
    const adding = !readonly && !state.error && missing.length > 0 && area.value[state.places.get(path)?.start] === "{";
    return [
      ...found.description.split("\n\n").map((paragraph) => h("p", {}, prose(paragraph))),
      facts ? h("p.quiet", {}, facts) : null,
      listed ? h("ul.plain", {}, found.meanings.map(([value, meaning]) =>
        h("li", {}, h("code", {}, JSON.stringify(value)), ": ", prose(meaning)))) : null,
      found.examples.length ? h("p.quiet", {}, "Example: ", h("code", {}, JSON.stringify(found.examples[0]))) : null,
      adding ? h("p", {}, "Members that can be added:") : null,
      adding ? h("ul.members", {}, missing.map((member) => h("li", {},
        h("button.link", { type: "button", onclick: () => add(path, member) }, member.name),
        member.required ? " (required)" : "",
        h("span.quiet", {}, " ", prose(member.description.split(/(?<=\.)\s/)[0]))))) : null,
    ].filter(Boolean);
  }

  /** Adds a member at the end of the object at `path`. */
  function add(path, { name, sample }) {
    const document = JSON.parse(area.value);
    let target = document;
    for (const step of path.match(/[^.[\]]+/g) ?? []) target = target[step];
    if (target === null || typeof target !== "object" || Array.isArray(target)) return;
    target[name] = sample;
    replace(JSON.stringify(document, null, 2));
    const added = state.places.get(path ? `${path}.${name}` : name);
    area.setSelectionRange(added.start, added.end);
    const line = lineOf(area.value, added.start);
    area.scrollTop = Math.max(0, (line - 5) * Number.parseFloat(getComputedStyle(area).lineHeight));
    explain();
  }

  /** Replaces the text as typing would, so that the browser can undo it. */
  function replace(text) {
    area.focus();
    area.select();
    if (!document.execCommand("insertText", false, text)) area.value = text;
    changed();
  }

  function changed() {
    clearTimeout(timer);
    // The answer to a check under way is about another text.
    asked += 1;
    state = read(area.value);
    number(new Set());
    hints();
    timer = setTimeout(checkNow, CHECK_AFTER_MS);
  }

  function hints() {
    hint.replaceChildren(...[
      readonly ? "You can read this, not change it." : "Tab leaves the editor; Ctrl+S saves.",
      area.value.includes(`"${MASK}"`)
        ? [" ", h("code", {}, MASK), ` stands for a stored secret${readonly ? "" : "; leave it to keep the secret"}.`] : [],
      !readonly && area.value !== original ? [" ", h("strong", {}, "Edited, not saved.")] : [],
    ].flat());
  }

  area.addEventListener("input", changed);
  area.addEventListener("keyup", explain);
  area.addEventListener("click", explain);
  area.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
    event.preventDefault();
    save();
  });
  area.addEventListener("scroll", () => {
    numbers.scrollTop = area.scrollTop;
  });
  signal.addEventListener("abort", () => clearTimeout(timer));
  number(new Set());
  hints();
  explain();
  checkNow();

  return {
    element: h("div.editor", {},
      h("div.text", {}, h("label", { for: "editor-text" }, label), h("div.pane", {}, numbers, area), hint, faults),
      schema ? help : null),
    document: () => {
      state = read(area.value);
      return state.error ? null : JSON.parse(area.value);
    },
    show,
    edited: () => area.value !== original,
    /** The text as it is now is what the server has. */
    saved: () => {
      original = area.value;
      hints();
    },
    discard: () => replace(original),
  };
}
