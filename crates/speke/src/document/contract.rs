//! The encryption contract: the usage rules of a document (SPEKE API v2, "Encryption contract"). Version 1.0 has none.

use alloc::string::String;

use super::model::{Filter, List, Model, Rule};
use crate::error::SpekeError;
use crate::version::Version;

/// The largest picture of full HD, in pixels. Above it, DRM systems ask for hardware protection of keys, which audio
/// decoders do not have: audio must not share such a key.
const FULL_HD: u64 = 1920 * 1080;

/// Checks the usage rules.
///
/// The standard asks for as many filters as parts of `intendedTrackType`. AWS's verification suite has `SD+HD1` with one
/// filter that covers both, so fewer filters are accepted, and more are not.
pub(super) fn check(model: &Model, version: Version) -> Result<(), SpekeError> {
    let rules = &model.rules;
    let is_filter = |filter: &Filter| !matches!(filter, Filter::Label);
    if !model.lists.contains(&List::Rules) || !rules.iter().any(|rule| rule.filters.iter().any(is_filter)) {
        return Err(SpekeError::MissingContract);
    }
    // Every rule has a key of the document, and no two the same: as many rules as keys cover all keys.
    let apart =
        |(index, rule): (usize, &Rule)| rules.iter().take(index).all(|other| may_stand_beside(rule, other, version));
    let one_each = rules.len() == model.keys.len();
    if !(one_each && rules.iter().all(|rule| is_well_formed(rule, model)) && rules.iter().enumerate().all(apart)) {
        return Err(SpekeError::MalformedContract);
    }
    if rules.iter().any(mixes_levels) { Err(SpekeError::UnsupportedContract) } else { Ok(()) }
}

/// A rule by itself: a key of the document, known periods, and filters that fit `intendedTrackType`.
fn is_well_formed(rule: &Rule, model: &Model) -> bool {
    let key = rule.kid.is_some_and(|kid| model.keys.iter().any(|key| key.kid == kid));
    let periods = rule.periods.iter().all(|period| period.is_some() && model.periods.contains(period));
    let Some(track_type) = rule.track_type.as_deref() else { return false };
    let filters = if track_type == "ALL" {
        covers_all(&rule.filters)
    } else {
        let parts = track_type.split('+').count();
        let named = track_type.split('+').all(|part| !part.is_empty() && part != "ALL");
        named && (1..=parts).contains(&rule.filters.len()) && rule.filters.iter().all(is_readable)
    };
    key && periods && filters
}

/// One bare filter for video and one for audio.
fn covers_all(filters: &[Filter]) -> bool {
    let is_bare_video = |filter: &Filter| {
        matches!(filter, Filter::Video { min_pixels: None, max_pixels: None, hdr: None, min_fps: None, max_fps: None })
    };
    let is_bare_audio = |filter: &Filter| matches!(filter, Filter::Audio { min_channels: None, max_channels: None });
    match filters {
        [one, other] => (is_bare_video(one) && is_bare_audio(other)) || (is_bare_audio(one) && is_bare_video(other)),
        _ => false,
    }
}

/// The values of a filter are numbers in order, or a truth value.
fn is_readable(filter: &Filter) -> bool {
    match filter {
        Filter::Video { min_pixels, max_pixels, hdr, min_fps, max_fps } => {
            let hdr = hdr.as_deref().is_none_or(|hdr| matches!(hdr, "true" | "false" | "1" | "0"));
            // The lower bound of frame rates is exclusive.
            in_order(min_pixels, max_pixels, true) && hdr && in_order(min_fps, max_fps, false)
        }
        Filter::Audio { min_channels, max_channels } => in_order(min_channels, max_channels, true),
        Filter::Label => false,
    }
}

fn in_order(min: &Option<String>, max: &Option<String>, inclusive: bool) -> bool {
    match (min.as_deref().map(number), max.as_deref().map(number)) {
        (Some(None), _) | (_, Some(None)) => false,
        (Some(Some(min)), Some(Some(max))) => min < max || (inclusive && min == max),
        _ => true,
    }
}

fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Two rules: of different keys and track types, and none beside `ALL`. From 2.1 on, a document may hold several
/// periods; rules of different periods do not meet.
fn may_stand_beside(rule: &Rule, other: &Rule, version: Version) -> bool {
    if rule.kid == other.kid {
        return false;
    }
    let meet = rule.periods.is_empty()
        || other.periods.is_empty()
        || rule.periods.iter().any(|period| other.periods.contains(period));
    if !meet && version == Version::V2_1 {
        return true;
    }
    let is_all = |rule: &Rule| rule.track_type.as_deref() == Some("ALL");
    rule.track_type != other.track_type && !is_all(rule) && !is_all(other)
}

/// Audio under a key for video that is above full HD throughout. `ALL` is the standard's own exception.
fn mixes_levels(rule: &Rule) -> bool {
    let is_audio = |filter: &Filter| matches!(filter, Filter::Audio { .. });
    let is_above = |filter: &Filter| match filter {
        Filter::Video { min_pixels: Some(min), .. } => number(min).is_some_and(|min| min > FULL_HD),
        _ => false,
    };
    rule.filters.iter().any(is_audio) && rule.filters.iter().any(is_above)
}
