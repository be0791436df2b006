//! Systems, schemes, key IDs and URI templates: the texts that are accepted, and those that are refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;

use playlock_drm::template::{MAX_LENGTH, TemplateFault};
use playlock_drm::{Kid, Scheme, System, Template};

use common::Random;

const KID: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa";
const IV: [u8; 16] = *b"\xd5\xfb\xd6\xb8\x2e\xd9\x3e\x4e\xf9\x8a\xe4\x09\x31\xee\x33\xb7";

#[test]
fn system_ids_are_parsed_in_either_case() {
    for system in System::ALL {
        assert_eq!(System::parse(system.id()), Some(system));
        assert_eq!(System::parse(&system.id().to_uppercase()), Some(system));
        assert_eq!(Kid::new(system.id_bytes()).to_string(), system.id());
    }
    for unknown in ["", "edef8ba9-79d6-4ace-a3c8-27dcd51d21ee", "edef8ba979d64acea3c827dcd51d21ed", KID] {
        assert_eq!(System::parse(unknown), None, "{unknown}");
    }
}

#[test]
fn systems_support_these_schemes() {
    let names = ["cenc", "cens", "cbc1", "cbcs", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"];
    let samples: &[&str] = &["cenc", "cbcs", "SAMPLE-AES", "SAMPLE-AES-CTR"];
    let table: [(System, &[&str]); 8] = [
        (System::Widevine, samples),
        (System::PlayReady, samples),
        (System::FairPlay, &["cbcs", "SAMPLE-AES"]),
        (System::HlsAes128V1, &["cbc1", "AES-128"]),
        (System::HlsAes128, &["cbc1", "AES-128"]),
        (System::HlsSampleAes, samples),
        (System::ClearKey, samples),
        (System::Common, samples),
    ];
    for (system, supported) in table {
        for name in names {
            assert_eq!(system.supports(Scheme::parse(name).unwrap()), supported.contains(&name), "{system:?} {name}");
        }
    }
    for name in names {
        assert_eq!(Scheme::parse(name).unwrap().is_hls_method(), name.contains("AES"), "{name}");
    }
    for unknown in ["", "CENC", "cbcs ", "cbc", "NONE", "sample-aes", "ISO-23001-7"] {
        assert_eq!(Scheme::parse(unknown), None, "{unknown}");
    }
}

#[test]
fn key_ids_are_uuids_in_either_case() {
    let kid = Kid::parse(KID).unwrap();
    assert_eq!(Kid::parse(&KID.to_uppercase()), Some(kid));
    assert_eq!((kid.to_string().as_str(), kid.hex()), (KID, KID.replace('-', "")));
    assert_eq!(Kid::from_guid(kid.guid()), kid);
    let hyphens = "0f083e4eb-831-4a3d-917e-ce78076e54aa";
    let braces = format!("{{{KID}}}");
    let sign = "+f083e4e-b831-4a3d-917e-ce78076e54aa";
    let wide = "é083e4e-b831-4a3d-917e-ce78076e54aa";
    for wrong in ["", &KID[1..], &KID.replace('-', ""), hyphens, &braces, sign, wide, &KID.replace('0', "g")] {
        assert_eq!(Kid::parse(wrong), None, "{wrong}");
    }
    let mut random = Random(5);
    for _ in 0..1000 {
        let kid = Kid::new(random.bytes());
        assert_eq!(Kid::parse(&kid.to_string()), Some(kid));
        // One byte changed to anything: another key ID, or none.
        let mut text = kid.to_string().into_bytes();
        let at = random.below(36);
        text[at] = random.bytes::<1>()[0] & 0x7f;
        let text = String::from_utf8(text).unwrap();
        let read = Kid::parse(&text);
        assert!(read.is_none_or(|read| read.to_string() == text.to_lowercase()), "{text}");
    }
}

fn filled(template: &str) -> String {
    let template = if template.starts_with("skd") { Template::fairplay(template) } else { Template::url(template) };
    template.unwrap().fill("abc/1\"\n&é", &Kid::parse(KID).unwrap(), &IV)
}

/// The encoded values are Python's: `quote(safe="")`, and `base64` of the bytes, or of a JSON object.
#[test]
fn templates_have_vendors_forms() {
    let hex = KID.replace('-', "");
    let json = "eyJDb250ZW50SWQiOiJhYmMvMVwiXHUwMDBhJsOpIiwiS2V5SWQiOiIwZjA4M2U0ZS1iODMxLTRhM2QtOTE3ZS1jZTc4MDc2ZTU0YWEiLC\
                JJViI6IjFmdld1QzdaUGs3NWl1UUpNZTR6dHc9PSJ9";
    for (template, expected) in [
        ("skd://{json:base64}", format!("skd://{json}")),
        ("skd://{json:base64url}", format!("skd://{json}")),
        ("skd://{kid:base64}", "skd://Dwg+TrgxSj2Rfs54B25Uqg==".into()),
        ("skd://{kid:base64url}", "skd://Dwg-TrgxSj2Rfs54B25Uqg".into()),
        ("skd://{kid}:{iv:HEX}", format!("skd://{KID}:D5FBD6B82ED93E4EF98AE40931EE33B7")),
        ("skd://{kid:upper}/{iv}", format!("skd://{}/d5fbd6b82ed93e4ef98ae40931ee33b7", KID.to_uppercase())),
        ("skd://{kid:HEX}/{kid:hex}", format!("skd://{}/{hex}", hex.to_uppercase())),
        ("skd://{contentId}?iv={iv:base64}", "skd://abc%2F1%22%0A%26%C3%A9?iv=1fvWuC7ZPk75iuQJMe4ztw==".into()),
        ("skd://{contentId:base64}", "skd://YWJjLzEiCibDqQ==".into()),
        ("https://{contentId:base64url}/", "https://YWJjLzEiCibDqQ/".into()),
        ("http://[::1]:8080/{iv:base64url}?a=%20&b=~#", "http://[::1]:8080/1fvWuC7ZPk75iuQJMe4ztw?a=%20&b=~#".into()),
        ("skd://", "skd://".into()),
    ] {
        assert_eq!(filled(template), expected, "{template}");
    }
}

#[test]
fn wrong_templates_are_refused_where_they_are_wrong() {
    for (template, fault) in [
        ("", TemplateFault::Scheme),
        ("https://x/{kid}", TemplateFault::Scheme),
        ("SKD://{kid}", TemplateFault::Scheme),
        ("{kid}", TemplateFault::Scheme),
        ("skd://{Kid}", TemplateFault::Unknown { at: 6 }),
        ("skd://{}", TemplateFault::Unknown { at: 6 }),
        ("skd://x{kid}{key}", TemplateFault::Unknown { at: 12 }),
        ("skd://{json}", TemplateFault::Unknown { at: 6 }),
        ("skd://{kid:Base64}", TemplateFault::Unknown { at: 6 }),
        ("skd://{{kid}}", TemplateFault::Unknown { at: 6 }),
        ("skd://{kid", TemplateFault::Character { at: 6 }),
        ("skd://kid}", TemplateFault::Character { at: 9 }),
        ("skd://{kid}\"", TemplateFault::Character { at: 11 }),
        ("skd://a b", TemplateFault::Character { at: 7 }),
        ("skd://a\n", TemplateFault::Character { at: 7 }),
        ("skd://{kid}é", TemplateFault::Character { at: 11 }),
        ("skd://a\\", TemplateFault::Character { at: 7 }),
        ("skd://{kid}{kid}{kid}{kid}{kid}{kid}{kid}{kid}{kid}", TemplateFault::Placeholders),
    ] {
        assert_eq!(Template::fairplay(template), Err(fault), "{template}");
    }
    for template in ["skd://x", "ftp://x", "//x", "/x", "javascript:x"] {
        assert_eq!(Template::url(template), Err(TemplateFault::Scheme), "{template}");
    }
    let text = |length: usize| "skd://".to_owned() + &"x".repeat(length - 6);
    assert!(Template::fairplay(&text(MAX_LENGTH)).is_ok());
    assert_eq!(Template::fairplay(&text(MAX_LENGTH + 1)), Err(TemplateFault::Length));
}

/// With any template and any content ID, the result has only characters of a URI.
#[test]
fn filled_templates_fit_into_a_quoted_string() {
    let mut random = Random(9);
    let pieces = [
        "{kid}",
        "{kid:base64}",
        "{contentId}",
        "{contentId:base64}",
        "{json:base64}",
        "{iv}",
        "/",
        "?",
        "%",
        "é",
        "{",
        "\"",
    ];
    let mut parsed = 0;
    for _ in 0..5000 {
        let text: String = (0..random.below(6)).map(|_| pieces[random.below(pieces.len())]).collect();
        let id: String =
            (0..random.below(20)).filter_map(|_| char::from_u32(u32::from(random.bytes::<1>()[0]))).collect();
        let Ok(template) = Template::fairplay(&format!("skd://{text}")) else { continue };
        let uri = template.fill(&id, &Kid::new(random.bytes()), &random.bytes());
        assert!(uri.chars().all(|it| it.is_ascii_graphic() && !"\"<>\\^`{|}".contains(it)), "{uri}");
        parsed += 1;
    }
    assert!(parsed > 500, "{parsed}");
}
