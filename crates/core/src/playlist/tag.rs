//! The handling of each tag of a playlist.

use alloc::vec::Vec;

use super::attribute::integer;
use super::encryption::Encryption;
use super::line::Line;
use super::range::Ranges;
use super::uri::{LinkTarget, UriRewriter};
use super::variable::Expanded;
use super::{Body, ClearReason, SAMPLES, attribute};
use crate::bytes::bug;
use crate::http::reply::Reason;
use crate::token::signed::{ByteRange, Iv, Resource, Treatment};

const fn lead(form: Treatment) -> LinkTarget {
    LinkTarget::Resource(Resource { form, range: None, period: None, iv: Iv::Period })
}

/// Media that playlock does not encrypt.
const MEDIA: LinkTarget = lead(Treatment::Media);
/// A resource that players read in clear: an init section, session data.
pub(super) const CLEAR: LinkTarget = lead(Treatment::Clear);
/// A JSON document with URIs, which players read in clear.
const DOCUMENT: LinkTarget = lead(Treatment::Document);
/// Tags with URIs that are rewritten, in which variables must therefore be expanded.
const WITH_URIS: &[&[u8]] = &[
    b"#EXT-X-KEY",
    b"#EXT-X-SESSION-KEY",
    b"#EXT-X-MAP",
    b"#EXT-X-PART",
    b"#EXT-X-PRELOAD-HINT",
    b"#EXT-X-MEDIA",
    b"#EXT-X-I-FRAME-STREAM-INF",
    b"#EXT-X-IMAGE-STREAM-INF",
    b"#EXT-X-RENDITION-REPORT",
    b"#EXT-X-SESSION-DATA",
    b"#EXT-X-CONTENT-STEERING",
    b"#EXT-X-DATERANGE",
];
/// The attributes of these tags that are read or rewritten.
const EXPANDED: &[&[u8]] = &[b"URI", b"SERVER-URI", b"X-ASSET-URI", b"X-ASSET-LIST", b"X-URI", b"BYTERANGE"];

impl Body {
    /// Rewrites a tag. `list` is its text after the colon, `end` the line ending of inserted lines.
    pub(super) fn tag(
        &mut self,
        line: Line<'_>,
        tag: &[u8],
        list: &[u8],
        end: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        self.chosen = false;
        if self.marks.variables.are_used()
            && WITH_URIS.contains(&tag)
            && let Some(expanded) = self.expanded(line)?
        {
            let Expanded { text, chosen } = expanded;
            self.chosen = chosen;
            // A value was put in after its colon.
            let colon = text.iter().position(|byte| *byte == b':').ok_or_else(|| bug::instead(Reason::Line))?;
            let list = bug::part(&text, colon + 1.., Reason::Line)?;
            return self.plain_tag(Line { text: &text, end: line.end }, tag, list, end, out);
        }
        self.plain_tag(line, tag, list, end, out)
    }

    /// A tag's text with variables expanded in the attributes that matter; `None` if it has none.
    fn expanded(&self, line: Line<'_>) -> Result<Option<Expanded>, Reason> {
        let mut all: Option<Expanded> = None;
        for name in EXPANDED {
            let current = all.as_ref().map_or(line.text, |all| &all.text);
            let colon = current.iter().position(|byte| *byte == b':').map_or(current.len(), |colon| colon + 1);
            let Some(place) = attribute::find(bug::look(current, colon..), name) else { continue };
            let place = colon + place.start..colon + place.end;
            if let Some(value) = self.marks.variables.expand(bug::part(current, place.clone(), Reason::Line)?)? {
                let mut text = current.to_vec();
                text.splice(place, value.text);
                all = Some(Expanded { text, chosen: value.chosen || all.is_some_and(|all| all.chosen) });
            }
        }
        Ok(all)
    }

    fn plain_tag(
        &mut self,
        line: Line<'_>,
        tag: &[u8],
        list: &[u8],
        end: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        let encrypting = self.marks.encryption.is_some();
        match tag {
            b"#EXTINF" => self.scope.open_segment(line, out),
            b"#EXT-X-STREAM-INF" => {
                self.variant = true;
                self.scope.pass(line, out)
            }
            b"#EXT-X-VERSION" if encrypting => self.scope.version(line, list, out),
            b"#EXT-X-MEDIA-SEQUENCE" if self.marks.encryption.as_ref().is_some_and(Encryption::counts) => {
                self.position.start(list)?;
                self.scope.pass(line, out)
            }
            b"#EXT-X-TARGETDURATION" if encrypting => {
                self.position.target_duration(list);
                self.scope.pass(line, out)
            }
            b"#EXT-X-IMAGES-ONLY" if encrypting => {
                self.scope.require_none(end, out);
                self.spared = Some(ClearReason::Images);
                self.scope.pass(line, out)
            }
            b"#EXT-X-KEY" if encrypting => self.origin_key(line, list, end, out),
            b"#EXT-X-SESSION-KEY" if encrypting => self.origin_session_key(line, list, out),
            b"#EXT-X-BYTERANGE" if encrypting => {
                self.byterange = Some(list.to_vec());
                self.scope.pass_byterange(line, out)
            }
            b"#EXT-X-MAP" | b"#EXT-X-PART" | b"#EXT-X-PRELOAD-HINT" if encrypting && self.spared.is_some() => {
                self.uris(line, &[(b"URI", CLEAR)], out)
            }
            b"#EXT-X-MAP" if self.marks.encrypts_samples() => self.sample_map(line, list, end, out),
            b"#EXT-X-MAP" if encrypting => {
                self.check_choice(CLEAR)?;
                self.scope.require_none(end, out);
                let uri = attribute::value(list, b"URI").unwrap_or_default();
                let range = own_range(&self.marks, list, &mut Ranges::from_start(uri), b"BYTERANGE")?;
                self.push_part(line, Resource { form: Treatment::Clear, range, ..Resource::default() }, end, out)
            }
            b"#EXT-X-PART-INF" => {
                self.has_parts = true;
                self.scope.pass(line, out)
            }
            b"#EXT-X-PART" if encrypting => {
                self.has_parts = true;
                let uri = attribute::value(list, b"URI").unwrap_or_default();
                let range = own_range(&self.marks, list, &mut self.parts, b"BYTERANGE")?;
                let resource = self.part_resource(range)?;
                self.check_choice(LinkTarget::Resource(resource))?;
                self.cover(uri, &resource, end, out);
                self.push_part(line, resource, end, out)
            }
            b"#EXT-X-PRELOAD-HINT" if encrypting => self.hint(line, list, end, out),
            b"#EXT-X-SKIP" if encrypting => {
                // A delta update omits the origin's keys, too: the media that follows could already be encrypted.
                self.refuse_if_encrypted_passes()?;
                self.position.skip(attribute::value(list, b"SKIPPED-SEGMENTS").and_then(integer).unwrap_or(0));
                self.scope.pass(line, out)
            }
            b"#EXT-X-DEFINE" => {
                self.marks.variables.define(list)?;
                self.scope.pass(line, out)
            }
            b"#EXT-X-KEY" | b"#EXT-X-SESSION-KEY" => self.uris(line, &[(b"URI", LinkTarget::Key)], out),
            b"#EXT-X-MAP" | b"#EXT-X-PART" | b"#EXT-X-PRELOAD-HINT" => self.uris(line, &[(b"URI", MEDIA)], out),
            b"#EXT-X-MEDIA" | b"#EXT-X-I-FRAME-STREAM-INF" | b"#EXT-X-IMAGE-STREAM-INF" => {
                self.uris(line, &[(b"URI", LinkTarget::Media)], out)
            }
            b"#EXT-X-RENDITION-REPORT" => self.uris(line, &[(b"URI", LinkTarget::Sibling)], out),
            b"#EXT-X-SESSION-DATA" => self.uris(line, &[(b"URI", CLEAR)], out),
            b"#EXT-X-CONTENT-STEERING" => self.uris(line, &[(b"SERVER-URI", DOCUMENT)], out),
            b"#EXT-X-DATERANGE" => self.uris(
                line,
                &[(b"X-ASSET-URI", LinkTarget::Either), (b"X-ASSET-LIST", DOCUMENT), (b"X-URI", LinkTarget::Either)],
                out,
            ),
            _ => self.scope.pass(line, out),
        }
    }

    /// Writes a tag with an own URI. Its byte range, if it has one, moves into the URI.
    fn push_part(&mut self, line: Line<'_>, resource: Resource, end: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let without: &[&[u8]] = if resource.range.is_some() { &[b"BYTERANGE"] } else { &[] };
        let attributes: &[(&[u8], LinkTarget)] = &[(b"URI", LinkTarget::Resource(resource))];
        if !self.scope.is_open() {
            return self.marks.push_tag(out, line, attributes, without);
        }
        // The tag's key precedes the open segment, so the tag must, too. There it is no longer the last line.
        let line = if line.end.is_empty() { Line { end, ..line } } else { line };
        let mut moved = Vec::new();
        self.marks.push_tag(&mut moved, line, attributes, without)?;
        self.scope.put(&moved, out);
        Ok(())
    }

    /// The properties of a part, which may be a byte range.
    fn part_resource(&self, range: Option<ByteRange>) -> Result<Resource, Reason> {
        sample_part(self.media()?, range)
    }

    /// Rewrites the EXT-X-MAP of fragmented MP4 whose samples are encrypted: the init section says so.
    fn sample_map(&mut self, line: Line<'_>, list: &[u8], end: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let uri = attribute::value(list, b"URI").unwrap_or_default();
        if attribute::find(list, b"BYTERANGE").is_some() && self.marks.is_own(uri) {
            return Err(Reason::Samples);
        }
        if !core::mem::replace(&mut self.in_samples, true) {
            self.scope.require_none(end, out);
        }
        self.push_part(line, SAMPLES, end, out)
    }

    /// Rewrites an EXT-X-PRELOAD-HINT. Its URI must equal that of the part that it announces.
    fn hint(&mut self, line: Line<'_>, list: &[u8], end: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
        let is_map = attribute::value(list, b"TYPE") == Some(b"MAP");
        let number = |name: &[u8]| match attribute::value(list, name) {
            None => Ok(None),
            Some(text) => integer(text).map(Some).ok_or(Reason::Byterange),
        };
        let (start, length) = (number(b"BYTERANGE-START")?, number(b"BYTERANGE-LENGTH")?);
        let uri = attribute::value(list, b"URI").unwrap_or_default();
        let own = !uri.is_empty() && self.marks.is_own(uri);
        let range = match (start, length) {
            _ if !own => None,
            (None, None) => None,
            // Without a length it can match no part.
            (Some(_), None) => return Ok(()),
            (start, Some(length)) => Some(ByteRange::new(start.unwrap_or(0), length).ok_or(Reason::Byterange)?),
        };
        let without: &[&[u8]] = if range.is_some() { &[b"BYTERANGE-START", b"BYTERANGE-LENGTH"] } else { &[] };
        let mut resource = Resource { form: Treatment::Clear, ..Resource::default() };
        if is_map && self.marks.encrypts_samples() {
            resource = sample_part(SAMPLES, range)?;
        } else if is_map {
            self.check_choice(CLEAR)?;
        } else {
            self.has_parts = true;
            resource = self.part_resource(range)?;
            self.check_choice(LinkTarget::Resource(resource))?;
            self.cover(uri, &resource, end, out);
        }
        self.scope.close_segment();
        self.marks.push_tag(out, line, &[(b"URI", LinkTarget::Resource(Resource { range, ..resource }))], without)
    }

    pub(super) fn uris(
        &mut self,
        line: Line<'_>,
        attributes: &[(&[u8], LinkTarget)],
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        if self.chosen {
            let list = line.text.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
            let present = attributes.iter().filter(|(name, _)| attribute::find(list, name).is_some());
            present.into_iter().try_for_each(|(_, lead)| self.check_choice(*lead))?;
        }
        self.marks.push_tag(out, line, attributes, &[])?;
        self.scope.check(out)
    }
}

/// `media` of this byte range.
///
/// # Errors
/// [`Reason::Samples`] if its samples are encrypted: a range of what leaves is none of the origin's file.
fn sample_part(media: Resource, range: Option<ByteRange>) -> Result<Resource, Reason> {
    match media.form {
        Treatment::Samples if range.is_some() => Err(Reason::Samples),
        _ => Ok(Resource { range, ..media }),
    }
}

/// The byte range in the attribute `name` of a tag, if its URI is own.
fn own_range(marks: &UriRewriter, list: &[u8], ranges: &mut Ranges, name: &[u8]) -> Result<Option<ByteRange>, Reason> {
    let uri = attribute::value(list, b"URI").unwrap_or_default();
    match attribute::value(list, name) {
        Some(text) if !uri.is_empty() && marks.is_own(uri) => ranges.next(uri, text).map(Some),
        _ => {
            ranges.forget();
            Ok(None)
        }
    }
}
