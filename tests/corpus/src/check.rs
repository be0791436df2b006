//! The checks of one playlist and its rewritten form.

use std::collections::BTreeSet;
use std::ops::Range;

use playlock_core::http::reply::Reason;
use regex_lite::Regex;
use url::Url;

use crate::edge::Edge;
use crate::oracle;
use crate::reading::{self, Part, Reading, Reference, Role};
use crate::scope::{self, Keys};
use crate::site::{PLAYLIST, Site};
use crate::tally::Tally;
use crate::transport::{self, Requested, Transport};
use crate::undo;
use crate::variables::{self, Variables};

/// Checks one playlist under one configuration and counts the results.
///
/// # Errors
/// The first violated invariant.
pub fn check(edge: &Edge, input: &[u8], seed: u64, counts: &mut Tally) -> Result<(), String> {
    let text = std::str::from_utf8(input).map_err(|_| "not UTF-8".to_owned())?;
    let playlist = Playlist::new(edge, text)?;
    let refusal = match playlist.rewrite(seed)? {
        Ok(output) => {
            counts.count("rewritten");
            let output = String::from_utf8(output).map_err(|_| "UTF-8 became something else".to_owned())?;
            counts.grew("resumed sessions", input.len(), output.len());
            return playlist.compare(&output, counts);
        }
        Err(reason) => reason,
    };
    counts.count(&format!("refused: {}", refusal.word()));
    if playlist.may_be_refused(refusal) { Ok(()) } else { Err(format!("refused without need: {}", refusal.word())) }
}

/// A playlist before it is rewritten.
struct Playlist<'a> {
    edge: &'a Edge,
    text: &'a str,
    url: Url,
    /// The location of the original.
    site: Site,
    token: String,
    reading: Reading,
    variables: Variables,
    /// The URIs with variables, and their expansions.
    expanded: BTreeSet<String>,
    /// Its segments are images.
    images: bool,
}

impl<'a> Playlist<'a> {
    fn new(edge: &'a Edge, text: &'a str) -> Result<Self, String> {
        let mut url = Url::parse(PLAYLIST).map_err(|error| error.to_string())?;
        url.set_query(Some(variables::query(text).as_str()).filter(|query| !query.is_empty()));
        let site = Site::new(PLAYLIST)?;
        // A master playlist opens the session; this one goes on with it.
        let master = variables::parent(text, url.as_str());
        let master = edge.playlist(&Edge::entry(&site.base), master.as_bytes(), &mut || usize::MAX);
        let master = master.map_err(|reason| format!("the playlist before this one: {reason:?}"))?;
        let url =
            last_line(&master).and_then(|line| site.own(line)).ok_or("no URL from the playlist before this one")?;
        let (reading, variables) = (reading::read(text), Variables::of(text));
        let with_variables = reading.references.iter().filter(|reference| reference.uri.contains("{$"));
        let expanded = with_variables.map(|reference| undo::uri(&variables.expand(&reference.uri))).collect();
        let images = reading::lines(text).any(|line| line.text == "#EXT-X-IMAGES-ONLY");
        let token = edge.transport.token(&url)?;
        Ok(Self { edge, text, url, site, token, reading, variables, expanded, images })
    }

    /// Rewrites in chunks of several sizes; the result must not depend on the sizes.
    fn rewrite(&self, seed: u64) -> Result<Result<Vec<u8>, Reason>, String> {
        let input = self.text.as_bytes();
        let mut state = seed;
        let mut random = || {
            // xorshift64, Marsaglia 2003.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 300).unwrap_or(1)
        };
        let mut first = None;
        let cuts: [(&str, &mut dyn FnMut() -> usize); 4] = [
            ("whole", &mut || usize::MAX),
            ("single bytes", &mut || 1),
            ("sevens", &mut || 7),
            ("random pieces", &mut random),
        ];
        for (name, cut) in cuts {
            let result = match self.edge.playlist(&self.url, input, cut) {
                Ok(output) => Ok(output),
                Err(Ok(reason)) => Err(reason),
                Err(Err(unexpected)) => return Err(unexpected),
            };
            match &first {
                None => first = Some(result),
                Some(first) if *first == result => {}
                Some(_) => return Err(format!("{name} make a difference")),
            }
        }
        first.ok_or_else(|| "not rewritten".into())
    }

    /// Whether this refusal is justified, by an independent reading of the playlist.
    fn may_be_refused(&self, reason: Reason) -> bool {
        let encrypts = self.edge.encrypts;
        match reason {
            Reason::Playlist => {
                let first = self.text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim();
                first.split_ascii_whitespace().next() != Some("#EXTM3U") || encrypts && !self.can_be_counted()
            }
            Reason::Encrypted => {
                let foreign =
                    |list: &str| reading::attribute(list, "METHOD").is_none_or(|(_, method)| method != "NONE");
                let encrypted =
                    self.reading.keys.iter().any(|key| foreign(&key.list)) || self.has("#EXT-X-SESSION-KEY");
                // A delta update may leave out the key that is in force.
                encrypts && if self.edge.passes_encrypted { self.has("#EXT-X-SKIP") } else { encrypted }
            }
            Reason::Variable => {
                let mut references = self.reading.references.iter();
                // The viewer does not choose a resource that goes out in clear, nor the period of media.
                let clear =
                    |role| matches!(role, Role::Map | Role::MapHint | Role::Data | Role::Key | Role::SessionKey);
                let timed = |role| self.edge.rotates && matches!(role, Role::Segment | Role::Part | Role::PartHint);
                let chosen = |r: &Reference| {
                    let given = clear(r.role) || timed(r.role) || self.images;
                    encrypts && given && self.variables.are_chosen_in(&r.uri)
                };
                self.has("#EXT-X-DEFINE")
                    && references.any(|r| self.variables.expand(&r.uri).contains("{$") || chosen(r))
            }
            Reason::Byterange => {
                let mut references = self.reading.references.iter();
                encrypts && references.any(|reference| reference.part == Part::Unreadable)
            }
            _ => false,
        }
    }

    /// Whether every EXT-X-MEDIA-SEQUENCE is a number before the first segment (RFC 8216 section 4.3.3.2).
    fn can_be_counted(&self) -> bool {
        let mut segments = false;
        reading::lines(self.text).all(|line| {
            segments |= !line.text.starts_with('#');
            let number =
                line.text.strip_prefix("#EXT-X-MEDIA-SEQUENCE").map(|rest| rest.trim_start_matches(':').trim());
            number.is_none_or(|number| !segments && number.parse::<u64>().is_ok())
        })
    }

    fn has(&self, tag: &str) -> bool {
        reading::lines(self.text).any(|line| line.text.split(':').next() == Some(tag))
    }

    fn compare(&self, output: &str, counts: &mut Tally) -> Result<(), String> {
        self.compare_at(&self.url, output, counts)?;
        self.check_entry(output, counts)
    }

    /// Compares with the response for `url`.
    fn compare_at(&self, url: &Url, output: &str, counts: &mut Tally) -> Result<(), String> {
        let requested = Requested::new(self.edge.transport, &self.token, url)?;
        let rewritten = reading::read(output);
        self.check_bytes(&requested, output, &rewritten)?;
        self.check_versions(&rewritten)?;
        self.check_references(&requested, &rewritten, counts)?;
        let clean = |uri: &str| self.clean(&requested, uri);
        for (name, read) in oracle::compare(self.text, output, self.edge.encrypts, &clean)? {
            counts.count(&format!("{name} {}", if read { "agrees" } else { "cannot read the input" }));
        }
        Ok(())
    }

    /// With an access token, the result is the same, or for a live playlist a multivariant playlist that names it. With
    /// tokens in the path, its URIs lead to the same.
    fn check_entry(&self, output: &str, counts: &mut Tally) -> Result<(), String> {
        let other = |reason| format!("opened by the access token it is refused: {reason:?}");
        let mut url = Requested::new(self.edge.transport, &self.token, &self.url)?.without_token(&self.url);
        url.set_query(
            url.query()
                .map(|query| query.split('&').filter(|p| !p.starts_with("hdntl=")).collect::<Vec<_>>().join("&"))
                .as_deref()
                .filter(|query| !query.is_empty()),
        );
        let url = Edge::entry(&url);
        let entry = self.edge.playlist(&url, self.text.as_bytes(), &mut || 4096).map_err(other)?;
        if entry == output.as_bytes() {
            return Ok(());
        }
        if !entry.starts_with(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n") {
            if self.edge.transport == Transport::Query {
                return Err("opened by the access token it leads elsewhere".into());
            }
            counts.count("opened in place");
            counts.grew("opened sessions", self.text.len(), entry.len());
            let entry = String::from_utf8(entry).map_err(|error| error.to_string())?;
            return self.compare_at(&url, &entry, counts);
        }
        counts.count("entered by a master playlist");
        let url = last_line(&entry).and_then(|line| self.site.own(line)).ok_or("it opens with something else")?;
        let through = self.edge.playlist(&url, self.text.as_bytes(), &mut || 4096).map_err(other)?;
        if through == output.as_bytes() { Ok(()) } else { Err("opened by the access token it leads elsewhere".into()) }
    }

    /// A URI with the playlist's variables expanded once. The playlist was requested with https, and so are the filter's own
    /// URIs in it.
    fn clean(&self, requested: &Requested, uri: &str) -> String {
        let plain = undo::uri(uri);
        let plain = if self.expanded.contains(&plain) { plain } else { self.variables.expand(&plain) };
        let plain = requested.clean(&plain);
        match plain.strip_prefix("http://") {
            Some(rest) if self.site.own(&plain).is_some() => format!("https://{}", rest.replacen(":80/", "/", 1)),
            _ => plain,
        }
    }

    fn own(&self, uri: &str) -> Option<Url> {
        self.site.own(&self.variables.expand(uri))
    }

    /// Without the filter's additions, the result is the origin's playlist.
    fn check_bytes(&self, requested: &Requested, output: &str, rewritten: &Reading) -> Result<(), String> {
        let clean = |uri: &str| self.clean(requested, uri);
        let (mut before, mut after) = (self.text.trim_start_matches('\u{feff}').to_owned(), output.to_owned());
        if self.edge.encrypts {
            before = self.without_ranges()?;
            let is_origins = |line: &&str| {
                let (tag, list) = line.trim().split_once(':').unwrap_or_default();
                let none = || reading::attribute(list, "METHOD").is_some_and(|(_, method)| method == "NONE");
                !(tag == "#EXT-X-KEY" && (none() || scope::is_ours(list)) || tag == "#EXT-X-VERSION")
            };
            before = before.split_inclusive('\n').filter(is_origins).collect();
            after = after.split_inclusive('\n').filter(is_origins).collect();
        }
        let (before, after) = (undo::map_uris(&before, &clean), undo::map_uris(&after, &clean));
        if before == after {
            return Ok(());
        }
        let differs = before.lines().zip(after.lines()).find(|(a, b)| a != b);
        Err(format!(
            "other bytes changed: {differs:?} ({} and {} bytes, {} keys)",
            before.len(),
            after.len(),
            rewritten.keys.len()
        ))
    }

    /// Whether the filter makes a reference a separate resource, with its byte range in the URL.
    fn is_resource(&self, reference: &Reference) -> bool {
        self.edge.encrypts && !self.images && reference.key.is_none() && self.own(&reference.uri).is_some()
    }

    /// The input without the byte ranges that the filter moves into URLs.
    fn without_ranges(&self) -> Result<String, String> {
        let mut cuts: Vec<Range<usize>> = Vec::new();
        let own = |reference: &Reference| self.is_resource(reference);
        for (start, index) in &self.reading.byteranges {
            if self.reading.references.get(*index).is_some_and(own) {
                cuts.push(line_at(self.text, *start));
            }
        }
        let attribute = Regex::new(
            r#",\s*BYTERANGE(-START|-LENGTH)?=("[^"]*"?|[^,\r\n]*)|BYTERANGE(-START|-LENGTH)?=("[^"]*"?|[^,\r\n]*),?"#,
        );
        let attribute = attribute.map_err(|error| error.to_string())?;
        for reference in self.reading.references.iter().filter(|reference| own(reference)) {
            let line = line_at(self.text, reference.line);
            match (reference.role, reference.part) {
                (Role::Segment, _) | (_, Part::Whole) => {}
                // It can match no part that follows.
                (_, Part::From(_)) => cuts.push(line),
                _ => {
                    let found = self.text.get(line.clone()).unwrap_or_default();
                    cuts.extend(
                        attribute.find_iter(found).map(|place| line.start + place.start()..line.start + place.end()),
                    );
                }
            }
        }
        cuts.sort_by_key(|cut| cut.start);
        let mut out = String::with_capacity(self.text.len());
        let mut copied = 0;
        for cut in cuts {
            out.push_str(self.text.get(copied..cut.start).unwrap_or_default());
            copied = cut.end;
        }
        out.push_str(self.text.get(copied..).unwrap_or_default());
        Ok(out.trim_start_matches('\u{feff}').to_owned())
    }

    /// The IV attribute needs version 2 (RFC 8216 section 7); two versions are an error in players.
    fn check_versions(&self, rewritten: &Reading) -> Result<(), String> {
        let (before, after) = (&self.reading.versions, &rewritten.versions);
        let raised = before.iter().map(|version| if version == "1" && self.edge.encrypts { "2" } else { version });
        let expected: Vec<&str> = match self.edge.encrypts
            && before.is_empty()
            && rewritten.keys.iter().any(|key| scope::is_ours(&key.list) && key.list.contains("IV="))
        {
            true => vec!["2"],
            false => raised.collect(),
        };
        if *after == expected { Ok(()) } else { Err(format!("versions {before:?} became {after:?}")) }
    }

    /// Every reference, before and after.
    fn check_references(&self, requested: &Requested, rewritten: &Reading, counts: &mut Tally) -> Result<(), String> {
        let keys = if self.edge.encrypts { Some(Keys::fetch(self.edge, &requested.site, rewritten)?) } else { None };
        // A hint that can match no part, and what METHOD=NONE must not have.
        let dropped = |r: &&Reference| {
            let matchless = matches!(r.part, Part::From(_)) && self.is_resource(r);
            keys.is_some() && (matchless || r.role == Role::Key && r.key.is_none())
        };
        let mut before = self.reading.references.iter().filter(|reference| !dropped(reference));
        for after in &rewritten.references {
            let failure = |what: &str| format!("{what}: {}", after.uri);
            let key = after.key.and_then(|index| rewritten.keys.get(index));
            if after.role == Role::Key && key.is_some_and(|key| scope::is_ours(&key.list)) {
                // Fetched already.
                requested.check(after).map_err(|what| failure(&what))?;
                continue;
            }
            if dropped(&after) {
                continue;
            }
            let origin = before.next().ok_or_else(|| failure("not in the input"))?;
            if origin.role != after.role {
                return Err(failure("out of order"));
            }
            let Some(plain) = self.own(&origin.uri) else {
                let under_key = is_media(after.role) && keys.as_ref().is_some_and(|keys| keys.cover(after));
                if after.uri != origin.uri && after.uri != self.variables.expand(&origin.uri) || under_key {
                    return Err(failure("another's URI was changed or is under our key"));
                }
                counts.count("URIs of others");
                continue;
            };
            requested.check(after).map_err(|what| failure(&what))?;
            let written = self.variables.expand(&origin.uri);
            requested.check_inherited(&written, &after.uri).map_err(|what| failure(&what))?;
            let url = requested.site.own(&after.uri).ok_or_else(|| failure("not ours any more"))?;
            let answer = match self.edge.request(&url) {
                Ok(answer) => answer,
                Err(reply) if reply.reason == Some(Reason::Target) && !is_plain(plain.path()) => {
                    counts.count("URIs whose path is refused");
                    continue;
                }
                Err(reply) => return Err(failure(&format!("refused with {} {:?}", reply.status, reply.reason))),
            };
            counts.count("URIs with a token");
            let expected = transport::target(&plain);
            if answer.path != expected {
                return Err(failure(&format!("the origin is asked for {}, expected {expected}", answer.path)));
            }
            self.check_by_rules(requested, &written, &after.uri, &url).map_err(|what| failure(&what))?;
            if let Some(keys) = &keys {
                scope::check(keys, origin, after, self.images, answer).map_err(|what| failure(&what))?;
            }
        }
        match before.next() {
            Some(lost) => Err(format!("lost: {}", lost.uri)),
            None => Ok(()),
        }
    }

    /// Resolved by the letter of RFC 3986, `after` leads to the target at the origin to which `before` led.
    fn check_by_rules(&self, requested: &Requested, before: &str, after: &str, url: &Url) -> Result<(), String> {
        let (Some(expected), Some(target)) = (self.site.by_rules(before), requested.site.by_rules(after)) else {
            return Ok(());
        };
        match self.edge.request_target(url, &target) {
            Ok(answer) if answer.path == undo::uri(&expected) => Ok(()),
            Ok(answer) => Err(format!("by RFC 3986 the origin is asked for {}, expected {expected}", answer.path)),
            Err(reply) => Err(format!("by RFC 3986 refused: {:?} {target}", reply.reason)),
        }
    }
}

fn last_line(playlist: &[u8]) -> Option<&str> {
    std::str::from_utf8(playlist).ok()?.lines().last()
}

fn is_media(role: Role) -> bool {
    matches!(role, Role::Segment | Role::Part | Role::Map)
}

/// Whether all servers interpret the path in the same way.
fn is_plain(path: &str) -> bool {
    !path.contains("//") && !path.contains("%2") && !path.contains("%5") && !path.contains("%7F")
}

fn line_at(text: &str, start: usize) -> Range<usize> {
    let begin = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| start + end + 1);
    begin..end
}
