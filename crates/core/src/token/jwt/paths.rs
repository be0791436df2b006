//! Paths of a token, as an ACL.

use alloc::string::String;

use crate::bytes::percent;
use crate::http::reply::Reason;
use crate::token::acl;

/// The form of the paths in a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PathsAre {
    /// Patterns of an ACL: `*` matches any characters, `?` one. Several may be joined with `!`.
    #[default]
    Patterns,
    /// Beginnings of paths, in which no character is special but the percent sign of an escape.
    Prefixes,
}

/// The ACL that `paths` are, if it covers the normalised `path`.
///
/// # Errors
/// [`Reason::Malformed`] if one of the paths has another form; [`Reason::Path`] if they do not cover `path`.
pub fn covering(paths: &[String], form: PathsAre, path: &str) -> Result<String, Reason> {
    let mut all = String::new();
    for path in paths {
        if !all.is_empty() {
            all.push('!');
        }
        match form {
            // Fields of EdgeAuth tokens, the form of which an ACL has, end at a tilde.
            PathsAre::Patterns => {
                percent::encode_into(&mut all, path.as_bytes(), |byte| byte.is_ascii_graphic() && byte != b'~')
            }
            PathsAre::Prefixes if path.starts_with('/') => {
                percent::encode_into(&mut all, path.as_bytes(), |byte| {
                    byte.is_ascii_graphic() && !b"~!*?".contains(&byte)
                });
                all.push('*');
            }
            PathsAre::Prefixes => return Err(Reason::Malformed),
        }
    }
    if !acl::is_valid(&all) {
        return Err(Reason::Malformed);
    }
    if acl::allows(&all, path) { Ok(all) } else { Err(Reason::Path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn acl(paths: &[&str], form: PathsAre, path: &str) -> Result<String, Reason> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).into()).collect();
        covering(&paths, form, path)
    }

    #[test]
    fn patterns_are_those_of_an_acl() {
        let patterns = |paths: &[&str], path: &str| acl(paths, PathsAre::Patterns, path);
        assert_eq!(patterns(&["/vod/*"], "/vod/a"), Ok("/vod/*".into()));
        assert_eq!(patterns(&["/vod/?", "/live/*!/b"], "/b"), Ok("/vod/?!/live/*!/b".into()));
        assert_eq!(patterns(&["/vod/*"], "/live/a"), Err(Reason::Path));
        assert_eq!(patterns(&["/a~exp=9/*"], "/a~exp=9/x"), Ok("/a%7eexp=9/*".into()));
        for bad in [&[][..], &[""], &["/a", ""], &["/a!!/b"], &["!"], &["/a%zz"]] {
            assert_eq!(patterns(bad, "/a"), Err(Reason::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn prefixes_are_literal() {
        let prefixes = |paths: &[&str], path: &str| acl(paths, PathsAre::Prefixes, path);
        assert_eq!(prefixes(&["/vod/a", "/live/"], "/vod/ab/c"), Ok("/vod/a*!/live/*".into()));
        assert_eq!(prefixes(&["/*"], "/vod/a"), Err(Reason::Path));
        assert_eq!(prefixes(&["/v?d/"], "/vod/a"), Err(Reason::Path));
        assert_eq!(prefixes(&["/a!/b/"], "/a!/b/c"), Ok("/a%21/b/*".into()));
        assert_eq!(prefixes(&["/a%20b/"], "/a b/c"), Ok("/a%20b/*".into()));
        assert_eq!(prefixes(&["/ä b/"], "/ä b/c"), Ok("/%c3%a4%20b/*".into()));
        for bad in [&[][..], &[""], &["vod/"], &["*"], &["/50%/"]] {
            assert_eq!(prefixes(bad, "/vod/a"), Err(Reason::Malformed), "{bad:?}");
        }
    }
}
