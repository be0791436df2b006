//! `playlock speke request` verifies responses: each check with a response that fails it, and with no key in the output.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;
mod speke_server;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Ran, Scratch, playlock};
use speke_server::{Reply, Server, certificate, private_key};

const ONE: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa";
const TWO: &str = "1f083e4e-b831-4a3d-917e-ce78076e54ab";
const KIDS: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa,1f083e4e-b831-4a3d-917e-ce78076e54ab";
const ALL: [&str; 12] = [
    "--content-id",
    "film",
    "--track",
    "SD,AUDIO",
    "--kid",
    KIDS,
    "--system",
    "widevine,playready,common,clearkey",
    "--period",
    "3",
    "--speke-version",
    "2.0",
];

/// The command's run against a server that changes its response.
fn tampered(more: &[&str], tamper: impl Fn(&str) -> String + Send + 'static) -> Ran {
    let server = Server::new(move |reply: Reply| {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let body = tamper(&reply.body);
        assert_ne!(body, reply.body, "the response is as it was");
        Reply { body, ..reply }
    });
    playlock(&[&["speke", "request", &server.url()], more].concat())
}

fn refused(more: &[&str], part: &str, tamper: impl Fn(&str) -> String + Send + 'static) {
    let ran = tampered(more, tamper);
    assert_eq!((ran.status, ran.output.is_empty()), (1, true), "{part}: {ran:?}");
    assert!(ran.errors.contains(part), "expected \"{part}\": {ran:?}");
}

/// Changes the bytes of the first element with this name (and attributes) in the `DRMSystem` of a system, of the first key.
fn element(body: &str, system: &str, element: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let start = body.find(&format!("systemId=\"{system}")).unwrap();
    let open = body[start..].find(&format!("<cpix:{element}>")).unwrap() + start + element.len() + "<cpix:>".len();
    let close = body[open..].find('<').unwrap() + open;
    let bytes = change(STANDARD.decode(&body[open..close]).unwrap());
    [&body[..open], &STANDARD.encode(bytes), &body[close..]].concat()
}

fn bytes_of(kid: &str) -> Vec<u8> {
    let digits = kid.replace('-', "");
    (0..16).map(|index| u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).unwrap()).collect()
}

/// Replaces bytes in bytes.
fn swap(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

fn text(change: impl Fn(&str) -> String) -> impl Fn(Vec<u8>) -> Vec<u8> {
    move |bytes| change(std::str::from_utf8(&bytes).unwrap()).into_bytes()
}

const WIDEVINE: &str = "edef8ba9";
const PLAYREADY: &str = "9a04f079";
const COMMON: &str = "1077efec";
const MEDIA: &str = "HLSSignalingData playlist=\"media\"";
const MASTER: &str = "HLSSignalingData playlist=\"master\"";

#[test]
fn a_key_without_value_or_missing() {
    refused(&ALL, &format!("key {ONE}: no value"), |body| {
        let (before, rest) = body.split_once("<cpix:Data>").unwrap();
        format!("{before}{}", rest.split_once("</cpix:Data>").unwrap().1)
    });
    refused(&ALL, "PlainValue: 15 bytes; expected 16", |body| {
        let (before, rest) = body.split_once(":PlainValue>").unwrap();
        format!("{before}:PlainValue>{}{}", STANDARD.encode([1; 15]), &rest[rest.find('<').unwrap()..])
    });
    refused(&ALL, "PlainValue: not base64", |body| body.replacen(":PlainValue>", ":PlainValue>*", 1));
    refused(&ALL, &format!("key {TWO}: not in the response"), |body| {
        let start = body.rfind("<cpix:ContentKey ").unwrap();
        let end = body[start..].find("</cpix:ContentKey>").unwrap() + start + "</cpix:ContentKey>".len();
        format!("{}{}", &body[..start], &body[end..])
    });
    refused(&ALL, "explicitIV: 3 bytes; expected 16", |body| {
        body.replacen("explicitIV=\"", "explicitIV=\"AAAA\" x=\"", 1)
    });
    refused(&ALL, &format!("key {ONE}: twice"), |body| {
        body.replacen(&format!("kid=\"{TWO}"), &format!("kid=\"{ONE}"), 1)
    });
    refused(&ALL, "commonEncryptionScheme: found \"cbcs\", expected cenc", |body| {
        body.replacen("\"cenc\"", "\"cbcs\"", 1)
    });
}

#[test]
fn data_missing_empty_or_too_much() {
    refused(&ALL, "PSSH: missing; the request asks for it", |body| body.replacen(":PSSH>", ":Psst>", 2));
    refused(&ALL, "PSSH: empty; expected data", |body| element(body, WIDEVINE, "PSSH", |_| Vec::new()));
    refused(&ALL, "widevine of key 0f083e4e-b831-4a3d-917e-ce78076e54aa: not in the response", |body| {
        body.replacen("edef8ba9", "edef8ba8", 1)
    });
    refused(&ALL, "DRMSystem edef8ba8-79d6-4ace-a3c8-27dcd51d21ed of key", |body| {
        body.replacen("edef8ba9", "edef8ba8", 1)
    });
}

#[test]
fn boxes_of_other_keys_or_systems() {
    let other = |bytes: Vec<u8>| swap(&bytes, &bytes_of(ONE), &[9; 16]);
    refused(&ALL, &format!("widevine of key {ONE}: PSSH: without this key ID"), move |body| {
        element(body, WIDEVINE, "PSSH", other)
    });
    refused(&ALL, "PSSH: the key ID 09090909-0909-0909-0909-090909090909", move |body| {
        element(body, COMMON, "PSSH", other)
    });
    refused(&ALL, "PSSH: a box of another system", |body| {
        element(body, WIDEVINE, "PSSH", |bytes| swap(&bytes, &[0xed, 0xef], &[0xee, 0xef]))
    });
    refused(&ALL, "PSSH: malformed; expected a pssh box", |body| {
        element(body, WIDEVINE, "PSSH", |bytes| bytes[1..].to_vec())
    });
    // The other key's box, with a key ID that the response has.
    refused(&ALL, &format!("common of key {ONE}: PSSH: without this key ID; expected {ONE}"), |body| {
        element(body, COMMON, "PSSH", |bytes| swap(&bytes, &bytes_of(ONE), &bytes_of(TWO)))
    });
    refused(&ALL, "PSSH: another encryption scheme", |body| {
        element(body, WIDEVINE, "PSSH", |bytes| swap(&bytes, &[0xe3, 0xdc, 0x95], &[0xf3, 0xc6, 0x89]))
    });
}

#[test]
fn playready_of_another_key() {
    // AES-ECB over the key ID: any other letters are the checksum of another key.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let checksum = move |bytes: Vec<u8>| {
        let tag = utf16("<CHECKSUM>");
        let at = bytes.windows(tag.len()).position(|window| window == tag).unwrap() + tag.len();
        [&bytes[..at], &utf16("AAAAAAAAAAA="), &bytes[at + 24..]].concat()
    };
    for (name, gap) in
        [("PSSH", "PSSH"), ("SmoothStreamingProtectionHeaderData", "SmoothStreamingProtectionHeaderData")]
    {
        refused(&ALL, &format!("{gap}: the checksum of another key; expected that of {ONE}"), move |body| {
            element(body, PLAYREADY, name, checksum)
        });
    }
    refused(&ALL, "PSSH: another algorithm", move |body| {
        element(body, PLAYREADY, "PSSH", |bytes| swap(&bytes, &utf16("AESCTR"), &utf16("AESCBC")))
    });
    refused(&ALL, "SmoothStreamingProtectionHeaderData: malformed", |body| {
        element(body, PLAYREADY, "SmoothStreamingProtectionHeaderData", |bytes| bytes[..40].to_vec())
    });
    // A key that was changed on its way does not fit the checksum.
    refused(&ALL, "the checksum of another key", |body| {
        let (before, rest) = body.split_once(":PlainValue>").unwrap();
        format!("{before}:PlainValue>{}{}", STANDARD.encode([1; 16]), &rest[rest.find('<').unwrap()..])
    });
}

#[test]
fn boxes_that_differ_between_places() {
    let in_fragment = |tag: &'static str, change: fn(Vec<u8>) -> Vec<u8>| {
        text(move |fragment| {
            let start = fragment.find(&format!("<{tag} ")).unwrap();
            let open = fragment[start..].find('>').unwrap() + start + 1;
            let close = fragment[open..].find('<').unwrap() + open;
            let bytes = change(STANDARD.decode(&fragment[open..close]).unwrap());
            format!("{}{}{}", &fragment[..open], STANDARD.encode(bytes), &fragment[close..])
        })
    };
    refused(&ALL, "ContentProtectionData: another pssh box than PSSH", move |body| {
        element(body, WIDEVINE, "ContentProtectionData", in_fragment("pssh", |bytes| bytes[..40].to_vec()))
    });
    refused(&ALL, "ContentProtectionData/pro: malformed", move |body| {
        element(body, PLAYREADY, "ContentProtectionData", in_fragment("pro", |bytes| bytes[..40].to_vec()))
    });
    refused(&ALL, "ContentProtectionData: none or several of pro", |body| {
        let change = text(|fragment| fragment.replace("<pro ", "<por ").replace("</pro>", "</por>"));
        element(body, PLAYREADY, "ContentProtectionData", change)
    });
    refused(&ALL, "ContentProtectionData: none or several of pssh", |body| {
        element(body, WIDEVINE, "ContentProtectionData", text(|fragment| format!("{fragment}{fragment}")))
    });
    refused(&ALL, "ContentProtectionData: malformed; expected elements that declare", |body| {
        element(body, WIDEVINE, "ContentProtectionData", text(|_| "<cenc:pssh/>".into()))
    });
    refused(&ALL, "HLSSignalingData[media]: another URI; expected the box of PSSH", |body| {
        element(body, WIDEVINE, MEDIA, text(|tag| tag.replace("base64,AAAA", "base64,AAAB")))
    });
    refused(&ALL, "HLSSignalingData[master]: another tag; expected #EXT-X-SESSION-KEY:", |body| {
        element(body, WIDEVINE, MASTER, text(|tag| tag.replace("-SESSION", "")))
    });
    for (from, to, part) in [
        ("SAMPLE-AES-CTR", "AES-128", "another METHOD; expected SAMPLE-AES or SAMPLE-AES-CTR"),
        ("urn:uuid:edef", "urn:uuid:fdef", "another KEYFORMAT; expected urn:uuid:edef8ba9"),
        ("KEYID=0x0f", "KEYID=0x0e", "another KEYID; expected 0x0f083e4e"),
        ("URI=", "URL=", "without URI; expected a key tag"),
    ] {
        refused(&ALL, &format!("HLSSignalingData[media]: {part}"), move |body| {
            element(body, WIDEVINE, MEDIA, text(|tag| tag.replace(from, to)))
        });
    }
    refused(&ALL, "HLSSignalingData: other attributes for media", |body| {
        element(body, WIDEVINE, MASTER, text(|tag| tag.replace("SAMPLE-AES-CTR", "SAMPLE-AES")))
    });
}

#[test]
fn a_contract_that_is_not_the_requests() {
    refused(&ALL, "ContentKeyUsageRuleList: changed", |body| {
        body.replace("maxPixels=\"589824\"", "maxPixels=\"589825\"")
    });
    refused(&ALL, "ContentKeyUsageRuleList: changed", |body| body.replace("<cpix:AudioFilter/>", ""));
    refused(&ALL, "ContentKeyUsageRuleList: changed", |body| body.replace("\"AUDIO\"", "\"SD\""));
    refused(&ALL, "ContentKeyPeriodList: changed", |body| body.replace("index=\"3\"", "index=\"4\""));
    refused(&ALL, "CPIX@contentId: found \"\u{fc}\", expected \"film\"", |body| body.replace("\"film\"", "\"\u{fc}\""));
    refused(&ALL, "CPIX@version: found \"2.4\", expected \"2.3\"", |body| body.replacen("\"2.3\"", "\"2.4\"", 1));
    // Order, prefixes and the letter case of key IDs are the server's affair.
    let ran = tampered(&ALL, |body| {
        let rules =
            body.find("<cpix:ContentKeyUsageRule ").unwrap()..body.find("</cpix:ContentKeyUsageRuleList>").unwrap();
        let (first, second) =
            body[rules.clone()].split_at(body[rules.clone()].rfind("<cpix:ContentKeyUsageRule ").unwrap());
        let body = format!("{}{second}{first}{}", &body[..rules.start], &body[rules.end..]);
        body.replace(ONE, &ONE.to_uppercase()).replace("cpix:", "c:").replace("xmlns:cpix", "xmlns:c")
    });
    assert_eq!(ran.status, 0, "{ran:?}");
}

/// The command's time and memory do not depend on the server's good will.
#[test]
fn a_hostile_response_costs_little() {
    refused(&ALL, "ContentKeyUsageRuleList: changed", |body| {
        let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
        body.replace("<cpix:AudioFilter/>", &deep)
    });
    let ran = tampered(&ALL, |body| {
        let more: String = (0..50_000).map(|number| format!("<cpix:DRMSystem kid=\"{number}\"/>")).collect();
        body.replace("<cpix:DRMSystemList>", &format!("<cpix:DRMSystemList>{more}"))
    });
    assert_eq!((ran.status, ran.errors.lines().count()), (1, 50), "{ran:?}");
}

#[test]
fn leftovers_of_speke_1_0() {
    refused(&ALL, "CPIX@id: an attribute of SPEKE 1.0", |body| {
        body.replacen("contentId=", "id=\"film\" contentId=", 1)
    });
    refused(&ALL, "the namespace of SPEKE 1.0", |body| {
        body.replacen(" xmlns:pskc", " xmlns:speke=\"urn:aws:amazon:com:speke\" xmlns:pskc", 1)
    });
    refused(&ALL, "URIExtXKey: an element of SPEKE 1.0", |body| {
        body.replacen("<cpix:PSSH>", "<cpix:URIExtXKey>AA==</cpix:URIExtXKey><cpix:PSSH>", 1)
    });
}

#[test]
fn encrypted_keys_that_were_changed() {
    let (certificate, private_key) = (Scratch::new("cert.pem", certificate()), private_key());
    let more = ["--certificate", certificate.path(), "--private-key", &private_key];
    let more = [&ALL[..], &more].concat();
    refused(&more, "another ValueMAC or padding", |body| {
        let key = body.find("<cpix:ContentKeyList>").unwrap();
        let mac = body[key..].find("<pskc:ValueMAC>").unwrap() + key + "<pskc:ValueMAC>".len();
        let end = body[mac..].find('<').unwrap() + mac;
        format!("{}{}{}", &body[..mac], STANDARD.encode([7; 64]), &body[end..])
    });
    refused(&more, "DocumentKey: 64 bytes after decryption; expected 32", |body| {
        let values: Vec<_> = body.split("CipherValue>").collect();
        body.replacen(values[1], values[3], 1)
    });
    refused(&more, "EncryptionMethod: found \"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"", |body| {
        let key = body.find("<cpix:ContentKeyList>").unwrap();
        format!("{}{}", &body[..key], body[key..].replace("aes256-cbc", "aes128-cbc"))
    });
    refused(&more, "MACMethod: Algorithm: found", |body| body.replace("hmac-sha512", "hmac-sha1"));
    refused(&more, "DeliveryData: no MACMethod", |body| body.replace("cpix:MACMethod", "cpix:MacMethod"));
    refused(&more, "PlainValue and EncryptedValue; expected one of them", |body| {
        let plain = format!("<pskc:PlainValue>{}</pskc:PlainValue>", STANDARD.encode([1; 16]));
        let (before, keys) = body.split_once("<cpix:ContentKeyList>").unwrap();
        format!(
            "{before}<cpix:ContentKeyList>{}",
            keys.replacen("</pskc:Secret>", &format!("{plain}</pskc:Secret>"), 1)
        )
    });
    // Keys in clear, although the request has a certificate.
    refused(&more, &format!("key {ONE}: in clear"), |body| {
        let key = body.find("<pskc:EncryptedValue>").unwrap().max(body.find("<cpix:ContentKeyList>").unwrap());
        let start = body[key..].find("<pskc:EncryptedValue>").unwrap() + key;
        let end = body[start..].find("</pskc:Secret>").unwrap() + start;
        let plain = STANDARD.encode(bytes_of(ONE).iter().map(|byte| byte ^ 0xa5).collect::<Vec<u8>>());
        format!("{}<pskc:PlainValue>{plain}</pskc:PlainValue>{}", &body[..start], &body[end..])
    });
}

#[test]
fn responses_of_1_0_are_verified_too() {
    let more = ["--content-id", "film", "--kid", ONE, "--speke-version", "1.0", "--system", "hls,playready,widevine"];
    refused(&more, "ProtectionHeader: malformed", |body| {
        let open = body.find("<speke:ProtectionHeader>").unwrap() + "<speke:ProtectionHeader>".len();
        format!("{}AAAA{}", &body[..open], &body[open + 4..])
    });
    refused(&more, "KeyFormat: missing", |body| body.replacen("speke:KeyFormat>", "speke:Format>", 2));
    refused(&more, "CPIX@id: found \"other\"", |body| body.replace("id=\"film\"", "id=\"other\""));
    let ran = tampered(&more, |body| body.replacen('>', "><!-- nothing else -->", 1));
    assert_eq!(ran.status, 0, "{ran:?}");
}
