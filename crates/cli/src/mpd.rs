//! MPDs (ISO/IEC 23009-1), as far as the commands need them: Representations, their segments, and every URL.

use playlock_core::dash;
use roxmltree::{Document, Node};

use crate::address::Address;
use crate::mpd_time::{seconds, since_epoch};
use crate::playlist::{Map, Segment};

/// Maximum number of segments of a Representation.
const MAX_SEGMENTS: u64 = 100_000;
/// Number of segments up to now that are listed of a live Representation without a timeline.
const LIVE_WINDOW: u64 = 10;
/// The namespaces of attributes and elements that this reader does not resolve.
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// An MPD.
#[derive(Debug)]
pub struct Mpd {
    /// `type="dynamic"`: the MPD is reloaded.
    pub dynamic: bool,
    /// Seconds between two reloads; `None` if the MPD is not updated.
    pub update: Option<f64>,
    /// The URL to reload the MPD from, if it names one.
    pub location: Option<Address>,
    /// The number of Periods.
    pub periods: usize,
    /// The Representations, in order; those with the same id in several Periods are one.
    pub representations: Vec<Representation>,
    /// Every URL, absolute; templates as they are written.
    pub urls: Vec<Address>,
}

/// A Representation.
#[derive(Debug, Default)]
pub struct Representation {
    /// Its id.
    pub id: String,
    /// Bits per second.
    pub bandwidth: u64,
    /// `video`, `audio`, `text`, `image` or, if the MPD does not name it, empty.
    pub kind: String,
    /// Its segments, in order.
    pub segments: Vec<Segment>,
}

/// The properties that a Period, an AdaptationSet and a Representation inherit.
#[derive(Clone)]
struct Scope<'a> {
    base: Address,
    kind: String,
    /// SegmentTemplate, SegmentList and SegmentBase elements, the outermost first.
    segments: Vec<Node<'a, 'a>>,
}

/// The times of a Period in seconds.
#[derive(Clone, Copy)]
struct Times {
    duration: Option<f64>,
    /// Since the Period began; `None` for static MPDs.
    now: Option<f64>,
}

/// The text of an MPD; `None` for anything else.
pub fn text_in(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    (dash::is_mpd(body) == Some(true)).then(|| text.trim_start_matches('\u{feff}'))
}

impl Mpd {
    /// Reads an MPD that was requested at `url`, `now` seconds after 1970.
    ///
    /// # Errors
    /// The first element that a player cannot use.
    pub fn parse(text: &str, url: &Address, now: u64) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if root.tag_name().name() != "MPD" {
            return Err(format!("the root element is {}; expected MPD", root.tag_name().name()));
        }
        if root.descendants().any(|node| node.has_attribute((XLINK, "href"))) {
            return Err("an element is at another URL (xlink:href); expected the element".into());
        }
        let dynamic = root.attribute("type") == Some("dynamic");
        let base = base_of(root, url)?;
        let location = child(root, "Location").map(|node| url.join(text_of(node))).transpose()?;
        let mut mpd = Self {
            dynamic,
            update: root.attribute("minimumUpdatePeriod").map(seconds).transpose()?,
            location,
            periods: 0,
            representations: Vec::new(),
            urls: Vec::new(),
        };
        mpd.add_urls(root, url, &["Location", "PatchLocation", "BaseURL"])?;
        mpd.add_urls(root, &base, &["ContentSteering"])?;
        for node in root.descendants().filter(|node| node.tag_name().name() == "ContentProtection") {
            mpd.add_urls(node, url, &["Laurl"])?;
        }
        let total = root.attribute("mediaPresentationDuration").map(seconds).transpose()?;
        let available = root.attribute("availabilityStartTime").map(since_epoch).transpose()?;
        let periods: Vec<Node<'_, '_>> = children(root, "Period").collect();
        let mut begun = 0.0;
        for (index, period) in periods.iter().enumerate() {
            let start = period.attribute("start").map(seconds).transpose()?.unwrap_or(begun);
            let next = periods.get(index + 1).and_then(|next| next.attribute("start")).map(seconds).transpose()?;
            let duration = period.attribute("duration").map(seconds).transpose()?;
            let duration = duration.or(next.map(|next| next - start)).or(total.map(|total| total - start));
            begun = start + duration.unwrap_or_default();
            let now = dynamic.then(|| now as f64 - available.unwrap_or_default() - start);
            let scope = Scope { base: base.clone(), kind: String::new(), segments: Vec::new() };
            mpd.period(*period, &scope, Times { duration, now })?;
        }
        mpd.periods = periods.len();
        Ok(mpd)
    }

    fn period(&mut self, period: Node<'_, '_>, scope: &Scope<'_>, times: Times) -> Result<(), String> {
        let scope = self.enter(period, scope)?;
        for set in children(period, "AdaptationSet") {
            let scope = self.enter(set, &scope)?;
            for node in children(set, "Representation") {
                let scope = self.enter(node, &scope)?;
                let id = node.attribute("id").unwrap_or_default().to_owned();
                let bandwidth = node.attribute("bandwidth").and_then(|text| text.parse().ok()).unwrap_or_default();
                let segments = self.segments(&id, bandwidth, &scope, times)?;
                match self.representations.iter_mut().find(|known| known.id == id) {
                    Some(known) => known.segments.extend(segments),
                    None => self.representations.push(Representation { id, bandwidth, kind: scope.kind, segments }),
                }
            }
        }
        Ok(())
    }

    /// The scope within a Period, AdaptationSet or Representation. Adds the URLs in its own elements.
    fn enter<'a>(&mut self, node: Node<'a, 'a>, around: &Scope<'a>) -> Result<Scope<'a>, String> {
        self.add_urls(node, &around.base, &["BaseURL"])?;
        let base = base_of(node, &around.base)?;
        let named = node.attribute("contentType").or_else(|| node.attribute("mimeType"));
        let kind = named.map_or(around.kind.as_str(), |kind| kind.split('/').next().unwrap_or_default());
        let mut segments = around.segments.clone();
        let own = ["SegmentTemplate", "SegmentList", "SegmentBase"].iter().filter_map(|name| child(node, name));
        for element in own {
            for attribute in ["media", "initialization", "index", "bitstreamSwitching"] {
                self.urls.extend(element.attribute(attribute).map(|url| base.join(url)).transpose()?);
            }
            for inner in element.children() {
                for attribute in ["sourceURL", "media", "index"] {
                    self.urls.extend(inner.attribute(attribute).map(|url| base.join(url)).transpose()?);
                }
            }
            segments.push(element);
        }
        Ok(Scope { base, kind: kind.to_owned(), segments })
    }

    fn add_urls(&mut self, node: Node<'_, '_>, base: &Address, names: &[&str]) -> Result<(), String> {
        for child in node.children().filter(|child| names.contains(&child.tag_name().name())) {
            let url = base.join(text_of(child))?;
            if !self.urls.contains(&url) {
                self.urls.push(url);
            }
        }
        Ok(())
    }

    fn segments(&self, id: &str, bandwidth: u64, scope: &Scope<'_>, times: Times) -> Result<Vec<Segment>, String> {
        let named = |name: &str| scope.segments.iter().rev().any(|node| node.tag_name().name() == name);
        let url = |reference: &str| Ok::<_, String>(scope.base.join(reference)?.to_string());
        let map = match scope.segments.iter().rev().find_map(|node| child(*node, "Initialization")) {
            Some(node) => Some(Map {
                uri: url(node.attribute("sourceURL").unwrap_or_default())?,
                range: node.attribute("range").map(range).transpose()?,
                key: None,
            }),
            None => {
                let template = attribute(scope, "initialization").map(|text| filled(text, id, bandwidth, 0, 0));
                template.map(|text| Ok::<_, String>(Map { uri: url(&text)?, range: None, key: None })).transpose()?
            }
        };
        let one = |uri: String, duration: f64, number: u64, range: Option<(u64, u64)>| Segment {
            uri,
            duration,
            number,
            range,
            discontinuity: false,
            gap: false,
            key: None,
            map: map.clone(),
        };
        let timescale = number(scope, "timescale")?.filter(|scale| *scale > 0).unwrap_or(1) as f64;
        let each = number(scope, "duration")?;
        if named("SegmentTemplate") {
            let media = attribute(scope, "media").ok_or("a SegmentTemplate has no media; expected a template")?;
            let first = number(scope, "startNumber")?.unwrap_or(1);
            let entries = match scope.segments.iter().rev().find_map(|node| child(*node, "SegmentTimeline")) {
                Some(timeline) => timeline_entries(timeline, times.duration.map(|it| it * timescale))?,
                None => constant_entries(each.ok_or("segments without a duration")?, timescale, times)?,
            };
            let numbered = entries.into_iter().map(|(index, time, duration)| {
                let number = first.saturating_add(index);
                let reference = filled(media, id, bandwidth, number, time);
                Ok(one(url(&reference)?, duration as f64 / timescale, number, None))
            });
            return numbered.collect();
        }
        if named("SegmentList") {
            let lists = scope.segments.iter().rev().find(|node| child(**node, "SegmentURL").is_some());
            let urls = lists.into_iter().flat_map(|list| children(*list, "SegmentURL"));
            let seconds = each.unwrap_or_default() as f64 / timescale;
            return urls
                .zip(1..)
                .map(|(node, number)| {
                    let uri = url(node.attribute("media").unwrap_or_default())?;
                    Ok(one(uri, seconds, number, node.attribute("mediaRange").map(range).transpose()?))
                })
                .collect();
        }
        Ok(vec![one(scope.base.to_string(), times.duration.unwrap_or_default(), 1, None)])
    }
}

/// Index, time and duration of each segment in a timeline of at most `end` units.
fn timeline_entries(timeline: Node<'_, '_>, end: Option<f64>) -> Result<Vec<(u64, u64, u64)>, String> {
    let mut entries = Vec::new();
    let mut time = 0u64;
    let mut nodes = children(timeline, "S").peekable();
    while let Some(node) = nodes.next() {
        let read =
            |name| node.attribute(name).map(|text| text.parse::<i64>().map_err(|_| format!("S@{name} \"{text}\"")));
        time = read("t").transpose()?.and_then(|t| u64::try_from(t).ok()).unwrap_or(time);
        let duration = read("d").transpose()?.and_then(|d| u64::try_from(d).ok()).filter(|d| *d > 0);
        let duration = duration.ok_or("S without d; expected a duration")?;
        let repeats = read("r").transpose()?.unwrap_or_default();
        let until = match u64::try_from(repeats) {
            Ok(repeats) => time.saturating_add(duration.saturating_mul(repeats.saturating_add(1))),
            // Up to the next S or to the end of the Period.
            Err(_) => {
                let next = nodes.peek().and_then(|next| next.attribute("t")?.parse().ok());
                next.or(end.map(whole)).ok_or("S repeats without an end")?
            }
        };
        while time < until {
            if entries.len() as u64 >= MAX_SEGMENTS {
                return Err(format!("more than {MAX_SEGMENTS} segments"));
            }
            entries.push((entries.len() as u64, time, duration));
            time = time.saturating_add(duration);
        }
    }
    Ok(entries)
}

/// The whole part of a number, 0 for negative ones.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is cut at both ends")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

/// Index, time and duration of segments of `duration` units each: all of a static Period, the last ones of a live one.
fn constant_entries(duration: u64, timescale: f64, times: Times) -> Result<Vec<(u64, u64, u64)>, String> {
    if duration == 0 {
        return Err("segments of no duration".into());
    }
    let each = duration as f64 / timescale;
    let (from, to) = match (times.now, times.duration) {
        (Some(now), total) => {
            let complete = whole(total.map_or(now, |total| total.min(now)) / each);
            (complete.saturating_sub(LIVE_WINDOW), complete)
        }
        (None, Some(total)) => (0, whole((total / each - 1e-6).ceil())),
        (None, None) => return Err("no duration of the presentation or Period".into()),
    };
    if to - from > MAX_SEGMENTS {
        return Err(format!("more than {MAX_SEGMENTS} segments"));
    }
    Ok((from..to).map(|index| (index, index.saturating_mul(duration), duration)).collect())
}

/// A template with its identifiers replaced (ISO/IEC 23009-1 section 5.3.9.4.4).
fn filled(template: &str, id: &str, bandwidth: u64, number: u64, time: u64) -> String {
    let mut out = String::new();
    for (index, piece) in template.split('$').enumerate() {
        if index % 2 == 0 {
            out.push_str(piece);
            continue;
        }
        let (name, width) = piece.split_once("%0").unwrap_or((piece, ""));
        let width = width.trim_end_matches('d').parse::<usize>().unwrap_or(1).min(32);
        match name {
            "" => out.push('$'),
            "RepresentationID" => out.push_str(id),
            "Number" => out.push_str(&format!("{number:0width$}")),
            "Time" => out.push_str(&format!("{time:0width$}")),
            "Bandwidth" => out.push_str(&format!("{bandwidth:0width$}")),
            other => out.push_str(&format!("${other}$")),
        }
    }
    out
}

/// The innermost value of an attribute that SegmentTemplate elements and the like inherit one by one.
fn attribute<'a>(scope: &Scope<'a>, name: &str) -> Option<&'a str> {
    scope.segments.iter().rev().find_map(|node| node.attribute(name))
}

fn number(scope: &Scope<'_>, name: &str) -> Result<Option<u64>, String> {
    attribute(scope, name)
        .map(|text| text.parse().map_err(|_| format!("{name}=\"{text}\" is not a number")))
        .transpose()
}

/// Length and offset of a byte range, `first-last`.
fn range(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (u64, u64) = parsed.ok_or_else(|| format!("\"{text}\" is not a byte range"))?;
    Ok((last.saturating_sub(first).saturating_add(1), first))
}

/// The first base URL, with which players start.
fn base_of(node: Node<'_, '_>, around: &Address) -> Result<Address, String> {
    child(node, "BaseURL").map_or(Ok(around.clone()), |base| around.join(text_of(base)))
}

fn text_of<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.tag_name().name() == name)
}

#[cfg(test)]
mod tests;
