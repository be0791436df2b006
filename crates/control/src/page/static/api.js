// Requests to the API. Every refusal is a `Problem` with the server's texts.

/** A problem of RFC 9457, as the API answers with. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? body?.title ?? `The server answered ${status}.`);
    this.status = status;
    /** Faults with their JSON paths. */
    this.errors = body?.errors ?? [];
    this.instance = body?.instance;
  }
}

const MSP = "config-media-security/v2/";
const OURS = "control/v1/";
let csrf = "";

async function request(method, path, body, again = false) {
  const headers = { accept: "application/json" };
  // Another site cannot read it, so only this page can write.
  if (method !== "GET") headers["x-csrf-token"] = csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, { detail: "The server does not answer." });
  }
  const text = await response.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    throw new Problem(response.status, { detail: `The server answered ${response.status}, without JSON.` });
  }
  if (response.status === 401) {
    // Back to the same part after the login.
    sessionStorage.setItem("after", location.hash);
    location.replace("login");
  }
  if (response.status === 403 && !again && json?.detail?.startsWith("x-csrf-token")) {
    // Another window has logged in since: its session has another token.
    await me();
    return request(method, path, body, true);
  }
  if (!response.ok) throw new Problem(response.status, json);
  return json;
}

/** A file of another type than JSON. */
async function file(path, type) {
  let response;
  try {
    response = await fetch(path, { headers: { accept: type } });
    if (response.ok) return await response.blob();
  } catch {
    throw new Problem(0, { detail: "The server does not answer." });
  }
  throw new Problem(response.status, await response.json().catch(() => null));
}

/** The pairs that have a value, as a query. */
function query(pairs) {
  const given = Object.entries(pairs).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

const get = (path) => request("GET", path);
const segment = encodeURIComponent;

/** The logged-in user: {name, roles}. Also learns the token that writes must carry. */
export async function me() {
  const user = await get(`${OURS}me`);
  csrf = user.csrf ?? "";
  return user;
}

export const logout = () => request("POST", "logout");

export const policies = () => get(`${MSP}policies`);
export const policy = (id) => get(`${MSP}policies/${segment(id)}`);
export const createPolicy = (document) => request("POST", `${MSP}policies`, document);
export const editPolicy = (id, document) => request("PUT", `${MSP}policies/${segment(id)}`, document);
export const patchPolicy = (id, action) => request("PATCH", `${MSP}policies/${segment(id)}`, action);
export const deletePolicy = (id) => request("DELETE", `${MSP}policies/${segment(id)}`);
export const versions = (id) => get(`${OURS}policies/${segment(id)}/versions`);
export const version = (id, number) => get(`${OURS}policies/${segment(id)}/versions/${segment(number)}`);
export const rollBack = (id, target) => request("POST", `${OURS}policies/${segment(id)}/rollback`, target);
export const impact = (id) => get(`${OURS}policies/${segment(id)}/impact`);
export const exchange = (id) => get(`${OURS}policies/${segment(id)}/exchange`);
export const stepExchange = (id, step) => request("POST", `${OURS}policies/${segment(id)}/exchange`, step);

export const configurations = () => get(`${MSP}configurations`);
export const createConfiguration = (document) => request("POST", `${OURS}configurations`, document);
export const editConfiguration = (id, document) => request("PUT", `${OURS}configurations/${segment(id)}`, document);
export const deleteConfiguration = (id) => request("DELETE", `${OURS}configurations/${segment(id)}`);
export const assignments = (domain) => get(`${MSP}configurations/${segment(domain)}/assignments`);
export const putAssignments = (domain, document) =>
  request("PUT", `${MSP}configurations/${segment(domain)}/assignments`, document);
export const patchAssignments = (domain, action) =>
  request("PATCH", `${MSP}configurations/${segment(domain)}/assignments`, action);

export const assignmentVersions = (domain) => get(`${OURS}configurations/${segment(domain)}/versions`);
export const rollBackAssignments = (domain, target) =>
  request("POST", `${OURS}configurations/${segment(domain)}/rollback`, target);

export const settings = () => get(`${OURS}settings`);
export const editSettings = (document) => request("PUT", `${OURS}settings`, document);
export const patchSettings = (action) => request("PATCH", `${OURS}settings`, action);

export const nodes = () => get(`${OURS}nodes`);
export const forgetNode = (network, node) => request("DELETE", `${OURS}nodes/${segment(network)}/${segment(node)}`);
export const refusals = (network, minutes = 60) => get(`${OURS}refusals?network=${segment(network)}&minutes=${minutes}`);
export const audit = (before) => get(`${OURS}audit?limit=50${before ? `&before=${segment(before)}` : ""}`);
export const sessionCounts = () => get(`${OURS}sessions/counts`);
export const sessions = (wanted) => get(`${OURS}sessions${query(wanted)}`);
export const sessionsFile = (wanted) => file(`${OURS}sessions${query(wanted)}`, "text/csv");
export const endSessions = (order) => request("POST", `${OURS}sessions/end`, order);
export const why = (question) => request("POST", `${OURS}why`, question);
export const check = (document) => request("POST", `${OURS}check`, document);
export const schema = () => get(`${OURS}schema`);
export const networkDocument = (network) => get(`${OURS}networks/${segment(network)}/document`);
export const tokens = () => get(`${OURS}tokens`);
export const createToken = (document) => request("POST", `${OURS}tokens`, document);
export const deleteToken = (id) => request("DELETE", `${OURS}tokens/${segment(id)}`);
export const clients = () => get(`${OURS}clients`);
export const createClient = (document) => request("POST", `${OURS}clients`, document);
export const deleteClient = (id) => request("DELETE", `${OURS}clients/${segment(id)}`);
