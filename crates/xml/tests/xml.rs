//! The XML parser: every fault by a table, the same verdict for every cut, and the verdicts of two foreign parsers.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use common::{Chance, read, table, unescape};
use playlock_xml::{Fault, Limits, Parser, Sink, Token, XmlError};

/// Writes down the tokens; pieces of one text become one.
#[derive(Default)]
struct Record {
    raw: Vec<u8>,
    tokens: Vec<(u8, String)>,
    open: Vec<String>,
}

impl Sink for Record {
    type Error = XmlError;

    fn token(&mut self, at: u64, raw: &str, token: &Token<'_>) -> Result<(), XmlError> {
        assert_eq!(at, u64::try_from(self.raw.len()).unwrap(), "the offset of {raw:?}");
        self.raw.extend(raw.as_bytes());
        let kind = match token {
            Token::Start(element) => {
                assert_eq!(element.depth, self.open.len());
                assert!(raw.starts_with('<') && raw.ends_with('>'));
                for attribute in element.attributes {
                    assert_eq!(&raw[attribute.value_span.clone()], attribute.value);
                    let span = &raw[attribute.span.clone()];
                    assert!(span.starts_with([' ', '\t', '\n', '\r']) && span.ends_with(['"', '\'']), "{span:?}");
                    assert!(span.trim_start().starts_with(attribute.name.spelling));
                }
                if !element.empty {
                    self.open.push(element.name.spelling.into());
                }
                b'<'
            }
            Token::End(name) => {
                assert_eq!(self.open.pop().as_deref(), Some(name.spelling));
                b'/'
            }
            Token::Text => b't',
            Token::CData => b'c',
            Token::Comment => b'-',
            Token::Delimiter => b'd',
            Token::Declaration => b'?',
        };
        match self.tokens.last_mut() {
            Some((last, text)) if *last == kind && matches!(kind, b't' | b'c' | b'-') => text.push_str(raw),
            _ => self.tokens.push((kind, raw.into())),
        }
        Ok(())
    }
}

fn parse<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limits: Limits) -> Result<Record, XmlError> {
    let mut parser = Parser::new(limits);
    let mut record = Record::default();
    for chunk in chunks {
        parser.push(chunk, &mut record)?;
    }
    parser.finish()?;
    Ok(record)
}

#[test]
fn every_fault_has_its_document_and_every_cut_the_same_verdict() {
    let text = read("cases.txt");
    let mut seen = Vec::new();
    for (verdict, escaped) in table(&text) {
        let document = unescape(escaped);
        let whole = parse([document.as_slice()], Limits::DEFAULT);
        let found = whole.as_ref().map_or_else(|error| format!("{:?}", error.fault), |_| "ok".into());
        assert_eq!(found, verdict, "{escaped}");
        seen.push(found);
        if let Ok(record) = &whole {
            assert_eq!(record.raw, document, "{escaped}");
        }
        let expected = whole.map(|record| record.tokens);
        for at in 0..=document.len() {
            let (head, tail) = document.split_at(at);
            let cut = parse([head, tail], Limits::DEFAULT).map(|record| record.tokens);
            assert_verdict(&cut, &expected, &format!("{escaped} cut at {at}"));
        }
        let bytes = parse(document.chunks(1), Limits::DEFAULT).map(|record| record.tokens);
        assert_verdict(&bytes, &expected, &format!("{escaped} in single bytes"));
    }
    for fault in [
        Fault::NotUtf8,
        Fault::Character,
        Fault::Doctype,
        Fault::Instruction,
        Fault::Declaration,
        Fault::Markup,
        Fault::Comment,
        Fault::SectionEnd,
        Fault::Reference,
        Fault::DuplicateAttribute,
        Fault::UnknownPrefix,
        Fault::Namespace,
        Fault::Mismatched,
        Fault::Incomplete,
        Fault::OutsideRoot,
    ] {
        assert!(seen.contains(&format!("{fault:?}")), "no document with {fault:?}");
    }
}

type Verdict = Result<Vec<(u8, String)>, XmlError>;

/// The same tokens, or the same fault. Its position is that of a token, and tokens of text depend on the cut.
#[track_caller]
fn assert_verdict(found: &Verdict, expected: &Verdict, case: &str) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{case}"),
        (Err(found), Err(expected)) => assert_eq!(found.fault, expected.fault, "{case}"),
        (found, expected) => panic!("{case}: {found:?}, not {expected:?}"),
    }
}

#[test]
fn foreign_parsers_agree() {
    let text = read("cases.txt");
    for (verdict, escaped) in table(&text) {
        let document = unescape(escaped);
        let foreign = std::str::from_utf8(&document).is_ok_and(|document| {
            let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
            roxmltree::Document::parse_with_options(document, options).is_ok()
        });
        // What is well-formed, but refused here; and what roxmltree lets through against the standard.
        let stricter = matches!(verdict, "Doctype" | "Instruction" | "NotUtf8" | "Declaration");
        let lenient = LENIENT.contains(&escaped);
        assert!(foreign == (verdict == "ok") || stricter || lenient, "{escaped}: roxmltree says {foreign}");
    }
}

/// Documents that break the standard and that roxmltree reads nevertheless. Expat refuses them: oracle/test_xml.py.
const LENIENT: [&str; 5] =
    ["<a>&#xD800;</a>", "<a>&#x110000;</a>", r#"<a xmlns:p=""/>"#, r#"<a xmlns:xmlns="urn:x"/>"#, "<:a/>"];

#[test]
fn any_chunks_give_the_same_tokens() {
    let document = read("presentation.mpd");
    let expected = parse([document.as_bytes()], Limits::DEFAULT).unwrap();
    assert_eq!(expected.raw, document.as_bytes());
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    for _ in 0..200 {
        let longest = 1 + chance.below(40);
        let mut chunks = Vec::new();
        let mut rest = document.as_bytes();
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at((1 + chance.below(longest)).min(rest.len()));
            chunks.push(chunk);
            rest = behind;
        }
        assert_eq!(parse(chunks, Limits::DEFAULT).unwrap().tokens, expected.tokens);
    }
}

#[test]
fn names_and_values_are_those_of_a_foreign_parser() {
    struct Flat(Vec<String>);
    impl Sink for Flat {
        type Error = XmlError;
        fn token(&mut self, _: u64, _: &str, token: &Token<'_>) -> Result<(), XmlError> {
            if let Token::Start(element) = token {
                self.0.push(format!("{{{}}}{}", element.namespace, element.name.local));
                for attribute in element.attributes.iter().filter(|a| a.namespace != "http://www.w3.org/2000/xmlns/") {
                    let value = playlock_xml::text::attribute_value(attribute.value).unwrap();
                    self.0.push(format!("{{{}}}{}={value}", attribute.namespace, attribute.name.local));
                }
            }
            Ok(())
        }
    }
    let document = read("presentation.mpd");
    let mut flat = Flat(Vec::new());
    playlock_xml::parse(document.as_bytes(), Limits::DEFAULT, &mut flat).unwrap();
    let mut expected = Vec::new();
    for node in roxmltree::Document::parse(&document).unwrap().descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name();
        expected.push(format!("{{{}}}{}", name.namespace().unwrap_or(""), name.name()));
        for attribute in node.attributes() {
            let namespace = attribute.namespace().unwrap_or("");
            expected.push(format!("{{{namespace}}}{}={}", attribute.name(), attribute.value()));
        }
    }
    assert_eq!(flat.0, expected);
}

#[test]
fn white_space_in_values_becomes_spaces_as_elsewhere() {
    for raw in ["a\r\nb\rc\nd\te  f", "\r\r\n\n", "&#13;&#10;\r\n&#9;", "&amp;#10;"] {
        let document = format!("<a b='{raw}'/>");
        let tree = roxmltree::Document::parse(&document).unwrap();
        let found = playlock_xml::text::attribute_value(raw).unwrap();
        assert_eq!(Some(&*found), tree.root_element().attribute("b"), "{raw:?}");
    }
}

#[test]
fn limits_hold_exactly() {
    let limits = Limits { tag: 12, depth: 3, attributes: 2, namespaces: 1 };
    let verdict = |document: &str| {
        let whole = parse([document.as_bytes()], limits).map(|_| ()).map_err(|error| error.fault);
        let bytes = parse(document.as_bytes().chunks(1), limits).map(|_| ()).map_err(|error| error.fault);
        assert_eq!(whole, bytes, "{document}");
        whole
    };
    assert_eq!(verdict("<a b='1234'>x</a>"), Ok(()));
    assert_eq!(verdict("<a b='12345'>x</a>"), Err(Fault::TagTooLong));
    assert_eq!(verdict("<a b='12345678901234567890"), Err(Fault::TagTooLong));
    assert_eq!(verdict("<a><b><c/></b></a>"), Ok(()));
    assert_eq!(verdict("<a><b><c><d/></c></b></a>"), Err(Fault::TooDeep));
    assert_eq!(verdict("<a b='' c=''/>"), Err(Fault::TagTooLong));
    assert_eq!(verdict("<a>&#x41;<!-- longer than any tag --></a>"), Ok(()));
    let wide = Limits { tag: 100, ..limits };
    let fault = |document: &str| parse([document.as_bytes()], wide).map(|_| ()).map_err(|error| error.fault);
    assert_eq!(fault("<a b='' c=''/>"), Ok(()));
    assert_eq!(fault("<a b='' c='' d=''/>"), Err(Fault::TooMany));
    assert_eq!(fault("<a xmlns='u'><b/></a>"), Ok(()));
    assert_eq!(fault("<a xmlns='u'><b xmlns='v'/></a>"), Err(Fault::TooMany));
    assert_eq!(fault("<a><b xmlns='u'/><b xmlns='v'/></a>"), Ok(()));
}

/// A reference, a tag and a character are given up as soon as they are too long, not at the end of the input.
#[test]
fn nothing_is_kept_beyond_its_limit() {
    let refused = |start: &str| {
        let mut parser = Parser::new(Limits::DEFAULT);
        let mut record = Record::default();
        parser.push(start.as_bytes(), &mut record).unwrap();
        let mut chunks = std::iter::repeat_n(b"xxxxxxxx".as_slice(), 3000);
        let error = chunks.find_map(|chunk| parser.push(chunk, &mut record).err());
        error.map(|error| (error.fault, chunks.len() > 2900))
    };
    assert_eq!(refused("<a>&"), Some((Fault::Reference, true)));
    assert_eq!(refused("<a b='"), Some((Fault::TagTooLong, false)));
    assert_eq!(refused("<?xml "), Some((Fault::TagTooLong, false)));
    assert_eq!(refused("<a><!--"), None);
    assert_eq!(refused("<a><![CDATA["), None);
}

#[test]
fn an_error_names_its_position_and_reason() {
    let error = parse([b"<a>\n<!DOCTYPE x></a>".as_slice()], Limits::DEFAULT).err().unwrap();
    assert_eq!(error.to_string(), "XML at byte 4: DOCTYPE is not allowed");
}
