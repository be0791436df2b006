//! `playlock sessions`: viewers' sessions, as a control plane or a service of leases counts them.

use std::io::{self, Write};

use clap::{Args, Subcommand, value_parser};
use serde_json::{Value, json};

use super::client::{Client, Server};
use super::{Form, escaped, print};
use crate::config::output_failure;
use crate::failure::Failure;

/// Sessions of a page at most.
const PAGE: usize = 1000;

/// List, count and end viewers' sessions (keyAuthorizer.leases).
///
/// The server is a control plane with --authorize-listen, or `playlock authorize` by the URL of its --admin-listen, which
/// needs --token-env if it has a token. A session that is ended gets no further key: it stops at the end of its key
/// period, and after what the player has buffered.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock sessions count --edgerc control/edgerc --cacert control/ca.pem
  playlock sessions list --viewer ann --edgerc control/edgerc --cacert control/ca.pem
  playlock sessions list --csv --server http://127.0.0.1:8084 > sessions.csv
  playlock sessions end --viewer ann --group subscribers --server http://127.0.0.1:8084")]
pub struct Sessions {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List sessions with a live lease: realm, group, viewer, session, policy, stream, network of the viewer, beginning.
    List {
        #[command(flatten)]
        filter: Filter,
        /// Sessions at most.
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        form: Form,
        /// Print all sessions as CSV, without a limit.
        #[arg(long, conflicts_with_all = ["json", "limit"])]
        csv: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Count viewers, and sessions by realm and policy.
    Count {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        form: Form,
    },
    /// End a session of a viewer, or all of them.
    End {
        /// The viewer, as `playlock sessions list` names it.
        #[arg(long, value_name = "NAME")]
        viewer: String,
        /// The group of policies in which the viewer is counted: the policy's name, unless leases.group is set.
        #[arg(long, value_name = "NAME")]
        group: String,
        /// The session; without it, all of the viewer.
        #[arg(long, value_name = "ID")]
        session: Option<String>,
        /// The network, for a control plane.
        #[arg(long, value_parser = ["default", "staging", "production"])]
        realm: Option<String>,
        #[command(flatten)]
        server: Server,
    },
}

/// The sessions to list.
#[derive(Args)]
struct Filter {
    /// Only of this viewer.
    #[arg(long, value_name = "NAME")]
    viewer: Option<String>,
    /// Only under this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Only of this stream, or with these path patterns.
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// Only of this network; default for Envoys without a network.
    #[arg(long, value_parser = ["default", "staging", "production"])]
    realm: Option<String>,
}

/// Runs a command against the server, and prints the result.
///
/// # Errors
/// The server refuses the operation or cannot be reached.
pub fn run(arguments: &Sessions, output: &mut dyn Write) -> Result<(), Failure> {
    let text = match &arguments.action {
        Action::List { filter, csv: true, server, .. } => {
            return Client::of_either(server)?.copy(&filter.target(&[]), "text/csv", output);
        }
        Action::List { filter, limit, form, server, .. } => {
            let answer = list(&Client::of_either(server)?, filter, *limit)?;
            if answer.get("next").is_some_and(Value::is_string) {
                // Without standard error nobody reads it.
                let _ =
                    writeln!(io::stderr(), "playlock: there are more sessions; a larger --limit or --csv prints them");
            }
            print::form(form.json, print::sessions)(&answer)
        }
        Action::Count { server, form } => {
            let answer = Client::of_either(server)?.get("/control/v1/sessions/counts")?;
            print::form(form.json, print::counts)(&answer)
        }
        Action::End { viewer, group, session, realm, server } => {
            let given = [
                ("viewer", Some(viewer)),
                ("group", Some(group)),
                ("session", session.as_ref()),
                ("realm", realm.as_ref()),
            ];
            let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.as_str().into())));
            let order = Value::Object(given.collect());
            print::ended(&Client::of_either(server)?.send("POST", "/control/v1/sessions/end", &order)?)
        }
    };
    output.write_all(text.as_bytes()).map_err(output_failure)
}

/// The first sessions, `limit` at most, of as many pages as it takes.
fn list(client: &Client, filter: &Filter, limit: u32) -> Result<Value, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut sessions, mut next) = (Vec::new(), Value::Null);
    while sessions.len() < limit {
        let most = limit.saturating_sub(sessions.len()).min(PAGE).to_string();
        let cursor = next.as_str().map(str::to_owned);
        let mut more = vec![("limit", most.as_str())];
        more.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let mut page = client.get(&filter.target(&more))?;
        let mut take = |name: &str| page.get_mut(name).map(Value::take);
        next = take("next").unwrap_or_default();
        if let Some(Value::Array(found)) = take("sessions") {
            sessions.extend(found);
        }
        if !next.is_string() {
            break;
        }
    }
    Ok(json!({"sessions": sessions, "next": next}))
}

impl Filter {
    /// Path and query of a list.
    fn target(&self, more: &[(&str, &str)]) -> String {
        let given =
            [("viewer", &self.viewer), ("policy", &self.policy), ("stream", &self.stream), ("realm", &self.realm)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let pairs: Vec<String> =
            given.chain(more.iter().copied()).map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let query = pairs.join("&");
        if query.is_empty() { "/control/v1/sessions".into() } else { format!("/control/v1/sessions?{query}") }
    }
}
