// Validates Kubernetes objects against the published schemas of Istio, Envoy Gateway and the Gateway API. Input: a JSON array of
// objects. Output: one line per object with its kind and its errors.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const modules = process.argv[2];
const require = createRequire(path.join(modules, "x.js"));
const packages = {
  "extensions.istio.io": "@kubernetes-models/istio", "networking.istio.io": "@kubernetes-models/istio",
  "gateway.envoyproxy.io": "@kubernetes-models/envoy-gateway", "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "apps": "kubernetes-models",
};

for (const object of JSON.parse(readFileSync(0))) {
  const [group, version] = object.apiVersion.split("/");
  const folder = path.dirname(require.resolve(`${packages[group]}/package.json`));
  const file = path.join(folder, group, version, `${object.kind}.js`);
  let problem = "good";
  try {
    new (await import(pathToFileURL(file)))[object.kind](object).validate();
  } catch (error) {
    problem = error.message;
  }
  console.log(`${object.kind}\t${problem}`);
}
