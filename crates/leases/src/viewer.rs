//! The leases of one viewer: the rules, without a store. `store/redis/ask.lua` has the same rules.

use std::collections::VecDeque;

use crate::Millis;
use crate::answer::Answer;
use crate::periods::Periods;
use crate::question::{Client, Question};
use crate::session::SessionId;
use crate::terms::{OnLimit, Terms};

/// The leases of one viewer, and the sessions of the viewer that were ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    leases: Vec<Lease>,
    /// In the order of their end.
    ended: VecDeque<Ended>,
}

/// A session's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The session.
    pub session: SessionId,
    /// Name of its policy.
    pub policy: String,
    /// Its stream, or its path patterns.
    pub stream: String,
    /// The viewer's network.
    pub client: Option<Client>,
    /// Beginning.
    pub since: Millis,
    /// Time of the last question that was granted.
    pub renewed: Millis,
    /// End, unless it is renewed.
    pub expires: Millis,
    /// The time up to which the keys that were given suffice at double speed.
    pace: Millis,
    /// The periods whose keys were given.
    periods: Periods,
    /// How long the session is remembered once it is ended.
    session_lasts: Millis,
}

/// A session that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended {
    session: SessionId,
    until: Millis,
}

impl Viewer {
    /// How many ended sessions are remembered. More can only come from a viewer who opens sessions without pause; the
    /// oldest of them may then begin anew, as a newcomer.
    pub const REMEMBERED: usize = 32;

    /// Decides whether a session of this viewer may have a key at `now`, and keeps its lease.
    ///
    /// Never more than `question.limit` leases are live afterwards, if all questions have the same limit. A limit that
    /// became smaller holds for each session from its next question on.
    pub fn ask(&mut self, now: Millis, question: &Question) -> Answer {
        self.forget(now);
        if self.ended.iter().any(|ended| ended.session == question.session) {
            return Answer::Ended;
        }
        let limit = usize::try_from(question.limit).unwrap_or(usize::MAX);
        let Some(at) = self.leases.iter().position(|lease| lease.session == question.session) else {
            return self.begin(now, question, limit);
        };
        let before = |lease: &&Lease| self.leases.get(at).is_some_and(|own| lease.order() < own.order());
        let older = self.leases.iter().filter(before).count();
        let newer = self.leases.len().saturating_sub(older).saturating_sub(1);
        match question.terms.on_limit {
            OnLimit::RefuseNew if older >= limit => {
                self.leases.remove(at);
                Answer::Limit
            }
            OnLimit::EndOldest if newer >= limit => {
                self.end_at(now, at);
                Answer::Ended
            }
            _ => match self.leases.get_mut(at) {
                Some(lease) => lease.renew(now, question),
                None => Answer::Limit,
            },
        }
    }

    /// Begins a lease.
    fn begin(&mut self, now: Millis, question: &Question, limit: usize) -> Answer {
        while self.leases.len() >= limit {
            let oldest = self.leases.iter().enumerate().min_by_key(|(_, lease)| lease.order());
            match oldest.map(|(at, _)| at) {
                Some(at) if question.terms.on_limit == OnLimit::EndOldest => self.end_at(now, at),
                _ => return Answer::Limit,
            }
        }
        let mut lease = Lease::begin(now, question);
        let answer = lease.renew(now, question);
        self.leases.push(lease);
        answer
    }

    /// Ends one session, or all, as an operator wants. Returns how many had a live lease.
    pub fn end(&mut self, now: Millis, session: Option<SessionId>) -> u64 {
        self.forget(now);
        let mut count = 0;
        let wanted = |lease: &Lease| session.is_none_or(|session| session == lease.session);
        while let Some(at) = self.leases.iter().position(wanted) {
            self.end_at(now, at);
            count += 1;
        }
        count
    }

    fn end_at(&mut self, now: Millis, at: usize) {
        let lease = self.leases.remove(at);
        if self.ended.len() >= Self::REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { session: lease.session, until: now.saturating_add(lease.session_lasts) });
    }

    /// Drops what has ended by `now`.
    pub fn forget(&mut self, now: Millis) {
        self.leases.retain(|lease| lease.expires > now);
        self.ended.retain(|ended| ended.until > now);
    }

    /// The leases, live at the time of the last [`Self::ask`], [`Self::end`] or [`Self::forget`].
    pub fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// Whether nothing is known of the viewer.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.ended.is_empty()
    }
}

impl Lease {
    fn begin(now: Millis, question: &Question) -> Self {
        Self {
            session: question.session,
            policy: String::new(),
            stream: String::new(),
            client: None,
            since: now,
            renewed: now,
            expires: now,
            pace: now,
            periods: Periods::default(),
            session_lasts: question.terms.session,
        }
    }

    /// The order of leases: by their beginning, then by their session.
    fn order(&self) -> (Millis, SessionId) {
        (self.since, self.session)
    }

    /// Renews the lease for a key, if the session has not too many keys ahead.
    fn renew(&mut self, now: Millis, question: &Question) -> Answer {
        let Terms { period, grace, keys_ahead, session, .. } = question.terms;
        if let Some(number) = question.period.filter(|number| !self.periods.contains(*number)) {
            // Half a period each: real periods are shorter than announced, and players may play at double speed.
            let pace = self.pace.max(now).saturating_add(period / 2);
            let most = (u64::from(keys_ahead) + 1).saturating_mul(period / 2);
            if pace.saturating_sub(now) > most {
                return Answer::Ahead;
            }
            self.pace = pace;
            self.periods.insert(number);
        }
        let by_keys = self.pace.saturating_sub(now).saturating_mul(2).max(period);
        self.expires = self.expires.max(now.saturating_add(by_keys).saturating_add(grace));
        self.renewed = now;
        self.policy.clone_from(&question.policy);
        self.stream.clone_from(&question.stream);
        self.client = question.client;
        self.session_lasts = session;
        Answer::Granted
    }
}

#[cfg(test)]
mod tests;
