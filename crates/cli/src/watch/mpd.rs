//! The player on MPDs: the chosen Representations, reloaded as long as the presentation is live.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::choice::VariantChoice;
use super::client::problem;
use super::player::{LIVE_EDGE, Player, Track};
use super::report::{Kind, Problem};
use crate::address::Address;
use crate::mpd::{Mpd, Representation};
use crate::playlist::Segment;
use crate::time::Moment;

/// The longest time between two reloads, and the time if the MPD names none, in seconds.
const RELOAD: (f64, f64) = (60.0, 2.0);
/// Time without a new segment after which a live MPD is stale, in durations of its longest segment.
const STALE: f64 = 3.0;

/// A Representation that is played.
struct Played {
    id: String,
    track: Track,
    /// The segments that were played or skipped, by URL and byte range.
    known: BTreeSet<(String, Option<(u64, u64)>)>,
    last_new: Instant,
}

impl Player {
    /// Plays the MPD `text` that `url` led to.
    ///
    /// # Errors
    /// The problem that stopped the player; all problems are in the report.
    pub fn play_mpd(&mut self, url: &Address, text: &str) -> Result<(), Problem> {
        let mut mpd = self.mpd(url, text)?;
        let ids = self.chosen(&mpd);
        if ids.is_empty() {
            return Err(self.record(problem(
                Kind::Playlist,
                url,
                None,
                "no Representation; expected at least one".into(),
            )));
        }
        let now = Instant::now();
        let start = |id| Played { id, track: Track::new(url.clone()), known: BTreeSet::new(), last_new: now };
        let mut played: Vec<Played> = ids.into_iter().map(start).collect();
        self.report.tracks = played.len();
        let mut from = mpd.location.clone().unwrap_or_else(|| url.clone());
        loop {
            for it in &mut played {
                self.follow_mpd(it, &mpd)?;
            }
            let enough = played.iter().all(|it| it.track.played >= self.choice.segments);
            self.report.ended = !mpd.dynamic && Instant::now() < self.deadline;
            if !mpd.dynamic || enough || Instant::now() >= self.deadline {
                return Ok(());
            }
            let wait = Duration::from_secs_f64(mpd.update.unwrap_or(RELOAD.1).clamp(0.5, RELOAD.0));
            sleep(wait.min(self.deadline.saturating_duration_since(Instant::now())));
            let fetched = self.fetch(Kind::Playlist, &from, None)?;
            let text = String::from_utf8_lossy(&fetched.body).into_owned();
            mpd = self.mpd(&fetched.url, &text)?;
            from = mpd.location.clone().unwrap_or(from);
        }
    }

    fn mpd(&mut self, url: &Address, text: &str) -> Result<Mpd, Problem> {
        let parsed = Mpd::parse(text, url, Moment::or_now(None));
        parsed.map_err(|error| self.record(problem(Kind::Playlist, url, None, format!("MPD: {error}"))))
    }

    /// The ids of the Representations to play: one of video and one of audio, or all of them.
    fn chosen(&self, mpd: &Mpd) -> Vec<String> {
        let of = |kind: &'static str| mpd.representations.iter().filter(move |it| it.kind == kind);
        let all = || mpd.representations.iter();
        let pick = |mut found: Vec<&Representation>| {
            match self.choice.variant {
                None | Some(VariantChoice::First) => {}
                Some(VariantChoice::Best) => found.sort_by_key(|it| u64::MAX - it.bandwidth),
                Some(VariantChoice::Least) => found.sort_by_key(|it| it.bandwidth),
            }
            found.first().map(|it| it.id.clone())
        };
        if self.choice.variant.is_none() {
            return all().map(|it| it.id.clone()).collect();
        }
        let audio = of("audio").next().map(|it| it.id.clone());
        let found: Vec<String> = [pick(of("video").collect()), audio].into_iter().flatten().collect();
        if found.is_empty() { pick(all().collect()).into_iter().collect() } else { found }
    }

    /// Plays the new segments of a Representation.
    fn follow_mpd(&mut self, played: &mut Played, mpd: &Mpd) -> Result<(), Problem> {
        let Some(found) = mpd.representations.iter().find(|it| it.id == played.id) else {
            let text = format!("Representation {} is no longer in the MPD", played.id);
            return Err(self.record(problem(Kind::Playlist, &played.track.url, None, text)));
        };
        let name = |segment: &Segment| (segment.uri.clone(), segment.range);
        if mpd.dynamic && played.known.is_empty() {
            let before = found.segments.len().saturating_sub(LIVE_EDGE);
            played.known.extend(found.segments.iter().take(before).map(name));
        }
        let mut any = false;
        for segment in &found.segments {
            if played.track.played >= self.choice.segments || Instant::now() >= self.deadline {
                break;
            }
            if !played.known.insert(name(segment)) {
                continue;
            }
            any = true;
            self.segment(&mut played.track, segment)?;
            played.track.played += 1;
            self.progress(&played.track, found.segments.len(), !mpd.dynamic);
        }
        let longest = found.segments.iter().map(|segment| segment.duration).fold(1.0, f64::max);
        if any {
            played.last_new = Instant::now();
        } else if mpd.dynamic && played.last_new.elapsed().as_secs_f64() > STALE * longest + mpd.update.unwrap_or(0.0) {
            played.last_new = Instant::now();
            let text = format!("no new segment of Representation {} for {STALE} segment durations", played.id);
            self.record(problem(Kind::Playlist, &played.track.url, None, text));
        }
        Ok(())
    }
}
