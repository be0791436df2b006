//! The properties of any rewritten document, by a foreign parser and a foreign URL library that see all of it at once.

use std::collections::BTreeSet;
use std::ops::Range;

use playlock_dash::Additions;
use roxmltree::{Document, Node};
use url::Url;

use super::{Kind, Site, rewrite};

const MPD: &str = "urn:mpeg:dash:schema:mpd:2011";
const LAURL: [&str; 2] = ["https://dashif.org/CPS", "http://dashif.org/guidelines/clearKey"];

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
    if additions.base.is_some() {
        return true;
    }
    let (before, after) = (std::str::from_utf8(document).unwrap(), std::str::from_utf8(&whole).unwrap());
    let Ok(old) = Document::parse(before) else { return true };
    let new = Document::parse(after).unwrap_or_else(|error| panic!("{error}\n{after}"));
    let added = additions.location.as_deref().filter(|_| locations(&new) > locations(&old));
    let kept = (remains(&old, before, None, false), remains(&new, after, added, additions.protection.is_some()));
    assert!(kept.0 == kept.1, "other bytes than those of URLs: {before}\n{after}");
    if site.kind == Kind::None && added.is_none() && additions.protection.is_none() && !before.contains("PatchLocation")
    {
        assert!(before == after, "{before}\n{after}");
    }
    let marks: &[&str] = match site.kind {
        Kind::Query => &["t=$1&s=", "t=$$1&s="],
        Kind::Path => &["/~T~/"],
        _ => &[],
    };
    // What comes in with something of the kind proves nothing.
    let copied = references(&old, site).iter().any(|(url, _)| url.contains("t=$") || url.contains("~T~"));
    for (url, bases) in references(&new, site) {
        let token = !copied && marks.iter().any(|mark| url.contains(mark));
        for base in bases.iter().filter(|_| token) {
            let to = Url::parse(base).unwrap().join(url);
            let host = to.as_ref().ok().and_then(Url::host_str);
            let own = host.is_some_and(|host| site.hosts.iter().any(|own| own == host));
            assert!(own, "a token goes to {to:?} from {base}: {before}\n{after}");
        }
    }
    true
}

fn locations(document: &Document) -> usize {
    document.root_element().children().filter(|node| is(*node, "Location")).count()
}

fn is(node: Node, local: &str) -> bool {
    node.is_element()
        && node.tag_name().name() == local
        && node.tag_name().namespace().is_some_and(|namespace| namespace.eq_ignore_ascii_case(MPD))
}

/// The names of an element and of those around it, if all are of the standard.
fn path(node: Node) -> Option<String> {
    let names: Option<Vec<_>> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|node| is(node, node.tag_name().name()).then(|| node.tag_name().name()))
        .collect();
    names.map(|mut names| {
        names.reverse();
        names.join("/").replace("EmptyAdaptationSet", "AdaptationSet")
    })
}

/// The attributes of an element that are URLs.
fn attributes(node: Node) -> &'static [&'static str] {
    let Some(path) = path(node) else { return &[] };
    let in_level = |rest: &str| {
        ["MPD/Period/", "MPD/Period/AdaptationSet/", "MPD/Period/AdaptationSet/Representation/"]
            .iter()
            .any(|level| path.strip_prefix(level).is_some_and(|path| path == rest))
    };
    let segments = ["SegmentBase", "SegmentList", "SegmentTemplate"];
    let files = ["SegmentURL", "Initialization", "RepresentationIndex", "BitstreamSwitching"];
    match () {
        () if in_level("SegmentTemplate") => &["media", "initialization", "index", "bitstreamSwitching"],
        () if segments.iter().any(|parent| files.iter().any(|file| in_level(&format!("{parent}/{file}")))) => {
            &["media", "index", "sourceURL"]
        }
        () if path == "MPD/InitializationSet" => &["initialization"],
        () => &[],
    }
}

/// Whether the text of an element is a URL.
fn is_url(node: Node) -> bool {
    let parent = node.parent_element();
    if node.tag_name().name() == "Laurl" && node.tag_name().namespace().is_some_and(|name| LAURL.contains(&name)) {
        return parent.is_some_and(|parent| is(parent, "ContentProtection"));
    }
    let above = ["MPD", "MPD/Period", "MPD/Period/AdaptationSet", "MPD/Period/AdaptationSet/Representation"];
    let of = |name, levels: &[&str]| {
        is(node, name) && parent.and_then(path).is_some_and(|path| levels.contains(&path.as_str()))
    };
    of("BaseURL", &above) || of("Location", &above[..1]) || of("ContentSteering", &above[..1])
}

/// The document without the values of URLs, and without what is left out or inserted.
fn remains(document: &Document, text: &str, location: Option<&str>, protected: bool) -> Vec<u8> {
    let mut gaps: Vec<Range<usize>> = Vec::new();
    let mut location = location;
    for node in document.descendants().filter(Node::is_element) {
        let in_root = node.parent_element() == Some(document.root_element());
        let inserted = in_root && is(node, "Location") && location.is_some() && node.text() == location;
        if (in_root && is(node, "PatchLocation")) || inserted || (protected && is(node, "ContentProtection")) {
            location = location.filter(|_| !inserted);
            gaps.push(node.range());
        }
        for attribute in node.attributes() {
            if attribute.namespace().is_none() && attributes(node).contains(&attribute.name()) {
                gaps.push(attribute.range_value());
            }
        }
        if is_url(node) {
            gaps.extend(content(text, node.range()));
        }
    }
    gaps.sort_by_key(|gap| gap.start);
    let mut kept = Vec::new();
    let mut at = 0;
    for gap in gaps {
        kept.extend_from_slice(text.as_bytes().get(at..gap.start).unwrap_or_default());
        at = at.max(gap.end);
    }
    kept.extend_from_slice(&text.as_bytes()[at..]);
    kept
}

/// The content of an element, comments included.
fn content(text: &str, element: Range<usize>) -> Option<Range<usize>> {
    let mut quote = None;
    let start = text[element.clone()].bytes().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })?;
    let end = element.start + text[element.clone()].rfind("</")?;
    Some(element.start + start + 1..end)
}

/// Every URL with the bases that a player may resolve it against, also one that does not know namespaces.
fn references<'a>(document: &'a Document, site: &Site) -> Vec<(&'a str, BTreeSet<String>)> {
    let root = document.root_element();
    let mut found = Vec::new();
    let own = BTreeSet::from([site.document.to_string()]);
    let mut documents = own.clone();
    documents.extend(texts(root, "Location").iter().filter_map(|url| resolve(site.document.as_str(), url)));
    for node in document.descendants().filter(|node| node.is_element() && is_url(*node)) {
        let bases = match node.tag_name().name() {
            "BaseURL" => continue,
            "Location" => &own,
            _ => &documents,
        };
        found.extend(node.text().map(|url| (url.trim(), bases.clone())));
    }
    walk(root, &documents, &mut found);
    found
}

fn named(node: Node, local: &str) -> bool {
    node.is_element() && node.tag_name().name() == local
}

fn texts<'a>(node: Node<'a, '_>, local: &str) -> Vec<&'a str> {
    let texts = node.children().filter(|child| named(*child, local)).filter_map(|child| child.text().map(str::trim));
    texts.filter(|text| !text.is_empty()).collect()
}

fn resolve(base: &str, reference: &str) -> Option<String> {
    Url::parse(base).ok()?.join(reference).ok().map(String::from)
}

/// Goes through a level; returns every base within it.
fn walk<'a>(
    level: Node<'a, '_>,
    parents: &BTreeSet<String>,
    found: &mut Vec<(&'a str, BTreeSet<String>)>,
) -> BTreeSet<String> {
    let urls = texts(level, "BaseURL");
    found.extend(urls.iter().map(|url| (*url, parents.clone())));
    let bases: BTreeSet<String> = match urls.as_slice() {
        [] => parents.clone(),
        urls => urls.iter().flat_map(|url| parents.iter().filter_map(|base| resolve(base, url))).collect(),
    };
    let mut everywhere = bases.clone();
    let names: &[&str] = match level.tag_name().name() {
        "MPD" => &["Period"],
        "Period" => &["AdaptationSet", "EmptyAdaptationSet"],
        "Representation" => &[],
        _ => &["Representation"],
    };
    for child in level.children().filter(|child| names.iter().any(|name| named(*child, name))) {
        everywhere.append(&mut walk(child, &bases, found));
    }
    let segments = level.children().filter(|child| child.tag_name().name().starts_with("Segment"));
    let inherited = segments.flat_map(|child| child.descendants()).map(|node| (node, &everywhere));
    let sets = level.children().filter(|child| named(*child, "InitializationSet")).map(|node| (node, &bases));
    for (node, bases) in inherited.chain(sets) {
        for name in attributes(node) {
            found.extend(node.attribute(*name).map(|url| (url, bases.clone())));
        }
    }
    everywhere
}
