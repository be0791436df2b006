//! The server's log lines about nodes, on standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes a line. Without standard error, it is lost.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stderr(), "playlock: xds: {text}");
}
