// Differences between two JSON documents, by member, and their table.

import { h, table } from "./dom.js";

/** The members that differ: [{path, before, after}]; `undefined` where a side lacks the member. */
export function differences(before, after, path = "") {
  if (same(before, after)) return [];
  const objects = isObject(before) && isObject(after);
  if (!objects) return [{ path: path || "$", before, after }];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => differences(before[name], after[name], path ? `${path}.${name}` : name));
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function same(one, other) {
  return canonical(one) === canonical(other);
}

function canonical(value) {
  return JSON.stringify(value, (_, each) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each);
}

/** The differences as a table; `titles` name the two sides, `differ` is whether the server knows of a difference. */
export function differenceTable(before, after, titles, differ = false) {
  const found = differences(before, after);
  if (!found.length) {
    return h("p", {}, differ ? "They differ only in secrets, which your login does not show." : "No differences.");
  }
  return table("Differences", ["Member", ...titles], found.map((each) => [
    h("code", {}, each.path), side(each.before, "del"), side(each.after, "ins"),
  ]));
}

function side(value, tag) {
  if (value === undefined) return h("span.quiet", {}, "not set");
  return h(tag, {}, h("code", {}, typeof value === "string" ? value : JSON.stringify(value, null, 1)));
}
