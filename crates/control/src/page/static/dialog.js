// Dialogs: one that asks before a change and runs it, one that shows a text once.

import { h, sentence } from "./dom.js";

/** Dialogs may lie on each other: each names itself by a title of its own. */
let titles = 0;

/**
 * Asks for confirmation and runs `change`. The dialog stays open while that runs, and with the reason if it fails, so that
 * nothing typed is lost. Resolves to whether the change was made. `kind` is primary or danger.
 */
export function confirmation(title, content, action, change, kind = "primary") {
  const id = `dialog-title-${++titles}`;
  const trouble = h("p.bad", { role: "alert" });
  const agree = h(`button.${kind}`, {}, action);
  const cancel = h("button", { type: "button", onclick: () => dialog.close("no") }, "Cancel");
  let running = false;
  const dialog = h("dialog", {
    "aria-labelledby": id,
    // Escape: not while the change is on its way.
    oncancel: (event) => running && event.preventDefault(),
  }, h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      if (running) return;
      running = true;
      trouble.textContent = "";
      for (const each of [agree, cancel]) each.setAttribute("aria-disabled", "true");
      try {
        await change();
        dialog.close("yes");
      } catch (problem) {
        trouble.textContent = sentence(problem);
      } finally {
        running = false;
        for (const each of [agree, cancel]) each.removeAttribute("aria-disabled");
      }
    },
  }, h("h2", { id }, title), content, trouble, h("div.buttons", {}, cancel, agree)));
  cancel.addEventListener("click", (event) => running && event.stopImmediatePropagation(), { capture: true });
  return open(dialog, dialog.querySelector(":is(input, select, textarea):not([readonly])") ?? cancel).then((value) => value === "yes");
}

/** Shows a text that is not shown again, such as a new token. Escape does not close it. */
export function once(title, text, help) {
  const id = `dialog-title-${++titles}`;
  const area = h("textarea.code", {
    readonly: true, rows: Math.min(8, text.split("\n").length + 1), "aria-label": title, spellcheck: "false", value: text,
  });
  const dialog = h("dialog", { "aria-labelledby": id, oncancel: (event) => event.preventDefault() },
    h("form", { method: "dialog" },
      h("h2", { id }, title),
      h("p", {}, help),
      area,
      h("div.buttons", {}, h("button.primary", { value: "yes" }, "Done"))));
  area.addEventListener("focus", () => area.select());
  return open(dialog, area);
}

/** Shows something to read. */
export function reading(title, content) {
  const id = `dialog-title-${++titles}`;
  const close = h("button", { value: "no" }, "Close");
  return open(h("dialog", { "aria-labelledby": id },
    h("form", { method: "dialog" }, h("h2", { id }, title), content, h("div.buttons", {}, close))), close);
}

function open(dialog, first) {
  const before = document.activeElement;
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
    first.focus();
  });
}
