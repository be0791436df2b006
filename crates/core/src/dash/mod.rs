//! MPDs (ISO/IEC 23009-1) under tokens: the URLs that get the session, and the reasons why an MPD is refused. The rewriter
//! itself is `playlock_dash`.

mod links;

pub use playlock_dash::{Additions, DashError, Rewriter, is_mpd};

pub use self::links::MpdLinks;
use crate::http::reply::Reason;

/// Most bytes to wait for: well below any proxy's buffer.
const MAX_WAIT: usize = 8192;

/// Whether `bytes`, the start of an MPD, are as much as is worth waiting for: most refusals originate in the prologue, the
/// MPD element and the first set.
pub fn shows_enough(bytes: &[u8]) -> bool {
    bytes.len() >= MAX_WAIT
}

/// The reason for the refusal of an MPD.
pub fn reason(_: DashError) -> Reason {
    Reason::Mpd
}
