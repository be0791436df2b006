//! One stream's offers: which bytes an Envoy gets and when, by what it answers. No input, no output, no clock.

use std::sync::Arc;
use std::time::Duration;

use super::refusals::{Backoff, Refusals};

/// The policies that the network's Envoys should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Revision of the network.
    pub revision: i64,
    /// Version of the resource.
    pub version: Arc<str>,
}

/// An event on the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// The first request, with the version that the process has accepted: empty if none.
    Opened(&'a str),
    /// The network has new policies.
    Published(Target),
    /// A later request. It answers the response with this nonce.
    Answered {
        /// The response's nonce.
        nonce: &'a str,
        /// `error_detail`, if the response was refused.
        error: Option<&'a str>,
    },
    /// The time of [`Action::Wake`] has come.
    Woken,
}

/// An action of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send the current target, with spaces behind the document, under a nonce.
    Send {
        /// Number of spaces.
        spaces: u32,
        /// Number of the response on this stream, from 1.
        nonce: u64,
    },
    /// Record that this revision was accepted, as far as Envoy says so.
    Acknowledged(i64),
    /// Record that this revision was refused.
    Refused(i64, String),
    /// Call again at this time, in place of an earlier one.
    Wake(Duration),
}

/// Offers on one stream. At most one response is unanswered; newer policies wait for its answer and replace each other.
#[derive(Debug)]
pub struct Offer {
    backoff: Backoff,
    target: Option<Target>,
    /// The process has no configuration, so that its listener is shut.
    fresh: bool,
    opened: bool,
    /// The version that the process has accepted.
    accepted: Option<Arc<str>>,
    unanswered: Option<Sent>,
    nonce: u64,
}

#[derive(Debug, Clone)]
struct Sent {
    target: Target,
    spaces: u32,
}

impl Offer {
    /// Begins with the network's policies, if it has any yet.
    pub fn new(target: Option<Target>, backoff: Backoff) -> Self {
        Self { backoff, target, fresh: false, opened: false, accepted: None, unanswered: None, nonce: 0 }
    }

    /// Handles an event at `now`, a time since any fixed moment. `refusals` are those of the node.
    pub fn on(&mut self, event: Event<'_>, refusals: &mut Refusals, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Opened(version) => {
                self.opened = true;
                self.fresh = version.is_empty();
                self.accepted = Some(version).filter(|it| !it.is_empty() && refusals.may_run(it)).map(Arc::from);
                if let Some(target) = self.target.as_ref().filter(|it| self.accepted.as_ref() == Some(&it.version)) {
                    actions.push(Action::Acknowledged(target.revision));
                }
            }
            Event::Published(target) => self.target = Some(target),
            Event::Answered { nonce, error } => self.answered(nonce, error, refusals, now, &mut actions),
            Event::Woken => {}
        }
        self.offer(refusals, now, &mut actions);
        actions
    }

    fn answered(
        &mut self,
        nonce: &str,
        error: Option<&str>,
        refusals: &mut Refusals,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        // Another nonce is stale: it answers an earlier response, or one of another stream.
        let Some(sent) = self.unanswered.take_if(|_| nonce == self.nonce.to_string()) else { return };
        let Target { revision, version } = sent.target;
        match error {
            Some(error) => {
                refusals.refuse(&version, sent.spaces, now, self.backoff);
                actions.push(Action::Refused(revision, error.to_owned()));
            }
            // Another process with the same name has refused the same bytes in the meantime.
            None if refusals.contains(&version, sent.spaces) => {}
            None => {
                refusals.accept(&version);
                self.fresh = false;
                self.accepted = Some(version);
                actions.push(Action::Acknowledged(revision));
            }
        }
    }

    fn offer(&mut self, refusals: &Refusals, now: Duration, actions: &mut Vec<Action>) {
        let Some(target) = self.target.as_ref().filter(|_| self.opened && self.unanswered.is_none()) else { return };
        if self.accepted.as_ref() == Some(&target.version) {
            return;
        }
        let first = self.fresh && self.nonce == 0;
        let next = if first { refusals.soonest(&target.version) } else { refusals.next(&target.version) };
        if now < next {
            actions.push(Action::Wake(next));
            return;
        }
        let spaces = refusals.spaces(&target.version);
        self.nonce += 1;
        self.unanswered = Some(Sent { target: target.clone(), spaces });
        actions.push(Action::Send { spaces, nonce: self.nonce });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events and actions as the words of `offer.txt`.
    fn handle(offer: &mut Offer, refusals: &mut Refusals, now: u64, words: &[&str]) -> String {
        let event = match *words {
            ["open", version] => Event::Opened(version.trim_matches('"')),
            ["publish", number] => Event::Published(target(number)),
            ["ack", nonce] => Event::Answered { nonce, error: None },
            ["nack", nonce] => Event::Answered { nonce, error: Some("no") },
            ["wake"] => Event::Woken,
            _ => panic!("unknown event {words:?}"),
        };
        let actions = offer.on(event, refusals, Duration::from_secs(now));
        let words = actions.into_iter().map(|action| match action {
            Action::Send { spaces, nonce } => format!("send +{spaces} #{nonce}"),
            Action::Acknowledged(revision) => format!("acknowledged {revision}"),
            Action::Refused(revision, reason) => format!("refused {revision} {reason}"),
            Action::Wake(at) => format!("wake {}", at.as_secs()),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn target(number: &str) -> Target {
        Target { revision: number.parse().unwrap(), version: number.into() }
    }

    #[test]
    fn the_table() {
        let mut checked = 0;
        let mut refusals = Refusals::default();
        let (mut offers, mut published) = (Vec::<Offer>::new(), None);
        for (index, line) in include_str!("offer.txt").lines().enumerate() {
            let at = format!("offer.txt:{}: {line}", index + 1);
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            if line.starts_with("==") {
                (refusals, offers, published) = (Refusals::default(), Vec::new(), None);
                continue;
            }
            let (event, expected) = line.split_once('|').expect(&at);
            let mut words: Vec<_> = event.split_whitespace().collect();
            let now = words.remove(0).parse().expect(&at);
            // `2:` names a stream other than the first.
            let stream = match words[0].strip_suffix(':') {
                Some(number) => {
                    words.remove(0);
                    number.parse::<usize>().expect(&at) - 1
                }
                None => 0,
            };
            if words[0] == "publish" && offers.len() <= stream {
                published = Some(target(words[1]));
                continue;
            }
            if words[0] == "open" {
                offers.resize_with(offers.len().max(stream + 1), || Offer::new(None, Backoff::default()));
                if let Some(current) = offers[stream].target.clone() {
                    published = Some(current);
                }
                offers[stream] = Offer::new(published.clone(), Backoff::default());
            }
            assert_eq!(handle(&mut offers[stream], &mut refusals, now, &words), expected.trim(), "{at}");
            checked += 1;
        }
        assert!(checked > 50, "{checked} lines");
    }

    /// In every history of events, refused bytes are not sent again, and no more than one response is unanswered.
    #[test]
    fn refused_bytes_are_never_sent_again() {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for _ in 0..300 {
            let (mut refusals, mut offers) = (Refusals::default(), Vec::new());
            let (mut refused, mut sent) = (Vec::new(), Vec::new());
            let mut current = target("1");
            for _ in 0..2 {
                offers.push(Offer::new(Some(current.clone()), Backoff::default()));
                sent.push(None);
            }
            for now in 0..120 {
                let stream = usize::try_from(next(2)).unwrap();
                let answer = sent[stream].clone();
                let nonce =
                    answer.as_ref().map_or_else(|| next(4).to_string(), |(nonce, ..): &(u64, _, _)| nonce.to_string());
                let (word, opened) = (next(8), offers[stream].opened);
                let event = match word {
                    _ if !opened => Event::Opened(["", "1"][usize::try_from(next(2)).unwrap()]),
                    0 => {
                        (offers[stream], sent[stream]) = (Offer::new(Some(current.clone()), Backoff::default()), None);
                        Event::Opened(["", "1", "2"][usize::try_from(next(3)).unwrap()])
                    }
                    1 => {
                        current = target(&(1 + next(4)).to_string());
                        Event::Published(current.clone())
                    }
                    2 => Event::Woken,
                    3 | 4 => Event::Answered { nonce: &nonce, error: None },
                    _ => Event::Answered { nonce: &nonce, error: Some("no") },
                };
                if let (Event::Answered { error, .. }, Some((_, version, spaces))) = (&event, answer) {
                    sent[stream] = None;
                    if error.is_some() {
                        refused.push((version, spaces));
                    }
                }
                for action in offers[stream].on(event, &mut refusals, Duration::from_secs(now * 3)) {
                    if let Action::Send { spaces, nonce } = action {
                        let version = offers[stream].target.clone().unwrap().version;
                        assert!(!refused.contains(&(Arc::clone(&version), spaces)), "{version} +{spaces}");
                        assert!(sent[stream].replace((nonce, version, spaces)).is_none(), "two unanswered");
                    }
                }
            }
        }
    }
}
