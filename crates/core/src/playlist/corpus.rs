//! Every playlist in the folder that the environment variable `PLAYLOCK_CORPUS` names, and in the project's own
//! demo: taking out what the rewriter put in gives back what the origin sent, however it was cut.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use std::path::{Path, PathBuf};
use std::{env, fs, println};

use super::attribute;
use super::tests::{KEY, marks, rewrite};
use crate::reply::Reason;

fn playlists(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            playlists(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "m3u8" || extension == "m3u") {
            found.push(path);
        }
    }
}

/// Takes one occurrence of our parameters out of every place where they stand.
fn without_parameters(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        let ours = matches!(byte, b'?' | b'&').then(|| parameters(tail)).flatten();
        match ours {
            Some(tail) => rest = tail,
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    out
}

fn parameters(text: &[u8]) -> Option<&[u8]> {
    let text = match text.strip_prefix(b"plk=") {
        Some(text) => text.get(text.iter().position(|byte| *byte == b'&')? + 1..)?,
        None => text,
    };
    text.strip_prefix(b"s=TOKEN")
}

/// A line without the byte range that encryption takes out of it.
fn without_range(line: &[u8]) -> Vec<u8> {
    let end = line.len() - line.trim_ascii_end().len();
    let (line, end) = line.split_at(line.len() - end);
    let mut line = line.to_vec();
    let colon = line.iter().position(|byte| *byte == b':').map_or(line.len(), |colon| colon + 1);
    if let Some(span) = attribute::span(&line[colon..], b"BYTERANGE") {
        line.drain(colon + span.start..colon + span.end);
    }
    line.extend_from_slice(end);
    line
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).split_inclusive(|byte| *byte == b'\n')
}

/// The lines of a playlist without those that encryption may add, change or take out.
fn without_keys(text: &[u8]) -> Vec<u8> {
    let ours = |line: &&[u8]| {
        let line = line.trim_ascii();
        line == KEY.as_bytes()
            || [&b"#EXT-X-KEY:METHOD=NONE"[..], b"#EXT-X-VERSION", b"#EXT-X-BYTERANGE"].iter().any(|tag| line.starts_with(tag))
            // A hint without a length is left out; one that stays is looked at where parts are.
            || line.starts_with(b"#EXT-X-PRELOAD-HINT")
    };
    lines(text).filter(|line| !ours(line)).flat_map(without_range).collect()
}

#[test]
fn what_goes_in_can_be_taken_out() {
    let mut files = Vec::new();
    playlists(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../envoy/demo/content"), &mut files);
    assert!(!files.is_empty());
    if let Some(corpus) = env::var_os("PLAYLOCK_CORPUS") {
        playlists(Path::new(&corpus), &mut files);
    }
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        let input = fs::read(file).unwrap();
        for encrypt in [false, true] {
            let outcome = rewrite(&|| marks(encrypt, true), &input);
            let word = outcome.as_ref().map_or_else(|reason| reason.word(), |_| "rewritten");
            *outcomes
                .entry(std::format!("{word}, {}", if encrypt { "encrypting" } else { "tokens only" }))
                .or_default() += 1;
            match outcome {
                Ok(output) if encrypt => {
                    assert_eq!(
                        String::from_utf8_lossy(&without_keys(&without_parameters(&output))),
                        String::from_utf8_lossy(&without_keys(&input)),
                        "{}",
                        file.display()
                    );
                }
                Ok(output) => {
                    let expected: Vec<u8> = lines(&input).flatten().copied().collect();
                    let back = without_parameters(&output);
                    assert_eq!(
                        String::from_utf8_lossy(&back),
                        String::from_utf8_lossy(&expected),
                        "{}",
                        file.display()
                    );
                }
                Err(Reason::Playlist) => {
                    let first = lines(&input).next().unwrap_or_default().trim_ascii();
                    assert!(first != b"#EXTM3U", "{} is a playlist", file.display());
                }
                Err(Reason::Encrypted | Reason::Byterange) => assert!(encrypt, "{}", file.display()),
                Err(reason) => panic!("{}: {}", file.display(), reason.word()),
            }
        }
    }
    println!("{} playlists: {outcomes:?}", files.len());
}
