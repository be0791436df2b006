//! Configurations as clients send them: a name, and the hosts to which policies are assigned.

use playlock_core::policy::text::AssignedHost;
use serde_json::{Value, json};

use super::json::{finding, kind, set, take, without_nulls};
use crate::error::Finding;
use crate::network::Network;

const TEXTS: [&str; 4] = ["configurationName", "configurationXmlName", "configurationType", "hostname"];

/// Reads a configuration. Without `digitalProperties` it is for every host.
///
/// # Errors
/// All members that are wrong.
pub fn read(mut document: Value) -> Result<Value, Vec<Finding>> {
    if !document.is_object() {
        return Err(vec![finding("$", &format!("found {}, expected a configuration: an object", kind(&document)))]);
    }
    without_nulls(&mut document);
    // The server's.
    take(&mut document, "configurationId");
    let mut found = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            (text, Value::String(_)) if TEXTS.contains(&text) => {}
            ("isActiveInProduction", Value::Bool(_)) => {}
            ("digitalProperties", Value::Object(_)) => properties(value, &mut found),
            (known, _) if TEXTS.contains(&known) => {
                found.push(finding(known, &format!("found {}, expected a string", kind(value))));
            }
            ("isActiveInProduction", _) => {
                found.push(finding(name, &format!("found {}, expected a boolean", kind(value))));
            }
            ("digitalProperties", _) => {
                let expected = "expected an object with production and staging";
                found.push(finding(name, &format!("found {}, {expected}", kind(value))));
            }
            _ => found.push(finding(name, "unknown member, expected none of this name")),
        }
    }
    for member in ["configurationName", "hostname"] {
        if document.get(member).is_none() {
            found.push(finding(member, "missing, expected a string"));
        }
    }
    if document.get("hostname").and_then(Value::as_str).is_some_and(|name| !is_url_name(name)) {
        found.push(finding("hostname", "expected a host name, or another name for URLs, of at most 253 bytes"));
    }
    if !found.is_empty() {
        return Err(found);
    }
    if document.get("isActiveInProduction").is_none() {
        set(&mut document, "isActiveInProduction", true.into());
    }
    Ok(document)
}

/// Whether `{domain}` of a URL can be this text.
fn is_url_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#".contains(&byte));
    plain && !name.is_empty() && name.len() <= 253
}

fn properties(value: &Value, found: &mut Vec<Finding>) {
    for (network, hosts) in value.as_object().into_iter().flatten() {
        let path = format!("digitalProperties.{network}");
        let (Some(_), Some(hosts)) = (Network::of(network), hosts.as_array()) else {
            found.push(finding(&path, "expected arrays for production and staging"));
            continue;
        };
        for (index, host) in hosts.iter().enumerate() {
            let valid = host.as_str().is_some_and(|host| host.parse::<AssignedHost>().is_ok());
            if !valid {
                let detail = "expected a host name, or the end of one after *. or *-, such as \"*-demo.tv.example\"";
                found.push(finding(&format!("{path}[{index}]"), detail));
            }
        }
        let twice =
            hosts.iter().enumerate().find(|(index, host)| hosts.iter().take(*index).any(|other| other == *host));
        if let Some((index, _)) = twice {
            found.push(finding(&format!("{path}[{index}]"), "stands there twice, expected once"));
        }
    }
}

/// A configuration of an answer. One for every host has no digital properties.
pub fn answer(id: i64, document: &Value) -> Value {
    let mut answer = document.clone();
    set(&mut answer, "configurationId", id.into());
    for (member, default) in [
        (
            "configurationXmlName",
            document
                .get("configurationName")
                .map_or(Value::Null, |name| format!("{}.xml", name.as_str().unwrap_or_default()).into()),
        ),
        ("configurationType", "playlock".into()),
    ] {
        if answer.get(member).is_none() {
            set(&mut answer, member, default);
        }
    }
    answer
}

/// The names by which `{domain}` finds a configuration, in lower case: its hostname and its digital properties.
pub fn domains(document: &Value) -> Vec<String> {
    let properties = document.get("digitalProperties").and_then(Value::as_object);
    let hosts = properties.into_iter().flat_map(|networks| networks.values()).filter_map(Value::as_array).flatten();
    let mut domains: Vec<_> =
        document.get("hostname").into_iter().chain(hosts).filter_map(Value::as_str).map(str::to_lowercase).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// A configuration with this hostname as its only digital property on both networks, or one for every host.
pub fn of_host(host: Option<&str>) -> Value {
    match host {
        Some(host) => json!({
            "configurationName": host,
            "hostname": host,
            "digitalProperties": {"production": [host], "staging": [host]},
            "isActiveInProduction": true,
        }),
        None => json!({"configurationName": "every-host", "hostname": "*", "isActiveInProduction": true}),
    }
}

/// The hosts of a configuration: `None` stands for every host.
pub fn hosts(network: Network, configuration: &Value) -> Vec<Option<String>> {
    if network == Network::Production && configuration.get("isActiveInProduction") == Some(&Value::Bool(false)) {
        return Vec::new();
    }
    match configuration.get("digitalProperties") {
        None => vec![None],
        Some(properties) => {
            let hosts = properties.get(network.name()).and_then(Value::as_array).into_iter().flatten();
            hosts.filter_map(Value::as_str).map(|host| Some(host.to_owned())).collect()
        }
    }
}
