//! Insight: what networks should run, what nodes run, what they refuse, who changed what.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};

use super::members;
use crate::api::answer::{answer, shown};
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::policy_schema::policy_schema;
use crate::api::problem::{Kind, Problem};
use crate::api::query::{AUDIT, QueryParameters, REFUSALS};
use crate::control::Node;
use crate::documents::json::take;
use crate::error::Finding;
use crate::network::Network;

/// `GET /schema`.
pub async fn schema() -> Response {
    answer(&policy_schema())
}

/// `GET /networks/{network}/document`.
///
/// # Errors
/// A 404 for a network that does not exist.
pub async fn document(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let candidate = app.control.candidate(parameters.network()?).await?;
    let document = serde_json::from_str(&candidate.document);
    let document: Value = document.map_err(|error| Problem::new(Kind::Internal, FAILED).because(error.to_string()))?;
    Ok(shown(&user, &document))
}

/// Warnings about the places of a document at most.
const WARNINGS: usize = 1000;

const FAILED: &str = "The operation failed; the server's log has the reason under this instance.";

/// `POST /check`: `{policy, policyId?}` or `{document}`.
///
/// # Errors
/// A 400 for anything else. Faults of the document are in the answer.
pub async fn check(State(app): State<App>, Document(mut document): Document) -> Result<Response, Problem> {
    let members = members(&document, &["policy", "policyId", "document"])?;
    let id = match members.get("policyId") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.parse().map_err(|_| number())?),
        Some(value) => Some(value.as_i64().ok_or_else(number)?),
    };
    let (policy, whole) = (take(&mut document, "policy"), take(&mut document, "document"));
    let (mut checked, unlisted) = match (policy, whole) {
        (Some(policy), None) => {
            let unlisted = app.dmas.warnings(&policy, "");
            (app.control.check_policy(policy, id).await?, unlisted)
        }
        (None, Some(whole)) if id.is_none() => {
            let policies = whole.get("policies").and_then(Value::as_array).into_iter().flatten().enumerate();
            let unlisted =
                policies.flat_map(|(index, policy)| app.dmas.warnings(policy, &format!("policies[{index}].")));
            let unlisted = unlisted.take(WARNINGS).collect();
            (app.control.check_document(whole).await?, unlisted)
        }
        _ => {
            let detail = "expected either policy, perhaps with policyId, or document";
            return Err(Problem::member("$", format!("not one document; {detail}")));
        }
    };
    checked.warnings.extend(unlisted);
    let finding = |finding: &Finding| json!({"member": finding.member, "detail": finding.detail});
    let warning = |finding: &Finding| Value::from(format!("{}: {}", finding.member, finding.detail));
    let errors: Value = checked.errors.iter().map(finding).collect();
    let warnings: Value = checked.warnings.iter().map(warning).collect();
    Ok(answer(&json!({"errors": errors, "warnings": warnings})))
}

fn number() -> Problem {
    Problem::member("policyId", "not a number; expected a policy's number")
}

/// `DELETE /nodes/{network}/{node}`: an Envoy that is gone for good, for which nothing should wait.
///
/// # Errors
/// A 404 for a node that is not there, or is connected.
pub async fn forget(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let (network, node) = (parameters.network()?, parameters.text("node"));
    app.control.forget_node(&user.actor, network, node).await?;
    Ok(answer(&json!({"message": format!("Successfully forgot node:{network}/{node}")})))
}

/// `GET /nodes`.
///
/// # Errors
/// If the database fails.
pub async fn nodes(State(app): State<App>) -> Result<Response, Problem> {
    let node = |node: &Node| {
        let refused = node.row.refused.as_ref();
        json!({
            "network": node.row.network.name(), "node": node.row.node, "cluster": node.row.cluster,
            "version": node.row.version, "connected": node.row.connected, "since": node.row.since,
            "offered": node.row.offered, "inForce": node.row.in_force, "state": node.state.word(),
            "refused": refused.map(|(revision, reason, since)| {
                json!({"revision": revision, "reason": reason, "since": since})
            }),
        })
    };
    Ok(answer(&app.control.nodes().await?.iter().map(node).collect()))
}

/// `GET /refusals?network=&minutes=`.
///
/// # Errors
/// A 400 for another query.
pub async fn refusals(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let query = QueryParameters::read(&uri, REFUSALS)?;
    let network = query.network("network").unwrap_or(Network::Production);
    let rows = app.control.refusals(network, query.number("minutes").unwrap_or(60)).await?;
    let rows = rows
        .iter()
        .map(|row| json!({"minute": row.minute, "policy": row.policy, "reason": row.reason, "count": row.count}));
    Ok(answer(&rows.collect()))
}

/// `GET /audit?before=&limit=`.
///
/// # Errors
/// A 400 for another query.
pub async fn audit(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let query = QueryParameters::read(&uri, AUDIT)?;
    let page = app.control.audit(query.number("before"), query.number("limit").unwrap_or(100)).await?;
    // The documents are masked where they are stored.
    let parsed = |text: Option<&String>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let entries = page.entries.iter().map(|entry| {
        json!({
            "sequence": entry.sequence, "time": entry.time, "actor": entry.actor, "action": entry.action,
            "object": entry.object, "before": parsed(entry.before.as_ref()), "after": parsed(entry.after.as_ref()),
            "previous": entry.previous, "hash": entry.hash,
        })
    });
    let entries: Value = entries.collect();
    Ok(answer(&json!({"entries": entries, "next": page.next})))
}
