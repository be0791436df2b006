//! Truth tables of the URLs in MPDs: by transport, by place, and by the base that they are relative to.

use alloc::rc::Rc;
use alloc::string::ToString;

use super::*;
use crate::http::authority::Scheme;
use crate::http::path_token::TokenSegment;
use crate::playlist::Variables;
use crate::token::acl::Acl;
use crate::token::derive::{Keyring, Secret};

/// The transports: a parameter, the path of an MPD requested with the token, and that of one requested without.
#[derive(Debug, Clone, Copy)]
enum By {
    Query,
    Path,
    First,
}

fn links(by: By, scheme: Scheme, raw_path: &str, token_on_content: bool) -> MpdLinks {
    let token = match by {
        By::Query => SessionLink::Parameter("s=T".into()),
        By::Path => SessionLink::Segment(TokenSegment::new("~", "T", true)),
        By::First => SessionLink::Segment(TokenSegment::new("~", "T", false)),
    };
    let marks = UriRewriter {
        base: Base::new(scheme, "edge.example", raw_path, &["cdn.example".into()]),
        token: Some(token),
        content: Some(SessionLink::Parameter("s=SHORT".into())),
        token_on_content,
        acl: Acl::parse("/vod/*"),
        session: token_on_content.then_some([0; 16]),
        ours: Rc::new(["plk".into(), "s".into(), "access".into()]),
        keyring: Keyring::new(&Secret::new(alloc::vec![1; 16]).unwrap(), "p"),
        encryption: None,
        variables: Variables::default(),
        unservable: Rc::default(),
    };
    MpdLinks::new(marks, None)
}

fn base(links: &MpdLinks, bases: &[&str]) -> MpdBase {
    bases.iter().fold(links.document(), |base, reference| links.resolve(&base, reference))
}

/// The URL as it is written: the new one, or the reference.
fn written(links: &mut MpdLinks, place: Place, bases: &[&str], reference: &str) -> String {
    let base = base(links, bases);
    let linked = links.link(place, &base, reference);
    assert!(linked.as_deref() != Some(reference), "{reference} need not be written again");
    linked.unwrap_or_else(|| reference.to_string())
}

#[test]
fn urls_by_transport_and_place() {
    use Place::{Base, File, License, Location, Template};
    for (place, reference, query, path, first) in [
        (Template, "v/$Number$.m4s", "v/$Number$.m4s?s=T", "v/$Number$.m4s", "/~T/vod/a/v/$Number$.m4s"),
        (
            Template,
            "v/$Number%05d$.m4s?x=1",
            "v/$Number%05d$.m4s?x=1&s=T",
            "v/$Number%05d$.m4s?x=1",
            "/~T/vod/a/v/$Number%05d$.m4s?x=1",
        ),
        (Template, "../$Time$", "../$Time$?s=T", "../$Time$", "/~T/vod/$Time$"),
        (Template, "../../../$Time$", "../../../$Time$?s=T", "/~T/$Time$", "/~T/$Time$"),
        (Template, "/b/$Bandwidth$", "/b/$Bandwidth$?s=T", "/~T/b/$Bandwidth$", "/~T/b/$Bandwidth$"),
        (Template, "a$$b/$Number$", "a$$b/$Number$?s=T", "a$$b/$Number$", "/~T/vod/a/a$$b/$Number$"),
        (File, "1.m4s", "1.m4s?s=T", "1.m4s", "/~T/vod/a/1.m4s"),
        (File, "1.m4s?s=old&x=1&access=y", "1.m4s?x=1&s=T", "1.m4s?x=1", "/~T/vod/a/1.m4s?x=1"),
        (File, "../1.m4s", "../1.m4s?s=T", "../1.m4s", "/~T/vod/1.m4s"),
        (
            File,
            "https://edge.example/1.m4s",
            "https://edge.example/1.m4s?s=T",
            "https://edge.example/~T/1.m4s",
            "https://edge.example/~T/1.m4s",
        ),
        (
            File,
            "http://cdn.example/1.m4s",
            "https://cdn.example/1.m4s?s=T",
            "https://cdn.example/~T/1.m4s",
            "https://cdn.example/~T/1.m4s",
        ),
        (
            File,
            "https://other.example/1.m4s?s=x",
            "https://other.example/1.m4s?s=x",
            "https://other.example/1.m4s?s=x",
            "https://other.example/1.m4s?s=x",
        ),
        (File, " //other.example/1.m4s", " //other.example/1.m4s", " //other.example/1.m4s", " //other.example/1.m4s"),
        (
            File,
            "https://edge.example:444/1",
            "https://edge.example:444/1",
            "https://edge.example:444/1",
            "https://edge.example:444/1",
        ),
        (Base, "v/", "v/", "v/", "/~T/vod/a/v/"),
        (Base, "v/?s=old", "v/", "v/", "/~T/vod/a/v/"),
        (Base, "v.mp4", "v.mp4?s=T", "v.mp4", "/~T/vod/a/v.mp4"),
        (Base, "https://edge.example", "https://edge.example", "https://edge.example/~T/", "https://edge.example/~T/"),
        (Base, "/live/", "/live/", "/~T/live/", "/~T/live/"),
        (Base, "https://other.example/", "https://other.example/", "https://other.example/", "https://other.example/"),
        (Location, "/vod/a/x.mpd?a=1", "/vod/a/x.mpd?a=1&s=T", "/~T/vod/a/x.mpd?a=1", "/~T/vod/a/x.mpd?a=1"),
        (
            Location,
            "http://edge.example/vod/x.mpd",
            "https://edge.example/vod/x.mpd?s=T",
            "https://edge.example/~T/vod/x.mpd",
            "https://edge.example/~T/vod/x.mpd",
        ),
        (
            License,
            "/license?a=1",
            "https://edge.example/license?a=1&s=T",
            "https://edge.example/~T/license?a=1",
            "https://edge.example/~T/license?a=1",
        ),
        (
            License,
            "../license",
            "https://edge.example/vod/license?s=T",
            "https://edge.example/~T/vod/license",
            "https://edge.example/~T/vod/license",
        ),
        (
            License,
            "//edge.example/license",
            "//edge.example/license?s=T",
            "//edge.example/~T/license",
            "//edge.example/~T/license",
        ),
        (
            License,
            "https://drm.example/license",
            "https://drm.example/license",
            "https://drm.example/license",
            "https://drm.example/license",
        ),
    ] {
        for (by, expected) in [(By::Query, query), (By::Path, path), (By::First, first)] {
            let mut links = links(by, Scheme::Https, "/vod/a/x.mpd", true);
            assert_eq!(written(&mut links, place, &[], reference), expected, "{by:?} {place:?} {reference}");
        }
    }
}

#[test]
fn urls_by_the_bases_around_them() {
    for (bases, reference, query, path, first) in [
        // A base that got the token hands it down.
        (&["v/"][..], "1.m4s", "1.m4s?s=T", "1.m4s", "1.m4s"),
        (&["v/"], "../../../1.m4s", "../../../1.m4s?s=T", "../../../1.m4s", "../../../1.m4s"),
        (&["v/"], "../../../../1.m4s", "../../../../1.m4s?s=T", "/~T/1.m4s", "/~T/1.m4s"),
        (&["/live/"], "../../1.m4s", "../../1.m4s?s=T", "/~T/1.m4s", "/~T/1.m4s"),
        (&["https://cdn.example/x/", "y/"], "1.m4s", "1.m4s?s=T", "1.m4s", "1.m4s"),
        (&["https://cdn.example/x/"], "/1.m4s", "/1.m4s?s=T", "/~T/1.m4s", "/~T/1.m4s"),
        // Below another host, only an absolute URL leads back.
        (&["https://other.example/"], "1.m4s", "1.m4s", "1.m4s", "1.m4s"),
        (&["https://other.example/", "y/"], "/1.m4s", "/1.m4s", "/1.m4s", "/1.m4s"),
        (
            &["http://other.example/"],
            "//edge.example:443/",
            "//edge.example:443/",
            "//edge.example:443/",
            "//edge.example:443/",
        ),
        (
            &["https://other.example/"],
            "//edge.example/1.m4s",
            "//edge.example/1.m4s",
            "//edge.example/1.m4s",
            "//edge.example/1.m4s",
        ),
        (
            &["https://other.example/"],
            "https://edge.example/1.m4s",
            "https://edge.example/1.m4s?s=T",
            "https://edge.example/~T/1.m4s",
            "https://edge.example/~T/1.m4s",
        ),
        (&["https://other.example/", "https://edge.example/z/"], "1.m4s", "1.m4s?s=T", "1.m4s", "1.m4s"),
        (&["/\\other.example/"], "1.m4s", "1.m4s", "1.m4s", "1.m4s"),
        (&["https://edge.example@other.example/"], "1.m4s", "1.m4s", "1.m4s", "1.m4s"),
    ] {
        for (by, expected) in [(By::Query, query), (By::Path, path), (By::First, first)] {
            let mut links = links(by, Scheme::Https, "/vod/a/x.mpd", true);
            let around = base(&links, bases);
            let found = written(&mut links, Place::File, bases, reference);
            assert_eq!(found, expected, "{by:?} {bases:?} {reference}");
            let own = links.is_own(&around, reference);
            assert_eq!(own, query.contains("s=T"), "{bases:?} {reference}");
        }
    }
}

#[test]
fn content_that_needs_no_token_has_none_in_the_query() {
    for (bases, place, reference, query) in [
        (&[][..], Place::File, "1.m4s", "1.m4s"),
        (&[], Place::Base, "v.mp4", "v.mp4"),
        (&["v/"], Place::Template, "$RepresentationID$", "$RepresentationID$"),
        (&[], Place::Location, "/vod/a/x.mpd", "/vod/a/x.mpd?s=T"),
    ] {
        let mut links = links(By::Query, Scheme::Https, "/vod/a/x.mpd", false);
        assert_eq!(written(&mut links, place, bases, reference), query, "{bases:?} {reference}");
    }
    // In the path, relative references inherit it.
    let mut links = links(By::Path, Scheme::Https, "/vod/a/x.mpd", false);
    assert_eq!(written(&mut links, Place::File, &[], "1.m4s"), "1.m4s");
    assert_eq!(written(&mut links, Place::File, &["v/"], "/1.m4s"), "/~T/1.m4s");
}

#[test]
fn a_steering_document_is_signed_within_the_acl() {
    for (reference, signed) in [("/vod/steer.json", true), ("/other/steer.json", false)] {
        let mut links = links(By::Query, Scheme::Https, "/vod/a/x.mpd", true);
        let found = written(&mut links, Place::Steering, &[], reference);
        assert_eq!(found.contains("?plk=document~"), signed, "{found}");
        assert!(found.ends_with("s=T"), "{found}");
    }
}

/// Replaces the identifiers of a template as players do.
fn with_id(template: &str, id: &str) -> String {
    template.replace("$RepresentationID$", id).replace("$Number$", "1")
}

#[test]
fn no_id_of_a_representation_leads_to_another_host() {
    for (template, expected) in [
        ("$RepresentationID$/1.m4s", "./$RepresentationID$/1.m4s?s=T"),
        ("$Number$$RepresentationID$", "./$Number$$RepresentationID$?s=T"),
        ("http$RepresentationID$", "./http$RepresentationID$?s=T"),
        ("/$RepresentationID$", "/./$RepresentationID$?s=T"),
        ("v/$RepresentationID$", "v/$RepresentationID$?s=T"),
        ("/v$RepresentationID$", "/v$RepresentationID$?s=T"),
        ("?x=$RepresentationID$", "?x=$RepresentationID$&s=T"),
        ("https://edge.example/$RepresentationID$", "https://edge.example/$RepresentationID$?s=T"),
        ("https://edge.example$RepresentationID$/", "https://edge.example$RepresentationID$/"),
        ("https://$RepresentationID$/", "https://$RepresentationID$/"),
        ("//$RepresentationID$/", "//$RepresentationID$/"),
    ] {
        let mut links = links(By::Query, Scheme::Https, "/x.mpd", true);
        let found = written(&mut links, Place::Template, &[], template);
        assert_eq!(found, expected, "{template}");
        for id in [
            "https://evil.example/",
            "s://evil.example/",
            "//evil.example/",
            "/evil.example/",
            "\\evil.example/",
            "@evil.example",
        ] {
            let filled = with_id(&found, id);
            // Own, or without a token.
            assert!(!filled.contains("s=T") || kept_by_browsers(&filled), "{filled}");
        }
    }
    // In the path, the token goes where the URL goes, and nowhere else.
    let mut path = links(By::Path, Scheme::Https, "/x.mpd", true);
    assert_eq!(written(&mut path, Place::Template, &[], "$RepresentationID$/1"), "$RepresentationID$/1");
    let mut first = links(By::First, Scheme::Https, "/x.mpd", true);
    assert_eq!(written(&mut first, Place::Template, &[], "$RepresentationID$/1"), "/~T/$RepresentationID$/1");
}

/// Whether a reference stays on its base's host by the URL Standard: it names that host, or is a path that does not begin
/// with two slashes of either kind, or with a scheme.
fn kept_by_browsers(reference: &str) -> bool {
    let slashes = reference.replace('\\', "/");
    let path = slashes.split(['?', '#']).next().unwrap();
    let has_scheme = path.split('/').next().unwrap().contains(':');
    slashes.starts_with("https://edge.example/") || !has_scheme && !path.starts_with("//")
}

#[test]
fn a_dollar_in_the_directory_is_doubled() {
    let mut links = links(By::First, Scheme::Https, "/vod/a$b/x.mpd", true);
    assert_eq!(written(&mut links, Place::Template, &[], "$Number$"), "/~T/vod/a$$b/$Number$");
    assert_eq!(written(&mut links, Place::File, &[], "1.m4s"), "/~T/vod/a$b/1.m4s");
}

#[test]
fn urls_that_would_be_refused_are_counted() {
    let mut links = links(By::Query, Scheme::Https, "/vod/a/x.mpd", true);
    for (place, reference, count) in [
        (Place::Template, "$Number%05d$%20.m4s", 0),
        (Place::Template, "$RepresentationID$$$.m4s", 0),
        (Place::Template, "$Number$%2f.m4s", 1),
        (Place::File, "a%5cb.m4s", 2),
        (Place::File, "https://other.example/a%5cb.m4s", 2),
    ] {
        written(&mut links, place, &[], reference);
        assert_eq!(links.marks.unservable.count(), count, "{reference}");
    }
}
