//! Sample entries: which are encrypted, and `sinf` with `frma`, `schm` and `tenc`.

use alloc::vec::Vec;

use super::wrap;
use crate::boxes::{Child, Children, Fields, FourCc};
use crate::settings::{BLOCK, Ivs, Settings};
use crate::write::{boxed, full};
use crate::{Error, Samples};

/// The bytes of a visual sample entry before the boxes in it (ISO/IEC 14496-12 section 12.1.3).
const VISUAL: usize = 78;

/// The sort of samples that a sample entry announces.
struct Sort {
    samples: Samples,
    /// The type of the encrypted entry. `None`: it stays clear.
    encrypted: Option<&'static [u8; 4]>,
}

/// Rewrites an `stsd`: the sort of samples that all its entries have.
///
/// # Errors
/// [`Error::AlreadyEncrypted`], [`Error::UnknownCodec`], [`Error::NalLengthSize`] and those of boxes.
pub(super) fn rewrite_all(
    out: &mut Vec<u8>,
    stsd: &Child<'_>,
    handler: FourCc,
    settings: &Settings,
) -> Result<Option<Samples>, Error> {
    let mut fields = Fields(stsd.body);
    let head = fields.bytes(8).ok_or(Error::Malformed(stsd.kind))?;
    let count = head.last_chunk().map(|count| u32::from_be_bytes(*count));
    let mut sorts = Vec::new();
    wrap(out, stsd, |out| {
        out.extend_from_slice(head);
        for entry in Children::of(fields.0, stsd.kind) {
            let entry = entry?;
            let sort = sort(&entry, handler)?;
            sorts.push(sort.samples);
            match sort.encrypted {
                None => out.extend_from_slice(entry.whole),
                Some(kind) => boxed(out, kind, |out| {
                    out.extend_from_slice(entry.body);
                    sinf(out, entry.kind, sort.samples, settings)
                })?,
            }
        }
        Ok(())
    })?;
    if sorts.is_empty() || count.and_then(|count| usize::try_from(count).ok()) != Some(sorts.len()) {
        return Err(Error::Malformed(stsd.kind));
    }
    Ok(sorts.first().copied().filter(|first| sorts.iter().all(|sort| sort == first)))
}

/// The sort of samples of an entry. Every audio codec will do, since samples are protected as a whole. Of video it has to be
/// known whether its samples are NAL units; text has to be one that is recognised by its bytes.
fn sort(entry: &Child<'_>, handler: FourCc) -> Result<Sort, Error> {
    if [b"encv", b"enca", b"enct", b"encs", b"encm", b"drms", b"drmi"].contains(&&entry.kind.0) {
        return Err(Error::AlreadyEncrypted(entry.kind));
    }
    let unknown = Err(Error::UnknownCodec(entry.kind));
    match &handler.0 {
        b"soun" => Ok(Sort { samples: Samples::Whole, encrypted: Some(b"enca") }),
        b"vide" => {
            let Some(codec) = codec(entry.kind) else { return unknown };
            let boxes = entry.body.get(VISUAL..).ok_or(Error::Malformed(entry.kind))?;
            let samples = match codec {
                None => Samples::Whole,
                Some(config) => {
                    let size = length_size(config, Children::of(boxes, entry.kind).only(config)?);
                    match size.ok_or(Error::Malformed(config))? {
                        4 => Samples::Nal,
                        size => return Err(Error::NalLengthSize(size)),
                    }
                }
            };
            for child in Children::of(boxes, entry.kind) {
                let child = child?;
                if &child.kind.0 == b"sinf" {
                    return Err(Error::AlreadyEncrypted(child.kind));
                }
            }
            Ok(Sort { samples, encrypted: Some(b"encv") })
        }
        b"text" | b"subt" if [b"wvtt", b"stpp"].contains(&&entry.kind.0) => {
            Ok(Sort { samples: Samples::Text, encrypted: None })
        }
        _ => unknown,
    }
}

/// Whether the samples of a video codec are NAL units: the box with their configuration. `None` for codecs that are not known.
#[expect(clippy::option_option, reason = "not known, whole samples, NAL units")]
fn codec(kind: FourCc) -> Option<Option<FourCc>> {
    match &kind.0 {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" | b"dva1" | b"dvav" => Some(Some(FourCc(*b"avcC"))),
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => Some(Some(FourCc(*b"hvcC"))),
        b"vvc1" | b"vvi1" => Some(Some(FourCc(*b"vvcC"))),
        b"av01" | b"dav1" | b"vp08" | b"vp09" => Some(None),
        _ => None,
    }
}

/// The bytes of a NAL unit's length (ISO/IEC 14496-15 sections 5.3.3, 8.3.3 and 11.2.4).
fn length_size(kind: FourCc, config: &[u8]) -> Option<u8> {
    let bits = match &kind.0 {
        b"avcC" => *config.get(4)?,
        b"hvcC" => *config.get(21)?,
        // Behind the version and the flags; the last bit says whether a profile follows.
        _ => *config.get(4)? >> 1,
    };
    (bits & 3).checked_add(1)
}

/// Appends the `sinf` of an entry that was of the type `format`.
fn sinf(out: &mut Vec<u8>, format: FourCc, samples: Samples, settings: &Settings) -> Result<(), Error> {
    boxed(out, b"sinf", |out| {
        boxed(out, b"frma", |out| {
            out.extend_from_slice(&format.0);
            Ok(())
        })?;
        full(out, b"schm", 0, 0, |out| {
            out.extend_from_slice(match settings.ivs {
                Ivs::Constant(_) => b"cbcs",
                Ivs::Synthetic(_) => b"cenc",
            });
            out.extend_from_slice(&0x1_0000_u32.to_be_bytes());
            Ok(())
        })?;
        boxed(out, b"schi", |out| tenc(out, samples, settings))
    })
}

/// Appends `tenc` (ISO/IEC 23001-7 section 8.2).
fn tenc(out: &mut Vec<u8>, samples: Samples, settings: &Settings) -> Result<(), Error> {
    const PROTECTED: u8 = 1;
    let block = u8::try_from(BLOCK).map_err(|_| Error::bug())?;
    match settings.ivs {
        Ivs::Constant(iv) => full(out, b"tenc", 1, 0, |out| {
            let pattern = if samples == Samples::Nal { 1 << 4 | settings.coverage.skipped() } else { 0 };
            out.extend_from_slice(&[0, pattern, PROTECTED, 0]);
            out.extend_from_slice(&settings.kid);
            out.push(block);
            out.extend_from_slice(&iv);
            Ok(())
        }),
        Ivs::Synthetic(_) => full(out, b"tenc", 0, 0, |out| {
            out.extend_from_slice(&[0, 0, PROTECTED, block]);
            out.extend_from_slice(&settings.kid);
            Ok(())
        }),
    }
}
