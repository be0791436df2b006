//! The answers to a question.

/// The answer to the question whether a session may have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The session has a lease.
    Granted,
    /// The viewer has as many live leases as allowed.
    Limit,
    /// The session was ended: by a newcomer, or by an operator.
    Ended,
    /// The session has the keys of more periods ahead than allowed.
    Ahead,
}

impl Answer {
    /// All answers.
    pub const ALL: [Self; 4] = [Self::Granted, Self::Limit, Self::Ended, Self::Ahead];

    /// The status of the response, which is what the filter goes by.
    pub fn status(self) -> u16 {
        match self {
            Self::Granted => 204,
            Self::Limit => 409,
            Self::Ended => 410,
            Self::Ahead => 429,
        }
    }

    /// The answer's name in metrics and responses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Limit => "limit",
            Self::Ended => "ended",
            Self::Ahead => "ahead",
        }
    }

    /// The answer as a sentence without its full stop.
    pub fn title(self) -> &'static str {
        match self {
            Self::Granted => "The session has a lease",
            Self::Limit => "The viewer has as many sessions as allowed",
            Self::Ended => "The session was ended by a newer one, or by the operator",
            Self::Ahead => "The session has the keys of more periods ahead than allowed",
        }
    }
}
