//! `playlock control` and `playlock import`: operations of a running control plane, and logins to its page.

mod client;
mod edgerc;
mod print;
pub mod sessions;

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::client::{Client, Server};
use crate::config;
use crate::failure::Failure;
use crate::serve::failure;

/// Operate a running control plane.
///
/// The server and the credentials are those of an .edgerc file, such as the one that `playlock serve` writes, or a URL
/// and a bearer token. Exit status 1 if the server refuses the operation, 3 if it cannot be reached.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock control list --edgerc control/edgerc --cacert control/ca.pem
  playlock control promote 1 --edgerc control/edgerc --cacert control/ca.pem
  playlock control nodes --server https://control.example.com:8443 --cacert ca.pem --token-env TOKEN
  playlock control login --data control")]
pub struct ControlCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List policies with their state on each network.
    List {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        form: Form,
    },
    /// Put a policy's version on staging on production.
    Promote {
        /// Number of the policy.
        policy: u32,
        #[command(flatten)]
        server: Server,
    },
    /// Put a policy's version on production on staging, which undoes an edit or a mark for deletion.
    Reset {
        /// Number of the policy.
        policy: u32,
        #[command(flatten)]
        server: Server,
    },
    /// Put an earlier version of a policy on a network.
    Rollback {
        /// Number of the policy.
        policy: u32,
        /// Number of the version.
        version: u32,
        /// The network.
        #[arg(long, value_parser = ["staging", "production"])]
        network: String,
        #[command(flatten)]
        server: Server,
    },
    /// List the Envoys, and the revision that each runs.
    Nodes {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        form: Form,
    },
    /// Forget an Envoy that is gone for good, so that no exchange waits for it.
    Forget {
        /// The node, as `playlock control nodes` names it.
        node: String,
        /// The network.
        #[arg(long, value_parser = ["staging", "production"])]
        network: String,
        #[command(flatten)]
        server: Server,
    },
    /// Take the next step of the exchange of a policy's secret, or print its state.
    ///
    /// The steps are add, swap and drop. A step is refused while an Envoy does not run the last one.
    Exchange {
        /// Number of the policy.
        policy: u32,
        /// The step. Without it, the state is printed.
        #[arg(value_parser = ["add", "swap", "drop"], requires = "secret")]
        step: Option<String>,
        /// The secret.
        #[arg(long, value_parser = ["tokenAuth.password", "mediaEncryption.secret"])]
        secret: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Print the audit trail, the newest entry first.
    Audit {
        /// Entries at most.
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        form: Form,
    },
    /// Print a URL that logs in to the page once, within a quarter of an hour.
    Login {
        /// Folder of the server's files.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// PostgreSQL in place of the file playlock.db.
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
}

/// The form of output.
#[derive(Args)]
struct Form {
    /// Print the server's JSON.
    #[arg(long)]
    json: bool,
}

/// Import a configuration into a running control plane, onto both networks.
///
/// Envoys go on as with the file: keys stay as they are. Policies and hosts must be new to the control plane.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock import policies.json --edgerc control/edgerc --cacert control/ca.pem
  playlock import policies.json --server https://control.example.com:8443 --cacert ca.pem --token-env TOKEN")]
pub struct Import {
    /// Configuration of the filter, or - for standard input.
    file: PathBuf,
    #[command(flatten)]
    server: Server,
}

/// Runs a command against the server, and prints the result.
///
/// # Errors
/// The server refuses the operation or cannot be reached.
pub fn run(arguments: &ControlCommand, output: &mut dyn Write) -> Result<(), Failure> {
    const POLICIES: &str = "/config-media-security/v2/policies";
    let (answer, text): (Value, fn(&Value) -> String) = match &arguments.action {
        Action::List { server, form } => (connect(server)?.get(POLICIES)?, print::form(form.json, print::policies)),
        Action::Promote { policy, server } => {
            let path = format!("{POLICIES}/{policy}");
            (connect(server)?.send("PATCH", &path, &json!({"promote": true}))?, print::message)
        }
        Action::Reset { policy, server } => {
            let path = format!("{POLICIES}/{policy}");
            (connect(server)?.send("PATCH", &path, &json!({"reset": true}))?, print::message)
        }
        Action::Rollback { policy, version, network, server } => {
            let path = format!("/control/v1/policies/{policy}/rollback");
            (connect(server)?.send("POST", &path, &json!({"version": version, "network": network}))?, print::message)
        }
        Action::Nodes { server, form } => {
            (connect(server)?.get("/control/v1/nodes")?, print::form(form.json, print::nodes))
        }
        Action::Forget { node, network, server } => {
            let path = format!("/control/v1/nodes/{network}/{}", escaped(node));
            (connect(server)?.delete(&path)?, print::message)
        }
        Action::Exchange { policy, step, secret, server } => {
            let path = format!("/control/v1/policies/{policy}/exchange");
            let answer = match step {
                None => connect(server)?.get(&path)?,
                Some(step) => connect(server)?.send("POST", &path, &json!({"step": step, "secret": secret}))?,
            };
            (answer, print::exchange)
        }
        Action::Audit { limit, server, form } => {
            let answer = connect(server)?.get(&format!("/control/v1/audit?limit={limit}"))?;
            (answer, print::form(form.json, print::audit))
        }
        Action::Login { data, database } => {
            let url = playlock_control::create_login(data, database.as_deref()).map_err(|error| failure(&error))?;
            return writeln!(output, "{}", url.as_str()).map_err(config::output_failure);
        }
    };
    output.write_all(text(&answer).as_bytes()).map_err(config::output_failure)
}

/// Imports a file.
///
/// # Errors
/// As [`run`]; a file that cannot be read, or is not JSON.
pub fn import(arguments: &Import, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    let place = arguments.file.display();
    let mut text = String::new();
    let read = match arguments.file.to_str() {
        Some("-") => input.read_to_string(&mut text).map(|_| ()),
        _ => fs::read_to_string(&arguments.file).map(|read| text = read),
    };
    read.map_err(|error| Failure::Wrong(format!("{place}: {error}")))?;
    let answer = connect(&arguments.server)?.send_text("POST", "/control/v1/import", text)?;
    output.write_all(print::imported(&answer).as_bytes()).map_err(config::output_failure)
}

/// A name as a segment of a path: everything but letters, digits, `-`, `.` and `_` is escaped (RFC 3986, section 2.1).
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn connect(server: &Server) -> Result<Client, Failure> {
    Client::of(server)
}
