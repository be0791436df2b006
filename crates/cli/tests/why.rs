//! `playlock why` says what the filter's exchange says, for every request of the cases and truth tables.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::{fs, path::Path};

use common::{NOW, PASSWORD, Ran, playlock, run};
use playlock_config::time;
use playlock_core::exchange::Exchange;
use playlock_core::step::{Known, Request as Asked, RequestStep};
use playlock_host::message::Request;
use playlock_host::node::Setup;
use playlock_host::{case, record};

/// `why` of a request, as a command line.
fn why(name: &str, setup: &Setup, request: &Request) -> Ran {
    let (config, env) = common::node(name, setup);
    let header = |wanted: &str| {
        let found = request.headers.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| std::str::from_utf8(value).unwrap())
    };
    let mut arguments = vec![
        "why".to_owned(),
        format!("{}://{}/", header(":scheme"), "play.example"),
        format!("--config={}", config.path()),
        format!("--now={}", setup.now),
        "--json".to_owned(),
    ];
    for (name, value) in &request.headers {
        arguments.push(format!("--header={name}: {}", std::str::from_utf8(value).unwrap()));
    }
    // A body that no header announces: what a proxy makes of it, for who has a log alone.
    arguments.extend(request.has_body.then(|| "--header=transfer-encoding: chunked".to_owned()));
    arguments.extend(request.client.iter().map(|client| format!("--ip={client}")));
    arguments.extend(request.route_policy.iter().map(|policy| format!("--route-policy={policy}")));
    arguments.extend(request.ja4.iter().map(|ja4| format!("--ja4={ja4}")));
    arguments.push(format!("--protocol={}", request.protocol));
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &[], &env)
}

/// The exchange's own verdict on a request, and its fields of the access log.
fn exchange(setup: &Setup, request: &Request) -> (String, BTreeMap<&'static str, String>) {
    let (policies, _) = playlock_config::parse(setup.config.as_bytes(), &|name| setup.env.get(name).cloned()).unwrap();
    let asked = Asked {
        headers: &request.headers,
        attributes: &Known {
            client_address: request.client.clone().map(String::into_bytes),
            route_policy: request.route_policy.clone().map(String::into_bytes),
            ja4: request.ja4.clone().map(String::into_bytes),
            protocol: Some(request.protocol.clone().into_bytes()),
        },
        now: setup.now,
        end_of_stream: !request.has_body,
    };
    let (exchange, step) = Exchange::open(&Rc::new(policies), &asked, &mut || [7; 16]);
    let word = match (&step, exchange.reason()) {
        (_, Some(_)) => "refuse",
        (RequestStep::Forward(_), _) => "forward",
        (RequestStep::Collect, _) => "collect",
        (RequestStep::Ask(_), _) => "ask",
        (RequestStep::Reply(_), _) => "reply",
    };
    (word.to_owned(), exchange.log_fields().into_iter().collect())
}

/// Compares the two; the verdict in a word, and all that `why` said.
fn compare(name: &str, setup: &Setup, request: &Request) -> (String, serde_json::Value) {
    let ran = why(name, setup, request);
    let (step, facts) = exchange(setup, request);
    assert!(ran.status < 2, "{name}: {ran:?}");
    let said = ran.json();
    assert_eq!(said["step"], step.as_str(), "{name}: {said:#}");
    for word in ["kind", "policy", "reason"] {
        assert_eq!(said[word].as_str(), facts.get(word).map(String::as_str), "{name}: {word}: {said:#}");
    }
    assert_eq!(ran.status, i32::from(step == "refuse"), "{name}");
    // The last check is the one that decided, and the only bad one.
    let checks = said["checks"].as_array().unwrap();
    let bad: Vec<_> = checks.iter().filter(|check| check["result"] == "bad").map(|check| &check["reason"]).collect();
    let reason = facts.get("reason").map(|word| serde_json::Value::from(word.as_str()));
    assert_eq!(bad, reason.iter().collect::<Vec<_>>(), "{name}");
    (facts.get("reason").cloned().unwrap_or(step), said)
}

#[test]
fn every_case() {
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, case) in case::all().unwrap().iter().filter(|(_, case)| case.refused.is_empty()) {
        for (index, sent) in record::requests(case).unwrap().into_iter().enumerate() {
            // The metadata of Envoy's filters is in no request that a user could repeat.
            if !sent.request.metadata.is_empty() {
                continue;
            }
            let (verdict, _) = compare(&format!("{name}-{}", index + 1), &sent.setup, &sent.request);
            // And what the filter did in its place: the origin was asked or not.
            assert_eq!(sent.seen.origin.is_some(), verdict == "forward", "{name}, step {}", index + 1);
            *verdicts.entry(verdict).or_default() += 1;
        }
    }
    assert!(verdicts.len() > 20 && verdicts.values().sum::<usize>() > 400, "{verdicts:?}");
}

fn tests(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(path)).unwrap()
}

fn table(text: &str) -> Vec<(usize, Vec<&str>)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(index, line)| (index + 1, line.split('\t').collect())).collect()
}

fn setup(folder: &str, now: u64) -> Setup {
    Setup { config: tests(&format!("{folder}/policies.json")), env: BTreeMap::new(), now, seed: 0 }
}

#[test]
fn the_table_of_content_targeting() {
    let setup = setup("targeting", 0);
    let text = tests("targeting/cases.tsv");
    let lines = table(&text);
    assert!(lines.len() > 200, "{}", lines.len());
    for (line, columns) in lines {
        let mut request = Request::new("GET", &format!("/{}/1.ts", columns[0]));
        request.client = (columns[1] != "-").then(|| columns[1].to_owned());
        for sent in columns[2].split(' ').filter(|text| *text != "-") {
            let (name, value) = sent.split_once('=').unwrap();
            request.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        let (verdict, _) = compare(&format!("targeting-{line}"), &setup, &request);
        let expected = columns[3].split(' ').next().unwrap();
        assert_eq!(verdict, if expected == "pass" { "forward" } else { expected }, "line {line}");
    }
}

#[test]
fn the_table_of_assignments() {
    let text = tests("assignments/cases.tsv");
    let lines = table(&text);
    assert!(lines.len() > 50, "{}", lines.len());
    for (line, columns) in lines {
        let setup = setup("assignments", time::parse(columns[0]).unwrap());
        let mut request = Request::new("GET", columns[2]);
        request.headers.retain(|(name, _)| name != ":authority");
        request.headers.push((":authority".into(), columns[1].as_bytes().to_vec()));
        let (verdict, said) = compare(&format!("assignments-{line}"), &setup, &request);
        let found = match verdict.as_str() {
            "missing" => said["policy"].as_str().unwrap(),
            "forward" => "pass",
            other => other,
        };
        assert_eq!(found, columns[3], "line {line}");
        // Of all assignments exactly one holds, or none.
        let checks = said["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == "assignment");
        let details = check.map(|check| check["details"].as_array().unwrap().as_slice()).unwrap_or_default();
        let holding = details.iter().filter(|it| it.as_str().unwrap().ends_with(": applies")).count();
        let covered = !matches!(found, "unassigned" | "target");
        assert_eq!(holding, usize::from(covered), "line {line}: {said:#}");
    }
}

#[test]
fn a_person_reads_it() {
    let config = common::vod("why-text.json");
    let acl = playlock(&["token", "--config", config.path(), "--acl", "/vod/*", "--now", NOW, "--ip", "203.0.113.7"]);
    let token = acl.text().trim();
    let url = format!("https://play.example/vod/master.m3u8?hdnts={token}");
    let asked = |more: &[&str]| playlock(&[&["why", &url, "--config", config.path()], more].concat());
    let here = ["--ip", "203.0.113.7"];
    let good = asked(&["--ip", "203.0.113.7", "--now", NOW]);
    assert_eq!((good.status, good.errors.as_str()), (0, ""), "{good:?}");
    assert!(
        good.text().starts_with("passes, as playlist\nat 2023-11-14 22:13:20 +00:00, from 203.0.113.7\n"),
        "{good:?}"
    );
    assert!(good.text().contains("exp=1700000300: valid until 2023-11-14 22:18:20 +00:00, in 5 min"), "{good:?}");
    assert!(!good.text().contains(PASSWORD) && !good.text().contains('\x1b'));
    for (more, word) in [
        (&["--ip", "203.0.113.8", "--now", NOW][..], "403 ip: "),
        (&[&here[..], &["--now", "1700000311"]].concat(), "403 expired: "),
        (&[&here[..], &["--now", NOW, "--method", "POST"]].concat(), "405 method: "),
        (&[&here[..], &["--now", NOW, "--header", ":path: /vod/../x"]].concat(), "400 target: "),
        (&[&here[..], &["--now", NOW, "--header", ":path: /elsewhere"]].concat(), "403 "),
    ] {
        let refused = asked(more);
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(refused.text().starts_with(word), "{word}: {refused:?}");
    }
    for wrong in [&["why", "nonsense", "--config", config.path()][..], &["why", &url, "--config", "/nonexistent"]] {
        assert_eq!(playlock(wrong).status, 2);
    }
}

#[test]
fn the_claim_that_refuses_a_common_access_token_is_named() {
    let vectors =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/cat.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
    let config = serde_json::json!({
        "policies": [{
            "policyName": "vod",
            "tokenAuth": {"enabled": true, "formats": ["cat"], "cat": {"keys": vectors["keys"]}},
            "mediaEncryption": {"enabled": true, "secret": "000102030405060708090a0b0c0d0e0f"},
        }],
        "assignments": [{"policyName": "vod", "path": "/..."}],
    });
    let config = common::Scratch::new("cat.json", config.to_string());
    for (about, verdict, details) in [
        ("catreplay 1", "403 claim", vec!["refused by the claim catreplay", "catreplay=1", "claims: claim"]),
        ("catm of another method", "403 claim", vec!["refused by the claim catm", "catm=[\"POST\"]"]),
        ("catu: wrong scheme", "403 path", vec!["refused by the claim catu", "catu={0: {0: \"http\"}}"]),
        ("HS256 of cwt", "passes", vec!["alg=HS256", "kid=Symmetric256", "exp=4102444800"]),
    ] {
        let vector = vectors["vectors"].as_array().unwrap().iter().find(|vector| vector["about"] == about).unwrap();
        let url = format!("https://tv.example/vod/film/master.m3u8?cat={}", vector["token"].as_str().unwrap());
        let ran = playlock(&["why", &url, "--config", config.path(), "--now", "1700000000"]);
        assert!(ran.text().starts_with(verdict), "{about}: {ran:?}");
        assert!(details.iter().all(|detail| ran.text().contains(detail)), "{about}: {ran:?}");
    }
}

/// The handling of a missing decision, and the terms of leases.
#[test]
fn a_question_to_an_authorizer_is_explained() {
    let cases = case::all().unwrap();
    for (name, details) in [
        ("authorizer-allow", vec!["without a decision the key is given"]),
        (
            "leases",
            vec![
                "without a decision the key is refused (503)",
                "by leases: group=sub%3blimit%3d9;limit=2;on-limit=end-oldest;viewer=payload;viewer-field=user;\
                 limit-field=screens;period=60;grace=30;keys-ahead=5;session=86400",
            ],
        ),
    ] {
        let (_, case) = cases.iter().find(|(found, _)| found == name).unwrap();
        let sent = &record::requests(case).unwrap()[1];
        let (verdict, said) = compare(name, &sent.setup, &sent.request);
        assert_eq!(verdict, "ask", "{said:#}");
        let check = said["checks"].as_array().unwrap().last().unwrap();
        assert_eq!((&check["check"], &check["details"]), (&"authorizer".into(), &details.into()), "{check:#}");
    }
}
