//! The user, bearer tokens and EdgeGrid clients.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use playlock_edgegrid::{ClientSecret, Credentials, EdgercSection};
use serde_json::{Map, Value, json};

use super::{members, optional_text, text};
use crate::actor::Role;
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::authority::Authority;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::{Kind, Problem};

/// `GET /me`.
pub async fn me(user: User) -> Response {
    let mut me = json!({"name": user.actor.name, "roles": names(&user.actor.roles)});
    if let (Some(members), Some(csrf)) = (me.as_object_mut(), user.csrf) {
        members.insert("csrf".into(), csrf.into());
    }
    answer(&me)
}

/// `GET /tokens`.
///
/// # Errors
/// If the database fails.
pub async fn tokens(State(app): State<App>) -> Result<Response, Problem> {
    let tokens = app.control.tokens().await?.into_iter().map(|token| {
        json!({
            "id": token.id, "name": token.name, "roles": stored(&token.roles), "created": token.created,
            "expires": token.expires,
        })
    });
    Ok(answer(&tokens.collect()))
}

/// `POST /tokens`: `{name, roles, expires?}`.
///
/// # Errors
/// A 400 for another document.
pub async fn create_token(
    State(app): State<App>,
    user: User,
    Document(document): Document,
) -> Result<Response, Problem> {
    let members = members(&document, &["name", "roles", "expires"])?;
    let lifetime = match optional_text(members, "expires")? {
        None => None,
        Some(text) => Some(lifetime(text)?),
    };
    let made = app.control.create_token(&user.actor, text(members, "name")?, &roles(members)?, lifetime).await?;
    Ok((StatusCode::CREATED, answer(&json!({"id": made.id, "token": made.token.as_str()}))).into_response())
}

/// `DELETE /tokens/{id}`.
///
/// # Errors
/// A 404.
pub async fn delete_token(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let id = parameters.number("id")?;
    app.control.delete_token(&user.actor, id).await?;
    Ok(answer(&json!({"message": format!("Successfully ended token:{id}")})))
}

/// `GET /clients`.
///
/// # Errors
/// If the database fails.
pub async fn clients(State(app): State<App>) -> Result<Response, Problem> {
    let clients = app.control.clients().await?.into_iter().map(|client| {
        json!({
            "id": client.id, "name": client.name, "roles": stored(&client.roles), "created": client.created,
            "clientToken": client.client_token,
        })
    });
    Ok(answer(&clients.collect()))
}

/// `POST /clients`: `{name, roles}`. The answer has the section of an `.edgerc` file for the host of this request.
///
/// # Errors
/// A 400 for another document.
pub async fn create_client(
    State(app): State<App>,
    user: User,
    Authority(host): Authority,
    Document(document): Document,
) -> Result<Response, Problem> {
    let members = members(&document, &["name", "roles"])?;
    let made = app.control.create_client(&user.actor, text(members, "name")?, &roles(members)?).await?;
    let secret = ClientSecret::new(made.client_secret.to_string()).map_err(|fault| internal(&fault))?;
    let credentials = Credentials::new(made.client_token.clone(), made.access_token.clone(), secret);
    let credentials = credentials.map_err(|fault| internal(&fault))?;
    let section =
        EdgercSection::new(&credentials, &host).map_err(|fault| Problem::new(Kind::Invalid, fault.to_string()))?;
    let document = json!({
        "id": made.id, "clientToken": made.client_token, "accessToken": made.access_token,
        "clientSecret": made.client_secret.as_str(), "edgerc": section.text().as_str(),
    });
    Ok((StatusCode::CREATED, answer(&document)).into_response())
}

/// `DELETE /clients/{id}`.
///
/// # Errors
/// A 404.
pub async fn delete_client(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let id = parameters.number("id")?;
    app.control.delete_client(&user.actor, id).await?;
    Ok(answer(&json!({"message": format!("Successfully ended client:{id}")})))
}

fn internal(fault: &dyn std::fmt::Display) -> Problem {
    Problem::new(Kind::Internal, "The client cannot be shown.").because(fault.to_string())
}

/// The names of roles.
fn names(roles: &[Role]) -> Value {
    roles.iter().map(|role| role.name()).collect()
}

/// Roles as the database has them: names separated by spaces.
fn stored(roles: &str) -> Value {
    roles.split(' ').filter(|name| !name.is_empty()).collect()
}

/// The member `roles`.
fn roles(members: &Map<String, Value>) -> Result<Vec<Role>, Problem> {
    let expected = || format!("expected an array of {}", Role::ALL.map(Role::name).join(", "));
    let items = members.get("roles").and_then(Value::as_array);
    let items = items.ok_or_else(|| Problem::member("roles", format!("not an array; {}", expected())))?;
    let mut roles = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().and_then(Role::of) {
            Some(role) if !roles.contains(&role) => roles.push(role),
            Some(_) => return Err(Problem::member(format!("roles[{index}]"), "there twice; expected once")),
            None => return Err(Problem::member(format!("roles[{index}]"), format!("unknown role; {}", expected()))),
        }
    }
    roles.sort_unstable();
    Ok(roles)
}

/// Seconds until a time in RFC 3339.
fn lifetime(text: &str) -> Result<i64, Problem> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| Problem::member("expires", "not a time; expected RFC 3339, such as 2027-01-01T00:00:00Z"))?;
    let seconds = time.as_second().saturating_sub(Timestamp::now().as_second());
    if seconds >= 1 { Ok(seconds) } else { Err(Problem::member("expires", "in the past; expected a time to come")) }
}
