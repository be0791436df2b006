//! Third-party parsers. They must read the same from input and output, except for URIs, keys, byte ranges and the
//! version.

mod m3u8_rs;
mod quick_m3u8;

use crate::undo;

/// Compares the playlist before and after, as parsed by each oracle. Returns whether the oracle can parse the input; if so,
/// it must parse the output. `clean` removes the filter's additions from a URI.
///
/// # Errors
/// The first difference.
pub fn compare(
    input: &str,
    output: &str,
    encrypts: bool,
    clean: &dyn Fn(&str) -> String,
) -> Result<[(&'static str, bool); 2], String> {
    let view = View { encrypts, clean };
    let m3u8_rs = m3u8_rs::compare(input, output, &view).map_err(|what| format!("m3u8-rs: {what}"))?;
    let quick = quick_m3u8::compare(input, output, &view).map_err(|what| format!("quick-m3u8: {what}"))?;
    Ok([("m3u8-rs", m3u8_rs), ("quick-m3u8", quick)])
}

/// The comparison's settings.
struct View<'a> {
    encrypts: bool,
    clean: &'a dyn Fn(&str) -> String,
}

impl View<'_> {
    /// The line of a tag that an oracle does not parse.
    fn line(&self, line: &str) -> String {
        let line = undo::map_uris(line, self.clean);
        let kept = |part: &&str| !(self.encrypts && part.trim_start().starts_with("BYTERANGE"));
        line.split(',').filter(kept).collect::<Vec<_>>().join(",")
    }
}

/// Reports the first difference between two values.
fn difference<T: std::fmt::Debug + PartialEq>(before: &[T], after: &[T]) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    let (before, after) = (format!("{before:#?}"), format!("{after:#?}"));
    match before.lines().zip(after.lines()).find(|(before, after)| before != after) {
        Some((before, after)) => Err(format!("{} became {}", before.trim(), after.trim())),
        None => Err("one has more than the other".into()),
    }
}
