//! Tests the cost of encrypting samples, in instructions: it falls with the coverage, and audio costs about as much as whole
//! segments. No clock is read.
//!
//! The unit of audio is AES-128 of four streams side by side, the fastest way. It takes more instructions for each block than one
//! stream alone, which a processor executes in less time. The test encrypts one stream, and adds that difference.

use std::collections::BTreeMap;

use playlock_host::edge_auth::Token;
use playlock_host::envoy::Envoy;
use playlock_host::message::{Ending, Outcome, Request, Response, Seen};
use playlock_host::node::{Node, Random, Setup};
use playlock_host::wasm::{self, Flavour, Vm};
use playlock_host::wasmtime::{Instance, Module, Store};

use crate::cost::module;
use crate::{NOW, PASSWORD, SECRET};

const MPD: &[u8] = br#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="0" bandwidth="1"><SegmentTemplate media="$Number$.m4s" initialization="i.mp4" duration="4"/></Representation></AdaptationSet></Period></MPD>"#;
const MEDIA: &[u8] = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.m4s\n#EXT-X-ENDLIST\n";

/// A VM whose policy encrypts samples with these members.
fn vm(members: &[(&str, &str)]) -> Vm {
    let mut encryption = serde_json::json!({"enabled": true, "secret": SECRET});
    let object = encryption.as_object_mut().unwrap();
    object.extend(members.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())));
    let config = serde_json::json!({
        "policies": [{"policyName": "vod", "tokenAuth": {"enabled": true, "password": PASSWORD}, "mediaEncryption": encryption}],
        "assignments": [{"policyName": "vod", "path": "/..."}], "holdHeaders": true,
    });
    let setup = Setup { config: config.to_string(), env: BTreeMap::new(), now: NOW, seed: 1 };
    Vm::start(module(), &setup).unwrap_or_else(|refused| panic!("{refused:?}"))
}

fn executed(vm: &mut Vm, target: &str, body: &[u8]) -> (u64, Seen) {
    let before = vm.executed();
    let seen = vm.exchange(&Envoy::new(true), Request::new("GET", target), &mut |_| {
        Response::new(200, body).cut(65_536, Ending::WithData)
    });
    assert_eq!(seen.outcome, Outcome::Complete, "{}", seen.why);
    assert_eq!(seen.status, Some(200), "{target}");
    (vm.executed() - before, seen)
}

/// The instructions that the second response with this body takes, as media of what `document` leads to.
fn cost(vm: &mut Vm, document: &str, text: &[u8], body: &[u8]) -> (u64, Vec<u8>) {
    let token =
        Token { exp: Some(NOW + 60), acl: Some("/*".into()), ..Token::default() }.sign("sha256", PASSWORD).unwrap();
    let (_, seen) = executed(vm, &format!("/a/{document}?hdnts={token}"), text);
    let links = String::from_utf8(seen.body).unwrap();
    let query = ["$Number$.m4s?", "1.m4s?"].iter().find_map(|media| links.split_once(media)).unwrap().1;
    let query = query.split(['"', '\n']).next().unwrap().replace("&amp;", "&");
    let target = format!("/a/1.m4s?{query}");
    executed(vm, &target, body);
    let (cost, seen) = executed(vm, &target, body);
    (cost, seen.body)
}

/// The cost under `scheme` with a coverage, and what left.
fn samples(scheme: &str, coverage: &str, body: &[u8]) -> (u64, Vec<u8>) {
    cost(&mut vm(&[("scheme", scheme), ("percentageCoverage", coverage)]), "x.mpd", MPD, body)
}

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes(), &kind[..], &body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A fragment of these samples.
fn fragment(samples: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(samples.len()).unwrap();
    let sizes: Vec<u32> = samples.iter().flat_map(|sample| [1024, u32::try_from(sample.len()).unwrap()]).collect();
    let moof = |offset: u32| {
        let trun = [words(&[0x301, count, offset]), words(&sizes)].concat();
        let traf =
            [boxed(b"tfhd", &[&words(&[0x2_0000, 1])]), boxed(b"tfdt", &[&words(&[0, 0])]), boxed(b"trun", &[&trun])];
        boxed(b"moof", &[&boxed(b"mfhd", &[&words(&[0, 1])]), &boxed(b"traf", &[&traf.concat()])])
    };
    let length = u32::try_from(moof(0).len()).unwrap();
    [moof(length + 8), boxed(b"mdat", &[&samples.concat()])].concat()
}

fn random_bytes(random: &mut Random, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
}

const FRAGMENTS: u64 = 6;

/// The sizes of a fragment's samples.
fn sizes() -> impl Iterator<Item = usize> {
    (0..281).map(|number| 280 + number * 37 % 123)
}

/// Half a megabyte of AAC at 128 kbit/s, in fragments of 6 s.
fn audio() -> Vec<u8> {
    let mut random = Random::new(5);
    let mut sample = |size: usize| {
        let mut sample = random_bytes(&mut random, size);
        sample[0] = 0x21;
        sample[1] |= 0x80;
        sample
    };
    (0..FRAGMENTS).flat_map(|_| fragment(&sizes().map(&mut sample).collect::<Vec<_>>())).collect()
}

/// A megabyte of H.264 at 8 Mbit/s, one slice to a picture, 50 pictures a second.
fn video() -> Vec<u8> {
    let mut random = Random::new(6);
    let mut picture = |number: usize| {
        let size = if number == 0 { 120_000 } else { 12_000 + number * 977 % 14_000 };
        let slice = random_bytes(&mut random, size);
        [&u32::try_from(size).unwrap().to_be_bytes()[..], &[0x25], &slice[1..]].concat()
    };
    fragment(&(0..50).map(&mut picture).collect::<Vec<_>>())
}

/// The kernel's instructions for a block of one message alone, and of four messages side by side.
fn kernel() -> [u64; 2] {
    let bytes = std::fs::read(Flavour::Relaxed.path().with_file_name("aes128.wasm")).expect("run `make wasm`");
    let module: Module = wasm::metered(&bytes).unwrap();
    let mut store = Store::new(module.engine(), ());
    store.set_fuel(1 << 40).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let buffer = instance.get_typed_func::<(u32, u32), u32>(&mut store, "buffer").unwrap();
    let start = instance.get_typed_func::<u32, ()>(&mut store, "start").unwrap();
    for lane in 0..4 {
        buffer.call(&mut store, (lane, 2)).unwrap();
        start.call(&mut store, lane).unwrap();
        buffer.call(&mut store, (lane, 4096)).unwrap();
    }
    ["encrypt", "encrypt_lanes"].map(|name| {
        let function = instance.get_typed_func::<u32, ()>(&mut store, name).unwrap();
        let (argument, blocks) = if name == "encrypt" { (0, 4096) } else { (4, 4 * 4096) };
        let before = store.get_fuel().unwrap();
        function.call(&mut store, argument).unwrap();
        (before - store.get_fuel().unwrap()) / blocks
    })
}

#[test]
fn audio_costs_about_as_much_as_whole_segments_at_their_best() {
    let body = audio();
    let (whole, _) = cost(&mut vm(&[]), "index.m3u8", MEDIA, &body);
    let [alone, together] = kernel();
    let blocks = u64::try_from(body.len()).unwrap() / 16;
    let whole = whole + blocks * together - blocks * alone;
    let (cost, out) = samples("cbcs", "AUTO", &body);
    assert_eq!(out.len(), body.len());
    let beside = |cost: u64, blocks: u64| cost.saturating_sub(blocks * together);
    let encrypted: u64 = sizes().map(|size| size as u64 / 16).sum::<u64>() * FRAGMENTS;
    println!(
        "{:.3}: audio {cost}, whole segments {whole}; {alone} or {together} for a block, beside them {} and {}",
        cost as f64 / whole as f64,
        beside(cost, encrypted),
        beside(whole, blocks)
    );
    let (cenc, _) = samples("cenc", "AUTO", &body);
    println!("{:.3}: audio under cenc", cenc as f64 / whole as f64);
    assert!(cost * 100 < whole * 103, "{cost} instructions for samples, {whole} for whole segments");
}

/// Of video, the instructions beside the cipher stay, and those of the cipher follow the share.
#[test]
fn the_cost_of_video_falls_with_the_coverage() {
    let body = video();
    let (whole, _) = cost(&mut vm(&[]), "index.m3u8", MEDIA, &body);
    for (scheme, most) in [("cbcs", [0.2, 0.36, 0.8, 1.2]), ("cenc", [0.25, 0.45, 1.05, 2.05])] {
        let costs = ["10", "20", "50", "ALL"].map(|coverage| samples(scheme, coverage, &body).0);
        let ratios = costs.map(|cost| cost as f64 / whole as f64);
        println!("{scheme}: {ratios:.2?} of whole segments");
        assert!(ratios.iter().zip(most).all(|(ratio, most)| *ratio < most), "{scheme}: {ratios:?}");
        // Each block that is not encrypted saves most of what a block costs.
        let saved = costs.windows(2).zip([0.1, 0.3, 0.5]).map(|(costs, share)| (costs[1] - costs[0]) as f64 / share);
        assert!(saved.into_iter().all(|saved| saved > 0.6 * whole as f64), "{scheme}: {costs:?}");
    }
}
