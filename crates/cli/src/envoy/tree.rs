//! Envoy's configuration as a tree: members by their names in Envoy's documentation, each with its path.

use serde_json::Value;

/// A value with its path.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// As in `static_resources.listeners[0]`; empty for a whole file.
    pub path: String,
    /// The value itself.
    pub value: &'a Value,
}

impl<'a> Node<'a> {
    /// The root of a file.
    pub fn root(value: &'a Value) -> Self {
        Self { path: String::new(), value }
    }

    /// A member by its name in Envoy's documentation (`http_filters`) or in protobuf's JSON (`httpFilters`).
    pub fn get(&self, name: &str) -> Option<Self> {
        let object = self.value.as_object()?;
        let (name, value) = object.get_key_value(name).or_else(|| object.get_key_value(&camel(name)))?;
        Some(self.child(name, value))
    }

    /// A nested member.
    pub fn find(&self, names: &[&str]) -> Option<Self> {
        names.iter().try_fold(self.clone(), |node, name| node.get(name))
    }

    /// The text of a nested member.
    pub fn text(&self, names: &[&str]) -> Option<&'a str> {
        self.find(names)?.value.as_str()
    }

    /// Whether the member is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|member| *member.value == Value::Bool(true))
    }

    /// The items of the list that is the member `name`; none if there is no such list.
    pub fn list(&self, name: &str) -> Vec<Self> {
        let Some(list) = self.get(name) else { return Vec::new() };
        let items = list.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(|(index, value)| Self { path: format!("{}[{index}]", list.path), value }).collect()
    }

    /// The members of an object, by name.
    pub fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), self.child(name, value))).collect()
    }

    /// Every object in it that has the member `name`, including itself.
    pub fn objects_with(&self, name: &str) -> Vec<Self> {
        let mut found = Vec::new();
        self.walk(&mut |node| {
            if node.get(name).is_some() {
                found.push(node.clone());
            }
        });
        found
    }

    fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        match self.value {
            Value::Object(_) => {
                visit(self);
                self.members().iter().for_each(|(_, member)| member.walk(visit));
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    Self { path: format!("{}[{index}]", self.path), value }.walk(visit);
                }
            }
            _ => {}
        }
    }

    fn child(&self, name: &str, value: &'a Value) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, value }
    }

    /// The type of its `typed_config`, or of the one from discovery, without `type.googleapis.com/`.
    pub fn extension(&self) -> Option<&'a str> {
        let own = || self.text(&["typed_config", "@type"]);
        let discovered = || self.find(&["config_discovery"])?.list("type_urls").first()?.value.as_str();
        let url = own().or_else(discovered)?;
        Some(url.rsplit_once('/').map_or(url, |(_, name)| name))
    }

    /// Whether it is Envoy's HTTP filter of that name, in any version.
    pub fn is_filter(&self, name: &str) -> bool {
        let package = |text: &'a str| text.split_once("filters.http.")?.1.split('.').next();
        let found = self.extension().and_then(package).or_else(|| package(self.text(&["name"])?));
        found.is_some_and(|found| found == name || found.strip_prefix(name).is_some_and(|it| it.starts_with("_v")))
    }
}

/// `http_filters` → `httpFilters`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |camel, part| {
        let (initial, rest) = part.split_at_checked(1).unwrap_or_default();
        camel + &initial.to_ascii_uppercase() + rest
    })
}
