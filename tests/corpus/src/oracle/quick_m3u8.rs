//! `quick-m3u8`: a playlist line by line.

use quick_m3u8::config::ParsingOptionsBuilder;
use quick_m3u8::tag::KnownTag;
use quick_m3u8::tag::hls::Tag;
use quick_m3u8::{HlsLine, Reader};

use super::{View, difference};

pub(super) fn compare(input: &str, output: &str, view: &View<'_>) -> Result<bool, String> {
    let Ok(before) = read(input, view) else { return Ok(false) };
    let after = read(output, view).map_err(|error| format!("cannot read the output: {error}"))?;
    difference(&before, &after)?;
    Ok(true)
}

/// The lines, except those that rewriting adds or removes.
fn read<'a>(text: &'a str, view: &View<'_>) -> Result<Vec<HlsLine<'a>>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text, ParsingOptionsBuilder::new().with_parsing_for_all_tags().build());
    let mut lines = Vec::new();
    while let Some(line) = reader.read_line().map_err(|error| error.to_string())? {
        lines.extend(normal(line, view));
    }
    Ok(lines)
}

fn normal<'a>(line: HlsLine<'a>, view: &View<'_>) -> Option<HlsLine<'a>> {
    let clean = view.clean;
    let tag = match line {
        HlsLine::Uri(uri) => return Some(HlsLine::Uri(clean(uri.trim()).into())),
        HlsLine::KnownTag(KnownTag::Hls(tag)) => tag,
        // A tag that it cannot parse, as its text.
        HlsLine::UnknownTag(tag) => {
            let text = String::from_utf8_lossy(tag.as_bytes()).into_owned();
            if view.encrypts && ["-X-KEY", "-X-BYTERANGE", "-X-PRELOAD-HINT"].contains(&tag.name()) {
                return None;
            }
            return Some(HlsLine::Comment(view.line(&text).into()));
        }
        other => return Some(other),
    };
    Some(HlsLine::from(match tag {
        Tag::Version(_) => return None,
        Tag::Key(_) | Tag::Byterange(_) | Tag::PreloadHint(_) if view.encrypts => return None,
        Tag::Key(mut key) => {
            if let Some(uri) = key.uri().map(clean) {
                key.set_uri(uri);
            }
            Tag::Key(key)
        }
        Tag::Map(mut map) => {
            map.set_uri(clean(map.uri()));
            if view.encrypts {
                map.unset_byterange();
            }
            Tag::Map(map)
        }
        Tag::Part(mut part) => {
            part.set_uri(clean(part.uri()));
            if view.encrypts {
                part.unset_byterange();
            }
            Tag::Part(part)
        }
        Tag::PreloadHint(mut hint) => {
            hint.set_uri(clean(hint.uri()));
            Tag::PreloadHint(hint)
        }
        Tag::Media(mut media) => {
            if let Some(uri) = media.uri().map(clean) {
                media.set_uri(uri);
            }
            Tag::Media(media)
        }
        Tag::IFrameStreamInf(mut variant) => {
            variant.set_uri(clean(variant.uri()));
            Tag::IFrameStreamInf(variant)
        }
        Tag::RenditionReport(mut report) => {
            report.set_uri(clean(report.uri()));
            Tag::RenditionReport(report)
        }
        Tag::SessionData(mut data) => {
            if let Some(uri) = data.uri().map(clean) {
                data.set_uri(uri);
            }
            Tag::SessionData(data)
        }
        Tag::SessionKey(mut key) => {
            key.set_uri(clean(key.uri()));
            Tag::SessionKey(key)
        }
        Tag::ContentSteering(mut steering) => {
            steering.set_server_uri(clean(steering.server_uri()));
            Tag::ContentSteering(steering)
        }
        // Its attributes compare as its text does.
        Tag::Daterange(range) => {
            let inner = quick_m3u8::tag::IntoInnerTag::into_inner(range);
            let text = String::from_utf8_lossy(inner.value()).into_owned();
            return Some(HlsLine::Comment(view.line(&text).into()));
        }
        tag => tag,
    }))
}
