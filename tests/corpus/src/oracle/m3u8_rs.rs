//! `m3u8-rs`: whole playlists as structures. It drops some tags, the same ones before and after rewriting.

use m3u8_rs::{ExtTag, MasterPlaylist, MediaPlaylist, MediaSegment, Playlist, SessionDataField};

use super::{View, difference};

pub(super) fn compare(input: &str, output: &str, view: &View<'_>) -> Result<bool, String> {
    if input.lines().any(runs_on) {
        return Ok(false);
    }
    let Ok(mut before) = m3u8_rs::parse_playlist_res(input.as_bytes()) else { return Ok(false) };
    let mut after =
        m3u8_rs::parse_playlist_res(output.as_bytes()).map_err(|error| format!("cannot read the output: {error:?}"))?;
    match (&mut before, &mut after) {
        (Playlist::MediaPlaylist(before), Playlist::MediaPlaylist(after)) => {
            normalise_media(before, view);
            normalise_media(after, view);
            difference(&before.segments, &after.segments)?;
            difference(std::slice::from_ref(before), std::slice::from_ref(after))?;
        }
        (Playlist::MasterPlaylist(before), Playlist::MasterPlaylist(after)) => {
            normalise_master(before, view);
            normalise_master(after, view);
            difference(std::slice::from_ref(before), std::slice::from_ref(after))?;
        }
        _ => return Err("a master playlist became a media playlist or the other way round".into()),
    }
    Ok(true)
}

/// Whether it misreads the next lines: after the last attribute of a line, it searches for the next `=`.
fn runs_on(line: &str) -> bool {
    let Some((_, mut rest)) = line.split_once(':').filter(|(tag, _)| LISTS.contains(tag)) else { return false };
    while !rest.is_empty() {
        let Some((_, value)) = rest.split_once('=') else { return true };
        let end = match value.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map(|end| end + 2),
            None => Some(value.find(',').unwrap_or(value.len())),
        };
        let Some(after) = end.and_then(|end| value.get(end..)) else { return true };
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    false
}

/// Tags whose attribute lists it parses.
const LISTS: [&str; 9] = [
    "#EXT-X-DATERANGE",
    "#EXT-X-I-FRAME-STREAM-INF",
    "#EXT-X-KEY",
    "#EXT-X-MAP",
    "#EXT-X-MEDIA",
    "#EXT-X-SESSION-DATA",
    "#EXT-X-SESSION-KEY",
    "#EXT-X-START",
    "#EXT-X-STREAM-INF",
];

fn normalise_media(playlist: &mut MediaPlaylist, view: &View<'_>) {
    playlist.version = None;
    normalise_tags(&mut playlist.unknown_tags, view);
    for segment in &mut playlist.segments {
        normalise_segment(segment, view);
    }
}

fn normalise_segment(segment: &mut MediaSegment, view: &View<'_>) {
    // A last line without its end is a URI to it, whatever it is.
    segment.uri = match segment.uri.starts_with('#') {
        true => view.line(&segment.uri),
        false => (view.clean)(segment.uri.trim()),
    };
    if let Some(map) = &mut segment.map {
        map.uri = (view.clean)(&map.uri);
    }
    if view.encrypts {
        segment.key = None;
        segment.byte_range = None;
        if let Some(map) = &mut segment.map {
            map.byte_range = None;
        }
    } else if let Some(uri) = segment.key.as_mut().and_then(|key| key.uri.as_mut()) {
        *uri = (view.clean)(uri);
    }
    if let Some(attributes) = segment.daterange.as_mut().and_then(|range| range.x_prefixed.as_mut()) {
        for value in attributes.values_mut() {
            if let m3u8_rs::QuotedOrUnquoted::Quoted(text) = value {
                *text = (view.clean)(text);
            }
        }
    }
    normalise_tags(&mut segment.unknown_tags, view);
}

fn normalise_master(playlist: &mut MasterPlaylist, view: &View<'_>) {
    playlist.version = None;
    for variant in &mut playlist.variants {
        variant.uri = (view.clean)(variant.uri.trim());
    }
    for media in &mut playlist.alternatives {
        media.uri = media.uri.as_deref().map(|uri| (view.clean)(uri));
    }
    for data in &mut playlist.session_data {
        if let SessionDataField::Uri(uri) = &mut data.field {
            *uri = (view.clean)(uri);
        }
    }
    for key in &mut playlist.session_key {
        key.0.uri = key.0.uri.as_deref().map(|uri| (view.clean)(uri));
    }
    normalise_tags(&mut playlist.unknown_tags, view);
}

/// Tags that it keeps as text, such as EXT-X-PART.
fn normalise_tags(tags: &mut Vec<ExtTag>, view: &View<'_>) {
    if view.encrypts {
        // METHOD=NONE is no key to it.
        tags.retain(|tag| !["X-PRELOAD-HINT", "X-BYTERANGE", "X-KEY"].contains(&tag.tag.as_str()));
    }
    for ExtTag { tag: name, rest } in tags {
        if let Some(rest) = rest {
            *rest = view.line(&format!("#EXT-{name}:{rest}"));
        }
    }
}
