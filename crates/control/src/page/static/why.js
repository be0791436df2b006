// "Why": a URL through the policies as they stand on a network.

import * as api from "./api.js";
import { badge, button, field, h } from "./dom.js";

export async function showWhy() {
  const result = h("section", { "aria-live": "polite", hidden: true });
  const network = h("select", { id: "network" }, ["production", "staging"].map((name) => h("option", { value: name }, name)));
  const explain = button("Explain", { kind: "primary", type: "submit" }, async () => {
    if (!form.reportValidity()) return;
    const value = (id) => form.elements[id].value.trim();
    const optional = Object.fromEntries(["address", "time"].map((id) => [id, value(id)]).filter(([, text]) => text));
    result.hidden = false;
    try {
      const answer = await api.why({
        network: value("network"), method: value("method") || "GET", url: value("url"), headers: headers(value("headers")),
        ...optional,
      });
      result.replaceChildren(...show(answer));
    } catch (problem) {
      result.replaceChildren(h("p.bad", {}, problem.message),
        h("ul", {}, problem.errors.map((each) => h("li", {}, h("code", {}, each.member), ": ", each.detail))));
    }
  });
  const form = h("form.question", { onsubmit: (event) => event.preventDefault() },
    field("URL", {
      id: "url", required: true, autofocus: true, placeholder: "https://video.example.com/vod/master.m3u8?hdnts=…",
    }),
    h("div.short", {},
      h("div", {}, h("label", { for: "network" }, "Network"), network),
      h("div", {}, field("Method", { id: "method", value: "GET" })),
      h("div", {}, field("Address of the client", { id: "address", placeholder: "192.0.2.7" })),
      h("div", {}, field("Time", { id: "time", placeholder: "now" }, "Unix seconds, 2026-12-31T20:00:00Z or -10m"))),
    field("Headers, one in each line", { id: "headers", tag: "textarea", rows: 3, placeholder: "referer: https://tv.example/" }),
    h("div.buttons", {}, explain));
  return [h("h2", {}, "Why"), h("p", {}, "The checks that a request passes or fails, by the policies as they stand. Nothing is ",
    "sent to an Envoy, and the URL is not stored."), form, result];
}

/** Headers as an object; lines without a colon are left out. */
function headers(text) {
  const pairs = text.split("\n").map((line) => line.split(/:(.*)/s).map((part) => part.trim()));
  return Object.fromEntries(pairs.filter(([name, content]) => name && content !== undefined));
}

/** The words of a check's result, for people. */
const RESULTS = { good: ["passed", "good"], bad: ["refused", "bad"], note: ["note", "quiet"] };

function show(answer) {
  const verdict = answer.verdict ?? "";
  const reason = answer.reason
    ? [" ", String(answer.status ?? ""), " ", h("code", {}, answer.reason), `: ${answer.title ?? ""}`] : null;
  const unknown = answer.unknownVariables ?? [];
  return [
    h("h3", {}, badge(verdict, verdict === "passed" ? "good" : "bad"), reason),
    unknown.length ? h("p.wait", {}, "The server does not know Envoy's variables ", h("code", {}, unknown.join(", ")),
      ": tokens under these secrets are refused here.") : null,
    h("ol.checks", {}, (answer.checks ?? []).map((check) => h("li", {}, badge(...(RESULTS[check.result] ?? [check.result])), " ",
      h("strong", {}, check.check), `: ${check.text}`,
      check.details?.length ? h("ul.plain", {}, check.details.map((each) => h("li", {}, each))) : null))),
    h("details", {}, h("summary", {}, "As JSON"), h("pre", {}, JSON.stringify(answer, null, 2))),
  ].filter(Boolean);
}
