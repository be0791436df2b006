//! The checks that ran, each with its outcome.

use playlock_core::http::reply::Reason;
use playlock_core::request::check::Outcome;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It passed.
    Good,
    /// It refuses the request.
    Bad(Reason),
    /// It decides nothing by itself.
    Note,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Its outcome.
    pub mark: Mark,
    /// The outcome in a sentence.
    pub text: String,
    /// The values that it looked at.
    pub details: Vec<String>,
}

/// The checks of one request, in the order in which they ran.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The configuration as written.
    pub document: &'a str,
    /// The checks.
    pub checks: Vec<Check>,
}

impl<'a> Explanation<'a> {
    /// Explains under the configuration `document`.
    pub fn new(document: &'a str) -> Self {
        Self { document, checks: Vec::new() }
    }

    /// Adds a check.
    pub fn say(&mut self, name: &'static str, mark: Mark, text: impl Into<String>) {
        self.checks.push(Check { name, mark, text: text.into(), details: Vec::new() });
    }

    /// Adds a detail to the last check.
    pub fn detail(&mut self, text: impl Into<String>) {
        if let Some(check) = self.checks.last_mut() {
            check.details.push(text.into());
        }
    }

    /// Reports a check with `good` as its text if it passed.
    pub fn outcome(&mut self, name: &'static str, outcome: Outcome<'_>, good: impl Into<String>) {
        match outcome {
            Outcome::Passed | Outcome::Admitted(_) => self.say(name, Mark::Good, good),
            Outcome::Refused(denied) => self.say(name, Mark::Bad(denied.reason), denied.reason.title()),
            Outcome::Skipped => {}
        }
    }
}
