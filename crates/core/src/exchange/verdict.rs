//! Outcomes of exchanges.

/// The outcome of an exchange, so far or final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request was forwarded, or the filter answered it without a refusal.
    Allowed,
    /// The filter refused the request or the response.
    Refused,
    /// The response was reset.
    Broken,
}

impl Verdict {
    /// All verdicts, in the order of [`Verdict::index`].
    pub const ALL: &[Self] = &[Self::Allowed, Self::Refused, Self::Broken];

    /// The verdict's name in counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }

    /// The verdict's position in [`Verdict::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}
