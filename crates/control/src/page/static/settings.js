// Settings: the members of the networks' documents beside policies and assignments.

import * as api from "./api.js";
import { badge, button, h, lacks, say } from "./dom.js";
import { confirmation } from "./dialog.js";
import { differenceTable, differences } from "./diff.js";
import { editor } from "./editor.js";
import { receivers } from "./impact.js";

export async function showSettings({ user, signal, reload, guard }) {
  const [{ staging, production }, nodes] = await Promise.all([api.settings(), api.nodes()]);
  const differs = differences(staging, production).length > 0;
  const readonly = lacks(user, "edit");
  const equal = differs ? null : "Staging and production are equal.";

  const saving = button("Save on staging", { kind: "primary", refused: readonly }, async () => {
    const document = edit.document();
    if (!document) {
      say("The text is not valid JSON: see the fault below the editor.", "bad");
      return;
    }
    try {
      await api.editSettings(document);
    } catch (problem) {
      if (problem.errors?.length) edit.show(problem.errors);
      throw problem;
    }
    edit.saved();
    await reload();
    say("Saved on staging.", "good");
  });
  const edit = editor({
    label: "Settings on staging", text: JSON.stringify(staging, null, 2), schema: null, signal, readonly: readonly !== null,
    check: (document) => api.check({ document }), save: () => saving.click(),
  });
  guard(edit.edited);

  const act = (label, kind, refused, network, change, done) => button(label, { kind, refused }, async () => {
    if (edit.edited()) {
      say("The editor has edits that are not saved: save or discard them first.", "wait");
      return;
    }
    const [before, after] = network === "production" ? [production, staging] : [staging, production];
    const where = network === "production" ? "Production" : "Staging";
    const content = [receivers(nodes.filter((node) => node.network === network).length, network),
      differenceTable(before, after, [`${where} now`, `${where} then`])];
    const title = network === "production" ? "Promote the settings to production?" : "Reset the settings on staging?";
    if (!(await confirmation(title, content, label, change, kind ?? "danger"))) return;
    await reload();
    say(done, "good");
  });
  const promote = act("Promote", "primary", lacks(user, "promote") ?? equal, "production",
    () => api.patchSettings({ promote: true }), "Promoted to production.");
  const reset = act("Reset staging", undefined, readonly ?? equal, "staging",
    () => api.patchSettings({ reset: true }), "Staging is as production again.");

  return [
    h("div.title", {}, h("h2", {}, "Settings ", differs ? badge("staging differs", "wait")
      : badge("staging and production are equal", "good")), h("div.buttons", {}, promote, reset)),
    h("p", {}, "Members of the filter's configuration beside policies and assignments, for all policies of a network."),
    edit.element,
    h("div.buttons", {}, saving, button("Discard edits", { refused: readonly }, () => edit.discard())),
    h("section", {}, h("h3", {}, "Staging against production"), differenceTable(production, staging, ["Production", "Staging"])),
  ];
}
