// The audit trail, newest first.

import * as api from "./api.js";
import { h, table, time } from "./dom.js";
import { differenceTable } from "./diff.js";

export async function showAudit() {
  const place = h("div", {});
  const more = h("button", { type: "button" }, "Older entries");
  let next = null;
  const load = async () => {
    const page = await api.audit(next);
    next = page.next ?? null;
    more.hidden = next === null;
    place.append(table("Audit", ["Number", "Time", "Actor", "Action", "Object", "Change"], page.entries.map(row)));
  };
  more.addEventListener("click", load);
  await load();
  return [h("h2", {}, "Audit"), h("p.quiet", {}, "Entries cannot be changed: each contains the hash of the entry before it. Secrets are masked."), place, more];
}

function row(entry) {
  return [
    String(entry.sequence), time(entry.time), entry.actor, entry.action, entry.object,
    entry.before || entry.after ? h("details", {}, h("summary", {}, "Show"),
      differenceTable(entry.before ?? {}, entry.after ?? {}, ["Before", "After"]), h("p.quiet", {}, h("code", {}, entry.hash))) : "",
  ];
}
