//! Envoy's configuration as far as playlock's safety depends on it: the order of the filters around it, and how it is
//! run itself.

use playlock_core::config::Policies;
use serde_json::Value;

/// A filter of playlock's, and the connection manager that it is in.
pub struct Filter<'a> {
    /// Where it stands, as in `static_resources.listeners[0]…http_filters[1]`.
    pub path: String,
    manager: &'a Value,
    filters: &'a [Value],
    index: usize,
}

/// What is wrong, and what is hardly meant so.
#[derive(Debug, Default)]
pub struct Findings {
    /// Lets someone have what they may not, or never answers.
    pub errors: Vec<String>,
    /// May be meant so.
    pub warnings: Vec<String>,
}

/// Every filter of playlock's in a configuration.
pub fn filters(envoy: &Value) -> Vec<Filter<'_>> {
    let mut found = Vec::new();
    walk(envoy, "", &mut |path, manager| {
        let Some(filters) = member(manager, "http_filters").and_then(Value::as_array) else { return };
        let ours = filters.iter().enumerate().filter(|(_, filter)| is_playlock(filter));
        found.extend(ours.map(|(index, _)| Filter {
            path: format!("{path}http_filters[{index}]"),
            manager,
            filters,
            index,
        }));
    });
    found
}

impl Filter<'_> {
    /// Its configuration, if it stands here.
    pub fn configuration(&self) -> Option<&str> {
        configuration(self.filters.get(self.index)?)
    }

    /// Judges it under these policies.
    pub fn judge(&self, policies: &Policies) -> Findings {
        let mut findings = Findings::default();
        self.judge_order(policies, &mut findings.errors);
        self.judge_plugin(policies, &mut findings);
        let trusted = member(self.manager, "use_remote_address") == Some(&Value::Bool(true))
            || member(self.manager, "original_ip_detection_extensions").is_some();
        if !trusted {
            findings.warnings.push(format!(
                "{}: the connection manager believes X-Forwarded-For whoever sends it; use_remote_address: true makes addresses trustworthy",
                self.path
            ));
        }
        findings
    }

    fn before(&self) -> &[Value] {
        self.filters.get(..self.index).unwrap_or_default()
    }

    fn judge_order(&self, policies: &Policies, errors: &mut Vec<String>) {
        let path = &self.path;
        if self.before().iter().any(|filter| is_of(filter, "cache")) {
            errors.push(format!("{path}: a cache stands before it, and would serve one viewer's stream to all"));
        }
        let read: Vec<&str> = policies.geo_headers_read().collect();
        if read.is_empty() {
            return;
        }
        let after = self.filters.get(self.index..).unwrap_or_default();
        if after.iter().any(|filter| is_of(filter, "geoip")) {
            errors.push(format!(
                "{path}: the geoip filter stands behind it, so that what clients say of their place counts"
            ));
        }
        let lookup = self.before().iter().position(|filter| is_of(filter, "geoip"));
        let stripping = self.before().get(..lookup.unwrap_or(self.index)).unwrap_or_default();
        for name in read {
            let early = member(self.manager, "early_header_mutation_extensions").and_then(Value::as_array);
            let stripped =
                stripping.iter().filter(|filter| is_of(filter, "header_mutation")).any(|it| removes(it, name))
                    || early.is_some_and(|extensions| extensions.iter().any(|extension| removes(extension, name)));
            if !stripped {
                errors.push(format!(
                    "{path}: policies read {name}, and no header_mutation filter removes clients' own copies before {}",
                    if lookup.is_some() { "the geoip filter" } else { "it" }
                ));
            }
        }
    }

    /// What is only in the file of a discovery is not judged.
    fn judge_plugin(&self, policies: &Policies, findings: &mut Findings) {
        let path = &self.path;
        let Some(config) = self.filters.get(self.index).and_then(plugin) else { return };
        let policy = member(config, "failure_policy").and_then(Value::as_str);
        if policy == Some("FAIL_OPEN") || member(config, "fail_open") == Some(&Value::Bool(true)) {
            findings
                .errors
                .push(format!("{path}: FAIL_OPEN serves plaintext once anything fails, expected FAIL_RELOAD"));
        } else if policy != Some("FAIL_RELOAD") {
            findings
                .warnings
                .push(format!("{path}: without failure_policy: FAIL_RELOAD a trap ends the filter for good"));
        }
        let held = member(config, "allow_on_headers_stop_iteration") == Some(&Value::Bool(true));
        if policies.hold_headers && !held {
            findings.errors.push(format!("{path}: holdHeaders without allow_on_headers_stop_iteration: true hangs"));
        }
    }
}

/// Calls `see` with every object and the path to its members.
fn walk<'a>(value: &'a Value, path: &str, see: &mut dyn FnMut(&str, &'a Value)) {
    match value {
        Value::Object(members) => {
            see(path, value);
            for (name, value) in members {
                walk(value, &format!("{path}{name}."), see);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                walk(value, &format!("{}[{index}].", path.trim_end_matches('.')), see);
            }
        }
        _ => {}
    }
}

/// A member by its name in Envoy's documentation, or as protobuf's JSON has it: `httpFilters`.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let camel = || {
        let mut parts = name.split('_');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |camel, part| {
            let (initial, rest) = part.split_at_checked(1).unwrap_or_default();
            camel + &initial.to_ascii_uppercase() + rest
        })
    };
    value.get(name).or_else(|| value.get(camel()))
}

/// The type URL of a filter's configuration, found here or by discovery.
fn type_url(filter: &Value) -> Option<&str> {
    let discovered = || member(filter, "config_discovery").and_then(|it| member(it, "type_urls")?.get(0)?.as_str());
    member(filter, "typed_config").and_then(|config| config.get("@type")?.as_str()).or_else(discovered)
}

/// Whether it is Envoy's HTTP filter of that name (or of a later version of it).
fn is_of(filter: &Value, name: &str) -> bool {
    let package =
        |text: &str| text.split("filters.http.").nth(1).and_then(|rest| rest.split('.').next().map(str::to_owned));
    let of_type = type_url(filter).and_then(package);
    let of_name = || filter.get("name").and_then(Value::as_str).and_then(package);
    of_type
        .or_else(of_name)
        .is_some_and(|found| found == name || found.strip_prefix(name).is_some_and(|it| it.starts_with("_v")))
}

fn is_playlock(filter: &Value) -> bool {
    let named = filter.get("name").and_then(Value::as_str) == Some("playlock");
    is_of(filter, "wasm") && (named || configuration(filter).is_some_and(|text| text.contains("\"policies\"")))
}

fn plugin(filter: &Value) -> Option<&Value> {
    member(filter, "typed_config").and_then(|config| config.get("config"))
}

fn configuration(filter: &Value) -> Option<&str> {
    plugin(filter)?.get("configuration")?.get("value")?.as_str()
}

/// Whether a header_mutation extension takes a request header out, whatever its value.
fn removes(extension: &Value, name: &str) -> bool {
    let Some(config) = member(extension, "typed_config") else { return false };
    let Some(mutations) = config.get("mutations") else { return false };
    let list = member(mutations, "request_mutations").unwrap_or(mutations).as_array();
    let removed = |it: &Value| it.get("remove").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(name));
    list.is_some_and(|list| list.iter().any(removed))
}
