// Forms of the dialogs on configurations and assignments.

import { button, field, h } from "./dom.js";

/** The name and hosts of a configuration: {content, document()}. */
export function hostsFields(each) {
  const name = field("Name", { id: "name", required: true, value: each?.configurationName ?? "", autocomplete: "off" });
  const lines = (network) => each?.digitalProperties?.[network]?.join("\n") ?? "";
  const hosts = field("Hosts, one in each line", {
    id: "hosts", tag: "textarea", rows: 3, placeholder: "video.example.com", value: lines("production"),
  }, "A leading * stands for any text. Without hosts in both fields: every host.");
  const staging = field("Hosts on staging", {
    id: "staging-hosts", tag: "textarea", rows: 2, value: lines("staging") === lines("production") ? "" : lines("staging"),
  }, "Empty: the same hosts.");
  const listed = (one) => one[1].value.split(/[\s,]+/).filter(Boolean);
  return {
    content: [name, hosts, staging],
    document: () => {
      const [production, other] = [hosts, staging].map(listed);
      const all = [...production, ...other];
      // The name of the configuration in URLs: its first host, without a wildcard.
      const hostname = each?.hostname ?? all.map((host) => host.replace(/^\*[.-]?/, "")).find(Boolean) ?? "*";
      return {
        configurationName: name[1].value.trim(), hostname,
        ...(all.length ? { digitalProperties: { production, staging: other.length ? other : production } } : {}),
      };
    },
  };
}

/** The rows of an assignment set: {content, assignments()}. `policies` is a Map of number → {name, promoted}. */
export function rowFields(assignments, policies) {
  const area = h("div.rows", {});
  const rows = () => [...area.children];
  const number = () => rows().forEach((row, index) => {
    row.querySelector("legend").textContent = `Assignment ${index + 1}`;
  });
  const line = (one) => {
    const options = [...policies].map(([id, { name, promoted }]) => h("option",
      { value: String(id), selected: id === one.policyId, disabled: !promoted }, promoted ? name : `${name} (never promoted)`));
    const element = h("fieldset", {}, h("legend", {}, "Assignment"),
      h("label", {}, "Path", h("input", { name: "path", value: one.path, required: true, spellcheck: "false" })),
      h("label", {}, "Policy", h("select", { name: "policyId", required: true }, options)),
      h("label", {}, "From (UTC, or *)", h("input", { name: "startTime", value: one.startTime, required: true })),
      h("label", {}, "Until (UTC, or *)", h("input", { name: "endTime", value: one.endTime, required: true })),
      button("Remove", {}, () => {
        const next = element.nextElementSibling ?? element.previousElementSibling;
        element.remove();
        number();
        (next?.querySelector("input") ?? more).focus();
      }));
    return element;
  };
  const more = button("Add an assignment", {}, () => {
    const first = [...policies].find(([, { promoted }]) => promoted)?.[0];
    const added = line({ path: "/...", policyId: first, startTime: "*", endTime: "*" });
    area.append(added);
    number();
    added.querySelector("input").focus();
  });
  area.append(...assignments.map(line));
  number();
  const none = [...policies.values()].some(({ promoted }) => promoted) ? null
    : h("p.wait", {}, "No policy was promoted yet: only promoted policies can be assigned.");
  return {
    content: [h("p.help", {}, "A path such as /live/... with everything below it; times as 2026-12-31T20:00:00, or * for ",
      "always."), none, area, more],
    assignments: () => rows().map((row) => {
      const value = (name) => row.querySelector(`[name=${name}]`).value.trim();
      const [path, startTime, endTime] = ["path", "startTime", "endTime"].map(value);
      return { policyId: Number(value("policyId")), path, startTime, endTime };
    }),
  };
}
