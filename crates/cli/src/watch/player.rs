//! The player: follows playlists, fetches keys and segments, decrypts the segments and checks them.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::choice::{Choice, VariantChoice};
use super::client::{Client, Fetched, problem};
use super::report::{Kind, Problem, Report};
use crate::address::Address;
use crate::media::{self, Container};
use crate::mpd;
use crate::playlist::{Key, Map, Master, Media, Playlist, Segment};

/// The number of segments before the end of a live playlist at which players start.
pub(super) const LIVE_EDGE: usize = 3;
/// The number of consecutive failures after which the player gives up.
const MAX_FAILURES_IN_A_ROW: usize = 5;
/// Target durations without a new segment after which a live playlist is stale (RFC 8216 section 6.2.1: 1.5).
const STALE_TARGET_DURATIONS: u32 = 3;

/// A player.
pub struct Player {
    client: Client,
    pub(super) choice: Choice,
    pub(super) deadline: Instant,
    pub(super) shows_progress: bool,
    pub(super) report: Report,
    keys: BTreeMap<String, [u8; 16]>,
    inits: BTreeSet<(String, Option<(u64, u64)>)>,
    failed_in_a_row: usize,
}

/// A media playlist that is played.
pub(super) struct Track {
    pub(super) url: Address,
    imports: BTreeMap<String, String>,
    /// The media sequence number of the next segment.
    pub(super) next: Option<u64>,
    /// The paths of the segments at the last reload, by media sequence number.
    known: BTreeMap<u64, String>,
    container: Option<Container>,
    pub(super) played: usize,
    ended: bool,
    /// The time of the last new segment, and of the next reload.
    last_new: Instant,
    next_reload: Instant,
}

impl Player {
    /// A player that stops at the `deadline`.
    pub fn new(client: Client, choice: Choice, deadline: Instant, shows_progress: bool) -> Self {
        Self {
            client,
            choice,
            deadline,
            shows_progress,
            report: Report::default(),
            keys: BTreeMap::new(),
            inits: BTreeSet::new(),
            failed_in_a_row: 0,
        }
    }

    /// The report, with the time that playing took.
    pub fn into_report(self, took: Duration) -> Report {
        Report { took, ..self.report }
    }

    /// Plays the playlist or MPD at `url`.
    ///
    /// # Errors
    /// The problem that stopped the player; all problems are in the report.
    pub fn play(&mut self, url: &Address) -> Result<(), Problem> {
        let fetched = self.fetch(Kind::Playlist, url, None)?;
        if let Some(text) = mpd::text_in(&fetched.body) {
            return self.play_mpd(&fetched.url, text);
        }
        let mut tracks = match self.parsed(url, fetched, &BTreeMap::new())? {
            (Playlist::Media(media), url) => {
                let mut track = Track::new(url);
                self.follow(&mut track, &media)?;
                vec![track]
            }
            (Playlist::Master(master), base) => self.tracks(&master, &base)?,
        };
        self.report.tracks = tracks.len();
        while Instant::now() < self.deadline {
            let Some(track) =
                tracks.iter_mut().filter(|track| !self.is_done(track)).min_by_key(|track| track.next_reload)
            else {
                break;
            };
            let wait = track.next_reload.min(self.deadline).saturating_duration_since(Instant::now());
            sleep(wait);
            if Instant::now() < self.deadline {
                let (media, _) = self.media(track)?;
                self.follow(track, &media)?;
            }
        }
        self.report.ended = !tracks.is_empty() && tracks.iter().all(|track| track.ended);
        Ok(())
    }

    fn is_done(&self, track: &Track) -> bool {
        track.ended || track.played >= self.choice.segments
    }

    /// The chosen media playlists of a multivariant playlist.
    fn tracks(&mut self, master: &Master, base: &Address) -> Result<Vec<Track>, Problem> {
        let variants = &master.variants;
        let chosen = match self.choice.variant {
            None => None,
            Some(VariantChoice::First) => variants.first(),
            Some(VariantChoice::Best) => variants.iter().max_by_key(|variant| variant.bandwidth),
            Some(VariantChoice::Least) => variants.iter().min_by_key(|variant| variant.bandwidth),
        };
        let mut uris: Vec<&str> = match chosen {
            Some(variant) => {
                let of_group = master
                    .renditions
                    .iter()
                    .filter(|it| it.kind == "AUDIO" && Some(&it.group) == variant.audio.as_ref());
                let audio = of_group.clone().find(|it| it.is_default).or_else(|| of_group.clone().next());
                [variant.uri.as_str()].into_iter().chain(audio.map(|it| it.uri.as_str())).collect()
            }
            None => {
                let renditions = master.renditions.iter().map(|it| it.uri.as_str());
                variants.iter().map(|it| it.uri.as_str()).chain(renditions).collect()
            }
        };
        let mut seen = BTreeSet::new();
        uris.retain(|uri| seen.insert(*uri));
        if uris.is_empty() {
            return Err(problem(
                Kind::Playlist,
                base,
                None,
                "no variant; expected at least one EXT-X-STREAM-INF".into(),
            ));
        }
        uris.into_iter()
            .map(|uri| {
                let url = base
                    .join(uri)
                    .map_err(|error| problem(Kind::Playlist, base, None, format!("\"{uri}\": {error}")))?;
                Ok(Track { imports: master.variables.clone(), ..Track::new(url) })
            })
            .collect()
    }

    fn playlist(&mut self, url: &Address, imports: &BTreeMap<String, String>) -> Result<(Playlist, Address), Problem> {
        let fetched = self.fetch(Kind::Playlist, url, None)?;
        self.parsed(url, fetched, imports)
    }

    fn parsed(
        &mut self,
        url: &Address,
        fetched: Fetched,
        imports: &BTreeMap<String, String>,
    ) -> Result<(Playlist, Address), Problem> {
        let wrong = |error: String| problem(Kind::Playlist, url, None, error);
        let text = String::from_utf8(fetched.body).map_err(|_| wrong("not UTF-8; expected a playlist".into()));
        let parsed = text.and_then(|text| Playlist::parse(&text, Some(imports)).map_err(wrong));
        match parsed {
            Ok(playlist) => Ok((playlist, fetched.url)),
            Err(problem) => Err(self.record(problem)),
        }
    }

    fn media(&mut self, track: &Track) -> Result<(Media, Address), Problem> {
        match self.playlist(&track.url, &track.imports)? {
            (Playlist::Media(media), url) => Ok((media, url)),
            (Playlist::Master(_), url) => Err(self.record(problem(
                Kind::Playlist,
                &url,
                None,
                "a multivariant playlist; expected a media playlist".into(),
            ))),
        }
    }

    /// Plays the new segments of a media playlist.
    fn follow(&mut self, track: &mut Track, media: &Media) -> Result<(), Problem> {
        self.check_continuity(track, media);
        let from = match track.next {
            Some(next) => next,
            None if media.ended => media.sequence,
            None => {
                let before = media.segments.len().saturating_sub(LIVE_EDGE);
                media.sequence.saturating_add(before as u64)
            }
        };
        let mut any = false;
        for segment in media.segments.iter().filter(|segment| segment.number >= from) {
            if track.played >= self.choice.segments || Instant::now() >= self.deadline {
                break;
            }
            any = true;
            self.segment(track, segment)?;
            track.played += 1;
            track.next = Some(segment.number.saturating_add(1));
            self.progress(track, media.segments.len(), media.ended);
        }
        track.next = track.next.or(Some(from));
        let last = media.segments.last().map_or(media.sequence, |segment| segment.number.saturating_add(1));
        track.ended = media.ended && track.next >= Some(last);
        let target = Duration::from_secs(media.target_duration.clamp(1, 60));
        let now = Instant::now();
        if any {
            track.last_new = now;
        } else if !track.ended && now.duration_since(track.last_new) > target * STALE_TARGET_DURATIONS {
            track.last_new = now;
            let text =
                format!("no new segment for {STALE_TARGET_DURATIONS} target durations of {} s", target.as_secs());
            self.record(problem(Kind::Playlist, &track.url, None, text));
        }
        // RFC 8216 section 6.3.4: after a target duration, or half of it if nothing had changed.
        track.next_reload = now.checked_add(if any { target } else { target / 2 }).unwrap_or(now);
        Ok(())
    }

    /// Records a problem if the reloaded playlist does not continue the previous one.
    fn check_continuity(&mut self, track: &mut Track, media: &Media) {
        let path = |uri: &str| uri.split(['?', '#']).next().unwrap_or_default().to_owned();
        let now: BTreeMap<u64, String> = media.segments.iter().map(|it| (it.number, path(&it.uri))).collect();
        let mut wrong = None;
        if let Some(next) = track.next {
            let end = media.sequence.saturating_add(media.segments.len() as u64);
            if media.sequence > next {
                wrong = Some(format!(
                    "segments {next} to {} are missing: they were removed before the playlist was reloaded",
                    media.sequence - 1
                ));
            } else if end < next {
                wrong = Some(format!("the media sequence went back from {next} to {end}"));
            } else if let Some((number, _)) =
                now.iter().find(|(number, path)| track.known.get(number).is_some_and(|known| known != *path))
            {
                wrong = Some(format!("segment {number} has another URI than before"));
            }
        }
        if let Some(text) = wrong {
            self.record(problem(Kind::Playlist, &track.url, None, text));
            track.next = track
                .next
                .map(|next| next.max(media.sequence).min(media.sequence.saturating_add(media.segments.len() as u64)));
        }
        track.known = now;
    }

    /// Plays one segment; consecutive failures stop the player.
    pub(super) fn segment(&mut self, track: &mut Track, segment: &Segment) -> Result<(), Problem> {
        if segment.gap {
            return Ok(());
        }
        match self.play_segment(track, segment) {
            Ok(()) => {
                self.failed_in_a_row = 0;
                Ok(())
            }
            Err(problem) => {
                self.failed_in_a_row += 1;
                if self.failed_in_a_row >= MAX_FAILURES_IN_A_ROW { Err(problem) } else { Ok(()) }
            }
        }
    }

    fn play_segment(&mut self, track: &mut Track, segment: &Segment) -> Result<(), Problem> {
        if let Some(map) = &segment.map {
            self.init(track, map)?;
        }
        let url = self.joined(Kind::Segment, track, &segment.uri)?;
        let fetched = self.fetch(Kind::Segment, &url, segment.range)?;
        let wrong = |text: String| problem(Kind::Segment, &url, None, text);
        let clear = match &segment.key {
            None if self.choice.encrypted => {
                return Err(self.record(wrong("in clear; expected an encrypted segment (--encrypted)".into())));
            }
            None => Ok(fetched.body),
            Some(key) if key.method != "AES-128" => {
                Err(wrong(format!("METHOD {} is not supported; expected AES-128", key.method)))
            }
            Some(key) => {
                let secret = self.key(track, key)?;
                let iv = key.iv.unwrap_or_else(|| u128::from(segment.number).to_be_bytes());
                media::decrypt(&fetched.body, &secret, &iv).map_err(wrong)
            }
        };
        let looked = clear.and_then(|bytes| media::examine(&bytes).map_err(wrong));
        let container = looked.map_err(|problem| self.record(problem))?;
        let before = track.container.replace(container).filter(|_| !segment.discontinuity);
        if let Some(before) = before.filter(|before| *before != container) {
            return Err(
                self.record(wrong(format!("{container} after {before}; expected EXT-X-DISCONTINUITY between them")))
            );
        }
        self.report.segments += 1;
        self.report.encrypted += usize::from(segment.key.is_some());
        self.report.seconds += segment.duration;
        Ok(())
    }

    /// Fetches an init section, once.
    fn init(&mut self, track: &Track, map: &Map) -> Result<(), Problem> {
        let url = self.joined(Kind::Init, track, &map.uri)?;
        let name = (url.to_string(), map.range);
        if self.inits.contains(&name) {
            return Ok(());
        }
        let fetched = self.fetch(Kind::Init, &url, map.range)?;
        let clear = match &map.key {
            Some(Key { iv: Some(iv), method, .. }) if method == "AES-128" => {
                let key = map.key.clone();
                let secret = key.map(|key| self.key(track, &key)).transpose()?.unwrap_or_default();
                media::decrypt(&fetched.body, &secret, iv)
            }
            _ => Ok(fetched.body),
        };
        let looked = clear.and_then(|bytes| media::examine(&bytes));
        let known = looked.and_then(|container| match container {
            Container::Unknown => Err("unknown format; expected an init section".to_owned()),
            _ => Ok(()),
        });
        known.map_err(|text| self.record(problem(Kind::Init, &url, None, text)))?;
        self.inits.insert(name);
        Ok(())
    }

    /// Fetches a key, once.
    fn key(&mut self, track: &Track, key: &Key) -> Result<[u8; 16], Problem> {
        let url = self.joined(Kind::Key, track, &key.uri)?;
        let name = url.to_string();
        if let Some(key) = self.keys.get(&name) {
            return Ok(*key);
        }
        let body = self.fetch(Kind::Key, &url, None)?.body;
        let length = body.len();
        let key = body
            .try_into()
            .map_err(|_| problem(Kind::Key, &url, None, format!("{length} bytes, expected a key of 16")));
        let key: [u8; 16] = key.map_err(|problem| self.record(problem))?;
        self.keys.insert(name, key);
        Ok(key)
    }

    fn joined(&mut self, kind: Kind, track: &Track, uri: &str) -> Result<Address, Problem> {
        track.url.join(uri).map_err(|error| self.record(problem(kind, &track.url, None, format!("URI: {error}"))))
    }

    pub(super) fn fetch(&mut self, kind: Kind, url: &Address, range: Option<(u64, u64)>) -> Result<Fetched, Problem> {
        match self.client.fetch(kind, url, range) {
            Ok(fetched) => {
                self.report.responses.push((kind, fetched.body.len() as u64, fetched.took));
                Ok(fetched)
            }
            Err(problem) => Err(self.record(problem)),
        }
    }

    pub(super) fn record(&mut self, problem: Problem) -> Problem {
        self.report.problems.push(problem.clone());
        problem
    }
}

impl Track {
    pub(super) fn new(url: Address) -> Self {
        let now = Instant::now();
        Self {
            url,
            imports: BTreeMap::new(),
            next: None,
            known: BTreeMap::new(),
            container: None,
            played: 0,
            ended: false,
            last_new: now,
            next_reload: now,
        }
    }
}
