//! Leases: how many sessions one viewer may have at once, by the questions that the filter asks about each key
//! (`keyAuthorizer`).
//!
//! A key period is the lever: with `keyRotation` a player must come back for a key every period. The question names the
//! session, the viewer and the terms of the policy ([`Question`]). A viewer's leases decide ([`Viewer::ask`]), in memory or
//! in Redis ([`Store`]). The status of the response tells the filter what to do ([`Answer::status`]).
//!
//! Times are milliseconds of one clock: the process's for memory, the server's for Redis. No clock of an Envoy counts.
#![forbid(unsafe_code)]

pub mod admin;
mod answer;
mod counters;
mod fields;
mod listen;
pub mod listing;
mod periods;
mod question;
mod run;
mod service;
mod session;
mod store;
mod terms;
pub mod tls;
mod viewer;

pub use answer::Answer;
pub use counters::{Counters, Outcome};
pub use listen::{Security, listen};
pub use question::{Client, Malformed, Question, Realm};
pub use run::{Options, RunError, TlsFiles, run};
pub use service::{Service, Trouble};
pub use session::{Counts, Filter, Live, OfPolicy, Page, SessionId, Which};
pub use store::{Memory, NotRedis, Notice, Redis, RedisUrl, Store, Unavailable};
pub use terms::{OnLimit, Terms, ViewerSource};
pub use viewer::Viewer;

/// Milliseconds since the epoch.
pub type Millis = u64;
