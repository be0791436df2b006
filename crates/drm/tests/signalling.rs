//! Signalling, against Shaka Packager (packager.json) and PyPI `cpix` (cpix.json), and in the forms that SPEKE wants.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;

use playlock_drm::pssh::{self, playready, widevine};
use playlock_drm::text::base64;
use playlock_drm::{Content, Kid, Scheme, Settings, System, Template, signal};
use serde_json::Value;

use common::{block, items, text, unbase64};

const KEY: [u8; 16] = [7; 16];
const IV: [u8; 16] = *b"\xd5\xfb\xd6\xb8\x2e\xd9\x3e\x4e\xf9\x8a\xe4\x09\x31\xee\x33\xb7";

fn kid() -> Kid {
    Kid::parse("0f083e4e-b831-4a3d-917e-ce78076e54aa").unwrap()
}

fn settings() -> Settings {
    Settings {
        fairplay: Some(Template::fairplay("skd://{kid:base64}").unwrap()),
        key_url: Some(Template::url("https://edge.example/serve.key/{contentId}/{kid}?a=1&b=2").unwrap()),
        license_url: Some(Template::url("https://edge.example/license/{contentId}?a=1&b=2").unwrap()),
        ..Settings::default()
    }
}

fn content(kid: &Kid, scheme: Scheme) -> Content<'_> {
    Content { id: "news/5 é", kid, key: &KEY, iv: &IV, scheme }
}

/// The attributes of a key tag, sorted: the packager has another order.
fn attributes(tag: &str) -> Vec<&str> {
    let list = tag.split_once(':').unwrap().1;
    let mut quoted = false;
    let mut attributes: Vec<_> = list
        .split(|character| {
            quoted ^= character == '"';
            character == ',' && !quoted
        })
        .collect();
    attributes.sort_unstable();
    attributes
}

#[test]
fn packager_has_the_same_boxes_and_key_tags() {
    let file = vectors!("packager");
    let mut tags = 0;
    for vector in items(&file["vectors"]) {
        let kid = Kid::new(block(text(&vector["kid"])));
        let scheme = Scheme::parse(text(&vector["scheme"])).unwrap();
        let (key, iv) = (block(text(&vector["key"])), block(text(&vector["iv"])));
        let content = Content { id: "any", kid: &kid, key: &key, iv: &iv, scheme };
        let systems = [System::Widevine, System::PlayReady, System::Common, System::FairPlay];
        for system in systems.into_iter().filter(|system| system.supports(scheme)) {
            let signals = signal(system, &content, &settings()).unwrap();
            let in_init = &vector["boxes"][system.id().replace('-', "")];
            assert_eq!(signals.pssh.as_deref().map(base64).as_deref(), in_init.as_str(), "{system:?}");
            let protection = &vector["contentProtection"][format!("urn:uuid:{}", system.id())];
            let element = |name: &str, namespace: &str| {
                let content = &protection[format!("{{{namespace}}}{name}")];
                content.as_str().map(|content| format!(r#"<{name} xmlns="{namespace}">{content}</{name}>"#))
            };
            let mut expected = element("pssh", "urn:mpeg:cenc:2013").unwrap_or_default();
            expected += &element("pro", "urn:microsoft:playready").unwrap_or_default();
            assert_eq!(signals.content_protection.unwrap_or_default(), expected, "{system:?}");
            let Some(hls) = signals.hls else { continue };
            let format = format!(r#"KEYFORMAT="{}""#, hls.key_format());
            let theirs = items(&vector["keyTags"]).iter().map(text).find(|tag| tag.contains(&format)).unwrap();
            let mut theirs = attributes(theirs);
            // The packager adds the IV of cbcs, which is the same for all samples.
            theirs.retain(|attribute| !attribute.starts_with("IV="));
            let media = hls.media();
            assert_eq!(attributes(&media), theirs, "{system:?}");
            tags += 1;
        }
    }
    assert_eq!(tags, 10);
}

#[test]
fn cpix_library_has_the_same_widevine_boxes() {
    let file = vectors!("cpix");
    for vector in items(&file["widevine"]) {
        let kids: Vec<_> = items(&vector["kids"]).iter().map(|kid| Kid::parse(text(kid)).unwrap()).collect();
        let message = widevine::Message {
            kids: &kids,
            provider: vector["provider"].as_str(),
            content_id: vector["contentId"].as_str().map(str::as_bytes),
            scheme: vector["scheme"].as_str().map(|name| Scheme::parse(name).unwrap()),
        };
        let ours = match vector["version"].as_u64() {
            Some(0) => pssh::version_0(System::Widevine, &message.encode()),
            _ => pssh::version_1(System::Widevine, &kids, &message.encode()),
        };
        assert_eq!(base64(&ours.unwrap()), text(&vector["box"]), "{vector}");
    }
    assert_eq!(items(&file["widevine"]).len(), 120);
}

#[test]
fn cpix_library_has_the_same_playready_objects() {
    let file = vectors!("cpix");
    for vector in items(&file["playready"]) {
        let pair = |pair: &Value| (Kid::parse(text(&pair[0])).unwrap(), block(text(&pair[1])));
        let pairs: Vec<_> = items(&vector["keys"]).iter().map(pair).collect();
        let keys: Vec<_> = pairs.iter().map(|(kid, key)| playready::Key { kid, key }).collect();
        let kids: Vec<_> = pairs.iter().map(|(kid, _)| *kid).collect();
        let version = match text(&vector["algorithm"]) {
            "AESCTR" => playready::Version::V4_2,
            _ => playready::Version::V4_3,
        };
        let header = playready::header(version, &keys, vector["url"].as_str()).unwrap();
        assert_eq!(header, text(&vector["header"]));
        let object = playready::object(&header).unwrap();
        assert_eq!(base64(&object), text(&vector["object"]));
        let ours = match vector["version"].as_u64() {
            Some(0) => pssh::version_0(System::PlayReady, &object),
            _ => pssh::version_1(System::PlayReady, &kids, &object),
        };
        assert_eq!(base64(&ours.unwrap()), text(&vector["box"]));
    }
    for checksum in items(&file["checksums"]) {
        let ours = playready::checksum(&Kid::parse(text(&checksum[0])).unwrap(), &block(text(&checksum[1])));
        assert_eq!(base64(&ours), text(&checksum[2]));
    }
}

/// Made with two generators, before this crate.
#[test]
fn playready_checksum_has_a_known_answer() {
    assert_eq!(base64(&kid().guid()), "Tj4IDzG4PUqRfs54B25Uqg==");
    assert_eq!(base64(&playready::checksum(&kid(), &block("00112233445566778899aabbccddeeff"))), "C8IE1OIKjFs=");
}

#[test]
fn the_box_is_the_same_in_both_elements() {
    for system in [System::Widevine, System::PlayReady, System::ClearKey, System::Common] {
        let signals = signal(system, &content(&kid(), Scheme::Cbcs), &settings()).unwrap();
        let fragment = signals.content_protection.unwrap();
        let within = fragment.split_once(r#"<pssh xmlns="urn:mpeg:cenc:2013">"#).unwrap().1;
        assert_eq!(unbase64(within.split_once("</pssh>").unwrap().0), signals.pssh.unwrap(), "{system:?}");
    }
}

#[test]
fn each_system_has_its_elements_and_no_other() {
    let present = |system, settings: &Settings| {
        let signals = signal(system, &content(&kid(), Scheme::Cbcs), settings).unwrap();
        let pssh = signals.pssh.is_some();
        (pssh, signals.content_protection.is_some(), signals.smooth.is_some(), signals.hls.is_some())
    };
    let table = [
        (System::Widevine, (true, true, false, true), (true, true, false, true)),
        (System::PlayReady, (true, true, true, true), (true, true, true, true)),
        (System::FairPlay, (false, false, false, true), (false, false, false, false)),
        (System::HlsAes128V1, (false, false, false, true), (false, false, false, false)),
        (System::HlsAes128, (false, false, false, true), (false, false, false, false)),
        (System::HlsSampleAes, (false, false, false, true), (false, false, false, false)),
        (System::ClearKey, (true, true, false, true), (true, true, false, false)),
        (System::Common, (true, true, false, false), (true, true, false, false)),
    ];
    for (system, configured, default) in table {
        assert_eq!(present(system, &settings()), configured, "{system:?}");
        assert_eq!(present(system, &Settings::default()), default, "{system:?}");
    }
}

#[test]
fn key_tags() {
    let tag = |system, scheme| signal(system, &content(&kid(), scheme), &settings()).unwrap().hls.unwrap().media();
    let pssh = "AAAAOHBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAABgSEA8IPk64MUo9kX7OeAduVKpI88aJmwY=";
    let edge = "https://edge.example";
    let kid = "0f083e4e-b831-4a3d-917e-ce78076e54aa";
    let key_id = kid.replace('-', "");
    let key_url = format!("{edge}/serve.key/news%2F5%20%C3%A9/{kid}?a=1&b=2");
    let identity = r#"KEYFORMAT="identity",KEYFORMATVERSIONS="1""#;
    assert_eq!(
        tag(System::Widevine, Scheme::Cbcs),
        format!(
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,{pssh}\",KEYID=0x{key_id},\
             KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\",KEYFORMATVERSIONS=\"1\""
        )
    );
    let playready = tag(System::PlayReady, Scheme::Cenc);
    let start = "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT=\"com.microsoft.playready\",KEYFORMATVERSIONS=\"1\",\
                 URI=\"data:text/plain;charset=UTF-16;base64,BgIAAAEAAQD8ATwAVwBSAE0";
    assert!(playready.starts_with(start) && playready.ends_with('"'), "{playready}");
    assert_eq!(
        tag(System::FairPlay, Scheme::Cbcs),
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://Dwg+TrgxSj2Rfs54B25Uqg==\",\
         KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\""
    );
    for system in [System::HlsAes128V1, System::HlsAes128] {
        let expected = format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{key_url}\",{identity}");
        assert_eq!(tag(system, Scheme::Cbc1), expected);
    }
    for (scheme, method) in [(Scheme::Cbcs, "SAMPLE-AES"), (Scheme::Cenc, "SAMPLE-AES-CTR")] {
        let expected = format!("#EXT-X-KEY:METHOD={method},URI=\"{key_url}\",{identity}");
        assert_eq!(tag(System::HlsSampleAes, scheme), expected);
    }
    assert_eq!(
        tag(System::ClearKey, Scheme::Cenc),
        format!(
            "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"{edge}/license/news%2F5%20%C3%A9?a=1&b=2\",KEYID=0x{key_id},\
             KEYFORMAT=\"org.w3.clearkey\",KEYFORMATVERSIONS=\"1\""
        )
    );
}

#[test]
fn tags_of_media_and_multivariant_playlists_have_the_same_attributes() {
    for system in System::ALL {
        for scheme in [Scheme::Cenc, Scheme::Cbcs, Scheme::Cbc1] {
            let Some(hls) = signal(system, &content(&kid(), scheme), &settings()).unwrap().hls else { continue };
            let (media, master) = (hls.media(), hls.master());
            let attributes = media.strip_prefix("#EXT-X-KEY:").unwrap();
            assert_eq!(master.strip_prefix("#EXT-X-SESSION-KEY:"), Some(attributes));
            assert!(attributes.contains(&format!("URI=\"{}\"", hls.uri())), "{attributes}");
            assert!(attributes.is_ascii() && !attributes.contains(['\n', '\r']), "{attributes}");
        }
    }
}

#[test]
fn clear_key_names_its_license_server() {
    let signals = signal(System::ClearKey, &content(&kid(), Scheme::Cbcs), &settings()).unwrap();
    let url = "https://edge.example/license/news%2F5%20%C3%A9?a=1&amp;b=2";
    let laurl = format!("<dashif:Laurl xmlns:dashif=\"https://dashif.org/CPS\">{url}</dashif:Laurl>");
    assert!(signals.content_protection.unwrap().ends_with(&laurl));
}

#[test]
fn widevine_content_ids_come_with_a_provider() {
    let settings = Settings { widevine_provider: Some("studio".into()), ..Settings::default() };
    let boxed = signal(System::Widevine, &content(&kid(), Scheme::Cenc), &settings).unwrap().pssh.unwrap();
    let tail = b"\x1a\x06studio\x22\x09news/5 \xc3\xa9\x48\xe3\xdc\x95\x9b\x06";
    assert!(boxed.ends_with(tail), "{boxed:x?}");
}

#[test]
fn playready_headers_by_scheme_and_settings() {
    let header = |scheme, settings: &Settings| {
        let object = signal(System::PlayReady, &content(&kid(), scheme), settings).unwrap().smooth.unwrap();
        let units: Vec<_> = object[10..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16(&units).unwrap()
    };
    let list = Settings { playready_list: true, ..Settings::default() };
    let url = Some(Template::url("https://l.example/?id={contentId}&k={kid:hex}").unwrap());
    let with_url = Settings { playready_url: url, ..Settings::default() };
    for (scheme, settings, version) in [
        (Scheme::Cenc, &with_url, "4.0.0.0"),
        (Scheme::SampleAesCtr, &with_url, "4.0.0.0"),
        (Scheme::Cenc, &list, "4.2.0.0"),
        (Scheme::Cbcs, &with_url, "4.3.0.0"),
        (Scheme::SampleAes, &list, "4.3.0.0"),
    ] {
        let header = header(scheme, settings);
        assert!(header.contains(&format!("version=\"{version}\"")), "{header}");
        assert_eq!(header.contains("CHECKSUM"), version != "4.3.0.0", "{header}");
        let url =
            "<LA_URL>https://l.example/?id=news%2F5%20%C3%A9&amp;k=0f083e4eb8314a3d917ece78076e54aa</LA_URL></DATA>";
        assert_eq!(header.contains(url), settings.playready_url.is_some(), "{header}");
    }
}

#[test]
fn playready_objects_have_15_kilobytes_at_most() {
    let url = "https://l.example/?".to_owned() + &"{contentId}".repeat(8);
    let settings = Settings { playready_url: Some(Template::url(&url).unwrap()), ..Settings::default() };
    let id = |length: usize| "é".repeat(length);
    let kid = kid();
    let signals = |id: &str| signal(System::PlayReady, &Content { id, ..content(&kid, Scheme::Cenc) }, &settings);
    assert!(signals(&id(100)).is_ok());
    assert!(signals(&id(200)).is_err());
    assert!(playready::object(&"x".repeat(7675)).is_some());
    assert!(playready::object(&"x".repeat(7676)).is_none());
}

#[test]
fn boxes_and_headers_have_limits() {
    assert!(pssh::common(&[kid(); 64]).is_some_and(|bytes| bytes.len() == 32 + 4 + 64 * 16));
    assert!(pssh::common(&[kid(); 65]).is_none());
    let kid = kid();
    let keys = [playready::Key { kid: &kid, key: &KEY }; 2];
    assert!(playready::header(playready::Version::V4_0, &keys, None).is_none());
    for version in [playready::Version::V4_0, playready::Version::V4_2, playready::Version::V4_3] {
        assert!(playready::header(version, &[], None).is_none());
    }
}
