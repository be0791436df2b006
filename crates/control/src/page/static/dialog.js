// Dialogs: one that confirms a change and lists its effects, one that shows a text once.

import { h } from "./dom.js";

/** Asks for confirmation. `content` is shown above the buttons; resolves to whether the user agreed. */
export function confirmation(title, content, action, kind = "primary") {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "dialog-title" }, title),
        content,
        h("div.buttons", {},
          h("button", { value: "no", autofocus: true }, "Cancel"),
          h(`button.${kind}`, { value: "yes" }, action))));
    open(dialog, (value) => resolve(value === "yes"));
  });
}

/** Shows a text that is not shown again, such as a new token. */
export function once(title, text, help) {
  return new Promise((resolve) => {
    const field = h("textarea.code", { readonly: true, rows: Math.min(8, text.split("\n").length + 1), "aria-label": title });
    field.value = text;
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "dialog-title" }, title),
        h("p", {}, help),
        field,
        h("div.buttons", {}, h("button.primary", { value: "yes", autofocus: true }, "Done"))));
    open(dialog, resolve);
  });
}

function open(dialog, done) {
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus?.();
    done(dialog.returnValue);
  });
  dialog.showModal();
}
