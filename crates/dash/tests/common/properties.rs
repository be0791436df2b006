//! What holds for any document.

use playlock_dash::Additions;

use super::{Kind, Site, rewrite};

/// Checks a document in one piece and cut; returns whether it is accepted.
pub fn check(document: &[u8], site: &Site, additions: &Additions, cuts: impl Iterator<Item = usize>) -> bool {
    let whole = rewrite(site.clone(), additions, [document]);
    for at in cuts {
        let (head, tail) = document.split_at(at.min(document.len()));
        let cut = rewrite(site.clone(), additions, [head, tail]);
        match (&whole, &cut) {
            (Ok(whole), Ok(cut)) => assert!(whole == cut, "cut at {at}: {}", String::from_utf8_lossy(cut)),
            // Which of several faults comes first depends on the cut.
            (Err(_), Err(_)) => {}
            _ => panic!("cut at {at}: {cut:?}, not {whole:?}"),
        }
    }
    let Ok(whole) = whole else { return false };
    let text = std::str::from_utf8(&whole).unwrap();
    let before = roxmltree::Document::parse(std::str::from_utf8(document).unwrap());
    assert!(roxmltree::Document::parse(text).is_ok() || before.is_err(), "{text}");
    if site.kind == Kind::None && additions.protection.is_none() && additions.location.is_none() {
        assert!(whole == document || String::from_utf8_lossy(document).contains("PatchLocation"), "{text}");
    }
    true
}
