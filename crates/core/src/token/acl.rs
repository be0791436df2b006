//! Access control lists of EdgeAuth tokens: path patterns joined with `!`.
//!
//! `*` matches any bytes, including `/`; `?` matches one byte. Patterns match the normalised path. `%XX` in a pattern
//! matches that byte and is never a wildcard.

use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::percent;

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glob {
    Byte(u8),
    One,
    Any,
}

/// A parsed ACL, for matching many paths.
#[derive(Debug)]
pub struct Acl(Vec<Vec<Glob>>);

impl Acl {
    /// Parses the patterns of `acl`. One with an invalid escape matches nothing.
    pub fn parse(acl: &str) -> Self {
        Self(patterns(acl).collect())
    }

    /// Whether any pattern matches `path`.
    pub fn allows(&self, path: &str) -> bool {
        self.0.iter().any(|globs| matches(globs, path.as_bytes()))
    }
}

/// Whether any pattern of `acl` matches `path`. A pattern with an invalid escape matches nothing.
pub fn allows(acl: &str, path: &str) -> bool {
    patterns(acl).any(|globs| matches(&globs, path.as_bytes()))
}

/// The patterns of `acl` with valid escapes, each parsed on demand.
fn patterns(acl: &str) -> impl Iterator<Item = Vec<Glob>> {
    acl.split('!').filter_map(parse)
}

/// Whether every escape of `acl` is valid and no pattern is empty.
pub fn is_valid(acl: &str) -> bool {
    acl.split('!').all(|pattern| !pattern.is_empty()) && percent::is_valid(acl)
}

/// Whether every pattern of `acl` ends in a playlist's extension. A pattern for another kind of file shows that the
/// token's generator had the playlist's content in mind.
pub fn names_playlists_only(acl: &str) -> bool {
    let has_extension = |pattern: &str, extension: &str| {
        let start = pattern.len().saturating_sub(extension.len());
        pattern.as_bytes().get(start..).is_some_and(|end| end.eq_ignore_ascii_case(extension.as_bytes()))
    };
    acl.split('!').all(|pattern| [".m3u8", ".m3u", ".mpd"].iter().any(|extension| has_extension(pattern, extension)))
}

/// The pattern that matches the normalised `path` alone, or a part of a pattern that matches this part of a path.
pub fn literal(path: &str) -> String {
    let mut acl = String::with_capacity(path.len() + 1);
    percent::encode_into(&mut acl, path.as_bytes(), |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'=' | b'@' | b':' | b'+')
    });
    acl
}

/// The pattern that covers the normalised `directory` (with its trailing `/`) and everything below it.
pub fn below(directory: &str) -> String {
    let mut acl = literal(directory);
    acl.push('*');
    acl
}

fn parse(pattern: &str) -> Option<Vec<Glob>> {
    let mut globs = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(found) = rest.find(['*', '?']) {
        let (literal, tail) = rest.split_at_checked(found)?;
        globs.extend(percent::decode(literal)?.into_iter().map(Glob::Byte));
        let (wildcard, tail) = tail.split_at_checked(1)?;
        globs.push(if wildcard == "*" { Glob::Any } else { Glob::One });
        rest = tail;
    }
    globs.extend(percent::decode(rest)?.into_iter().map(Glob::Byte));
    Some(globs)
}

/// Greedy matching that backtracks to the last `*` only: at most `globs × path` steps for any pattern.
fn matches(globs: &[Glob], path: &[u8]) -> bool {
    let (mut g, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (globs.get(g), path.get(p)) {
            (Some(Glob::Any), _) => {
                star = Some((g, p));
                g += 1;
            }
            (Some(Glob::One), Some(_)) => (g, p) = (g + 1, p + 1),
            (Some(Glob::Byte(wanted)), Some(byte)) if wanted == byte => (g, p) = (g + 1, p + 1),
            (None, None) => return true,
            (_, at) => match (star, at) {
                // The last star takes one more byte.
                (Some((star_g, star_p)), _) if star_p < path.len() => {
                    star = Some((star_g, star_p + 1));
                    (g, p) = (star_g + 1, star_p + 1);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn wildcards_cross_slashes_and_escapes_are_literal() {
        for (acl, path, expected) in [
            ("/vod/*", "/vod/a/b.ts", true),
            ("/vod/*", "/vod/", true),
            ("/vod/*", "/vod", false),
            ("/vod/*", "/vodka", false),
            ("*/x/*", "/a/b/x/c", true),
            ("/a/*/c/*.ts", "/a/b/c/c/d.ts", true),
            ("/live/??/index.m3u8", "/live/de/index.m3u8", true),
            ("/live/??/index.m3u8", "/live/deu/index.m3u8", false),
            ("/a!/b!/c/*", "/b", true),
            ("/a!/b!/c/*", "/d", false),
            ("%2fvod%2f*", "/vod/a", true),
            ("/a%2a", "/abc", false),
            ("/a%2a", "/a*", true),
            ("/a%3f", "/ab", false),
            ("/a%zz", "/a%zz", false),
            ("/*", "/", true),
            ("*", "/anything", true),
            ("", "/", false),
            ("/VOD/*", "/vod/a", false),
            ("/a**b", "/axb", true),
            ("/*a", "/", false),
            ("?", "/", true),
        ] {
            assert_eq!(allows(acl, path), expected, "{acl} on {path}");
        }
    }

    #[test]
    fn an_acl_of_playlists_is_told_from_one_of_content() {
        for (acl, expected) in [
            ("/a/master.m3u8", true),
            ("/live/??/index.m3u8!/live/*.M3U8", true),
            ("/a/master.m3u8!/a/360p/*", false),
            ("/a/film.m3u8!/a/film-0.ts", false),
            ("/a/master", false),
            ("/a/master.m3u8!/a/key", false),
            ("/a/x.m3u8.ts", false),
            ("/a/film.mpd!/a/film.m3u8", true),
            ("/a/film.mpd!/a/*.m4s", false),
            ("m3u", false),
            ("/a.M3U", true),
            ("/*", false),
        ] {
            assert_eq!(names_playlists_only(acl), expected, "{acl}");
        }
    }

    #[test]
    fn a_directory_with_wildcards_in_its_name_covers_only_itself() {
        let acl = below("/a*!b/c d~/");
        assert_eq!(acl, "/a%2a%21b/c%20d%7e/*");
        assert!(allows(&acl, "/a*!b/c d~/x.ts") && !allows(&acl, "/axx!b/c d~/x.ts"));
    }

    #[test]
    fn hostile_patterns_end() {
        let acl = "*a".repeat(500);
        assert!(!allows(&acl, &format!("/{}b", "a".repeat(499))));
    }
}
