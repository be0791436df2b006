// The page: gets an access token from the site, starts the player, and passes its requests to the session card, the
// timeline and the attacks.

import { attacksOn } from "./attacks.js";
import { playMpd } from "./dash.js";
import * as panel from "./panel.js";
import { play } from "./player.js";
import * as session from "./session.js";
import * as timeline from "./timeline.js";

const $ = (id) => document.getElementById(id);

// What plays now; a new one for every session. What still comes of an earlier one is dropped.
let playing = null;
let stop = () => {};

const site = async () => (await fetch("token", { cache: "no-store" })).json();

function trouble(words) {
  $("trouble").textContent = words;
  $("trouble").hidden = !words;
}

async function start() {
  const before = stop;
  const mine = { stream: document.querySelector("input[name=stream]:checked").value, site, media: null };
  playing = mine;
  mine.tell = (made) => {
    if (mine !== playing) return;
    timeline.add(made);
    if (made.who !== "player") return;
    session.observe(made);
    if (made.problem) mine.refusal = `${made.problem.title} (${made.problem.type})`;
  };
  trouble("");
  const isDash = mine.stream === "dash";
  timeline.clear(isDash ? "dash" : "hls");
  panel.draw(attacksOn(mine.stream), () => playing);
  await before();
  const { now, streams } = await site();
  if (mine !== playing) return;
  mine.streams = streams;
  const url = streams[mine.stream].tokenised;
  session.begin(url, now);
  stop = (isDash ? playMpd : play)($("video"), url, {
    tell: mine.tell,
    trouble: (words) => {
      if (mine !== playing) return;
      trouble(mine.refusal ?? words);
      if (mine.refusal) session.refused();
    },
    found: (media) => {
      if (mine !== playing || mine.media) return;
      mine.media = media;
      // DASH names it in init sections.
      if (!isDash) session.observeIv(media.iv);
      panel.enable();
    },
  });
}

const begin = () => start().catch((error) => trouble(`No access token: ${error.message}`));
$("again").addEventListener("click", begin);
$("stream").addEventListener("change", begin);
setInterval(session.tick, 1000);
setInterval(timeline.place, 500);
begin();
