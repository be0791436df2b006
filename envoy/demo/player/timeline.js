// The timeline: the latest requests as moving marks in lanes, and as a list. Both have a fixed maximum length.

import { badge } from "./session.js";
import { pathOf } from "./wire.js";

const $ = (id) => document.getElementById(id);
const LISTED = 60;
const SECONDS = 30;
const MARKED = 120;
const LANES = {
  hls: { master: "lane-master", media: "lane-media", key: "lane-key", init: "lane-segment", segment: "lane-segment" },
  // The page asks for playlists there, too.
  dash: {
    mpd: "lane-mpd", master: "lane-mpd", media: "lane-mpd", license: "lane-license", "samples-init": "lane-samples",
    samples: "lane-samples", text: "lane-samples",
  },
};
const KINDS = {
  master: "Master playlist", media: "Media playlist", key: "Key", init: "Init section", segment: "Segment",
  mpd: "MPD", license: "License", "samples-init": "Init section", samples: "Segment", text: "Subtitles",
};

let lanes = LANES.hls;
let marks = [];
let began = 0;
let counts = {};

const element = (name, className, words = "") => Object.assign(document.createElement(name), { className, textContent: words });

/** Forgets everything: another session begins, of HLS or DASH (`format`). */
export function clear(format) {
  lanes = LANES[format];
  for (const list of document.querySelectorAll(".lanes")) list.hidden = list.dataset.format !== format;
  marks = [];
  counts = { allowed: 0, refused: 0, kinds: {} };
  began = performance.now();
  $("requests").replaceChildren();
  for (const id of new Set(Object.values(lanes))) {
    $(id).querySelector(".strip").replaceChildren();
    $(id).querySelector("small").textContent = "";
  }
  showCounts();
}

function showCounts() {
  const { allowed, refused } = counts;
  badge($("request-count"), `${allowed} allowed, ${refused} refused`);
}

const number = (value) => Math.round(value).toLocaleString("en");
const size = (bytes) => (bytes < 10_000 ? `${number(bytes)} B` : `${number(bytes / 1000)} kB`);
const took = (ms) => `${ms < 9.95 ? ms.toFixed(1) : number(ms)} ms`;

function row({ who, kind, url, at, ms, status, body, from, allowed, verdict, note, alarm }) {
  const item = element("li", who === "you" ? "yours" : "");
  item.append(element("span", "at", `${((at - began) / 1000).toFixed(1)} s`), element("span", "kind", KINDS[kind]));
  const name = element("span", "name", pathOf(url));
  if (who === "you") name.append(" ", element("em", "", from ? `you, from ${from}` : "you"));
  const word = element("span", "verdict");
  const mark = element("span", "");
  badge(mark, verdict, alarm || !allowed ? "bad" : "good");
  word.append(mark);
  item.append(name, element("span", "status", status || "–"), element("span", "ms", took(ms)));
  item.append(element("span", "bytes", size(body.length)), word, element("span", alarm ? "note alarm" : "note", note));
  return item;
}

/** Shows one more request. */
export function add(made) {
  counts[made.allowed ? "allowed" : "refused"] += 1;
  const lane = $(lanes[made.kind]);
  counts.kinds[lane.id] = (counts.kinds[lane.id] ?? 0) + 1;
  lane.querySelector("small").textContent = counts.kinds[lane.id].toLocaleString("en");
  showCounts();
  const mark = element("i", `${made.allowed && !made.alarm ? "" : "refused"} ${made.who === "you" ? "yours" : ""}`);
  mark.style.setProperty("--tall", Math.min(1, Math.log10(10 + made.body.length) / 6));
  lane.querySelector(".strip").append(mark);
  marks.push({ mark, at: made.at });
  place();
  $("requests").prepend(row(made));
  while ($("requests").childElementCount > LISTED) $("requests").lastElementChild.remove();
}

/** Moves the marks on; to be called every so often. */
export function place() {
  const now = performance.now();
  for (const { mark } of marks.splice(0, marks.length - MARKED)) mark.remove();
  marks = marks.filter(({ mark, at }) => {
    const age = (now - at) / 1000 / SECONDS;
    if (age > 1) mark.remove(); else mark.style.setProperty("--age", age.toFixed(4));
    return age <= 1;
  });
}
