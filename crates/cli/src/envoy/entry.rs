//! An entry of a filter chain: whether it is playlock, its plugin and the configuration in it.

use super::tree::Node;

/// Whether an entry is playlock: by its name, or the name of its plugin or module, or by its configuration.
pub fn is_playlock(entry: &Node<'_>) -> bool {
    if !entry.is_filter("wasm") {
        return false;
    }
    let named = |text: Option<&str>| text.is_some_and(|text| text.contains("playlock"));
    let Some(plugin) = plugin(entry) else { return named(entry.text(&["name"])) };
    let code = |way: &[&str]| named(plugin.find(&["vm_config", "code"]).and_then(|code| code.text(way)));
    entry.text(&["name"]) == Some("playlock")
        || plugin.text(&["name"]) == Some("playlock")
        || code(&["local", "filename"])
        || code(&["remote", "http_uri", "uri"])
        || configuration(&plugin).is_some_and(|text| text.contains("\"policies\""))
}

/// The configuration of its plugin.
pub fn plugin<'a>(entry: &Node<'a>) -> Option<Node<'a>> {
    entry.find(&["typed_config", "config"])
}

/// The text of the configuration in its plugin.
pub fn configuration<'a>(plugin: &Node<'a>) -> Option<&'a str> {
    plugin.text(&["configuration", "value"])
}
