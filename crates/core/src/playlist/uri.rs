//! What goes onto the URIs of a playlist: the session token, and a signed parameter for what is served in clear or
//! is a part of a file.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::attribute;
use super::encryption::Encryption;
use super::line::Line;
use super::variable::Variables;
use crate::bytes::bug;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::query;
use crate::http::reply::Reason;
use crate::http::target;
use crate::http::url::{self, Base};
use crate::token::acl::Acl;
use crate::token::derive::{KeyScope, Keyring};
use crate::token::signed::{self, Form, Iv, Resource, Subject};

/// What a URI leads to, which decides on what it carries beside the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// To a resource that is this.
    Resource(Resource),
    /// To what may be media or a playlist of its own.
    Either,
    /// From a master playlist to one of its media playlists, which may import its variables.
    Media,
    /// From a media playlist to another one of the same master.
    Sibling,
}

impl Lead {
    /// Whether its signature gives a resource away: in clear, or under the key of a period that follows from where the URI
    /// stands in the playlist.
    pub fn gives_away(self) -> bool {
        match self {
            Self::Resource(Resource { form: Form::Clear | Form::Document, .. }) => true,
            Self::Resource(Resource { form: Form::Media, period, .. }) => period.is_some(),
            Self::Either | Self::Media | Self::Sibling => false,
        }
    }
}

/// Everything that a playlist's lines are rewritten with.
#[derive(Debug)]
pub struct Marks {
    /// Where the playlist stands.
    pub base: Base,
    /// The parameter that names the session: the token or a reference to its cookie, as `name=value`.
    pub token: Option<String>,
    /// Media carries it, too.
    pub token_on_content: bool,
    /// The session's ACL: nothing is signed for a path outside of it.
    pub acl: Acl,
    /// The session's id, which signatures on content that goes out in clear are bound to; `None` if content needs no token.
    pub session: Option<[u8; 16]>,
    /// Names of parameters that are ours; the origin's own of these names go.
    pub ours: Rc<[String]>,
    /// What signs parameters.
    pub keyring: Keyring,
    /// `Some` if segments are encrypted.
    pub encryption: Option<Encryption>,
    /// Variables in URIs.
    pub variables: Variables,
    /// URIs that nobody will get.
    pub unservable: Rc<Unservable>,
}

/// URIs of ours whose path no request may have: asked for, each is refused as `target`. The playlist goes out all the
/// same, since one odd name should not end a stream; an operator has to hear of it.
#[derive(Debug, Default)]
pub struct Unservable {
    count: Cell<u64>,
    first: RefCell<String>,
}

impl Unservable {
    fn add(&self, uri: &str) {
        if self.count.replace(self.count.get().saturating_add(1)) == 0 {
            self.first.borrow_mut().push_str(uri);
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// The first of them, as the origin wrote it.
    pub fn first(&self) -> String {
        self.first.borrow().clone()
    }
}

impl Marks {
    /// Whether a request for `uri` comes to playlock.
    pub fn is_own(&self, uri: &[u8]) -> bool {
        url::is_simple(uri) || core::str::from_utf8(uri).is_ok_and(|uri| self.base.is_own(uri))
    }

    /// Appends a line whose whole text, but for blanks around it, is `uri`.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn push_line(&self, out: &mut Vec<u8>, line: Line<'_>, uri: &[u8], lead: Lead) -> Result<(), Reason> {
        let start = line.text.len() - line.text.trim_ascii_start().len();
        out.extend_from_slice(bug::part(line.text, ..start, Reason::Line)?);
        self.push(out, uri, lead);
        out.extend_from_slice(bug::part(line.text, start + uri.len().., Reason::Line)?);
        out.extend_from_slice(line.end);
        Ok(())
    }

    /// Appends a tag's line with the URIs in the attributes named marked as leading there, and the attributes in
    /// `without` left out.
    ///
    /// # Errors
    /// Never, but for a bug.
    pub fn push_tag(
        &self,
        out: &mut Vec<u8>,
        line: Line<'_>,
        attributes: &[(&[u8], Lead)],
        without: &[&[u8]],
    ) -> Result<(), Reason> {
        let colon = line.text.iter().position(|byte| *byte == b':').map_or(line.text.len(), |colon| colon + 1);
        let (tag, list) = bug::split(line.text, colon, Reason::Line)?;
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
            attributes.iter().filter_map(|(name, lead)| Some((attribute::find(list, name)?, *lead))).collect();
        places.sort_by_key(|(place, _)| place.start);
        out.extend_from_slice(tag);
        let mut copied = 0;
        for (place, lead) in places {
            out.extend_from_slice(bug::part(list, copied..place.start, Reason::Line)?);
            copied = place.end;
            self.push(out, bug::part(list, place, Reason::Line)?, lead);
        }
        out.extend_from_slice(bug::part(list, copied.., Reason::Line)?);
        out.extend_from_slice(line.end);
        Ok(())
    }

    /// Appends a URI with what it carries; as it is if it is not ours.
    pub fn push(&self, out: &mut Vec<u8>, uri: &[u8], lead: Lead) {
        let plain = self.is_plain(lead);
        let token = self.token_for(lead).unwrap_or_default();
        if plain && url::is_simple(uri) {
            out.extend_from_slice(uri);
            if !token.is_empty() {
                out.push(b'?');
                out.extend_from_slice(token.as_bytes());
            }
            return;
        }
        // An empty URI names the playlist itself; no tag means that.
        let text = core::str::from_utf8(uri).ok().filter(|text| !text.is_empty());
        let own = text.and_then(|text| Some((text, self.base.own_path(text)?)));
        if let Some((text, path)) = &own
            && target::normal_path(path).is_err()
        {
            self.unservable.add(text);
        }
        match own {
            None => out.extend_from_slice(uri),
            Some((text, _)) if plain => url::push_with_parameters(out, &self.base.secured(text), token, &self.ours),
            Some((text, path)) => {
                let parameters = self.parameters(&path, url::query(text), lead);
                url::push_with_parameters(out, &self.base.secured(text), &parameters, &self.ours);
            }
        }
    }

    /// Whether what a URI carries does not depend on its path: most by far.
    pub fn is_plain(&self, lead: Lead) -> bool {
        match lead {
            Lead::Resource(resource) => resource == Resource::MEDIA && !self.shares_keys(),
            Lead::Either => true,
            Lead::Media => self.variables.defined().is_empty(),
            Lead::Sibling => self.variables.imports().is_empty(),
        }
    }

    /// The parameters for a URI of ours whose absolute path, percent-encoded, is `path`, and which has the query
    /// `query` already.
    pub fn parameters(&self, path: &str, query: Option<&str>, lead: Lead) -> String {
        let mut parameters = String::new();
        if let Ok(path) = target::normal_path(path)
            && let Some(value) = self.signed(&path, query, lead)
        {
            parameters.push_str(SIGNED_PARAMETER);
            parameters.push('=');
            parameters.push_str(&value);
        }
        if let Some(token) = self.token_for(lead) {
            if !parameters.is_empty() {
                parameters.push('&');
            }
            parameters.push_str(token);
        }
        parameters
    }

    /// The token that a URI carries.
    pub fn token_for(&self, lead: Lead) -> Option<&str> {
        let carried = match lead {
            Lead::Resource(Resource { form: Form::Media, .. }) => self.token_on_content,
            // A signature for a session needs the session.
            Lead::Resource(Resource { form: Form::Clear, .. }) => self.session.is_some(),
            _ => true,
        };
        self.token.as_deref().filter(|_| carried)
    }

    fn signed(&self, path: &str, query: Option<&str>, lead: Lead) -> Option<String> {
        // A playlist names what it likes, also by a variable of the viewer's: this viewer may not have it, and another must
        // not get it by a URL that was made here.
        if !self.acl.allows(path) {
            return None;
        }
        match lead {
            // Without encryption everything is served in clear anyway.
            Lead::Resource(Resource { form: Form::Media | Form::Clear, .. }) if self.encryption.is_none() => None,
            Lead::Resource(resource) => {
                let scope = self.encryption.as_ref().map(|encryption| &encryption.scope);
                let query = query::of_origin(query, &self.ours)?;
                let place = Subject { path, query: &query, session: self.session.as_ref() };
                signed::resource(&self.keyring, place, &resource, scope)
            }
            Lead::Either => None,
            Lead::Media => signed::variables(&self.keyring, path, self.variables.defined()),
            Lead::Sibling => signed::variables(&self.keyring, path, self.variables.imports()),
        }
    }

    /// The IV of `resource` at `uri`, if it is the segment's own.
    pub fn segment_iv(&self, uri: &[u8], resource: &Resource) -> Option<[u8; 16]> {
        if resource.iv != Iv::Segment {
            return None;
        }
        let uri = core::str::from_utf8(uri).ok()?;
        let path = self.base.own_path(uri)?;
        let path = target::normal_path(&path).ok()?;
        let query = query::of_origin(url::query(uri), &self.ours)?;
        Some(resource.segment_iv(&self.keyring, &path, &query))
    }

    /// Whether the URL of media must say whose key it is under.
    fn shares_keys(&self) -> bool {
        self.encryption.as_ref().is_some_and(|encryption| !matches!(encryption.scope, KeyScope::Session(_)))
    }

    /// The URI of the key of a key period, as EXT-X-KEY has it.
    pub fn key_uri(&self, encryption: &Encryption, period: u64) -> String {
        encryption.key_uri(&self.keyring, self.token.as_deref(), period)
    }
}
