//! Documents: the words of every refusal, every rule of the contract in both directions, and the answers.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

mod common;

use common::answers::{self, answer};
use common::{folder, read, table};
use playlock_drm::{Scheme, Settings};
use playlock_speke::{Document, SpekeError, Supply, Version};

/// `2.0-vod.xml` is a document of SPEKE 2.0.
fn version(name: &str) -> Version {
    match &name[..3] {
        "1.0" => Version::V1,
        "2.0" => Version::V2_0,
        "2.1" => Version::V2_1,
        other => panic!("no version {other}"),
    }
}

#[test]
fn every_request_has_its_answer() {
    let mut count = 0;
    for name in answers::requests() {
        let request = read(&format!("requests/{name}"));
        let document = Document::read(request.as_bytes(), version(&name)).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let answer = answer(&document, None).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let path = folder().join("answers").join(&name);
        if std::env::var_os("WRITE_ANSWERS").is_some() {
            std::fs::write(&path, &answer).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == answer, "{name}: not the answer in answers/");
        count += 1;
    }
    assert!(count >= 9);
}

/// Each line of `cases.txt` changes a request in one place and names the words of the refusal, or "ok".
#[test]
fn every_rule_has_a_document_that_keeps_it_and_one_that_breaks_it() {
    let text = read("cases.txt");
    let mut words = Vec::new();
    for (name, rest) in table(&text) {
        let (edits, verdict) = rest.rsplit_once('|').unwrap_or_else(|| panic!("{rest}"));
        let mut request = read(&format!("requests/{name}.xml"));
        for edit in edits.split('|') {
            let (edit, count) = edit.strip_suffix('*').map_or((edit, 1), |edit| (edit, usize::MAX));
            let (old, new) = edit.split_once("=>").unwrap_or_else(|| panic!("no => in {edit:?}"));
            let (old, new) = (old.trim().replace("\\n", "\n"), new.trim());
            assert!(request.contains(&old), "{name} has no {old:?}");
            request = request.replacen(&old, new, count);
        }
        let found = Document::read(request.as_bytes(), version(name)).and_then(|document| answer(&document, None));
        let found = found.map_or_else(|error| error.message(), |_| "ok".into());
        assert_eq!(found, verdict, "{name}: {edits}");
        words.push(found);
    }
    for word in [
        "Missing CPIX@contentId",
        "Missing CPIX@version",
        "Unsupported CPIX@version",
        "Missing ContentKey@commonEncryptionScheme for KID 53abdba2-f210-43cb-bc90-f18f9a890a02",
        "Non compliant ContentKey@commonEncryptionScheme combination",
        "ContentKey@commonEncryptionScheme non compatible with DRMSystem 94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
        "Malformed encryption contract",
        "Requested CPIX encryption contract not supported",
        "Missing CPIX encryption contract",
    ] {
        assert!(words.iter().any(|found| found == word), "no case for {word:?}");
    }
    // The tenth is of the headers: tests/requests.rs.
    assert_eq!(SpekeError::SpekeVersion.message(), "Unsupported SPEKE version");
}

#[test]
fn no_refusal_has_the_status_of_a_success() {
    for error in [SpekeError::MissingContentId, SpekeError::SpekeVersion, SpekeError::MissingContract] {
        assert_eq!(error.status(), 422);
    }
    assert_eq!(Document::read(b"", Version::V2_0).err().unwrap().status(), 400);
    assert_eq!(Document::read(&vec![b' '; 256 * 1024 + 1], Version::V1).err().unwrap().status(), 413);
}

#[test]
fn limits_hold_exactly() {
    let document = |keys: usize, systems: usize| {
        let kid = |index: usize| format!("00000000-0000-4000-8000-{index:012x}");
        let mut text = String::from(r#"<c:CPIX xmlns:c="urn:dashif:org:cpix" id="x"><c:ContentKeyList>"#);
        (0..keys).for_each(|index| text += &format!(r#"<c:ContentKey kid="{}"/>"#, kid(index)));
        text += "</c:ContentKeyList><c:DRMSystemList>";
        let ids = [answers::WIDEVINE, answers::PLAYREADY, answers::FAIRPLAY, answers::COMMON, answers::CLEAR_KEY];
        let all =
            (0..keys).flat_map(|index| ids.map(|id| format!(r#"<c:DRMSystem kid="{}" systemId="{id}"/>"#, kid(index))));
        all.take(systems).for_each(|system| text += &system);
        text + "</c:DRMSystemList></c:CPIX>"
    };
    let verdict = |text: &str| {
        let document = Document::read(text.as_bytes(), Version::V1).map_err(|error| error.message())?;
        let answer = answer(&document, None).map_err(|error| error.message())?;
        assert!(answer.len() < 4 * 1024 * 1024, "{} bytes", answer.len());
        Ok::<_, String>(())
    };
    assert_eq!(verdict(&document(64, 256)), Ok(()));
    assert_eq!(verdict(&document(65, 1)), Err("ContentKey: too many; expected at most 64".into()));
    assert_eq!(verdict(&document(64, 257)), Err("DRMSystem: too many; expected at most 256".into()));
}

#[test]
fn the_url_names_the_scheme_of_a_document_without_one() {
    let request = read("requests/1.0-dash.xml");
    let document = Document::read(request.as_bytes(), Version::V1).unwrap();
    let plain = answer(&document, None).unwrap();
    let cbcs = answer(&document, Some(Scheme::Cbcs)).unwrap();
    assert_eq!(plain, answer(&document, Some(Scheme::Cenc)).unwrap());
    // The last field of Widevine's message: "cenc", and "cbcs".
    assert!(plain.contains("SOPclZsG") || plain.contains("I49yVmwY="), "{plain}");
    assert!(cbcs.contains("SPPGiZsG") || cbcs.contains("I88aJmwY="), "{cbcs}");
    let named = read("requests/1.0-pallycon.xml");
    let document = Document::read(named.as_bytes(), Version::V1).unwrap();
    let conflict = answer(&document, Some(Scheme::Cbcs)).unwrap_err();
    assert_eq!(conflict.message(), "scheme in the URL: invalid; expected the scheme of the document, or none");
}

#[test]
fn systems_without_their_url_are_refused_by_name() {
    let settings = Settings::default();
    let supply = Supply { keys: &answers::Computed, settings: &settings, scheme: None, seed: &[0; 32] };
    for (name, system) in [
        ("2.0-vod.xml", "94ce86fb-07ff-4f43-adb8-93d2fa968ca2"),
        ("2.0-aes128.xml", "3ea8778f-7742-4bf9-b18b-e834b2acbd47"),
        ("1.0-live.xml", "81376844-f976-481e-a84e-cc25d39b0b33"),
        ("1.0-pallycon.xml", "94CE86FB-07FF-4F43-ADB8-93D2FA968CA2"),
    ] {
        let request = read(&format!("requests/{name}"));
        let document = Document::read(request.as_bytes(), version(name)).unwrap();
        let expected = format!("DRMSystem {system}: not configured; expected its URL in the configuration");
        assert_eq!(document.answer(&supply).unwrap_err().message(), expected, "{name}");
    }
}

#[test]
fn content_ids_are_one_path_segment() {
    let id = |text: &str| playlock_speke::ContentId::parse(text);
    assert!(id("films/a").is_err());
    assert_eq!(id(&"é".repeat(200)).unwrap().path_segment(), "%C3%A9".repeat(200));
    assert!(id(&"é".repeat(201)).is_err());
    assert_eq!(id("a b%2F?#..;=").unwrap().path_segment(), "a%20b%252F%3F%23..%3B%3D");
    for refused in ["", ".", "..", "/", "\\", "\u{0}", "\u{7f}", "\u{85}"] {
        assert!(id(refused).is_err(), "{refused:?}");
    }
    assert!(id("...").is_ok());
}

/// Also where a request of 2.0 or 2.1 has them, or leaves the choice of elements to the server.
#[test]
fn nothing_of_version_1_is_in_later_answers() {
    let old = "<s:ProtectionHeader/><cpix:URIExtXKey/><s:KeyFormat/><s:KeyFormatVersions>MQ==</s:KeyFormatVersions>";
    let mut count = 0;
    // These have another prefix, and leftovers of their own.
    let others = ["2.0-default-namespace.xml", "2.0-leftovers.xml"];
    let later = |name: &String| version(name) != Version::V1 && !others.contains(&name.as_str());
    for name in answers::requests().into_iter().filter(later) {
        let request = read(&format!("requests/{name}"));
        let start = request.find("<cpix:CPIX ").unwrap();
        let tag = &request[start..start + request[start..].find('>').unwrap()];
        let id = if tag.contains(" id=") { "" } else { r#" id="root""# };
        let declared = format!(r#"<cpix:CPIX xmlns:s="urn:aws:amazon:com:speke" s:note="x"{id} "#);
        let request = request.replacen("<cpix:CPIX ", &declared, 1);
        let emptied = without_content(&request, "cpix:DRMSystem", "");
        let leftovers = without_content(&request, "cpix:DRMSystem", old);
        for document in [&emptied, &leftovers] {
            let read = Document::read(document.as_bytes(), version(&name)).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let answer = answer(&read, None).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            for word in ["urn:aws:amazon:com:speke", "s:note", "URIExtXKey", "ProtectionHeader/", ":KeyFormat"] {
                assert!(!answer.contains(word), "{name}: {word} in {answer}");
            }
            let root = &answer[answer.find("<cpix:CPIX").unwrap()..];
            assert!(!root[..root.find('>').unwrap()].contains(" id="), "{answer}");
            count += 1;
        }
    }
    assert!(count >= 16, "{count}");
}

/// The text with other content in each element of this name.
fn without_content(text: &str, name: &str, content: &str) -> String {
    let (open, close) = (format!("<{name} "), format!("</{name}>"));
    let mut pieces = text.split(&open);
    let mut made = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let end = piece.find('>').unwrap();
        let (tag, rest) = piece.split_at(end + 1);
        let rest = if tag.ends_with("/>") { rest } else { rest.split_once(&close).unwrap().1 };
        made += &[&open, tag.trim_end_matches("/>").trim_end_matches('>'), ">", content, &close, rest].concat();
    }
    made
}
