// Owns crates/places/data/: makes places.tsv from npm packages, and copies their licences beside it. Run by hand.
//   npm install --prefix target/places --ignore-scripts --no-audit --no-fund --no-save \
//     countries-list@3.4.0 cldr-core@48.2.0 cldr-subdivisions-full@48.2.0
//   node tools/places.mjs target/places/node_modules [/usr/share/iso-codes/json]
// With the folder of Debian's iso-codes it compares codes with those, and prints the differences. Nothing is taken from there:
// their licence is the LGPL.
import { readFileSync, writeFileSync } from "node:fs";

const VERSIONS = { "countries-list": "3.4.0", "cldr-core": "48.2.0", "cldr-subdivisions-full": "48.2.0" };

// In countries-list, but neither in ISO 3166-1 nor in location databases: reserved codes (Ascension Island, Tristan da Cunha).
// Kosovo's XK is not in ISO 3166-1 either, but location databases have it.
const NOT_ISO = ["AC", "TA"];

// Regions without a name in CLDR that are no countries of the list either.
const NAMES = { CNNM: "Inner Mongolia", FRCP: "Clipperton" };

const [packages, isoCodes] = process.argv.slice(2);
if (!packages) throw new Error("usage: node tools/places.mjs NODE_MODULES [ISO_CODES]");
const read = (path) => readFileSync(`${packages}/${path}`, "utf8");
const data = new URL("../crates/places/data/", import.meta.url);

for (const [name, version] of Object.entries(VERSIONS)) {
  const found = JSON.parse(read(`${name}/package.json`)).version;
  if (found !== version) throw new Error(`${name}: version ${found}; expected ${version}`);
}

const listed = JSON.parse(read("countries-list/countries.min.json"));
const { subdivisionContainment } = JSON.parse(read("cldr-core/supplemental/subdivisionContainment.json")).supplemental;
const { subdivisionAlias } = JSON.parse(read("cldr-core/supplemental/aliases.json")).supplemental.metadata.alias;
const { subdivisions } = JSON.parse(read("cldr-subdivisions-full/subdivisions/en/en.json")).subdivisions.localeDisplayNames;

const countries = Object.entries(listed)
  .filter(([code]) => !NOT_ISO.includes(code))
  .map(([code, { continent, name }]) => [code, continent, name]);

// Those in force: CLDR names former regions, too, but no longer says what contains them.
const regions = [...new Set(Object.values(subdivisionContainment).flatMap((region) => region._contains))].map((id) => {
  const [country, code] = [id.slice(0, 2).toUpperCase(), id.slice(2).toUpperCase()];
  // Some are countries of their own in ISO 3166-1 as well (US-PR, CN-HK), and have their names there.
  const alias = subdivisionAlias[id]?._replacement ?? code;
  const name = subdivisions[id] ?? NAMES[country + code] ?? listed[alias]?.name;
  // CLDR marks a name that another region of the country has or had.
  return [country, code, name?.replace(/\s*[²³†]+$/u, "")];
});

for (const row of [...countries, ...regions]) {
  if (!row.every((field) => /^[^\p{Cc}]+$/u.test(field ?? ""))) throw new Error(`no value in ${JSON.stringify(row)}`);
}

const rows = (list) => list.map((row) => row.join("\t") + "\n").sort().join("");
const notices = [
  "Made by tools/places.mjs. Countries (code, continent, name), then regions (country, code, name).",
  `Countries: npm countries-list ${VERSIONS["countries-list"]}, Copyright (c) 2014 Annexare Studio, MIT (LICENSE-COUNTRIES-LIST).`,
  `Regions: npm cldr-core and cldr-subdivisions-full ${VERSIONS["cldr-core"]}, Copyright (c) 2004-2026 Unicode, Inc.,`,
  "Unicode-3.0 (LICENSE-UNICODE).",
].map((line) => `# ${line}\n`);
writeFileSync(new URL("places.tsv", data), [notices.join(""), rows(countries), rows(regions)].join("\n"));
writeFileSync(new URL("LICENSE-COUNTRIES-LIST", data), read("countries-list/LICENSE").trimEnd() + "\n");
writeFileSync(new URL("LICENSE-UNICODE", data), read("cldr-core/LICENSE").trimEnd() + "\n");
console.log(`${countries.length} countries, ${regions.length} regions`);

if (isoCodes) {
  const iso = (part) => JSON.parse(readFileSync(`${isoCodes}/iso_${part}.json`, "utf8"))[part];
  const compare = (what, ours, theirs) => {
    const only = (these, those) => these.filter((code) => !those.includes(code)).sort().join(" ") || "none";
    console.log(`${what} only here: ${only(ours, theirs)}\n${what} only in iso-codes: ${only(theirs, ours)}`);
  };
  compare("countries", countries.map(([code]) => code), iso("3166-1").map((country) => country.alpha_2));
  compare("regions", regions.map(([country, code]) => `${country}-${code}`), iso("3166-2").map((region) => region.code));
}
