//! The parameters that URIs in playlists get: the session token, and the signed parameter for resources that need one.

use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::attribute;
use super::encryption::{Encryption, SampleLink, key_line};
use super::line::Line;
use super::session_link::SessionLink;
use super::variable::Variables;
use crate::bytes::bug;
use crate::http::base::Base;
use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::path_token;
use crate::http::query;
use crate::http::reply::Reason;
use crate::http::target;
use crate::http::url;
use crate::token::acl::Acl;
use crate::token::derive::{KeyScope, Keyring};
use crate::token::signed::{self, Iv, Resource, Subject, Treatment};

/// The target of a URI, which determines its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkTarget {
    /// A resource with these properties.
    Resource(Resource),
    /// Either media or another playlist.
    Either,
    /// A media playlist, named by its multivariant playlist, whose variables it may import.
    Media,
    /// Another media playlist of the same multivariant playlist, named by a media playlist.
    Sibling,
    /// A key or license of packaged content, which is given to sessions alone.
    Key,
}

impl LinkTarget {
    /// Whether the signature opens a resource: in clear, or under the key of a period that follows from the URI's
    /// position in the playlist.
    pub fn gives_away(self) -> bool {
        match self {
            Self::Resource(Resource { form: Treatment::Clear | Treatment::Document, .. }) => true,
            Self::Resource(Resource { form: Treatment::Media, period, .. }) => period.is_some(),
            Self::Resource(Resource { form: Treatment::Samples, .. }) => false,
            Self::Either | Self::Media | Self::Sibling | Self::Key => false,
        }
    }
}

/// The data for rewriting a playlist's lines.
#[derive(Debug)]
pub struct UriRewriter {
    /// The playlist's own URL.
    pub base: Base,
    /// The way in which URIs identify the session.
    pub token: Option<SessionLink>,
    /// The way in which URIs of media and keys identify the session, if it differs: a token that ends earlier.
    pub content: Option<SessionLink>,
    /// URIs of media carry the token, too.
    pub token_on_content: bool,
    /// The session's ACL. Paths outside it are not signed.
    pub acl: Acl,
    /// The session's id, to which signatures of content served in clear are bound; `None` if content needs no token.
    pub session: Option<[u8; 16]>,
    /// Names of reserved parameters. The origin's own parameters with these names are removed.
    pub ours: Rc<[String]>,
    /// Signs parameters.
    pub keyring: Keyring,
    /// `Some` if segments are encrypted.
    pub encryption: Option<Encryption>,
    /// The playlist's variables.
    pub variables: Variables,
    /// URIs that would be refused.
    pub unservable: Rc<Unservable>,
}

/// Own URIs whose path is not valid in a request, which would be refused as `target`. The playlist is served all the
/// same, because one odd name should not end a stream; the operator is informed.
#[derive(Debug, Default)]
pub struct Unservable {
    count: Cell<u64>,
    first: RefCell<String>,
}

impl Unservable {
    /// Counts `uri`.
    pub fn add(&self, uri: &str) {
        if self.count.replace(self.count.get().saturating_add(1)) == 0 {
            self.first.borrow_mut().push_str(uri);
        }
    }

    /// The number of these URIs.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// The first of these URIs, as the origin wrote it.
    pub fn first(&self) -> String {
        self.first.borrow().clone()
    }
}

impl UriRewriter {
    /// Whether a request for `uri` reaches playlock.
    pub fn is_own(&self, uri: &[u8]) -> bool {
        url::is_simple(uri) || core::str::from_utf8(uri).is_ok_and(|uri| self.base.is_own(uri))
    }

    /// Appends a line that consists of `uri` and blanks around it.
    ///
    /// # Errors
    /// Only because of a bug.
    pub fn push_line(&self, out: &mut Vec<u8>, line: Line<'_>, uri: &[u8], lead: LinkTarget) -> Result<(), Reason> {
        let start = line.text.len() - line.text.trim_ascii_start().len();
        out.extend_from_slice(bug::part(line.text, ..start, Reason::Line)?);
        self.push(out, uri, lead);
        out.extend_from_slice(bug::part(line.text, start + uri.len().., Reason::Line)?);
        out.extend_from_slice(line.end);
        Ok(())
    }

    /// Appends a tag's line. URIs in `attributes` get the parameters for their targets; the attributes in `without` are
    /// removed.
    ///
    /// # Errors
    /// Only because of a bug.
    pub fn push_tag(
        &self,
        out: &mut Vec<u8>,
        line: Line<'_>,
        attributes: &[(&[u8], LinkTarget)],
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

    /// Appends a URI with its parameters, or unchanged if it is not own.
    pub fn push(&self, out: &mut Vec<u8>, uri: &[u8], lead: LinkTarget) {
        let plain = self.is_plain(lead);
        if plain
            && url::is_simple(uri)
            && let Some((before, after)) = self.around(uri, lead)
        {
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(uri);
            if !after.is_empty() {
                out.push(b'?');
                out.extend_from_slice(after.as_bytes());
            }
            return;
        }
        // An empty URI refers to the playlist itself, which no tag means.
        let text = core::str::from_utf8(uri).ok().filter(|text| !text.is_empty());
        let own = text.and_then(|text| Some((text, self.base.own_path(text)?)));
        if let Some((text, path)) = &own
            && target::normal_path(path).is_err()
        {
            self.unservable.add(text);
        }
        match own {
            None => out.extend_from_slice(uri),
            Some((text, path)) => {
                let parameters = match plain {
                    true => Cow::Borrowed(self.parameter(lead).unwrap_or_default()),
                    false => Cow::Owned(self.parameters(&path, url::query(text), lead)),
                };
                let placed = match self.link(lead) {
                    Some(SessionLink::Segment(segment)) => segment.place(&self.base, text, &path, self.carries(lead)),
                    Some(SessionLink::Rooted(_)) => Cow::Owned(url::rooted(text, "", &path)),
                    Some(SessionLink::Parameter(_)) | None => Cow::Borrowed(text),
                };
                url::push_with_parameters(out, &self.base.secured(&placed), &parameters, &self.ours);
            }
        }
    }

    /// The texts to write before and after a simple URI, without the `?`, so that it identifies the session; `None` if
    /// its path must be looked at.
    pub fn around(&self, uri: &[u8], lead: LinkTarget) -> Option<(Cow<'_, str>, &str)> {
        match self.link(lead) {
            Some(SessionLink::Segment(segment)) => {
                let straight = self.carries(lead) && path_token::is_straight(uri);
                straight.then(|| (segment.prefix(&self.base), ""))
            }
            Some(SessionLink::Rooted(_)) => {
                let before = Cow::Borrowed(self.base.directory());
                path_token::is_straight(uri).then(|| (before, self.parameter(lead).unwrap_or_default()))
            }
            _ => Some((Cow::Borrowed(""), self.parameter(lead).unwrap_or_default())),
        }
    }

    /// Whether the parameters of a URI do not depend on its path, as is the case for most URIs.
    pub fn is_plain(&self, lead: LinkTarget) -> bool {
        match lead {
            LinkTarget::Resource(Resource { form: Treatment::Samples, .. }) => true,
            LinkTarget::Resource(resource) => resource == Resource::MEDIA && !self.shares_keys(),
            LinkTarget::Either | LinkTarget::Key => true,
            LinkTarget::Media => self.variables.defined().is_empty(),
            LinkTarget::Sibling => self.variables.imports().is_empty(),
        }
    }

    /// The parameters for an own URI with the absolute, percent-encoded path `path` and the query `query`.
    pub fn parameters(&self, path: &str, query: Option<&str>, lead: LinkTarget) -> String {
        let mut parameters = String::new();
        if let Ok(path) = target::normal_path(path)
            && let Some(value) = self.signed(&path, query, lead)
        {
            parameters.push_str(SIGNED_PARAMETER);
            parameters.push('=');
            parameters.push_str(&value);
        }
        if let Some(token) = self.parameter(lead) {
            if !parameters.is_empty() {
                parameters.push('&');
            }
            parameters.push_str(token);
        }
        parameters
    }

    /// The way in which a URI identifies the session.
    pub fn link(&self, lead: LinkTarget) -> Option<&SessionLink> {
        let of_content = match lead {
            LinkTarget::Resource(Resource {
                form: Treatment::Media | Treatment::Samples | Treatment::Clear, ..
            })
            | LinkTarget::Key => self.content.as_ref(),
            // Players go on with the URLs of playlists and documents for as long as the session lasts.
            _ => None,
        };
        of_content.or(self.token.as_ref())
    }

    /// Whether a URI identifies the session.
    pub fn carries(&self, lead: LinkTarget) -> bool {
        match lead {
            LinkTarget::Resource(Resource { form: Treatment::Media | Treatment::Samples, .. }) => self.token_on_content,
            // A signature bound to the session requires the session's token.
            LinkTarget::Resource(Resource { form: Treatment::Clear, .. }) => self.session.is_some(),
            _ => true,
        }
    }

    /// The parameter by which a URI identifies the session, if any.
    pub fn parameter(&self, lead: LinkTarget) -> Option<&str> {
        if let (LinkTarget::Resource(Resource { form: Treatment::Samples, .. }), Some(encryption)) =
            (lead, &self.encryption)
        {
            return encryption.samples.as_ref().map(|samples| samples.parameters.as_str());
        }
        match self.link(lead) {
            Some(SessionLink::Parameter(parameter) | SessionLink::Rooted(parameter)) if self.carries(lead) => {
                Some(parameter)
            }
            _ => None,
        }
    }

    fn signed(&self, path: &str, query: Option<&str>, lead: LinkTarget) -> Option<String> {
        // A playlist may contain any URI, also by a variable that the viewer controls. This viewer may not have this
        // one, and others must not get it by a URL that was signed here.
        if !self.acl.allows(path) {
            return None;
        }
        match lead {
            // Without encryption, everything is served in clear.
            LinkTarget::Resource(Resource { form: Treatment::Media | Treatment::Clear, .. })
                if self.encryption.is_none() =>
            {
                None
            }
            LinkTarget::Resource(resource) => {
                let scope = self.encryption.as_ref().map(|encryption| &encryption.scope);
                let query = query::of_origin(query, &self.ours)?;
                let place = Subject { path, query: &query, session: self.session.as_ref() };
                signed::resource(&self.keyring, place, &resource, scope)
            }
            LinkTarget::Either | LinkTarget::Key => None,
            LinkTarget::Media => signed::variables(&self.keyring, path, self.variables.defined()),
            LinkTarget::Sibling => signed::variables(&self.keyring, path, self.variables.imports()),
        }
    }

    /// The IV of `resource` at `uri`, if the segment has its own.
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

    /// Whether the URLs of media must carry the scope of their key.
    fn shares_keys(&self) -> bool {
        self.encryption.as_ref().is_some_and(|encryption| !matches!(encryption.scope, KeyScope::Session(_)))
    }

    /// Whether samples of fragmented MP4 are encrypted.
    pub fn encrypts_samples(&self) -> bool {
        self.encryption.as_ref().is_some_and(|encryption| encryption.samples.is_some())
    }

    /// The same, with `parameter` (`name=value`) on what is encrypted sample by sample, before the session's.
    pub fn with_samples(mut self, path: &str, parameter: &str) -> Self {
        let parameters = [Some(parameter), self.parameter(LinkTarget::Resource(Resource::MEDIA))];
        let parameters = parameters.into_iter().flatten().collect::<Vec<_>>().join("&");
        if let Some(encryption) = &mut self.encryption {
            encryption.samples = Some(SampleLink { path: path.into(), parameters });
        }
        self
    }

    /// The EXT-X-KEY for samples.
    pub fn sample_key_line(&self, encryption: &Encryption, iv: Option<[u8; 16]>) -> String {
        let uri = encryption.sample_key_uri(&self.keyring, self.content.as_ref().or(self.token.as_ref()));
        key_line("SAMPLE-AES", &uri.unwrap_or_default(), iv)
    }

    /// The URI of the key of a period, as in EXT-X-KEY.
    pub fn key_uri(&self, encryption: &Encryption, period: u64) -> String {
        encryption.key_uri(&self.keyring, self.content.as_ref().or(self.token.as_ref()), period)
    }
}
