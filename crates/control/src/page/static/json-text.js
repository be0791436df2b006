// JSON text with positions: where each member stands, and which member a caret is in. Reports the first syntax error.

/** Reads a text. Returns {places: Map of path → {start, end}, error: null | {offset, message}}. */
export function read(text) {
  const places = new Map();
  let offset = 0;

  function fail(message) {
    throw Object.assign(new Error(message), { offset });
  }
  function space() {
    while (offset < text.length && " \t\r\n".includes(text[offset])) offset++;
  }
  function expect(character) {
    space();
    if (text[offset] !== character) fail(`expected ${character}`);
    offset++;
  }
  function string() {
    space();
    const start = offset;
    if (text[offset] !== '"') fail("expected a string in double quotes");
    for (offset++; offset < text.length && text[offset] !== '"'; offset++) if (text[offset] === "\\") offset++;
    if (offset >= text.length) fail("the string has no end");
    offset++;
    try {
      return JSON.parse(text.slice(start, offset));
    } catch {
      offset = start;
      return fail("the string is not valid JSON");
    }
  }
  function value(path, depth) {
    if (depth > 64) fail("nested too deeply");
    space();
    const start = offset;
    const first = text[offset];
    if (first === "{") object(path, depth);
    else if (first === "[") array(path, depth);
    else if (first === '"') string();
    else {
      const word = /[-+.\w]+/y;
      word.lastIndex = offset;
      const found = word.exec(text)?.[0];
      if (!found) fail("expected a value");
      try {
        JSON.parse(found);
      } catch {
        fail(`${found} is no JSON value`);
      }
      offset += found.length;
    }
    places.set(path, { ...places.get(path), start, end: offset });
  }
  function object(path, depth) {
    const names = new Set();
    offset++;
    space();
    if (text[offset] === "}") {
      offset++;
      return;
    }
    for (;;) {
      space();
      const key = offset;
      const name = string();
      if (names.has(name)) {
        offset = key;
        fail(`"${name}" is there twice`);
      }
      names.add(name);
      const inner = path ? `${path}.${name}` : name;
      places.set(inner, { key });
      expect(":");
      value(inner, depth + 1);
      space();
      if (text[offset] === ",") {
        offset++;
        continue;
      }
      expect("}");
      return;
    }
  }
  function array(path, depth) {
    offset++;
    space();
    if (text[offset] === "]") {
      offset++;
      return;
    }
    for (let index = 0; ; index++) {
      value(`${path}[${index}]`, depth + 1);
      space();
      if (text[offset] === ",") {
        offset++;
        continue;
      }
      expect("]");
      return;
    }
  }

  try {
    value("", 0);
    space();
    if (offset < text.length) fail("expected the end of the document");
    return { places, error: null };
  } catch (error) {
    if (error.offset === undefined) throw error;
    return { places, error: { offset: error.offset, message: error.message } };
  }
}

/** The line of an offset, from 1. */
export function lineOf(text, offset) {
  return text.slice(0, offset).split("\n").length;
}

/** The path of the innermost member around an offset. */
export function pathAt(places, offset) {
  let best = "";
  let length = Number.POSITIVE_INFINITY;
  for (const [path, { key, start, end }] of places) {
    const from = key ?? start;
    if (from <= offset && offset <= (end ?? offset) && (end ?? offset) - from < length) {
      best = path;
      length = (end ?? offset) - from;
    }
  }
  return best;
}

/** The place of a path of the API, or of the nearest member around it: a missing member's fault is its object's. */
export function nearest(places, path) {
  let rest = path.replace(/^\$\.?/, "");
  while (!places.has(rest) && rest) rest = rest.slice(0, Math.max(0, rest.lastIndexOf("."), rest.lastIndexOf("[")));
  return { path: rest, place: places.get(rest) };
}
