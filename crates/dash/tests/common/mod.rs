//! Shared by the tests and the fuzz target: links of several kinds over a foreign URL library, and whole documents.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

pub mod cases;
pub mod properties;

use playlock_dash::{Additions, DashError, Links, Place, Rewriter, escape_template};
use url::Url;

/// The token of [`Kind::Query`]: with a character that XML escapes, and one that templates double.
pub const TOKEN: &str = "t=$1&s='\"";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is linked.
    None,
    /// A token in the query of each URL.
    Query,
    /// A token in front of the path; relative URLs inherit it.
    Path,
    /// A parameter that depends on the URL.
    Signed,
    /// The place and the URL, to see them.
    Show,
}

/// Links by the rules of browsers (WHATWG).
#[derive(Clone)]
pub struct Site {
    pub document: Url,
    pub hosts: Vec<String>,
    pub kind: Kind,
}

impl Links for Site {
    type Base = Url;

    fn document(&self) -> Url {
        self.document.clone()
    }

    fn resolve(&self, base: &Url, reference: &str) -> Url {
        base.join(reference).unwrap_or_else(|_| base.clone())
    }

    fn is_own(&self, base: &Url, reference: &str) -> bool {
        // Spellings that only browsers understand are nobody's.
        let plain = !reference.contains('\\') && !reference.contains("///");
        let url = base.join(reference);
        plain && url.is_ok_and(|url| url.host_str().is_some_and(|host| self.hosts.iter().any(|own| own == host)))
    }

    fn link(&mut self, place: Place, base: &Url, reference: &str) -> Option<String> {
        let insert = |text: &str| if place == Place::Template { escape_template(text) } else { text.to_owned() };
        match self.kind {
            Kind::None => None,
            Kind::Query => {
                let (url, fragment) = reference.split_at(reference.find('#').unwrap_or(reference.len()));
                let separator = if url.contains('?') { '&' } else { '?' };
                Some(format!("{url}{separator}{}{fragment}", insert(TOKEN)))
            }
            Kind::Path => {
                let network = reference.starts_with("//").then_some(2);
                let authority = network.or_else(|| reference.find("://").map(|at| at + 3)).unwrap_or(0);
                let path = match reference[authority..].find('/') {
                    Some(path) => authority + path,
                    None if authority > 0 => return Some(format!("{reference}/~T~/")),
                    None => return None,
                };
                let absolute = authority > 0 || path == 0;
                absolute.then(|| format!("{}/~T~{}", &reference[..path], &reference[path..]))
            }
            Kind::Signed => Some(format!("{reference}?sig={}", insert(base.join(reference).ok()?.path()))),
            Kind::Show => Some(format!("[{place:?} {reference} of {base}]")),
        }
    }
}

/// Rewrites a document that arrives in chunks.
pub fn rewrite<'a, L: Links>(
    links: L,
    additions: &Additions,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, DashError> {
    let mut rewriter = Rewriter::new(links, additions.clone());
    let mut out = Vec::new();
    for chunk in chunks {
        rewriter.push(chunk, &mut out)?;
    }
    rewriter.finish(&mut out)?;
    Ok(out)
}
