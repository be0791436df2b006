// The attacks: their requests, explanations and expected responses. Each result is computed from the response alone.

import { tryToPlaySamples } from "./dash.js";
import { boxesIn, hasClearSamples, listedSamples } from "./mp4.js";
import { canTry, tryToPlay } from "./player.js";
import { ask, askElsewhere } from "./requests.js";
import { delayed, sessionFieldsOf } from "./session-token.js";
import {
  accessTokenOf, fieldsOf, formOf, hex, isClear, mediaOf, mpdMediaOf, parameterOf, pathOf, sessionTokenOf, variantsOf,
  withParameter, withSessionToken,
} from "./wire.js";

const DAY = 86_400;
const SHOWN = 16;

/** The kind of a request, and the words for what is asked for. */
const HLS = {
  entry: ["master", "master playlist"], media: ["media", "media playlist"], key: ["key", "key"], segment: ["segment", "segment"],
};
const DASH = { entry: ["mpd", "MPD"], media: ["mpd", "MPD"], key: ["license", "license"], segment: ["samples", "segment"] };

/** What the session token that plays says. */
const sessionOf = (media) => sessionFieldsOf(sessionTokenOf(media.url));

const text = (body) => new TextDecoder().decode(body);

/** The token of a session that another viewer opens now. */
async function anotherSession({ site, stream, tell }) {
  const opened = await ask(stream === "dash" ? "mpd" : "master", (await site()).streams[stream].tokenised, tell);
  const document = text(opened.body);
  const url = stream === "dash" ? mpdMediaOf(document, opened.url)?.url : variantsOf(document, opened.url)[0];
  if (!url || !sessionTokenOf(url)) throw new Error(`Opening the other viewer's session failed: ${opened.verdict}`);
  return sessionTokenOf(url);
}

/** The URL of the AES-128 key that HLS has for the files of an MPD, in this session. */
async function keyOfHls({ media, tell }) {
  const playlist = await ask("media", new URL("index.m3u8", media.segment).href, tell);
  return mediaOf(text(playlist.body), playlist.url).key;
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
const rawOfHls = {
  id: "raw",
  title: "Play a raw segment",
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
      asked: "Requests a segment of this session with its token, as a download tool would." + (trials.length === 0 ? "" :
        " A separate player then plays these bytes, first without the key tag, then with it."),
      answers: [answer],
      facts: [
        `begins with ${hex(answer.body.subarray(0, SHOWN), " ")}`,
        formOf(name, answer.body),
        `${answer.body.length.toLocaleString("en")} bytes, ${answer.body.length % 16 ? "not " : ""}a multiple of the AES block size, 16`,
      ],
      trials,
      right: opaque && played,
      wanted: "200 with ciphertext that plays only with the key",
      why: "A viewer with a session gets the segment, but encrypted. On the wire, in a cache or on disk it is noise. " +
        "Only this session's key turns it into pictures.",
    };
  },
};

/** The same where the boxes of a segment stay readable, and its samples do not. */
const rawOfDash = {
  id: "raw",
  title: "Play a raw segment",
  async attempt({ media, tell }) {
    const answer = await ask("samples", media.segment, tell);
    const trials = [];
    if (answer.allowed) {
      for (const [label, withKey] of [["without the license", false], ["with the license", true]]) {
        const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
        trials.push({ label, canvas, result: await tryToPlaySamples(answer.body, { media, tell }, withKey) });
      }
    }
    const played = Boolean(trials[0]?.result.error) && !trials[1]?.result.error;
    return {
      asked: "Requests a segment of this session with its token, as a download tool would. A separate player then plays these " +
        "bytes, first without the license, then with it.",
      answers: [answer],
      facts: [
        `holds ${boxesIn(answer.body)}`,
        `lists the encrypted ranges of ${listedSamples(answer.body)} samples (senc)`,
        `${answer.body.length.toLocaleString("en")} bytes`,
      ],
      trials,
      right: answer.allowed && !hasClearSamples(answer.body) && played,
      wanted: "200 with encrypted samples that play only with the license",
      why: "A viewer with a session gets the segment. Its boxes stay readable, so that players find the samples. Only the key " +
        "in this session's license turns the samples into pictures.",
    };
  },
};

/** The stolen session: refused elsewhere, while it is good here. */
const stolen = ([kind]) => ({
  id: "stolen",
  title: "Use the session from another address",
  async attempt({ media, tell }) {
    const there = await askElsewhere(kind, media.url, tell);
    const here = await ask(kind, media.url, tell);
    return {
      asked: `Requests this player's URL with its session token from ${there.from}, then from here.`,
      answers: [there, here],
      right: there.status === 403 && there.problem?.type === "ip" && here.allowed,
      wanted: "403 ip there and 200 here",
      why: `The session token is bound to the network that opened the session, ${sessionOf(media).network}. A copied URL is ` +
        "useless in other networks.",
    };
  },
});

/** The license under the key's signature: nothing of HLS is like it. */
const purpose = refused({
  id: "purpose", title: "Request the license with the key URL's signature", kind: "license", reason: "parameter",
  asked: () => "Takes the key URL that HLS has for the same files in this session, and puts its signed parameter into the " +
    "license URL.",
  url: async (playing) => withParameter(playing.media.key, "plk", parameterOf(await keyOfHls(playing), "plk")),
  why: "A signed parameter is for one path. The keys of HLS and DASH are different, and neither URL leads to the other's key.",
});

const attacksWith = ({ entry, media: list, key, segment }, raw, others) => [
  refused({
    id: "expired", title: "Use an expired token", kind: entry[0], reason: "expired",
    asked: (_, { streams, stream }) => `Requests the ${entry[1]} with an access token that expired ` +
      `at ${new Date(Number(fieldsOf(accessTokenOf(streams[stream].expired)).exp) * 1000).toLocaleTimeString("en-GB")}.`,
    url: ({ streams, stream }) => streams[stream].expired,
    why: "The site's access tokens expire after one minute, so a shared link stops working almost at once.",
  }),
  stolen(list),
  refused({
    id: "missing", title: `Request the ${key[1]} without a token`, kind: key[0], reason: "missing",
    asked: () => `Requests the ${key[1]}'s URL from the ${list[1]}, without the session token.`,
    url: ({ media }) => withSessionToken(media.key, null),
    why: `A ${key[1]} request needs a session token. playlock derives the key after it has verified the token, and never ` +
      "stores it.",
  }),
  raw,
  refused({
    id: "session", title: `Request the ${key[1]} as another viewer`, kind: key[0], reason: "session",
    asked: () => `Requests this session's ${key[1]} with the token of another viewer's session. That token is valid and from ` +
      "the same address.",
    url: async (playing) => withSessionToken(playing.media.key, await anotherSession(playing)),
    why: `Every session has its own key, and the ${key[1]} URL names its session in a signed parameter.`,
  }),
  ...others,
  refused({
    id: "path", title: "Use the token for another stream", kind: "master", reason: "path",
    asked: (_, { media }) => `Requests the other stream with this session's token, which covers ${sessionOf(media).acl}.`,
    url: ({ media, stream, streams }) => {
      const other = Object.keys(streams).find((name) => name !== stream);
      return withSessionToken(streams[other].open, sessionTokenOf(media.url));
    },
    why: "The site allowed this viewer one stream. The token's signature covers its paths.",
  }),
  refused({
    id: "signature", title: "Extend the session by a day", kind: list[0], reason: "signature",
    asked: () => `Requests the ${list[1]} with the session token's start and end moved by 24 hours.`,
    url: ({ media }) => withSessionToken(media.url, delayed(sessionTokenOf(media.url), DAY)),
    why: "Anyone can read the token, but only playlock can sign it. After a single changed bit, the HMAC no longer matches.",
  }),
  refused({
    id: "parameter", title: "Request a segment in clear", kind: segment[0], reason: "parameter",
    asked: () => "Requests a segment with the parameter that marks resources to serve in clear, such as init sections, and a " +
      "forged signature.",
    url: ({ media }) => withParameter(media.segment, "plk", "clear~AAAAAAAAAAAAAAAAAAAAAA"),
    why: "playlock's parameters are signed, each for one path. Any other value is refused.",
  }),
];

const OF_HLS = attacksWith(HLS, rawOfHls, []);
const OF_DASH = attacksWith(DASH, rawOfDash, [purpose]);

/** The attacks on a stream. */
export const attacksOn = (stream) => (stream === "dash" ? OF_DASH : OF_HLS);
