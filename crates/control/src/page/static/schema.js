// The JSON Schema of policies: descriptions, choices and members by path.

/** Members that an editor fills in or the server owns. */
const OF_THE_SERVER = new Set(["policyId", "status", "environment", "unsavedPolicy", "promote", "contractId", "groupId"]);

/** A reader of one schema document. */
export class Schema {
  constructor(root) {
    this.root = root;
    this.definitions = root.$defs ?? root.definitions ?? {};
  }

  /** The schemas that a member may have, references followed, alternatives flattened. */
  alternatives(schema, depth = 0) {
    if (!schema || depth > 16) return [];
    if (schema.$ref) {
      const target = this.definitions[schema.$ref.split("/").pop()];
      // What is beside the reference is the member's; the target describes its type.
      return this.alternatives({ ...target, ...ofMember(schema) }, depth + 1);
    }
    const inner = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (!inner) return [schema];
    const found = inner.flatMap((each) => this.alternatives(each, depth + 1)).filter((each) => each.type !== "null");
    // A choice among constants has a text for each.
    return found.map((each) => ({ meaning: each.const === undefined ? undefined : each.description, ...each, ...ofMember(schema) }));
  }

  /** The alternatives at a path such as `tokenAuth.formats[0]`. */
  at(path) {
    let current = this.alternatives(this.root);
    for (const step of path.match(/[^.[\]]+/g) ?? []) {
      const index = /^\d+$/.test(step);
      current = current.flatMap((schema) => this.alternatives(index ? schema.items : schema.properties?.[step]));
    }
    return current;
  }

  /** Help for a path: {description, type, choices, meanings, examples, members: [{name, description, sample}]}. */
  help(path) {
    const found = this.at(path);
    if (!found.length) return null;
    const members = new Map();
    for (const schema of found) {
      for (const [name, member] of Object.entries(schema.properties ?? {})) {
        if (path === "" && OF_THE_SERVER.has(name)) continue;
        const [first] = this.alternatives(member);
        members.set(name, {
          name,
          required: (schema.required ?? []).includes(name),
          description: member.description ?? first?.description ?? "",
          sample: sample(first),
        });
      }
    }
    return {
      description: found[0].description ?? "",
      type: [...new Set(found.flatMap((schema) => schema.type ?? []))].filter((type) => type !== "null").join(" or "),
      choices: found.flatMap((schema) => schema.enum ?? (schema.const === undefined ? [] : [schema.const])),
      meanings: found.filter((schema) => schema.meaning).map((schema) => [schema.const, schema.meaning]),
      examples: found.flatMap((schema) => schema.examples ?? []),
      standard: found.find((schema) => schema.default !== undefined)?.default,
      members: [...members.values()],
    };
  }
}

/** What a schema says about its member, whatever the types that it refers to say. */
function ofMember({ description, examples, default: standard }) {
  const said = { description, examples, default: standard };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** A first value for a member: its example, its default, its first choice, or an empty value of its type. */
function sample(schema) {
  if (!schema) return null;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.enum?.length) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const type = [schema.type].flat().find((each) => each !== "null");
  if (type === "object") return schema.properties?.enabled ? { enabled: true } : {};
  return { array: [], boolean: true, integer: 1, number: 1, string: "" }[type] ?? null;
}
