//! The guided exchange of a secret.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::{members, text};
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::Problem;
use crate::control::{Exchange, ExchangeStep, Secret};

/// `GET /policies/{policyId}/exchange`: the exchange under way, if there is one.
///
/// # Errors
/// A 404.
pub async fn read(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    let id = parameters.number("policyId")?;
    for secret in Secret::ALL {
        let exchange = app.control.exchange(id, secret).await?;
        if exchange.step != "none" {
            return Ok(answer(&state(&exchange)));
        }
    }
    Ok(answer(&json!({"secret": null, "step": "none", "waitingFor": [], "next": ExchangeStep::Add.word()})))
}

/// `POST /policies/{policyId}/exchange`: `{step, secret, value?}`.
///
/// # Errors
/// A 400 for another document; a 404; a 409 with the Envoys that are behind, or if it is another step's turn.
pub async fn step(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let id = parameters.number("policyId")?;
    let members = members(&document, &["step", "secret", "value"])?;
    let step = ExchangeStep::of(text(members, "step")?);
    let step = step.ok_or_else(|| Problem::member("step", "unknown step; expected add, swap or drop"))?;
    let secret = Secret::of(text(members, "secret")?);
    let expected = "unknown secret; expected tokenAuth.password or mediaEncryption.secret";
    let secret = secret.ok_or_else(|| Problem::member("secret", expected))?;
    let value = members.get("value").map(|_| text(members, "value").map(Value::from)).transpose()?;
    Ok(answer(&state(&app.control.do_exchange(&user.actor, id, secret, step, value).await?)))
}

fn state(exchange: &Exchange) -> Value {
    json!({
        "secret": exchange.secret.name(), "step": exchange.step, "waitingFor": exchange.waiting_for,
        "next": exchange.next.word(),
    })
}
