//! The URL that a URL token covers: the spellings that a generator may have signed, and the limit on attempts.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::bytes::percent;
use crate::http::target::Target;

/// Longest URL in bytes that a URL token may cover, without reserved parameters. Real ones have a few hundred bytes.
pub const MAX_URL: usize = 4096;

/// Bytes that all attempts of one request may hash: a constant, and a multiple of the URL's own length. The cost of a
/// request without a token grows with its length, too (`tests/timing/cost.rs`).
const BUDGET: usize = 2400;
const BUDGET_TIMES: usize = 3;
/// The cost of an attempt in addition to the bytes of the URL: the final blocks of an HMAC.
const TRY: usize = 130;

/// The requested URL.
pub struct SignedUrl<'a> {
    raw_path: &'a str,
    path: &'a str,
    /// With its `?`, without reserved parameters.
    query: Option<String>,
}

impl<'a> SignedUrl<'a> {
    /// The URL of a request, without the parameters in `ours`; `None` if it is longer than [`MAX_URL`].
    pub fn new(target: &'a Target<'_>, ours: &[impl AsRef<str>]) -> Option<Self> {
        // Checked before anything is copied.
        let length = target.raw_path.len() + target.query.map_or(0, str::len);
        let query = (length <= MAX_URL * 2).then(|| target.query_without(ours))?.map(|query| ["?", &query].concat());
        let url = Self { raw_path: target.raw_path, path: &target.path, query };
        (url.len() <= MAX_URL).then_some(url)
    }

    fn len(&self) -> usize {
        self.raw_path.len() + self.query.as_deref().map_or(0, str::len)
    }

    /// The budget for the attempts of this request.
    pub fn budget(&self) -> Budget {
        Budget(BUDGET + BUDGET_TIMES * self.len())
    }

    /// The URL's spellings, each once and the likely ones first: as received and decoded, each as it is and under each
    /// library's `escape_early`.
    pub fn spellings(&self) -> impl Iterator<Item = Spelling<'_>> {
        let query = self.query.as_deref();
        let as_it_is =
            move |path| Spelling { path: Cow::Borrowed(path), query: query.map(Cow::Borrowed), dialect: None };
        let escaped = move |path: &str, dialect: Dialect| Spelling {
            path: Cow::Owned(dialect.escape(path)),
            query: query.map(|query| Cow::Owned(dialect.escape(query))),
            dialect: Some(dialect),
        };
        let (raw, decoded) = (self.raw_path, self.path);
        // An escaped path is rarely escaped once more. Spellings are made on demand.
        let all = (0..6).map(move |number| match number {
            0 => as_it_is(raw),
            1 => escaped(decoded, Dialect::Python),
            2 => escaped(decoded, Dialect::Node),
            3 => as_it_is(decoded),
            4 => escaped(raw, Dialect::Python),
            _ => escaped(raw, Dialect::Node),
        });
        let mut seen: Vec<(Cow<'_, str>, Option<Cow<'_, str>>)> = Vec::with_capacity(6);
        all.filter(move |spelling| {
            let text = (spelling.path.clone(), spelling.query.clone());
            let fresh = !seen.contains(&text);
            if fresh {
                seen.push(text);
            }
            fresh
        })
    }
}

/// One spelling of a URL. A generator may have signed it with or without its query.
#[derive(Debug)]
pub struct Spelling<'a> {
    path: Cow<'a, str>,
    query: Option<Cow<'a, str>>,
    /// The library whose `escape_early` produces it, if any.
    dialect: Option<Dialect>,
}

impl Spelling<'_> {
    /// The pieces of the spelling; the signed text ends after one of them.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        core::iter::once(&*self.path).chain(self.query.as_deref())
    }

    /// Whether the generator of this spelling could have written this field: `escape_early` escapes all fields.
    pub fn goes_with(&self, field: &str) -> bool {
        self.dialect.is_none_or(|dialect| field.bytes().all(|byte| byte == b'%' || dialect.writes(byte)))
    }
}

/// The libraries' dialects of `escape_early`, hex in lower case.
#[derive(Debug, Clone, Copy)]
enum Dialect {
    /// PyPI: `urllib.parse.quote_plus`.
    Python,
    /// npm: `encodeURIComponent`, then `~'*` too.
    Node,
}

impl Dialect {
    fn keeps(self, byte: u8) -> bool {
        let special: &[u8] = if matches!(self, Self::Python) { b"-_.~" } else { b"-_.!()" };
        byte.is_ascii_alphanumeric() || special.contains(&byte)
    }

    /// Whether the dialect's output may contain `byte`, escapes aside.
    fn writes(self, byte: u8) -> bool {
        self.keeps(byte) || (byte == b'+' && matches!(self, Self::Python))
    }

    fn escape(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        for (index, piece) in text.split(' ').enumerate() {
            if index > 0 {
                out.push_str(if matches!(self, Self::Python) { "+" } else { "%20" });
            }
            percent::encode_into(&mut out, piece.as_bytes(), |byte| self.keeps(byte));
        }
        out
    }
}

/// The remaining budget, in bytes.
pub struct Budget(usize);

impl Budget {
    /// Deducts the cost of an attempt that hashes `piece`; `false` if the budget does not cover it.
    pub fn pays(&mut self, piece: &str) -> bool {
        match self.0.checked_sub(TRY + piece.len()) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn spelt(target: &str) -> Vec<String> {
        let target = Target::parse(target.as_bytes()).unwrap();
        let url = SignedUrl::new(&target, &["hdnts"]).unwrap();
        url.spellings().map(|spelling| spelling.pieces().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn each_spelling_is_there_once_and_the_likely_ones_come_first() {
        assert_eq!(spelt("/a/b.m3u8?hdnts=x"), ["/a/b.m3u8", "%2fa%2fb.m3u8"]);
        assert_eq!(spelt("/a~?x=1&hdnts=y"), ["/a~ ?x=1", "%2fa~ %3fx%3d1", "%2fa%7e %3fx%3d1"]);
        assert_eq!(spelt("/a%20b!"), ["/a%20b!", "%2fa+b%21", "%2fa%20b!", "/a b!", "%2fa%2520b%21", "%2fa%2520b!"]);
    }

    #[test]
    fn what_a_long_url_is_tried_with_is_bounded() {
        let target = format!("/{}", "a".repeat(MAX_URL));
        let parsed = Target::parse(target.as_bytes()).unwrap();
        assert!(SignedUrl::new(&parsed, &[""; 0]).is_none());
        let parsed = Target::parse(&target.as_bytes()[1..MAX_URL]).err();
        assert!(parsed.is_some(), "no path");
        let query = format!("/a?{}&hdnts={}", "b".repeat(MAX_URL - 3), "c".repeat(1000));
        let parsed = Target::parse(query.as_bytes()).unwrap();
        assert!(SignedUrl::new(&parsed, &["hdnts"]).is_some() && SignedUrl::new(&parsed, &[""; 0]).is_none());
        let tries = |length: usize| {
            let target = format!("/{}", "a".repeat(length - 1));
            let parsed = Target::parse(target.as_bytes()).unwrap();
            let mut budget = SignedUrl::new(&parsed, &[""; 0]).unwrap().budget();
            (0..100).take_while(|_| budget.pays(&target)).count()
        };
        assert_eq!([20, 100, 200, 780, 4096].map(tries), [16, 11, 9, 5, 3]);
    }
}
