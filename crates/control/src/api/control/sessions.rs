//! Viewers' sessions: listed, counted, ended. Only a server with `--authorize-listen` has them.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use playlock_leases::listing::{self, EndOrder, ListQuery};
use playlock_leases::{Realm, Store, Unavailable, admin};
use serde_json::json;

use super::{members, optional_text, text};
use crate::actor::Role;
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::problem::{Kind, Problem};
use crate::api::query::{QueryParameters, SESSIONS};
use crate::error::ControlError;

/// `GET /sessions?viewer=&policy=&stream=&realm=&cursor=&limit=`: a page as JSON, or all of them as CSV.
///
/// # Errors
/// A 400 for another query, a 404 without leases, a 503 if their store does not answer.
pub async fn list(State(app): State<App>, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let query = QueryParameters::read(&uri, SESSIONS)?;
    let query = ListQuery {
        realm: query.text("realm"),
        viewer: query.text("viewer"),
        policy: query.text("policy"),
        stream: query.text("stream"),
        cursor: query.text("cursor"),
        limit: query.number("limit").and_then(|limit| usize::try_from(limit).ok()),
    };
    let (filter, limit) = query.read().map_err(|fault| invalid(&fault))?;
    let store = leases(&app)?;
    if headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/csv") {
        // The answer to a store that is away would be half a file.
        store.ping().await.map_err(|fault| away(&fault))?;
        let mut file = admin::csv(store.clone(), filter);
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"sessions.csv\""),
        ] {
            file.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        return Ok(file);
    }
    let page = store.sessions(&filter, query.cursor.as_deref(), limit).await.map_err(|fault| away(&fault))?;
    Ok(answer(&listing::page(&page)))
}

/// `GET /sessions/counts`.
///
/// # Errors
/// A 404 without leases, a 503 if their store does not answer.
pub async fn counts(State(app): State<App>) -> Result<Response, Problem> {
    let counts = leases(&app)?.counts().await.map_err(|fault| away(&fault))?;
    Ok(answer(&listing::counts(&counts)))
}

/// `POST /sessions/end`: `{realm, group, viewer, session?}`.
///
/// # Errors
/// A 403 without the role: edit for staging, else promote; a 404 without leases, a 503 if their store does not answer.
pub async fn end(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    let members = members(&document, &["realm", "group", "viewer", "session"])?;
    let order = EndOrder {
        realm: Some(text(members, "realm")?.to_owned()),
        group: text(members, "group")?.to_owned(),
        viewer: text(members, "viewer")?.to_owned(),
        session: optional_text(members, "session")?.map(str::to_owned),
    };
    let which = order.read().map_err(|fault| invalid(&fault))?;
    user.need(if which.realm == Realm::Staging { Role::Edit } else { Role::Promote })?;
    let ended = app.control.end_sessions(&user.actor, leases(&app)?, &which).await?;
    Ok(answer(&json!({"ended": ended})))
}

/// The leases of this server.
fn leases(app: &App) -> Result<&Store, Problem> {
    let none = "sessions: this server counts none; expected playlock serve with --authorize-listen.";
    app.leases.as_ref().ok_or_else(|| Problem::new(Kind::NotFound, none))
}

/// A fault as `playlock_leases` describes it: the member, a colon, the rest.
fn invalid(fault: &str) -> Problem {
    let (member, detail) = fault.split_once(": ").unwrap_or(("$", fault));
    Problem::member(member, detail)
}

fn away(fault: &Unavailable) -> Problem {
    ControlError::Unavailable(fault.to_string()).into()
}
