// Makes long-bodies.json: POST requests signed by npm's akamai-edgegrid, which cuts bodies by UTF-16 code units.
//   node long-bodies.mjs FOLDER_OF_AKAMAI_EDGEGRID
import { createRequire } from "node:module";

const { generateAuth } = createRequire(import.meta.url)(process.argv[2] + "/src/auth.js");

// A body is a text, repeated, and a text behind it. 131,072 code units are hashed.
const bodies = [
  ["x", 131072, ""],
  ["x", 131072, "tail"],
  ["ä", 65536, ""],
  ["ä", 65536, "tail"],
  ["ä", 131071, "z"],
  ["ä", 131072, "tail"],
  ["€", 131073, "tail"],
  ["𝄞", 65536, "tail"],
  ["€𝄞", 50000, "tail"],
  ["x𝄞", 50000, "tail"],
];
const client = {
  client_token: "akab-client-token-xxx-xxxxxxxxxxxxxxxx",
  access_token: "akab-access-token-xxx-xxxxxxxxxxxxxxxx",
  client_secret: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=",
  host: "localhost:8443",
};
const cases = bodies.map(([text, times, tail]) => {
  const request = { path: "/config-media-security/v2/policies", method: "POST", body: text.repeat(times) + tail };
  const signed = generateAuth(request, client.client_token, client.client_secret, client.access_token,
    "https://" + client.host, undefined, "nonce-xx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "20140321T19:34:21+0000");
  return { text, times, tail, authorization: signed.headers.Authorization };
});
console.log(JSON.stringify({ ...client, path: "/config-media-security/v2/policies", cases }, null, 2));
