//! The URLs of an MPD: those that lead to playlock get the session as the URIs of playlists do.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use playlock_dash::{Links, Place, escape_template};

use crate::http::base::Base;
use crate::http::path_token;
use crate::http::target;
use crate::http::url;
use crate::playlist::{LinkTarget, SessionLink, UriRewriter};
use crate::token::signed::{Resource, Treatment};

/// The identifier in templates that is text, of the MPD's author's choice.
const ID: &str = "$RepresentationID";

/// The URLs of one MPD.
#[derive(Debug)]
pub struct MpdLinks {
    marks: UriRewriter,
    /// The parameters of media.
    media: String,
}

/// A base URL within an MPD: the document's, or a `BaseURL` resolved against the one around it.
#[derive(Debug, Clone)]
pub enum MpdBase {
    /// Leads to playlock.
    Own {
        /// The URL, without a token.
        url: Base,
        /// As players resolve it, the URL has the session's token in its path.
        inherits: bool,
    },
    /// Leads to another host, or clients may read it in more than one way.
    Foreign,
}

impl MpdLinks {
    /// `marks` rewrites URIs of a response to the request for the MPD. Content has the session's own token: players go on
    /// with the templates of the first MPD, so tokens that end before the session would end the stream. In the path, it
    /// has the token whether it needs one or not: without, a URL would depend on the base that it inherits.
    ///
    /// `samples` is the parameter of media whose samples are encrypted, `name=value`.
    pub fn new(marks: UriRewriter, samples: Option<String>) -> Self {
        let token_on_content = marks.token_on_content || matches!(marks.token, Some(SessionLink::Segment(_)));
        let marks = UriRewriter { content: None, encryption: None, token_on_content, ..marks };
        let parameters = [samples.as_deref(), marks.parameter(target_of(Place::File))];
        let media = parameters.into_iter().flatten().collect::<Vec<_>>().join("&");
        Self { marks, media }
    }

    /// The base that `reference` is relative to, whether that has the token in its path, and the absolute path of
    /// `reference`; `None` if it is not own.
    fn own<'a>(&'a self, base: &'a MpdBase, reference: &'a str) -> Option<(&'a Base, bool, Cow<'a, str>)> {
        let (url, inherits) = match base {
            MpdBase::Own { url, inherits } => (url, *inherits),
            // The other host's scheme is not known here.
            MpdBase::Foreign if matches!(url::origin(reference).as_bytes(), [] | [b'/', ..]) => return None,
            MpdBase::Foreign => (&self.marks.base, false),
        };
        Some((url, inherits, url.own_path(reference)?))
    }

    /// The parameters of an own URL.
    fn parameters(&self, place: Place, path: &str, reference: &str) -> Cow<'_, str> {
        let target = target_of(place);
        match place {
            // Resolution drops the query of a directory.
            Place::Base if path.ends_with('/') => Cow::Borrowed(""),
            Place::Template | Place::File => Cow::Borrowed(&self.media),
            _ if self.marks.is_plain(target) => Cow::Borrowed(self.marks.parameter(target).unwrap_or_default()),
            _ => Cow::Owned(self.marks.parameters(path, url::query(reference), target)),
        }
    }

    /// Whether a simple reference to a file below its own base needs nothing but its parameter.
    fn is_straight(&self, reference: &str, inherits: bool) -> bool {
        url::is_simple(reference.as_bytes())
            && path_token::is_straight(reference.as_bytes())
            && match self.marks.link(target_of(Place::File)) {
                Some(SessionLink::Segment(_)) => inherits == self.marks.carries(target_of(Place::File)),
                Some(SessionLink::Rooted(_)) => false,
                Some(SessionLink::Parameter(_)) | None => true,
            }
    }

    /// [`Links::link`], also for references that stay.
    fn linked(&self, place: Place, base: &MpdBase, reference: &str) -> Option<String> {
        if let (Place::File, MpdBase::Own { inherits, .. }) = (place, base)
            && self.is_straight(reference, *inherits)
        {
            return (!self.media.is_empty()).then(|| [reference, "?", &self.media].concat());
        }
        // Players resolve a license server against neither the MPD nor a `BaseURL`, but against their page.
        let document = (place == Place::License).then(|| self.document());
        let (url, inherits, path) = self.own(document.as_ref().unwrap_or(base), reference)?;
        let absolute = document.is_some().then(|| url.absolute(reference, &path));
        let reference = absolute.as_deref().unwrap_or(reference);
        let target = target_of(place);
        let is_template = place == Place::Template;
        if target::normal_path(&if is_template { filled(&path) } else { Cow::Borrowed(&*path) }).is_err() {
            self.marks.unservable.add(reference);
        }
        // A `$` in the directory is not of the template.
        let doubled = if is_template && url.directory().contains('$') {
            Some(url.join(&escape_template(url.directory()))?)
        } else {
            None
        };
        let url = doubled.as_ref().unwrap_or(url);
        let path = if doubled.is_some() { url.own_path(reference)? } else { path };
        let parameters = self.parameters(place, &path, reference);
        let placed = match self.marks.link(target) {
            Some(SessionLink::Segment(segment)) => {
                segment.place_in(url, inherits, reference, &path, self.marks.carries(target))
            }
            Some(SessionLink::Rooted(_)) => Cow::Owned(url::rooted(reference, "", &path)),
            Some(SessionLink::Parameter(_)) | None => Cow::Borrowed(reference),
        };
        let placed = self.marks.base.secured(&placed);
        let placed = if is_template && !parameters.is_empty() { kept_here(&placed) } else { placed };
        let mut out = Vec::with_capacity(placed.len() + parameters.len() + 1);
        url::push_with_parameters(&mut out, &placed, &parameters, &self.marks.ours);
        String::from_utf8(out).ok()
    }
}

impl Links for MpdLinks {
    type Base = MpdBase;

    fn document(&self) -> MpdBase {
        let inherits = matches!(&self.marks.token, Some(SessionLink::Segment(segment)) if segment.is_inherited());
        MpdBase::Own { url: self.marks.base.clone(), inherits }
    }

    fn resolve(&self, base: &MpdBase, reference: &str) -> MpdBase {
        let joined = self.own(base, reference).and_then(|(url, ..)| url.join(reference));
        // The base was written with the token, whether it inherited one or not.
        let inherits = matches!(self.marks.token, Some(SessionLink::Segment(_)));
        joined.map_or(MpdBase::Foreign, |url| MpdBase::Own { url, inherits })
    }

    fn is_own(&self, base: &MpdBase, reference: &str) -> bool {
        self.own(base, reference).is_some()
    }

    fn link(&mut self, place: Place, base: &MpdBase, reference: &str) -> Option<String> {
        if reference.is_empty() {
            return None;
        }
        self.linked(place, base, reference).filter(|linked| linked != reference)
    }
}

/// The target of a URL at `place`.
fn target_of(place: Place) -> LinkTarget {
    match place {
        Place::Template | Place::File | Place::Base => LinkTarget::Resource(Resource::MEDIA),
        Place::Location => LinkTarget::Either,
        Place::License => LinkTarget::Key,
        Place::Steering => LinkTarget::Resource(Resource { form: Treatment::Document, ..Resource::default() }),
    }
}

/// A template as a reference, with `0` for its identifiers (ISO/IEC 23009-1 section 5.3.9.4.4).
fn filled(template: &str) -> Cow<'_, str> {
    if !template.contains('$') {
        return Cow::Borrowed(template);
    }
    let mut out = String::with_capacity(template.len());
    for (index, piece) in template.split('$').enumerate() {
        out.push_str(match (index % 2, piece) {
            (0, text) => text,
            (_, "") => "$",
            _ => "0",
        });
    }
    Cow::Owned(out)
}

/// `template`, so that no id of a representation can move it to another host: an id may be `https://other.example/` or
/// begin with `//`, and the token would follow it.
fn kept_here(template: &str) -> Cow<'_, str> {
    let Some((before, rest)) = template.split_once(ID) else { return Cow::Borrowed(template) };
    match before {
        "/" => Cow::Owned(["/./", ID, rest].concat()),
        _ if before.contains(['/', '?', '#']) => Cow::Borrowed(template),
        _ => Cow::Owned(["./", template].concat()),
    }
}

#[cfg(test)]
mod tests;
