//! Leases in Redis, for any number of services.
//!
//! A question is one round trip: a script (`ask.lua`) that decides atomically, by the rules of `viewer.rs`. The clock is
//! the server's, so that those of the services may differ. Keys expire by themselves; `keys.rs` describes them.
//!
//! The store is one primary, Redis 6 or newer or Valkey, with or without replicas. After a failover the same address (a
//! proxy, a name, a virtual address) must lead to the new primary. Replication is asynchronous, so that leases of the last
//! moment may be missing there. Redis Cluster is not supported: the keys of a script are of several slots. A server that
//! evicts keys (`maxmemory-policy` other than `noeviction`) would forget leases.
//!
//! Commands, for access control lists: EVAL, EVALSHA, PING, TIME, SELECT with a database in the URL, HDEL, HGET, HMGET, HSET,
//! DEL, PEXPIREAT, PTTL, ZADD, ZCOUNT, ZRANGEBYLEX, ZRANGEBYSCORE, ZREM, ZSCAN and ZSCORE, on keys `playlock:*`.

mod keys;
mod link;
mod list;
mod url;

use std::time::Duration;

use redis::{Script, ToRedisArgs, pipe};

use crate::Millis;
use crate::answer::Answer;
use crate::question::{Question, Realm};
use crate::session::{Counts, Filter, Page, Which};
use crate::store::Unavailable;
use crate::terms::OnLimit;
use link::{Fault, Link};

pub use link::Notice;
pub use url::{NotRedis, RedisUrl};

/// The longest duration of terms in milliseconds, 100 years, as for [`crate::Terms::parse`]. All sums of a script are below
/// 2^53 then, up to where Lua's numbers are exact.
const LONGEST: Millis = 100 * 366 * 86400 * 1000;

/// Leases in Redis.
#[derive(Debug)]
pub struct Redis {
    /// For questions.
    questions: Link,
    /// For operators, whose lists must not be in a question's way.
    operators: Link,
    ask: Source,
    end: Source,
}

impl Redis {
    /// The longest wait for the server, without an option.
    pub const TIMEOUT: Duration = Duration::from_millis(250);

    /// Reads a time to wait: 1ms to 60s, as `250ms` or `2s`.
    ///
    /// # Errors
    /// A text that says what would be right.
    pub fn timeout(text: &str) -> Result<Duration, &'static str> {
        let (digits, unit) = match text.strip_suffix("ms") {
            Some(digits) => (digits, 1),
            None => (text.strip_suffix('s').unwrap_or_default(), 1000),
        };
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
        let millis = number.and_then(|number| number.checked_mul(unit)).filter(|millis| (1..=60_000).contains(millis));
        millis.map(Duration::from_millis).ok_or("expected 1ms to 60s, such as 250ms")
    }

    /// A store that begins to connect, and answers [`Unavailable`] until it has. No request to the server waits longer than
    /// `timeout`. `notice` gets a word when a connection is made, and when none can be made for a new reason.
    ///
    /// # Errors
    /// [`Unavailable`] if the URL has an address of an unknown kind.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(url: &RedisUrl, timeout: Duration, notice: Notice) -> Result<Self, Unavailable> {
        Ok(Self {
            questions: Link::new(url, timeout, notice)?,
            operators: Link::new(url, timeout, |_| ())?,
            ask: Source::new(concat!(include_str!("viewer.lua"), include_str!("ask.lua"))),
            end: Source::new(concat!(include_str!("viewer.lua"), include_str!("end.lua"))),
        })
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn ping(&self) -> Result<(), Unavailable> {
        let mut commands = pipe();
        commands.cmd("PING").ignore();
        Ok(self.questions.call(&commands, self.questions.deadline()).await?)
    }

    /// Decides whether a session may have a key at `now`, and keeps its lease. Without `now` the server's clock counts;
    /// only tests have another.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn ask(&self, now: Option<Millis>, question: &Question) -> Result<Answer, Unavailable> {
        let Question { realm, terms, viewer, limit, session, policy, stream, client, period } = question;
        let mut call = Call::new(*realm, now, &terms.group, viewer);
        let rule = match terms.on_limit {
            OnLimit::RefuseNew => "refuse-new",
            OnLimit::EndOldest => "end-oldest",
        };
        call.add(&session.bytes()[..]).add(&terms.group).add(policy).add(keys::details(*client, stream));
        call.add(*limit).add(rule).add(terms.period.min(LONGEST)).add(terms.grace.min(LONGEST));
        call.add(terms.keys_ahead).add(terms.session.min(LONGEST));
        let bytes = |number: Option<u64>| number.map(|number| number.to_be_bytes().to_vec()).unwrap_or_default();
        let neighbour = |step: fn(u64, u64) -> Option<u64>| bytes(period.and_then(|period| step(period, 1)));
        call.add(neighbour(u64::checked_sub)).add(bytes(*period)).add(neighbour(u64::checked_add));
        match call.run(&self.questions, &self.ask).await? {
            1 => Ok(Answer::Granted),
            2 => Ok(Answer::Limit),
            3 => Ok(Answer::Ended),
            4 => Ok(Answer::Ahead),
            other => Err(Unavailable(format!("its script answers {other}"))),
        }
    }

    /// Ends sessions. Returns how many had a live lease.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn end(&self, now: Option<Millis>, which: &Which) -> Result<u64, Unavailable> {
        let Which { realm, group, viewer, session } = which;
        let mut call = Call::new(*realm, now, group, viewer);
        call.add(session.map(|session| session.bytes().to_vec()).unwrap_or_default());
        call.run(&self.operators, &self.end).await
    }

    /// Up to `limit` live sessions after `cursor`, by their beginning. If few sessions pass the filter, a page may be
    /// shorter and have a `next`.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn sessions(
        &self,
        now: Option<Millis>,
        filter: &Filter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, Unavailable> {
        let now = self.time(now).await?;
        list::sessions(&self.operators, now, filter, cursor.and_then(list::position), limit).await
    }

    /// The numbers of viewers and sessions.
    ///
    /// # Errors
    /// [`Unavailable`]
    pub async fn counts(&self, now: Option<Millis>) -> Result<Counts, Unavailable> {
        list::counts(&self.operators, self.time(now).await?).await
    }

    /// `now`, or the server's time.
    async fn time(&self, now: Option<Millis>) -> Result<Millis, Unavailable> {
        if let Some(now) = now {
            return Ok(now);
        }
        let mut commands = pipe();
        commands.cmd("TIME");
        let ((seconds, micros),): ((u64, u64),) = self.operators.call(&commands, self.operators.deadline()).await?;
        Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000))
    }
}

/// A script, and the name by which the server finds it.
#[derive(Debug)]
struct Source {
    text: &'static str,
    hash: String,
}

impl Source {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }
}

/// The keys and arguments of a script about a viewer.
struct Call {
    keys: [Vec<u8>; 5],
    arguments: Vec<Vec<u8>>,
}

impl Call {
    /// The keys and the arguments that all scripts have.
    fn new(realm: Realm, now: Option<Millis>, group: &str, viewer: &str) -> Self {
        let name = keys::name(group, viewer);
        let index = |index| keys::index(realm, index).into_bytes();
        let keys =
            [keys::viewer(realm, &name), index("sessions"), index("expiries"), index("viewers"), index("policies")];
        let mut call = Self { keys, arguments: Vec::with_capacity(16) };
        call.add(now.map(|now| now.to_string()).unwrap_or_default()).add(keys::of_policy(realm)).add(name);
        call
    }

    fn add(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }

    /// Runs the script, which the server gets as a whole if it does not know it.
    async fn run<T: redis::FromRedisValue>(&self, link: &Link, script: &Source) -> Result<T, Unavailable> {
        let deadline = link.deadline();
        let mut answer = self.send(link, deadline, "EVALSHA", &script.hash).await;
        if answer.as_ref().err() == Some(&Fault::NoScript) {
            answer = self.send(link, deadline, "EVAL", script.text).await;
        }
        Ok(answer?)
    }

    async fn send<T: redis::FromRedisValue>(
        &self,
        link: &Link,
        deadline: tokio::time::Instant,
        command: &str,
        script: &str,
    ) -> Result<T, Fault> {
        let mut commands = pipe();
        commands.cmd(command).arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        let (value,): (T,) = link.call(&commands, deadline).await?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_wait_are_read() {
        for (text, millis) in [("250ms", 250), ("1ms", 1), ("2s", 2000), ("60s", 60_000)] {
            assert_eq!(Redis::timeout(text), Ok(Duration::from_millis(millis)));
        }
        for text in
            ["", "s", "ms", "250", "0ms", "61s", "60001ms", "1.5s", "+1s", "1 s", "1m", "99999999999999999999ms"]
        {
            assert!(Redis::timeout(text).is_err(), "{text}");
        }
    }
}
