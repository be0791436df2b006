//! The table of operations: method, path, role, documents, and the function that runs it. Routes, permissions and the
//! OpenAPI document all come from it.

use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::app::App;
use super::control::{
    access, configurations, exchange, import, insight, policies as versions, sessions, settings, why,
};
use super::query::{AUDIT, Query, REFUSALS, SESSIONS};
use super::security::{assignments, lists, policies};
use crate::actor::{Actor, Role};

/// Prefix of the Media Security Policy API.
pub const SECURITY: &str = "/config-media-security/v2";

/// Prefix of the operations on sessions, which only a server with leases has.
const OF_LEASES: &str = "/control/v1/sessions";

/// One operation.
pub struct Operation {
    /// The method: `GET`.
    pub method: &'static str,
    /// The path's template.
    pub path: &'static str,
    /// Roles, of which every request needs one. The function that runs it may need a particular one.
    pub roles: &'static [Role],
    /// Unique name, in camel case.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Schema of the request's body, if it has one.
    pub body: Option<&'static str>,
    /// Parameters of the query.
    pub query: &'static [Query],
    /// Statuses of success, and the schema of the body, if there is one.
    pub answers: &'static [(u16, Option<&'static str>)],
    /// Makes the route.
    pub route: fn() -> MethodRouter<App>,
}

impl Operation {
    /// Whether only a server with leases has it.
    pub fn needs_leases(&self) -> bool {
        self.path.starts_with(OF_LEASES)
    }

    /// Whether the actor has one of the roles.
    pub fn admits(&self, actor: &Actor) -> bool {
        self.roles.iter().any(|role| actor.has(*role))
    }
}

/// The operation of a path's template and a method; HEAD is GET.
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    let method = if method == "HEAD" { "GET" } else { method };
    OPERATIONS.iter().find(|operation| operation.path == path && operation.method == method)
}

/// The methods that a path's template has, for `Allow`.
pub fn allowed(path: &str) -> Vec<&'static str> {
    let mut methods: Vec<_> =
        OPERATIONS.iter().filter(|operation| operation.path == path).map(|operation| operation.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods
}

macro_rules! operations {
    ($($method:ident $path:literal $($role:ident)|+ $name:literal $summary:literal ($($body:literal)?)
       -> [$($status:literal $($schema:literal)?),+] $(? $query:expr)? => $handler:expr;)*) => {
        &[$(Operation {
            method: upper!($method),
            path: $path,
            roles: &[$(Role::$role),+],
            name: $name,
            summary: $summary,
            body: first!($($body)?),
            query: or_none!($($query)?),
            answers: &[$(($status, first!($($schema)?))),+],
            route: || $method($handler),
        }),*]
    };
}

macro_rules! or_none {
    () => {
        &[]
    };
    ($query:expr) => {
        $query
    };
}

macro_rules! first {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

macro_rules! upper {
    (get) => {
        "GET"
    };
    (post) => {
        "POST"
    };
    (put) => {
        "PUT"
    };
    (patch) => {
        "PATCH"
    };
    (delete) => {
        "DELETE"
    };
}

/// All operations.
pub static OPERATIONS: &[Operation] = operations! {
    get "/config-media-security/v2/regions" Read "listRegions" "List regions"
        () -> [200 "Regions"] => lists::regions;
    get "/config-media-security/v2/dmas" Read "listDmas" "List Designated Market Areas"
        () -> [200 "DesignatedMarketAreas"] => lists::dmas;
    get "/config-media-security/v2/countries" Read "listCountries" "List countries"
        () -> [200 "Countries"] => lists::countries;
    get "/config-media-security/v2/policies" Read "listPolicies"
        "List policies: one element for each policy and network"
        () -> [200 "Policies"] => policies::list;
    post "/config-media-security/v2/policies" Edit "createPolicy"
        "Create a policy on staging; with promote on both networks"
        ("Policy") -> [201 "Message", 202 "Message"] => policies::create;
    get "/config-media-security/v2/policies/{policyId}" Read "getPolicy" "Get a policy"
        () -> [200 "Policy"] => policies::read;
    put "/config-media-security/v2/policies/{policyId}" Edit "modifyPolicy"
        "Modify a policy on staging; with promote on both networks"
        ("Policy") -> [201 "Message", 202 "Message"] => policies::edit;
    patch "/config-media-security/v2/policies/{policyId}" Edit|Promote "patchPolicy"
        "Promote, reset or mark a policy for deletion"
        ("PolicyPatch") -> [200 "Message"] => policies::patch;
    delete "/config-media-security/v2/policies/{policyId}" Promote "deletePolicy"
        "Delete a marked policy from both networks"
        () -> [200 "Message"] => policies::delete;
    get "/config-media-security/v2/policies/{policyId}/assignments" Read "listPolicyAssignments"
        "List a policy's assignments"
        () -> [200 "AssignmentStatus"] => assignments::of_policy;
    get "/config-media-security/v2/configurations" Read "listConfigurations" "List configurations"
        () -> [200 "Configurations"] => lists::configurations;
    get "/config-media-security/v2/configurations/{domain}/assignments" Read "listAssignments"
        "List a configuration's assignments"
        () -> [200 "AssignmentStatus"] => assignments::list;
    put "/config-media-security/v2/configurations/{domain}/assignments" Edit "modifyAssignments"
        "Replace a configuration's assignments on staging; with promote on both networks"
        ("Assignments") -> [201, 202] => assignments::replace;
    patch "/config-media-security/v2/configurations/{domain}/assignments" Edit|Promote "patchAssignments"
        "Promote or reset a configuration's assignments"
        ("AssignmentsPatch") -> [200 "AssignmentStatus"] => assignments::patch;

    get "/control/v1/me" Read "me" "The authenticated user"
        () -> [200 "Me"] => access::me;
    get "/control/v1/schema" Read "policySchema" "The JSON Schema of a policy, for editors"
        () -> [200 "Any"] => insight::schema;
    get "/control/v1/policies/{policyId}/versions" Read "listVersions" "List a policy's versions"
        () -> [200 "Versions"] => versions::list;
    get "/control/v1/policies/{policyId}/versions/{version}" Read "getVersion" "Get a version of a policy"
        () -> [200 "Policy"] => versions::read;
    post "/control/v1/policies/{policyId}/rollback" Edit|Promote "rollBackPolicy" "Put an earlier version on a network"
        ("Rollback") -> [200 "Message"] => versions::roll_back;
    get "/control/v1/policies/{policyId}/impact" Read "policyImpact"
        "The assignments and nodes that a change of a policy reaches"
        () -> [200 "Impact"] => versions::impact;
    get "/control/v1/policies/{policyId}/exchange" Read "exchangeState" "The step of the exchange of a secret"
        () -> [200 "ExchangeState"] => exchange::read;
    post "/control/v1/policies/{policyId}/exchange" Promote "exchangeStep"
        "Take the next step of the exchange of a secret"
        ("ExchangeStep") -> [200 "ExchangeState"] => exchange::step;
    post "/control/v1/configurations" Edit "createConfiguration" "Create a configuration"
        ("Configuration") -> [201 "Configuration"] => configurations::create;
    put "/control/v1/configurations/{configurationId}" Edit "modifyConfiguration" "Modify a configuration"
        ("Configuration") -> [200 "Configuration"] => configurations::edit;
    delete "/control/v1/configurations/{configurationId}" Edit "deleteConfiguration"
        "Delete a configuration without assignments"
        () -> [200 "Message"] => configurations::delete;
    get "/control/v1/configurations/{domain}/versions" Read "listAssignmentVersions"
        "List the versions of a configuration's assignments"
        () -> [200 "Versions"] => configurations::versions;
    post "/control/v1/configurations/{domain}/rollback" Edit|Promote "rollBackAssignments"
        "Put earlier assignments on a network"
        ("Rollback") -> [200 "AssignmentStatus"] => configurations::roll_back;
    get "/control/v1/settings" Read "getSettings"
        "The members of both networks' documents beside policies and assignments"
        () -> [200 "Settings"] => settings::read;
    put "/control/v1/settings" Edit "modifySettings" "Replace the settings on staging"
        ("StagingSettings") -> [200 "Settings"] => settings::replace;
    patch "/control/v1/settings" Edit|Promote "patchSettings" "Promote or reset the settings"
        ("AssignmentsPatch") -> [200 "Settings"] => settings::patch;
    get "/control/v1/networks/{network}/document" Read "networkDocument"
        "The document that a network's Envoys should run"
        () -> [200 "Any"] => insight::document;
    post "/control/v1/check" Read "check" "Check a policy or a document without storing it"
        ("Check") -> [200 "Checked"] => insight::check;
    get "/control/v1/nodes" Read "listNodes" "The Envoys, and the revision that each runs"
        () -> [200 "Nodes"] => insight::nodes;
    delete "/control/v1/nodes/{network}/{node}" Promote "forgetNode" "Forget an Envoy that is gone for good"
        () -> [200 "Message"] => insight::forget;
    get "/control/v1/refusals" Read "listRefusals" "Refused requests by minute, policy and reason"
        () -> [200 "Refusals"] ? REFUSALS => insight::refusals;
    get "/control/v1/sessions" Read "listSessions"
        "List viewers' sessions that have a live lease, the oldest first; all of them as CSV (Accept: text/csv)"
        () -> [200 "Sessions"] ? SESSIONS => sessions::list;
    get "/control/v1/sessions/counts" Read "countSessions" "Count viewers and their sessions, by network and policy"
        () -> [200 "SessionCounts"] => sessions::counts;
    post "/control/v1/sessions/end" Edit|Promote "endSessions"
        "End a session of a viewer, or all: they get no further key"
        ("SessionEnd") -> [200 "SessionsEnded"] => sessions::end;
    get "/control/v1/audit" Read "listAudit" "The audit trail, newest first"
        () -> [200 "Audit"] ? AUDIT => insight::audit;
    post "/control/v1/why" Read "why" "Explain a network's verdict on a request"
        ("Question") -> [200 "Any"] => why::explain;
    post "/control/v1/import" Promote "import" "Import a whole configuration document"
        ("Any") -> [200 "Imported"] => import::import;
    get "/control/v1/tokens" Admin "listTokens" "List bearer tokens"
        () -> [200 "Tokens"] => access::tokens;
    post "/control/v1/tokens" Admin "createToken" "Create a bearer token, which is shown once"
        ("NewToken") -> [201 "CreatedToken"] => access::create_token;
    delete "/control/v1/tokens/{id}" Admin "deleteToken" "End a bearer token"
        () -> [200 "Message"] => access::delete_token;
    get "/control/v1/clients" Admin "listClients" "List EdgeGrid clients"
        () -> [200 "Clients"] => access::clients;
    post "/control/v1/clients" Admin "createClient" "Create an EdgeGrid client, whose secret is shown once"
        ("NewClient") -> [201 "CreatedClient"] => access::create_client;
    delete "/control/v1/clients/{id}" Admin "deleteClient" "End an EdgeGrid client"
        () -> [200 "Message"] => access::delete_client;
};
