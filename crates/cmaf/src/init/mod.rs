//! The init segment: `moov` with encrypted sample entries (ISO/IEC 14496-12 section 8.12, ISO/IEC 23001-7 section 8).
//! Everything but the sample entries, the sizes of the boxes around them and the `pssh` boxes stays byte for byte.

mod entry;

use alloc::vec::Vec;

use crate::boxes::{Child, Children, Fields, FourCc};
use crate::settings::Settings;
use crate::write::patch;
use crate::{Error, Samples, Track};

const MOOV: FourCc = FourCc(*b"moov");

/// Rewrites a whole `moov` box, and returns it with what it says about its tracks.
///
/// # Errors
/// All that concern `moov` and the boxes in it.
pub(crate) fn rewrite(moov: &[u8], settings: &Settings) -> Result<(Vec<u8>, Vec<Track>), Error> {
    let (whole, _) = Child::read(moov, MOOV)?;
    let mut tracks = defaults(&whole)?;
    let mut out = Vec::with_capacity(moov.len().saturating_add(512));
    let mut encrypted = false;
    wrap(&mut out, &whole, |out| {
        for child in Children::of(whole.body, MOOV) {
            let child = child?;
            match &child.kind.0 {
                b"trak" => {
                    let (id, samples) = trak(out, &child, settings)?;
                    encrypted |= samples != Some(Samples::Text);
                    let track = tracks.iter_mut().find(|track| track.id == id).ok_or(Error::NotFragmented)?;
                    track.samples = samples;
                }
                b"pssh" => return Err(Error::AlreadyEncrypted(child.kind)),
                _ => out.extend_from_slice(child.whole),
            }
        }
        if encrypted {
            out.extend_from_slice(&settings.pssh);
        }
        Ok(())
    })?;
    Ok((out, tracks))
}

/// The tracks of `mvex` and the defaults of their samples (ISO/IEC 14496-12 section 8.8.3).
fn defaults(moov: &Child<'_>) -> Result<Vec<Track>, Error> {
    let mvex = FourCc(*b"mvex");
    let body = match Children::of(moov.body, MOOV).only(mvex) {
        Err(Error::MissingBox(_)) => return Err(Error::NotFragmented),
        body => body?,
    };
    let mut tracks: Vec<Track> = Vec::new();
    for child in Children::of(body, mvex) {
        let child = child?;
        if &child.kind.0 == b"trex" {
            let track = trex(Fields(child.body)).ok_or(Error::Malformed(child.kind))?;
            if tracks.iter().any(|known| known.id == track.id) {
                return Err(Error::DuplicateBox(child.kind));
            }
            if tracks.len() >= crate::MAX_TRACKS {
                return Err(Error::TooManyTracks);
            }
            tracks.push(track);
        }
    }
    Ok(tracks)
}

fn trex(mut fields: Fields<'_>) -> Option<Track> {
    let [_, id, _, duration, size] = [(); 5].map(|()| fields.u32());
    let nonzero = |value: u32| Some(value).filter(|value| *value > 0);
    Some(Track { id: id?, samples: None, duration: nonzero(duration?), size: nonzero(size?) })
}

/// Rewrites a `trak`: its ID, and the sort of its samples if all sample entries agree.
fn trak(out: &mut Vec<u8>, trak: &Child<'_>, settings: &Settings) -> Result<(u32, Option<Samples>), Error> {
    let tkhd = FourCc(*b"tkhd");
    let id = track_id(Fields(Children::of(trak.body, trak.kind).only(tkhd)?)).ok_or(Error::Malformed(tkhd))?;
    let mdia = FourCc(*b"mdia");
    let hdlr = FourCc(*b"hdlr");
    let handler = Children::of(Children::of(trak.body, trak.kind).only(mdia)?, mdia).only(hdlr)?;
    let handler = handler.get(8..).and_then(|fields| fields.first_chunk()).ok_or(Error::Malformed(hdlr))?;
    let handler = FourCc(*handler);
    let mut samples = None;
    within(out, trak, &[b"mdia", b"minf", b"stbl"], &mut |out, stbl| {
        no_samples(stbl)?;
        within(out, stbl, &[b"stsd"], &mut |out, stsd| {
            samples = entry::rewrite_all(out, stsd, handler, settings)?;
            Ok(())
        })
    })?;
    Ok((id, samples))
}

/// The track ID of a `tkhd` (ISO/IEC 14496-12 section 8.3.2).
fn track_id(mut fields: Fields<'_>) -> Option<u32> {
    let (version, _) = fields.full()?;
    fields.bytes(if version == 0 { 8 } else { 16 })?;
    fields.u32()
}

/// Refuses a track with samples outside fragments.
fn no_samples(stbl: &Child<'_>) -> Result<(), Error> {
    for child in Children::of(stbl.body, stbl.kind) {
        let child = child?;
        if [b"stsz", b"stz2"].contains(&&child.kind.0) {
            let mut fields = Fields(child.body);
            let [_, _, count] = [(); 3].map(|()| fields.u32());
            if count.ok_or(Error::Malformed(child.kind))? > 0 {
                return Err(Error::NotFragmented);
            }
        }
    }
    Ok(())
}

/// A function that rewrites a box.
type Rewrite<'f> = &'f mut dyn FnMut(&mut Vec<u8>, &Child<'_>) -> Result<(), Error>;

/// Appends `parent` with the box at `path` in it rewritten, and everything else as it is.
fn within(out: &mut Vec<u8>, parent: &Child<'_>, path: &[&[u8; 4]], rewrite: Rewrite<'_>) -> Result<(), Error> {
    let Some((next, path)) = path.split_first() else { return rewrite(out, parent) };
    Children::of(parent.body, parent.kind).only(FourCc(**next))?;
    wrap(out, parent, |out| {
        for child in Children::of(parent.body, parent.kind) {
            let child = child?;
            if child.kind.0 == **next {
                within(out, &child, path, &mut *rewrite)?;
            } else {
                out.extend_from_slice(child.whole);
            }
        }
        Ok(())
    })
}

/// Appends the box `like` with other contents: its header has the same form.
fn wrap(
    out: &mut Vec<u8>,
    like: &Child<'_>,
    contents: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = out.len();
    out.extend_from_slice(like.whole.get(..like.header_len).ok_or_else(Error::bug)?);
    contents(out)?;
    let size = u32::try_from(out.len().saturating_sub(start)).map_err(|_| Error::BoxTooLarge(like.kind))?;
    // The lower half of a size of 64 bits.
    patch(out, if like.header_len == 8 { start } else { start.saturating_add(12) }, size)
}
