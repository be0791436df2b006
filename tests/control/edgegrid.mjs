// Drives the API with Akamai's client for Node.js, unchanged: `node edgegrid.mjs EDGERC STORY`. Prints status and body of
// each answer as a line of JSON.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

// It is a CommonJS module, found through NODE_PATH.
const EdgeGrid = createRequire(import.meta.url)("akamai-edgegrid");

const [edgerc, story] = process.argv.slice(2);
const document = (name) => JSON.parse(fs.readFileSync(path.join(story, `${name}.json`), "utf8"));
const base = "/config-media-security/v2";

function send(method, target, body) {
  const client = new EdgeGrid({ path: edgerc, section: "default" });
  client.auth({ path: target, method, headers: { "Content-Type": "application/json" }, ...(body === undefined ? {} : { body }) });
  return new Promise((resolve) => {
    client.send((error, response, text) => {
      const answer = error?.response ?? response;
      const data = typeof text === "string" && text ? JSON.parse(text) : (answer?.data ?? null);
      console.log(JSON.stringify({ method, target, status: answer?.status, body: data, error: answer ? undefined : String(error) }));
      resolve();
    });
  });
}

async function run() {
  await send("POST", `${base}/policies`, document("policy-post"));
  await send("PATCH", `${base}/policies/1`, document("policy-patch"));
  await send("PUT", `${base}/policies/1`, document("policy-put"));
  await send("GET", `${base}/policies/1`);
  // Beyond the part of the body that is signed, and with characters of two UTF-16 units.
  await send("POST", "/control/v1/check", { policy: { ...document("policy-post"), description: "ä😀".repeat(60_000) } });
  await send("PATCH", `${base}/policies/1`, { reset: true });
  await send("PATCH", `${base}/policies/1`, { markForDelete: true });
  await send("DELETE", `${base}/policies/1`);
  await send("GET", `${base}/policies`);
  await send("GET", `${base}/policies/1`);
}

run();
