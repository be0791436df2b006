//! `playlock speke request` against a server that answers with `playlock-speke`: keys of every version, and every check of
//! a response with one that fails it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

mod common;
mod speke_server;

use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Ran, Scratch, playlock};
use playlock_drm::Kid;
use playlock_speke::{Document, Version};
use speke_server::{Reply, Server, certificate, private_key};

const VERSIONS: [&str; 3] = ["1.0", "2.0", "2.1"];
const ONE: &str = "0f083e4e-b831-4a3d-917e-ce78076e54aa";
const TWO: &str = "1f083e4e-b831-4a3d-917e-ce78076e54ab";

/// Two keys with fixed IDs, for four systems.
const TWO_KEYS: [&str; 8] = [
    "--track",
    "SD,AUDIO",
    "--kid",
    "0f083e4e-b831-4a3d-917e-ce78076e54aa,1f083e4e-b831-4a3d-917e-ce78076e54ab",
    "--system",
    "widevine,playready,common,clearkey",
    "--content-id",
    "film & <more>",
];

fn request(server: &Server, more: &[&str]) -> Ran {
    playlock(&[&["speke", "request", &server.url()], more].concat())
}

/// The key and IV of a key ID, in hex.
fn expected(kid: &str) -> (String, String) {
    let kid = Kid::parse(kid).unwrap();
    let mut iv = *kid.bytes();
    iv.reverse();
    (speke_server::hex(&kid.bytes().map(|byte| byte ^ 0xa5)), speke_server::hex(&iv))
}

#[test]
fn keys_of_every_version() {
    let server = Server::new(Reply::untouched);
    for version in VERSIONS {
        let ran = request(&server, &[&TWO_KEYS[..], &["--speke-version", version, "--output", "json"]].concat());
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{version}: {ran:?}");
        let json = ran.json();
        assert_eq!(json["contentId"], "film & <more>");
        for (index, kid, track) in [(0, ONE, "SD"), (1, TWO, "AUDIO")] {
            let (key, iv) = expected(kid);
            let found = &json["keys"][index];
            assert_eq!((&found["kid"], &found["key"], &found["iv"]), (&kid.into(), &key.into(), &iv.into()));
            assert_eq!(found["track"], track);
            let pssh = STANDARD.decode(found["systems"]["common"]["PSSH"].as_str().unwrap()).unwrap();
            assert_eq!(pssh.len(), 52);
        }
    }
}

#[test]
fn encrypted_keys_of_every_version() {
    let server = Server::new(Reply::untouched);
    let (certificate, private_key) = (Scratch::new("cert.pem", certificate()), private_key());
    for version in VERSIONS {
        let more = ["--speke-version", version, "--output", "json", "--certificate", certificate.path()];
        let closed = request(&server, &[&TWO_KEYS[..], &more].concat());
        assert_eq!((closed.status, closed.errors.as_str()), (0, ""), "{closed:?}");
        assert!(closed.json()["keys"][0]["key"].is_null() && closed.json()["delivery"]["macKey"].is_string());
        assert!(closed.json()["keys"][0]["encrypted"]["cipherValue"].is_string());
        let opened = request(&server, &[&TWO_KEYS[..], &more, &["--private-key", &private_key]].concat());
        assert_eq!((opened.status, opened.errors.as_str()), (0, ""), "{opened:?}");
        assert_eq!(opened.json()["keys"][1]["key"], expected(TWO).0);
    }
    // A table has keys alone.
    let table = request(&server, &[&TWO_KEYS[..], &["--certificate", certificate.path()]].concat());
    assert_eq!((table.status, table.output.is_empty()), (2, true), "{table:?}");
    assert!(table.errors.contains("the keys are encrypted; expected --private-key"), "{table:?}");
}

#[test]
fn the_wrong_private_key_is_an_error() {
    let server = Server::new(Reply::untouched);
    let certificate = Scratch::new("cert.pem", certificate());
    let ran = request(
        &server,
        &[&TWO_KEYS[..], &["--certificate", certificate.path(), "--private-key", certificate.path()]].concat(),
    );
    assert_eq!((ran.status, ran.output.is_empty()), (2, true), "{ran:?}");
    assert!(ran.errors.contains("expected the key of --certificate"), "{ran:?}");
}

/// The server's parser is not the client's: it must understand every document.
#[test]
fn a_server_reads_every_request() {
    for (version, more) in [
        (Version::V1, &["--speke-version", "1.0"][..]),
        (Version::V1, &["--speke-version", "1.0", "--system", "hls,fairplay", "--period", "7"]),
        (Version::V2_0, &[]),
        (Version::V2_0, &["--track", "SD+HD1,HD2,UHD1,UHD2,STEREO_AUDIO,MULTICHANNEL_AUDIO_3_6,MULTICHANNEL_AUDIO_7"]),
        (Version::V2_0, &["--track", "SD,HD,UHD,AUDIO", "--scheme", "cbcs", "--system", "fairplay,hls-sample-aes"]),
        (Version::V2_0, &["--track", "VIDEO,STEREO_AUDIO,MULTICHANNEL_AUDIO", "--period", "3"]),
        (Version::V2_0, &["--scheme", "cbc1", "--system", "hls"]),
        (Version::V2_1, &["--speke-version", "2.1", "--period", "1,2,3", "--scheme", "SAMPLE-AES"]),
        (Version::V2_1, &["--speke-version", "2.1", "--scheme", "AES-128", "--system", "hls"]),
    ] {
        let arguments = ["speke", "request", "https://none.invalid/", "--content-id", "film", "--request-only"];
        let ran = playlock(&[&arguments[..], more].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let document = Document::read(&ran.output, version).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        assert_eq!(document.content_id().as_str(), "film");
        speke_server::answer(&document).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    }
}

#[test]
fn random_key_ids_differ() {
    let kids = || {
        let arguments = ["speke", "request", "https://none.invalid/", "--content-id", "film", "--request-only"];
        let ran = playlock(&arguments);
        ran.text().split("kid=\"").nth(1).unwrap()[..36].to_owned()
    };
    let kid = kids();
    assert_ne!(kid, kids());
    assert_eq!((kid.as_bytes()[14], b"89ab".contains(&kid.as_bytes()[19])), (b'4', true), "{kid}");
}

#[test]
fn rotation_periods_have_keys_of_their_own() {
    let server = Server::new(Reply::untouched);
    let more = ["--content-id", "live", "--speke-version", "2.1", "--period", "7,8", "--track", "VIDEO,AUDIO"];
    let ran = request(&server, &[&more[..], &["--output", "json"]].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    let json = ran.json();
    let periods: Vec<_> = json["keys"].as_array().unwrap().iter().map(|key| key["period"].as_u64().unwrap()).collect();
    assert_eq!(periods, [7, 7, 8, 8]);
    let table = request(&server, &more);
    assert_eq!(table.text().lines().count(), 5, "{table:?}");
}

#[test]
fn keys_as_a_table_and_as_arguments() {
    let server = Server::new(Reply::untouched);
    let as_text = |more: &[&str]| {
        let ran = request(&server, &[&["--content-id", "film"], more].concat());
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
        ran.text().to_owned()
    };
    let (hex_1, hex_2) = (ONE.replace('-', ""), TWO.replace('-', ""));
    let ((key_1, iv_1), (key_2, iv_2)) = (expected(ONE), expected(TWO));
    let both = format!("{ONE},{TWO}");
    let two = ["--track", "SD,AUDIO", "--kid", &both];
    let table = as_text(&[&two[..], &["--system", "common"]].concat());
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["track", "period", "key", "ID", "key", "IV", "systems"]);
    assert_eq!(rows[2], ["AUDIO", "-", TWO, &key_2, &iv_2, "common"]);

    let shaka =
        as_text(&[&two[..], &["--scheme", "cbcs", "--system", "common", "--output", "shaka-packager"]].concat());
    let common = |hex: &str| {
        format!("00000034707373680100000010 77efecc0b24d02ace33c1e52e2fb4b00000001{hex}00000000").replace(' ', "")
    };
    assert_eq!(
        shaka,
        format!(
            "--enable_raw_key_encryption --protection_scheme cbcs --keys label=SD:key_id={hex_1}:key={key_1}:iv={iv_1},\
             label=AUDIO:key_id={hex_2}:key={key_2}:iv={iv_2} --pssh {}{}\n",
            common(&hex_1),
            common(&hex_2)
        )
    );
    let all = as_text(&["--kid", ONE, "--system", "hls-sample-aes", "--output", "shaka-packager"]);
    assert!(all.contains(&format!("--keys label=:key_id={hex_1}:key={key_1}:iv={iv_1}\n")), "{all}");
    let bento4 = as_text(&[&two[..], &["--output", "bento4"]].concat());
    assert_eq!(
        bento4,
        format!(
            "--method MPEG-CENC --key 1:{key_1}:{iv_1} --property 1:KID:{hex_1} --key 2:{key_2}:{iv_2} \
             --property 2:KID:{hex_2}\n"
        )
    );
    let ffmpeg = as_text(&["--kid", ONE, "--output", "ffmpeg"]);
    assert_eq!(ffmpeg, format!("-encryption_scheme cenc-aes-ctr -encryption_key {key_1} -encryption_kid {hex_1}\n"));
}

#[test]
fn credentials_go_to_the_server_and_into_no_message() {
    // Some servers repeat the request.
    let server = Server::new(|reply: Reply| Reply { status: 403, body: "no a/b+c=, a%2fb%2bc%3d".into(), ..reply });
    let file = Scratch::new("token", "a/b+c=\n");
    for (more, header) in [
        (&["--token-file", file.path()][..], "?enc-token=a%2fb%2bc%3d "),
        (&["--token", "a/b+c="], "?enc-token=a%2fb%2bc%3d "),
    ] {
        let ran = request(&server, &[&["--content-id", "film"], more].concat());
        assert!(ran.errors.contains("status 403, expected 200: no …, …"), "{ran:?}");
        assert!(server.heard().contains(header), "{}", server.heard());
    }
    let server = Server::new(|reply: Reply| Reply { status: 403, ..reply });
    for (more, header) in [
        (&["--token", "a/b+c="][..], "?enc-token=a%2fb%2bc%3d "),
        (&["--user", "me:a/b+c="], "authorization: Basic bWU6YS9iK2M9"),
        (&["-H", "x-playlock-speke-token: a/b+c="], "x-playlock-speke-token: a/b+c="),
    ] {
        let ran = request(&server, &[&["--content-id", "film"], more].concat());
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.errors.contains("status 403, expected 200"), "{ran:?}");
        let heard = server.heard();
        assert!(heard.contains(header), "{heard}");
        assert!(!["a/b+c=", "a%2f", "getKey"].iter().any(|secret| ran.errors.contains(secret)), "{ran:?}");
    }
}

/// Every status and header of a response by version.
#[test]
fn a_response_of_another_kind_is_refused() {
    let without = |name: &'static str| {
        move |reply: Reply| Reply { headers: reply.headers.into_iter().filter(|it| it.0 != name).collect(), ..reply }
    };
    let with =
        |name: &'static str, value: &'static str| move |reply: Reply| without(name)(reply).with_header(name, value);
    let json = with("content-type", "application/json");
    type Tamper = Box<dyn Fn(Reply) -> Reply + Send>;
    let cases: Vec<(&str, Tamper, &str)> = vec![
        ("2.0", Box::new(without("x-speke-version")), "X-Speke-Version: absent or twice; expected 2.0"),
        ("2.1", Box::new(with("x-speke-version", "2.0")), "X-Speke-Version: found \"2.0\"; expected 2.1"),
        ("1.0", Box::new(with("x-speke-version", "2.0")), "X-Speke-Version: found \"2.0\"; expected none in SPEKE 1.0"),
        ("2.0", Box::new(without("x-speke-user-agent")), "X-Speke-User-Agent: absent"),
        ("2.0", Box::new(with("content-type", "text/html")), "Content-Type: found \"text/html\""),
        ("2.0", Box::new(move |reply| Reply { body: "{\"code\": 7}".into(), ..json(reply) }), "xml: {\"code\": 7}"),
        (
            "2.0",
            Box::new(|reply: Reply| reply.with_header("content-type", "text/xml")),
            "Content-Type: absent or twice",
        ),
        ("1.0", Box::new(with("content-type", "application/xml; charset=latin1")), "Content-Type: found"),
        ("2.0", Box::new(|reply: Reply| Reply { status: 302, ..reply }), "status 302, expected 200"),
        ("2.0", Box::new(|reply: Reply| Reply { body: "\x1b[2J".into(), status: 422, ..reply }), "200: \\u{1b}[2J"),
        ("2.0", Box::new(|reply: Reply| Reply { body: "SUCCESS".into(), ..reply }), "response: "),
        ("2.0", Box::new(|reply: Reply| Reply { body: "<CPIX/>".into(), ..reply }), "root element: found CPIX"),
        ("2.0", Box::new(|reply: Reply| Reply { body: format!("<!DOCTYPE a>{}", reply.body), ..reply }), "response: "),
    ];
    for (version, tamper, part) in cases {
        let server = Server::new(tamper);
        let ran = request(&server, &["--content-id", "film", "--speke-version", version]);
        assert_eq!((ran.status, ran.output.is_empty()), (1, true), "{part}: {ran:?}");
        assert!(ran.errors.contains(part), "{part}: {ran:?}");
    }
    let ran = playlock(&["speke", "request", "http://none.invalid/secret", "--content-id", "film"]);
    assert!(ran.status == 3 && ran.errors.contains("warning: http: the keys are not encrypted"), "{ran:?}");
    let ran = playlock(&["speke", "request", "http://127.0.0.1:1/secret", "--content-id", "film"]);
    assert!(
        ran.status == 3 && ran.errors.contains("http://127.0.0.1:1: ") && !ran.errors.contains("secret"),
        "{ran:?}"
    );
}

#[test]
fn replaced_key_ids_are_followed_unless_they_are_given() {
    let replace = |reply: Reply| {
        let request = Document::read(reply.request.as_bytes(), Version::V2_0).unwrap();
        assert_eq!(request.keys(), 1);
        let kid = reply.request.split("kid=\"").nth(1).unwrap()[..36].to_owned();
        let other = reply.request.replace(&kid, TWO);
        let document = Document::read(other.as_bytes(), Version::V2_0).unwrap();
        Reply { body: speke_server::answer(&document).unwrap(), ..reply }
    };
    let server = Server::new(replace);
    let ran = request(&server, &["--content-id", "film", "--output", "json"]);
    assert_eq!((ran.status, &ran.json()["keys"][0]["kid"]), (0, &TWO.into()), "{ran:?}");
    assert!(ran.errors.contains(&format!("the server has replaced the key ID by {TWO}")), "{ran:?}");
    let ran = request(&server, &["--content-id", "film", "--kid", ONE]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.errors.contains(&format!("key {ONE}: not in the response")), "{ran:?}");
}

#[test]
fn arguments_that_cannot_be_used() {
    for (more, part) in [
        (&["--track", "ALL,SD"][..], "--track: ALL with others"),
        (&["--track", "SD,4K"], "--track: found \"4K\""),
        (&["--track", "SD,SD"], "--track: a value twice"),
        (&["--track", "SD,HD", "--kid", ONE], "--kid: 1 key ID; expected 2"),
        (&["--period", "1,2"], "--period: several in SPEKE 2.0"),
        (&["--system", "fairplay"], "--scheme: cenc with the system fairplay"),
        (&["--scheme", "AES-128", "--system", "hls"], "--scheme: AES-128 in SPEKE 2.0"),
        (&["--output", "ffmpeg", "--scheme", "cbcs"], "--output ffmpeg: cbcs is not supported"),
        (&["--output", "ffmpeg", "--track", "SD,HD"], "--output ffmpeg: one key"),
        (&["--output", "bento4", "--scheme", "cbc1", "--system", "hls"], "--output bento4: encrypts samples"),
        (&["--output", "shaka-packager", "--period", "1,2", "--speke-version", "2.1"], "no key rotation"),
        (&["--certificate", "/nonexistent"], "/nonexistent: "),
        (&["--private-key", "/nonexistent"], "--certificate"),
        (&["--token-file", "/nonexistent"], "--token-file /nonexistent: "),
        (&["--kid", "1"], "expected a UUID"),
        (&["--header", "a b: c"], "--header, --user or URL: "),
    ] {
        let ran = playlock(&[&["speke", "request", "http://127.0.0.1:1/", "--content-id", "film"], more].concat());
        assert_eq!(ran.status, 2, "{ran:?}");
        assert!(ran.errors.contains(part), "{part}: {ran:?}");
    }
}

/// The examples of docs/speke.md that need no packager.
#[test]
fn the_pages_examples_run() {
    let server = Server::new(Reply::untouched);
    let page = include_str!("../../../docs/speke.md").replace("https://keys.example/cpix/getKey", &server.url());
    let blocks: Vec<_> = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let folder = env::temp_dir().join(format!("playlock-speke-page-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("token"), "token\n").unwrap();
    fs::write(folder.join("packager.pem"), certificate()).unwrap();
    fs::copy(private_key(), folder.join("packager.key")).unwrap();
    let tools = Path::new(env!("CARGO_BIN_EXE_playlock")).parent().unwrap();
    let path = format!("{}:{}", tools.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", &blocks.concat()]).current_dir(&folder).env("PATH", path);
    let output = shell.output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success() && output.stderr.is_empty() && blocks.len() == 2, "{output:?}");
}
