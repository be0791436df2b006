// "Why": a URL through the policy as it stands on a network.

import * as api from "./api.js";
import { badge, h } from "./dom.js";

export async function showWhy() {
  const field = (name, label, attributes = {}) => [h("label", { for: name }, label), h("input", { id: name, name, spellcheck: "false", autocapitalize: "off", ...attributes })];
  const result = h("section", { "aria-live": "polite" });
  const form = h("form.question", { onsubmit: async (event) => {
    event.preventDefault();
    const value = (name) => form.elements[name].value.trim();
    const headers = Object.fromEntries(form.elements.headers.value.split("\n").map((line) => line.split(/:(.*)/s).map((part) => part?.trim())).filter(([name, content]) => name && content !== undefined));
    try {
      const answer = await api.why({ network: value("network"), method: value("method") || "GET", url: value("url"), headers,
        ...(value("address") ? { address: value("address") } : {}), ...(value("time") ? { time: value("time") } : {}) });
      result.replaceChildren(...show(answer));
    } catch (problem) {
      result.replaceChildren(h("p.bad", {}, problem.message), h("ul", {}, problem.errors.map((each) => h("li", {}, h("code", {}, each.member), ": ", each.detail))));
    }
  } },
    ...field("url", "URL", { required: true, autofocus: true, placeholder: "https://video.example.com/vod/master.m3u8?hdnts=…" }),
    h("label", { for: "network" }, "Network"), h("select", { id: "network", name: "network" }, ["production", "staging"].map((name) => h("option", { value: name }, name))),
    ...field("method", "Method", { value: "GET" }),
    ...field("address", "Address of the client", { placeholder: "192.0.2.7" }),
    ...field("time", "Time", { placeholder: "now" }),
    h("label", { for: "headers" }, "Headers, one in each line"), h("textarea", { id: "headers", name: "headers", rows: 3, placeholder: "referer: https://tv.example/" }),
    h("div.buttons", {}, h("button.primary", {}, "Explain")));
  return [h("h2", {}, "Why"), h("p", {}, "The checks that a request passes or fails, by the policy as it stands. Nothing is sent to an Envoy, and the URL is not stored."), form, result];
}

/** The words of a check's result, for people. */
const RESULTS = { good: ["passed", "good"], bad: ["refused", "bad"], note: ["note", "quiet"] };

function show(answer) {
  const verdict = answer.verdict ?? "";
  return [
    h("h3", {}, badge(verdict, verdict === "passed" ? "good" : "bad"), answer.reason ? [" ", String(answer.status ?? ""), " ", h("code", {}, answer.reason), ": ", answer.title] : null),
    h("ol.checks", {}, (answer.checks ?? []).map((check) => h("li", {}, badge(...(RESULTS[check.result] ?? [check.result])), " ",
      h("strong", {}, check.check), `: ${check.text}`, check.details?.length ? h("ul.plain", {}, check.details.map((each) => h("li", {}, each))) : null))),
    h("details", {}, h("summary", {}, "As JSON"), h("pre", {}, JSON.stringify(answer, null, 2))),
  ];
}
