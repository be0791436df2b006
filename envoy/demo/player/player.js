// Owns the page's behaviour: gets an access token, plays with hls.js and shows what hls.js reports. All it knows
// comes from hls.js's own events: the page is a plain player.

import { firstBytes, hex, isClear, pathOf, sessionOf, withoutToken } from "./wire.js";

const $ = (id) => document.getElementById(id);
const { Events } = window.Hls;

let player = null;
let previousPrint = "";
// Counts the sessions: what still comes of an earlier one is dropped.
let run = 0;

function badge(element, text, kind = "") {
  element.textContent = text;
  element.className = `badge ${kind}`;
}

function flow(step, text) {
  $(`flow-${step}`).classList.add("done");
  $(`flow-${step}`).querySelector("output").textContent = text;
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// What one session has shown so far; made anew for each.
class Observed {
  media = new Set();
  keys = new Set();
  encrypted = 0;
  clear = 0;
  rows = new Map();

  session(url) {
    const session = sessionOf(url);
    if (!session) return;
    $("session-id").textContent = session.id;
    $("session-end").textContent = session.end.toLocaleString();
    $("session-scope").textContent = session.scope;
    badge($("session-state"), "open", "good");
  }

  mediaPlaylist(url) {
    this.session(url);
    this.media.add(pathOf(url));
    flow("media", `${this.media.size} loaded`);
  }

  async key({ decryptdata }) {
    // hls.js says so for each segment, also if it has the key already.
    this.keys.add(decryptdata.uri);
    flow("key", this.keys.size === 1 ? "one, for all" : `${this.keys.size} keys`);
    $("key-url").textContent = pathOf(decryptdata.uri);
    $("key-url").title = decryptdata.uri;
    $("key-iv").textContent = decryptdata.iv ? hex(decryptdata.iv) : "–";
    badge($("key-state"), `${decryptdata.key.length} bytes`, decryptdata.key.length === 16 ? "good" : "bad");
    // Web Crypto is only there on localhost or under TLS.
    if (!window.crypto.subtle) return;
    const print = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", decryptdata.key)).subarray(0, 4), ":");
    $("key-print").textContent = previousPrint && previousPrint !== print ? `${print} (before: ${previousPrint})` : print;
    $("key-print").dataset.print = print;
  }

  segment(frag, payload) {
    const bytes = new Uint8Array(payload);
    const init = frag.sn === "initSegment";
    const clear = isClear(pathOf(frag.url), bytes) && !(init && frag.encrypted);
    const row = $("segments").insertRow(0);
    const cell = (text, name = "") => Object.assign(row.insertCell(), { textContent: text, className: name });
    cell(pathOf(frag.url).split("/").slice(-2).join("/"), "name");
    cell(bytes.length.toLocaleString("en"), "bytes number");
    cell(firstBytes(bytes), "bytes");
    // An init section holds no picture and no sound, and must be clear for some players.
    badge(cell("").appendChild(document.createElement("span")), clear ? (init ? "clear, as meant" : "CLEAR") : "encrypted",
      clear ? (init ? "" : "bad") : "good");
    const played = cell("").appendChild(document.createElement("span"));
    badge(played, init ? "read" : "loaded");
    this.rows.set(frag.url, { played, text: clear ? "buffered" : "decrypted, buffered" });
    if (clear) this.clear += 1; else this.encrypted += 1;
    badge($("segment-count"), `${this.encrypted} encrypted, ${this.clear} clear`);
    if (this.encrypted) flow("segment", `${this.encrypted} encrypted`);
  }

  buffered(frag) {
    const row = this.rows.get(frag.url);
    if (row) badge(row.played, row.text, row.text.startsWith("decrypted") ? "good" : "");
  }
}

function reset() {
  player?.destroy();
  player = null;
  trouble("");
  previousPrint = $("key-print").dataset.print ?? "";
  for (const id of ["session-id", "session-end", "session-scope", "key-url", "key-iv", "key-print"]) $(id).textContent = "–";
  badge($("session-state"), "none yet");
  badge($("key-state"), "none yet");
  badge($("segment-count"), "0 segments");
  $("segments").replaceChildren();
  for (const item of document.querySelectorAll(".flow li")) {
    item.classList.remove("done");
    item.querySelector("output").textContent = "waiting";
  }
}

async function play() {
  const mine = run += 1;
  reset();
  const chosen = document.querySelector("input[name=stream]:checked").value;
  const site = await (await fetch("token", { cache: "no-store" })).json();
  if (mine !== run) return;
  const { open, tokenised } = site.streams[chosen];

  const seen = new Observed();
  const probes = new Map([["playlist", new URL(open, location.href)]]);
  // A short buffer, so that one can watch the segments come. No worker: it would take the bytes away before
  // FRAG_LOADED shows them.
  const hls = player = new window.Hls({ maxBufferLength: 8, maxMaxBufferLength: 8, enableWorker: false });
  hls.on(Events.MANIFEST_LOADED, () => flow("master", "loaded"));
  hls.on(Events.MANIFEST_PARSED, () => $("video").play().catch(() => { /* the viewer may press play */ }));
  hls.on(Events.LEVEL_LOADED, (_, { details }) => seen.mediaPlaylist(details.url));
  hls.on(Events.AUDIO_TRACK_LOADED, (_, { details }) => seen.mediaPlaylist(details.url));
  hls.on(Events.SUBTITLE_TRACK_LOADED, (_, { details }) => seen.mediaPlaylist(details.url));
  hls.on(Events.KEY_LOADED, (_, { keyInfo }) => {
    seen.key(keyInfo);
    probe(probes, "key", withoutToken(keyInfo.decryptdata.uri));
  });
  hls.on(Events.FRAG_LOADED, (_, { frag, payload }) => {
    // hls.js reports an init section only along with the segment that needs it.
    const init = frag.initSegment;
    if (init?.data && !seen.rows.has(init.url)) seen.segment(init, init.data);
    seen.segment(frag, payload);
    probe(probes, "segment", withoutToken(frag.url));
  });
  hls.on(Events.FRAG_BUFFERED, (_, { frag }) => seen.buffered(frag));
  hls.on(Events.ERROR, (_, data) => {
    if (data.details === "internalException") console.error(data.event, data.error);
    if (data.fatal) trouble(`${data.details}${data.response ? `: ${data.response.code}` : ""}`);
  });
  hls.loadSource(tokenised);
  hls.attachMedia($("video"));
  showProbes(probes);
}

// --- The same URLs without a token ---

const answers = new Map();
let shown = "playlist";

function probe(probes, name, url) {
  if (probes.has(name)) return;
  probes.set(name, url);
  showProbes(probes);
}

async function ask(url) {
  const response = await fetch(url, { cache: "no-store" });
  const type = response.headers.get("content-type") ?? "";
  const text = type.includes("json") ? JSON.stringify(await response.json(), null, 2) : `${(await response.arrayBuffer()).byteLength} bytes`;
  return { status: response.status, text: `HTTP ${response.status}  ${type}\n${text}` };
}

async function showProbes(probes) {
  const mine = run;
  for (const [name, url] of probes) {
    if (!answers.has(url.href)) answers.set(url.href, ask(url).catch((error) => ({ status: 0, text: String(error) })));
  }
  const drawn = await Promise.all([...probes].map(async ([name, url]) => ({ name, url, answer: await answers.get(url.href) })));
  if (mine !== run) return;
  $("denied").replaceChildren(...drawn.map(({ name, url, answer }) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    badge(button.appendChild(document.createElement("span")), String(answer.status || "failed"), answer.status === 403 ? "good" : "bad");
    button.setAttribute("aria-pressed", String(name === shown));
    button.addEventListener("click", () => { shown = name; showProbes(probes); });
    if (name === shown) {
      $("denied-url").textContent = `GET ${url.pathname}${url.search}`;
      $("denied-body").textContent = answer.text;
    }
    return button;
  }));
}

const start = () => play().catch((error) => trouble(`No token: ${error.message}`));
$("again").addEventListener("click", start);
$("stream").addEventListener("change", start);
if (window.Hls.isSupported()) start(); else trouble("This browser lacks Media Source Extensions, which hls.js needs.");
