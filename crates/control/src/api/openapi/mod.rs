//! The OpenAPI document: operations from their table, documents of policies from the filter's own schema.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, InfoBuilder, OpenApiBuilder, Ref, RefOr, Required, Response as Answer,
    ResponseBuilder, ResponsesBuilder, Schema,
};

use super::auth::session::CSRF_HEADER;
use super::operations::{OPERATIONS, Operation, SECURITY};
use super::policy_schema::with_members;
use super::query::{Query, Values};

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const PROBLEM: &str = "application/problem+json";

/// `GET /openapi.json`: the same for everyone, without a login, since it has nothing of this server.
pub async fn serve() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(JSON))], DOCUMENT.as_str()).into_response()
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The document.
fn document() -> Value {
    let mut paths = PathsBuilder::new().build();
    for operation in OPERATIONS {
        paths.add_path_operation(operation.path, vec![method(operation)], described(operation));
    }
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("edgegrid", header_scheme("Authorization", "EdgeGrid: EG1-HMAC-SHA256 client_token=…;…"))
        .security_scheme(
            "csrf",
            header_scheme(CSRF_HEADER, "Of writes with the session cookie: `csrf` of GET /control/v1/me"),
        )
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-playlock"))));
    let info = InfoBuilder::new()
        .title("playlock's control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The Media Security Policy API, version 2, and the operations of the control plane."));
    let api = OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    set(&mut document, "/openapi", json!("3.1.0"));
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert("schemas".into(), Value::Object(schemas()));
    }
    document
}

fn header_scheme(name: &str, description: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
}

fn method(operation: &Operation) -> HttpMethod {
    match operation.method {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn described(operation: &Operation) -> OperationBuilder {
    let roles: Vec<_> = operation.roles.iter().map(|role| format!("`{}`", role.name())).collect();
    let tag = if operation.path.starts_with(SECURITY) { "Media Security Policy" } else { "Control plane" };
    let mut described = OperationBuilder::new()
        .operation_id(Some(operation.name))
        .summary(Some(operation.summary))
        .description(Some(format!("Needs the role {}.", roles.join(" or "))))
        .tag(tag)
        .responses(answers(operation));
    for scheme in ["edgegrid", "bearer"] {
        described = described.security(SecurityRequirement::new(scheme, [] as [&str; 0]));
    }
    described = described.security(match operation.method {
        "GET" => SecurityRequirement::new("session", [] as [&str; 0]),
        _ => SecurityRequirement::new("session", [] as [&str; 0]).add("csrf", [] as [&str; 0]),
    });
    for part in operation.path.split('/') {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            described = described.parameter(path_parameter(name));
        }
    }
    for query in operation.query {
        described = described.parameter(query_parameter(query));
    }
    match operation.body {
        None => described,
        Some(schema) => described.request_body(Some(
            RequestBodyBuilder::new().content(JSON, content(schema)).required(Some(Required::True)).build(),
        )),
    }
}

fn path_parameter(name: &str) -> ParameterBuilder {
    let schema = match name {
        "network" => networks(),
        "domain" | "node" => ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).build().into(),
        _ => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(i64::MAX)).build().into(),
    };
    ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True).schema(Some(schema))
}

fn query_parameter(query: &Query) -> ParameterBuilder {
    let schema = match query.values {
        Values::Network => networks(),
        Values::Realm => one_of(["default", "staging", "production"]),
        Values::Text => ObjectBuilder::new().schema_type(Type::String).build().into(),
        Values::Integer(first, last) => {
            let bounds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(first)).maximum(Some(last));
            bounds.build().into()
        }
    };
    let required = if query.required { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(query.name)
        .description(Some(query.summary))
        .parameter_in(ParameterIn::Query)
        .required(required)
        .schema(Some(schema))
}

fn networks() -> RefOr<Schema> {
    one_of(["staging", "production"])
}

fn one_of<const COUNT: usize>(values: [&str; COUNT]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).build().into()
}

fn content(schema: &str) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn text() -> utoipa::openapi::Content {
    let schema: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::String).build().into();
    ContentBuilder::new().schema(Some(schema)).build()
}

/// The answers that an operation may give: its own, and the problems.
fn answers(operation: &Operation) -> ResponsesBuilder {
    let mut answers = ResponsesBuilder::new();
    for (status, schema) in operation.answers {
        let answer = ResponseBuilder::new().description("Success.");
        let answer = match schema {
            Some(schema @ "Sessions") => answer.content(JSON, content(schema)).content(CSV, text()),
            Some(schema) => answer.content(JSON, content(schema)),
            None => answer.header("Location", text_header("The path of the configuration's assignments.")),
        };
        answers = answers.response(status.to_string(), answer);
    }
    let writes = operation.method != "GET";
    let named = operation.path.contains('{');
    let body = operation.body.is_some();
    let problems = [
        (true, 400, "The request is not valid."),
        (true, 401, "No credentials, or not valid ones."),
        (true, 403, "The role is missing, or the header against forged requests."),
        (named || body || operation.needs_leases(), 404, "There is no such object, or the server keeps no leases."),
        (true, 405, "The path has no such method."),
        (body, 408, "The body did not arrive in time."),
        (writes, 409, "The object's state does not allow the operation."),
        (body, 413, "The body is too large."),
        (body, 415, "The body is not JSON."),
        (true, 429, "Too many failed authentications from this address."),
        (true, 500, "The server failed."),
        (true, 503, "The server is stopping, or compiles too many documents."),
    ];
    for (_, status, description) in problems.into_iter().filter(|(possible, ..)| *possible) {
        answers = answers.response(status.to_string(), problem(status, description));
    }
    if operation.needs_leases() {
        let away = "The server is stopping, or the store of leases does not answer.";
        answers = answers.response("503", problem(503, away));
    }
    answers
}

fn problem(status: u16, description: &str) -> Answer {
    let answer = ResponseBuilder::new().description(description).content(PROBLEM, content("Problem"));
    match status {
        405 => answer.header("Allow", text_header("The methods of the path.")).build(),
        401 => answer.header("WWW-Authenticate", text_header("The challenge.")).build(),
        429 | 503 => answer.header("Retry-After", text_header("Seconds to wait.")).build(),
        _ => answer.build(),
    }
}

fn text_header(description: &str) -> utoipa::openapi::Header {
    let schema: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::String).build().into();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

/// All schemas: those of the filter's document, and the API's own.
fn schemas() -> Map<String, Value> {
    let own = include_str!("schemas.json");
    // A test parses the file.
    let mut schemas: Map<String, Value> = serde_json::from_str(own).unwrap_or_default();
    let mut whole = playlock_config::schema::schema();
    relocate(&mut whole);
    if let Some(Value::Object(definitions)) = whole.get_mut("$defs").map(Value::take) {
        for (name, schema) in definitions {
            let schema = if name == "Policy" { with_members(schema) } else { schema };
            schemas.entry(name).or_insert(schema);
        }
    }
    schemas
}

/// Points references at the place of schemas in an OpenAPI document.
fn relocate(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(target) if name == "$ref" => {
                        *target = target.replace("#/$defs/", "#/components/schemas/")
                    }
                    _ => relocate(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(relocate),
        _ => {}
    }
}

fn set(document: &mut Value, pointer: &str, to: Value) {
    if let Some(value) = document.pointer_mut(pointer) {
        *value = to;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for target in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(target).is_some(), "{target}");
        }
        assert!(serde_json::from_str::<Map<String, Value>>(include_str!("schemas.json")).unwrap().len() > 20);
        assert!(document.pointer("/components/schemas/Policy/properties/policyName").is_some());
    }

    #[test]
    fn names_of_operations_are_unique_and_the_seed_has_fourteen() {
        let mut names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPERATIONS.len());
        assert_eq!(OPERATIONS.iter().filter(|operation| operation.path.starts_with(SECURITY)).count(), 14);
    }
}
