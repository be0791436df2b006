// Viewers' sessions: who is watching, and how an operator ends that.

import * as api from "./api.js";
import { button, field, h, lacks, prose, say, table, time } from "./dom.js";
import { confirmation } from "./dialog.js";
import { poll } from "./poll.js";

const EVERY_MS = 5000;
const PAGE = 50;
const REALMS = ["production", "staging", "default"];

export async function showSessions({ user, signal }) {
  let counts;
  try {
    counts = await api.sessionCounts();
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return off();
  }
  const numbers = h("div", {}, ...summary(counts));
  const trouble = h("p.bad", {});
  const list = sessionList(user, () => recount());
  const search = form(counts, (wanted) => list.load(wanted));
  const recount = async () => {
    counts = await api.sessionCounts();
    trouble.textContent = "";
    if (signal.aborted) return;
    numbers.replaceChildren(...summary(counts));
    search.offer(counts);
  };
  await list.load({});
  poll(signal, EVERY_MS, recount, (problem) => {
    trouble.textContent = problem.message;
  });
  return [
    h("h2", {}, "Sessions"), trouble,
    h("section", {}, h("h3", {}, "By policy"), numbers),
    h("section", {}, h("h3", {}, "Live sessions"), search.element, list.element),
  ];
}

/** The part of a server without leases. */
function off() {
  return [
    h("h2", {}, "Sessions"),
    h("section", {},
      h("p", {}, "This server counts no sessions."),
      h("p", {}, ...prose("Start it with `--authorize-listen ADDRESS:PORT`, add the cluster from the file `envoy-NETWORK.yaml` to the " +
        "Envoys, and give policies `mediaEncryption.keyAuthorizer.leases`."))),
  ];
}

function summary({ viewers, sessions, policies }) {
  const rows = policies.toSorted((one, other) => other.sessions - one.sessions || one.policy.localeCompare(other.policy));
  return [
    h("p", {}, `${count(viewers, "viewer")}, ${count(sessions, "session")}`),
    rows.length ? table("Sessions by policy", ["Policy", "Network", "Sessions"],
      rows.map((row) => [row.policy, row.realm, row.sessions.toLocaleString()])) : null,
  ].filter(Boolean);
}

const count = (number, noun) => `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;

/** The fields to search by; `find` gets those that are filled in. `offer` renews the policies and networks to choose from. */
function form(counts, find) {
  const select = (id) => h("select", { id });
  const [policy, realm] = [select("policy"), select("realm")];
  const offer = ({ policies }) => {
    options(policy, "all", policies.map((each) => each.policy));
    options(realm, "all", policies.map((each) => each.realm), REALMS);
  };
  offer(counts);
  const wanted = () => Object.fromEntries(["viewer", "policy", "stream", "realm"].map((id) => [id, element.elements[id].value]));
  const search = button("Search", { kind: "primary", type: "submit" }, () => find(wanted()));
  const download = button("Download CSV", {}, async () => {
    const url = URL.createObjectURL(await api.sessionsFile(wanted()));
    h("a", { href: url, download: "sessions.csv" }).click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
  const element = h("form", { onsubmit: (event) => event.preventDefault() },
    h("div.short", {},
      h("div", {}, field("Viewer", { id: "viewer", type: "search", autocomplete: "off" })),
      h("div", {}, h("label", { for: "policy" }, "Policy"), policy),
      h("div", {}, field("Stream", { id: "stream", type: "search", autocomplete: "off", placeholder: "/vod/*" })),
      h("div", {}, h("label", { for: "realm" }, "Network"), realm)),
    h("div.buttons", {}, search, download));
  return { element, offer };
}

/** Fills a choice with names, each once; the chosen one stays, whether it still occurs or not. */
function options(select, all, names, order) {
  const chosen = select.value;
  const wanted = [...new Set(chosen ? [chosen, ...names] : names)];
  wanted.sort(order ? (one, other) => order.indexOf(one) - order.indexOf(other) : undefined);
  const shown = [...select.options].map((option) => option.value);
  // Replacing the options would close a list that is open right now.
  if (JSON.stringify(shown) === JSON.stringify(["", ...wanted])) return;
  select.replaceChildren(h("option", { value: "" }, all), ...wanted.map((name) => h("option", { value: name }, name)));
  select.value = chosen;
}

const TITLES = ["Viewer", "Policy", "Stream", "Network", "From", "Since", "End"];

/** The list, page by page; `changed` is called after sessions were ended. */
function sessionList(user, changed) {
  const state = h("p.quiet", { role: "status" });
  const place = h("div", {});
  const more = button("More sessions", {}, () => append());
  let wanted = {};
  let next = null;
  const append = async () => {
    const rows = place.querySelector("tbody");
    const most = rows.childElementCount + PAGE;
    do {
      const asked = wanted;
      const page = await api.sessions({ ...asked, limit: PAGE, cursor: next });
      // Another search has begun meanwhile.
      if (asked !== wanted) return;
      next = page.next;
      rows.append(...table("", TITLES, page.sessions.map(row)).querySelectorAll("tbody tr"));
      // A page may be empty although another follows.
    } while (next !== null && rows.childElementCount < most);
    const number = rows.childElementCount;
    place.hidden = !number;
    more.hidden = next === null;
    const found = next === null ? count(number, "session") : `The first ${count(number, "session")}`;
    state.textContent = `${number ? found : "No session"}, as of ${new Date().toLocaleTimeString()}`;
  };
  const load = async (filter) => {
    [wanted, next] = [{ ...filter }, null];
    place.replaceChildren(table("Live sessions", TITLES, []));
    await append();
  };
  const row = (session) => [
    h("strong", {}, session.viewer), session.policy, session.stream, session.realm, session.client ?? "", time(session.since),
    h("div.buttons", {},
      end(session, "End", { session: session.session }, `End the session ${session.session}`),
      end(session, "End all", {}, `End all sessions of ${session.viewer}`)),
  ];
  const end = (session, label, which, name) => {
    const refused = lacks(user, session.realm === "staging" ? "edit" : "promote");
    return button(label, { refused, "aria-label": name }, async () => {
      const sessions = which.session ? [session] : await ofViewer(session);
      let ended = 0;
      const order = { realm: session.realm, group: session.group, viewer: session.viewer, ...which };
      const title = which.session ? "End this session?" : `End all sessions of ${session.viewer}?`;
      const done = await confirmation(title, effect(session, sessions), label, async () => {
        ended = (await api.endSessions(order)).ended;
      }, "danger");
      if (!done) return;
      say(ended ? `Ended ${count(ended, "session")}.` : "There was no live session any more.", ended ? "good" : "wait");
      await load(wanted);
      // The button that was pressed is gone.
      if (document.activeElement === document.body) more.closest("section").querySelector("input").focus();
      await changed();
    });
  };
  return { element: [state, place, h("div.buttons", {}, more)], load };
}

/** The sessions of a viewer, as they are counted together. */
async function ofViewer({ realm, viewer, group }) {
  const found = [];
  let cursor = null;
  do {
    const page = await api.sessions({ realm, viewer, limit: 1000, cursor });
    found.push(...page.sessions.filter((each) => each.group === group));
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

/** The text of the question: whose sessions end, when that takes effect, and what ends them at once. */
function effect(one, sessions) {
  const ids = JSON.stringify(sessions.map((each) => each.session));
  const policies = [...new Set(sessions.map((each) => each.policy))].sort();
  const area = h("textarea.code", { id: "session-ids", readonly: true, rows: 2, spellcheck: "false", value: ids });
  area.addEventListener("focus", () => area.select());
  const copied = h("span.quiet", { role: "status" });
  return [
    h("ul.plain", {}, sessions.slice(0, 10).map((each) =>
      h("li", {}, `${each.viewer}: ${each.policy}, ${each.stream}${each.client ? `, from ${each.client}` : ""}, since `, time(each.since)))),
    sessions.length > 10 ? h("p", {}, `and ${sessions.length - 10} more`) : null,
    h("p", {}, `On ${one.realm}: no further key from now on. Playback stops after the current key period and what the player has ` +
      "buffered. These sessions cannot go on; with a valid access token the viewer can begin another."),
    h("p", {}, ...prose(`To refuse every request at once, also put the ids into \`revocation.sessionIds\` of ${policies.join(", ")}` +
      `${one.realm === "production" ? ", and promote" : ""}:`)),
    h("label", { for: "session-ids" }, "Ids of the sessions"), area,
    h("div.buttons", {}, button("Copy ids", {}, async () => {
      try {
        await navigator.clipboard.writeText(ids);
        copied.textContent = "Copied.";
      } catch {
        area.focus();
        copied.textContent = "The browser does not allow it: copy the selected text.";
      }
    }), copied),
  ];
}
