// Holds Kubernetes objects against the schemas that Istio, Envoy Gateway and the Gateway API publish. Objects as a JSON array
// on standard input; a line for each: its kind, and what is wrong with it.
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
