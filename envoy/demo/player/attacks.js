// Owns what one can try on the edge, and what it takes to try it. What each says of the answer, and whether it is right,
// follows from the answer alone.

import { canTry, tryToPlay } from "./player.js";
import { ask, askElsewhere } from "./requests.js";
import { fieldsOf, formOf, hex, isClear, pathOf, tokenOf, withParameter } from "./wire.js";

const DAY = 86_400;
const SHOWN = 16;

/** What the session token that plays says. */
const sessionOf = (media) => fieldsOf(tokenOf(media.url, "hdntl"));

/** A session token that claims another day of life, under the old signature. */
function prolonged(token) {
  const end = Number(fieldsOf(token).exp);
  return token.replace(`exp=${end}`, `exp=${end + DAY}`);
}

/** The token of a session that another viewer opens now. */
async function anotherSession({ site, stream, tell }) {
  const opened = await ask("master", (await site()).streams[stream].tokenised, tell);
  const found = /hdntl=([^"&\s]+)/.exec(new TextDecoder().decode(opened.body));
  if (!found) throw new Error(`The other viewer's session was not opened: ${opened.verdict}`);
  return decodeURIComponent(found[1]);
}

/** One request that should be refused for one reason. `url` makes it of what plays: `{stream, streams, media, site, tell}`. */
const refused = ({ id, title, asked, kind, url, reason, why, by = ask }) => ({
  id,
  title,
  async attempt(playing) {
    const answer = await by(kind, await url(playing), playing.tell);
    const right = answer.status === 403 && answer.problem?.type === reason;
    return { asked: asked(answer, playing), answers: [answer], right, why, wanted: `403 ${reason}` };
  },
});

/** The raw segment: that it comes, what it looks like, and what players make of it. */
const raw = {
  id: "raw",
  title: "Play a segment as it comes",
  async attempt({ media, tell }) {
    const answer = await ask("segment", media.segment, tell);
    const name = pathOf(media.segment);
    const trials = [];
    if (answer.allowed && canTry()) {
      for (const [label, keyLine] of [["without the key", null], ["with the key", media.keyLine]]) {
        const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
        trials.push({ label, canvas, result: await tryToPlay(answer.body, { init: media.init, keyLine, tell }, canvas) });
      }
    }
    const opaque = answer.allowed && !isClear(name, answer.body);
    const played = !canTry() || (Boolean(trials[0]?.result.error) && !trials[1]?.result.error);
    return {
      asked: "A segment of this session with its token, as a downloader would." + (trials.length === 0 ? "" :
        " A player of its own then gets these bytes, once without being told of the key, once with it."),
      answers: [answer],
      facts: [
        `begins with ${hex(answer.body.subarray(0, SHOWN), " ")}`,
        formOf(name, answer.body),
        `${answer.body.length.toLocaleString("en")} bytes, ${answer.body.length % 16 ? "not " : ""}a multiple of AES's 16`,
      ],
      trials,
      right: opaque && played,
      wanted: "200 with ciphertext that plays only with the key",
      why: "Whoever may ask for a segment gets it, encrypted on its way out. On the wire, in a cache or on a disk it is " +
        "noise; only this session's key makes pictures of it.",
    };
  },
};

/** The stolen session: refused elsewhere, while it is good here. */
const stolen = {
  id: "stolen",
  title: "Steal the session from another address",
  async attempt({ media, tell }) {
    const there = await askElsewhere("media", media.url, tell);
    const here = await ask("media", media.url, tell);
    return {
      asked: `The URL that this player uses, session token and all, from ${there.from}; then the same from here.`,
      answers: [there, here],
      right: there.status === 403 && there.problem?.type === "ip" && here.allowed,
      wanted: "403 ip there and 200 here",
      why: `The session is signed for the network that opened it, ${sessionOf(media).ip}: a copied URL is ` +
        "worth nothing elsewhere.",
    };
  },
};

export const ATTACKS = [
  refused({
    id: "expired", title: "Use an expired token", kind: "master", reason: "expired",
    asked: (_, { streams, stream }) => "The master playlist with an access token of the site's that ended " +
      `at ${new Date(Number(fieldsOf(tokenOf(streams[stream].expired, "hdnts")).exp) * 1000).toLocaleTimeString("en-GB")}.`,
    url: ({ streams, stream }) => streams[stream].expired,
    why: "The site's tokens live for a minute. A link that is passed on is dead before it is read.",
  }),
  stolen,
  refused({
    id: "missing", title: "Ask for the key without a token", kind: "key", reason: "missing",
    asked: () => "The key's URL as the playlist has it, without the session token.",
    url: ({ media }) => withParameter(media.key, "hdntl", null),
    why: "The key is for sessions. The edge derives it when a session's token verifies, and keeps it nowhere.",
  }),
  raw,
  refused({
    id: "session", title: "Fetch the key as another viewer", kind: "key", reason: "session",
    asked: () => "This session's key with the token of a session that another viewer has just opened: genuine, and from the " +
      "same address.",
    url: async (playing) => withParameter(playing.media.key, "hdntl", await anotherSession(playing)),
    why: "Every session has a key of its own, and its URL says under a signature whose it is.",
  }),
  refused({
    id: "path", title: "Take the token to another stream", kind: "master", reason: "path",
    asked: (_, { media }) => `The other stream with this session's token, which is for ${sessionOf(media).acl}.`,
    url: ({ media, stream, streams }) => {
      const other = Object.keys(streams).find((name) => name !== stream);
      return withParameter(streams[other].open, "hdntl", tokenOf(media.url, "hdntl"));
    },
    why: "The site let this viewer see one stream. The paths are signed with the rest of the token.",
  }),
  refused({
    id: "signature", title: "Give yourself another day", kind: "media", reason: "signature",
    asked: () => "The media playlist with the session token's end moved on by 24 hours.",
    url: ({ media }) => withParameter(media.url, "hdntl", prolonged(tokenOf(media.url, "hdntl"))),
    why: "The token is readable by all and written by the edge alone: one changed digit, and its HMAC fits no more.",
  }),
  refused({
    id: "parameter", title: "Ask for a segment in clear", kind: "segment", reason: "parameter",
    asked: () => "A segment with the parameter by which the edge marks what it serves in clear, as init sections, and a " +
      "made-up signature.",
    url: ({ media }) => withParameter(media.segment, "plk", "clear~AAAAAAAAAAAAAAAAAAAAAA"),
    why: "What steers the edge is in signed parameters, each for one path. It believes no other.",
  }),
];
