//! The filter as a discovery resource: a `TypedExtensionConfig` with the Wasm message, as Envoys of one network get it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier as Code;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as Local;
use envoy_types::pb::envoy::config::core::v3::{AsyncDataSource, DataSource, TypedExtensionConfig};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{EnvironmentVariables, FailurePolicy, PluginConfig, VmConfig};
use envoy_types::pb::google::protobuf::{Any, BoolValue, StringValue};
use prost::{Message, Name};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::control::Candidate;

/// The filter in the Envoys' configuration, the same for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    name: String,
    module: String,
}

impl Filter {
    /// Takes the name in `http_filters` and the path of the module on the Envoys' machines.
    ///
    /// # Errors
    /// A text that says which option is wrong, and why.
    pub fn new(name: &str, module: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("--filter-name: found an empty text, expected the filter's name in http_filters".to_owned());
        }
        if module.is_empty() || module.contains("://") {
            // The Envoy would accept the update, drop the filter while it fetches the module, and serve plaintext.
            return Err(format!("--module: found {module:?}, expected the path of a file on the Envoys' machines"));
        }
        Ok(Self { name: name.to_owned(), module: module.to_owned() })
    }

    /// The name in `http_filters`, which is the resource's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// One revision of a network's policies, encoded once for all its Envoys.
#[derive(Debug)]
pub struct Resource {
    filter: Filter,
    document: Arc<str>,
    variables: Vec<String>,
    hold_headers: bool,
    /// White space behind the document.
    mark: Arc<str>,
    encoded: Vec<u8>,
    revision: i64,
    version: Arc<str>,
    policies: BTreeMap<String, String>,
}

impl Resource {
    /// Encodes the document. `mark`: white space behind it, by which two servers' bytes differ: an Envoy accepts bytes
    /// that it has refused before without applying them, and only the server that sent them knows about the refusal.
    pub fn new(candidate: &Candidate, filter: &Filter, mark: &Arc<str>) -> Self {
        let mut variables = candidate.variables.clone();
        variables.sort_unstable();
        variables.dedup();
        let mut resource = Self {
            filter: filter.clone(),
            document: Arc::clone(&candidate.document),
            variables,
            hold_headers: candidate.hold_headers,
            mark: "".into(),
            encoded: Vec::new(),
            revision: candidate.revision,
            version: "".into(),
            policies: policies(&candidate.document),
        };
        // Without the mark: a version is the same on every server. The digest tells revisions with the same number apart,
        // which a restored database may have made.
        let mut version = format!("{}-", candidate.revision);
        for byte in Sha256::digest(resource.encode(0)).iter().take(4) {
            // Writing to a String cannot fail.
            let _ = write!(version, "{byte:02x}");
        }
        resource.version = version.into();
        resource.mark = Arc::clone(mark);
        resource.encoded = resource.encode(0);
        resource
    }

    /// The resource's type.
    pub fn type_url() -> String {
        TypedExtensionConfig::type_url()
    }

    /// `TypedExtensionConfig` in an `Any`. `spaces`: spaces added behind the document, so that the same policies are new
    /// bytes to an Envoy that has refused them.
    pub fn any(&self, spaces: u32) -> Any {
        let value = if spaces == 0 { self.encoded.clone() } else { self.encode(spaces) };
        Any { type_url: Self::type_url(), value }
    }

    /// The network's revision.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The version that Envoys see: the revision and a part of a digest.
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// `policyName` of the policy that metrics call `label`; `label` itself if policies share it.
    pub fn policy(&self, label: &str) -> Option<&str> {
        self.policies.get(label).map(String::as_str)
    }

    fn encode(&self, spaces: u32) -> Vec<u8> {
        let spaces = usize::try_from(spaces).unwrap_or_default();
        let mut text = String::with_capacity(self.document.len() + self.mark.len() + spaces);
        text.push_str(&self.document);
        text.push_str(&self.mark);
        text.extend(std::iter::repeat_n(' ', spaces));
        let code = DataSource { specifier: Some(Local::Filename(self.filter.module.clone())), ..DataSource::default() };
        let environment =
            EnvironmentVariables { host_env_keys: self.variables.clone(), ..EnvironmentVariables::default() };
        let vm = VmConfig {
            vm_id: self.filter.name.clone(),
            runtime: "envoy.wasm.runtime.v8".to_owned(),
            code: Some(AsyncDataSource { specifier: Some(Code::Local(code)) }),
            environment_variables: (!self.variables.is_empty()).then_some(environment),
            ..VmConfig::default()
        };
        let wasm = Wasm {
            config: Some(PluginConfig {
                name: self.filter.name.clone(),
                failure_policy: FailurePolicy::FailReload.into(),
                allow_on_headers_stop_iteration: self.hold_headers.then_some(BoolValue { value: true }),
                configuration: Some(packed(&StringValue { value: text })),
                vm: Some(Vm::VmConfig(vm)),
                ..PluginConfig::default()
            }),
        };
        TypedExtensionConfig { name: self.filter.name.clone(), typed_config: Some(packed(&wasm)) }.encode_to_vec()
    }
}

fn packed<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// The policies by the labels that the filter's metrics give them.
fn policies(document: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Document {
        policies: Vec<Policy>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        policy_name: String,
    }
    let mut found = BTreeMap::new();
    // The document has been compiled before; without policies, their refusals are counted under no policy.
    for Policy { policy_name } in serde_json::from_str(document).map(|it: Document| it.policies).unwrap_or_default() {
        let label = label(&policy_name);
        match found.contains_key(&label) {
            true => found.insert(label.clone(), label),
            false => found.insert(label, policy_name),
        };
    }
    found
}

/// A policy's name in the filter's metrics.
fn label(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    fn candidate(document: &str) -> Candidate {
        Candidate {
            network: Network::Staging,
            revision: 7,
            document: document.into(),
            variables: vec!["B".to_owned(), "A".to_owned(), "B".to_owned()],
            hold_headers: true,
        }
    }

    fn plugin(any: &Any) -> PluginConfig {
        assert_eq!(any.type_url, "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig");
        let extension = TypedExtensionConfig::decode(any.value.as_slice()).unwrap();
        assert_eq!(extension.name, "playlock");
        let config = extension.typed_config.unwrap();
        assert_eq!(config.type_url, "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm");
        Wasm::decode(config.value.as_slice()).unwrap().config.unwrap()
    }

    fn text(any: &Any) -> String {
        StringValue::decode(plugin(any).configuration.unwrap().value.as_slice()).unwrap().value
    }

    #[test]
    fn the_module_is_a_file_and_a_trap_reloads_it() {
        let filter = Filter::new("playlock", "/etc/envoy/playlock.wasm").unwrap();
        let any = Resource::new(&candidate("{}"), &filter, &" \n".into()).any(0);
        let plugin = plugin(&any);
        assert_eq!(plugin.failure_policy(), FailurePolicy::FailReload);
        assert_eq!(plugin.allow_on_headers_stop_iteration, Some(BoolValue { value: true }));
        let Some(Vm::VmConfig(vm)) = plugin.vm else { panic!("no VM") };
        let Some(Code::Local(code)) = vm.code.unwrap().specifier else { panic!("not local") };
        assert_eq!(code.specifier, Some(Local::Filename("/etc/envoy/playlock.wasm".to_owned())));
        assert_eq!(vm.environment_variables.unwrap().host_env_keys, ["A", "B"]);
        assert!(!vm.nack_on_code_cache_miss);
        for (name, module) in [("playlock", "https://example/playlock.wasm"), ("playlock", ""), ("", "/playlock.wasm")]
        {
            Filter::new(name, module).unwrap_err();
        }
    }

    #[test]
    fn bytes_repeat_and_spaces_change_nothing_else() {
        let filter = Filter::new("playlock", "/playlock.wasm").unwrap();
        let [first, again] = [0, 1].map(|_| Resource::new(&candidate("{}"), &filter, &"\t".into()));
        assert_eq!(first.any(0), again.any(0));
        assert_eq!([first.any(0), first.any(1), first.any(3)].map(|any| text(&any)), ["{}\t", "{}\t ", "{}\t   "]);
        let elsewhere = Resource::new(&candidate("{}"), &filter, &"\n".into());
        assert_eq!(first.version(), elsewhere.version());
        assert_ne!(first.any(0), elsewhere.any(0));
        assert!(first.version().starts_with("7-") && first.version().len() == 10);
        assert_ne!(first.version(), Resource::new(&candidate("[]"), &filter, &"\t".into()).version());
    }

    #[test]
    fn metrics_labels_lead_back_to_policies() {
        let filter = Filter::new("playlock", "/playlock.wasm").unwrap();
        let document = r#"{"policies": [{"policyName": "vod"}, {"policyName": "caf\u00e9 1"}, {"policyName": "a.b"}, {"policyName": "a b"}]}"#;
        let resource = Resource::new(&candidate(document), &filter, &"".into());
        assert_eq!(resource.policy("vod"), Some("vod"));
        assert_eq!(resource.policy("caf__1"), Some("caf\u{e9} 1"));
        assert_eq!(resource.policy("a_b"), Some("a_b"), "of two policies");
        assert_eq!(resource.policy("none"), None);
    }
}
