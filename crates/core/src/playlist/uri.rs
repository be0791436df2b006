//! What goes onto the URIs of a playlist: the session token, and a signed parameter for what is served in clear or
//! is a part of a file.

use alloc::string::String;
use alloc::vec::Vec;

use super::attribute;
use super::line::Line;
use crate::config::policy::SIGNED_PARAMETER;
use crate::derive::Keyring;
use crate::signed::{self, Resource};
use crate::target;
use crate::url::{self, Base};

/// What encryption adds to a playlist.
#[derive(Debug)]
pub struct Encryption {
    /// The EXT-X-KEY line, without its end.
    pub key_line: String,
    /// What signs parameters.
    pub keyring: Keyring,
}

/// Everything that a playlist's lines are rewritten with.
#[derive(Debug)]
pub struct Marks {
    /// Where the playlist stands.
    pub base: Base,
    /// The session token as `name=value`, if it travels in the query.
    pub token: Option<String>,
    /// Names of parameters that are ours; the origin's own of these names go.
    pub ours: Vec<String>,
    /// `Some` if segments are encrypted.
    pub encryption: Option<Encryption>,
}

impl Marks {
    /// Whether a request for `uri` comes to playlock.
    pub fn is_own(&self, uri: &[u8]) -> bool {
        core::str::from_utf8(uri).is_ok_and(|uri| self.base.is_own(uri))
    }

    /// Appends a line whose whole text, but for blanks around it, is `uri`.
    pub fn push_line(&self, out: &mut Vec<u8>, line: Line<'_>, uri: &[u8], resource: &Resource) {
        let start = line.text.len() - line.text.trim_ascii_start().len();
        out.extend_from_slice(line.text.get(..start).unwrap_or_default());
        self.push(out, uri, resource);
        out.extend_from_slice(line.text.get(start + uri.len()..).unwrap_or_default());
        out.extend_from_slice(line.end);
    }

    /// Appends a tag's line with the URIs in the attributes named marked as these resources, and the attributes in
    /// `without` left out.
    pub fn push_tag(&self, out: &mut Vec<u8>, line: Line<'_>, attributes: &[(&[u8], Resource)], without: &[&[u8]]) {
        let colon = line.text.iter().position(|byte| *byte == b':').map_or(line.text.len(), |colon| colon + 1);
        let list = line.text.get(colon..).unwrap_or_default();
        let mut cut = Vec::new();
        let list = if without.iter().any(|name| attribute::find(list, name).is_some()) {
            cut.extend_from_slice(list);
            for name in without {
                if let Some(span) = attribute::span(&cut, name) {
                    cut.drain(span);
                }
            }
            cut.as_slice()
        } else {
            list
        };
        let mut places: Vec<_> =
            attributes.iter().filter_map(|(name, resource)| Some((attribute::find(list, name)?, resource))).collect();
        places.sort_by_key(|(place, _)| place.start);
        out.extend_from_slice(line.text.get(..colon).unwrap_or_default());
        let mut copied = 0;
        for (place, resource) in places {
            out.extend_from_slice(list.get(copied..place.start).unwrap_or_default());
            copied = place.end;
            self.push(out, list.get(place).unwrap_or_default(), resource);
        }
        out.extend_from_slice(list.get(copied..).unwrap_or_default());
        out.extend_from_slice(line.end);
    }

    fn push(&self, out: &mut Vec<u8>, uri: &[u8], resource: &Resource) {
        // An empty URI names the playlist itself; no tag means that.
        let Some(text) = core::str::from_utf8(uri).ok().filter(|text| !text.is_empty()) else {
            out.extend_from_slice(uri);
            return;
        };
        // Most URIs by far: nothing depends on their path.
        if *resource == Resource::default() {
            match self.base.is_own(text) {
                true => url::push_with_parameters(out, text, self.token.as_deref().unwrap_or_default(), &self.ours),
                false => out.extend_from_slice(uri),
            }
            return;
        }
        match self.base.own_path(text) {
            Some(path) => url::push_with_parameters(out, text, &self.parameters(&path, resource), &self.ours),
            None => out.extend_from_slice(uri),
        }
    }

    /// What goes into the query of a URI of ours whose absolute path, percent-encoded, is `path`.
    pub fn parameters(&self, path: &str, resource: &Resource) -> String {
        let mut parameters = String::new();
        if let Some(encryption) = &self.encryption
            && let Ok(path) = target::normal_path(path)
            && let Some(value) = signed::resource(&encryption.keyring, &path, resource)
        {
            parameters.push_str(SIGNED_PARAMETER);
            parameters.push('=');
            parameters.push_str(&value);
        }
        if let Some(token) = &self.token {
            if !parameters.is_empty() {
                parameters.push('&');
            }
            parameters.push_str(token);
        }
        parameters
    }
}
