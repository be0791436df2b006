//! Rewrites MPDs with tokens for the tests in `tests/oracle`: `rewrite LINKS DOCUMENT-URL SCHEME FILE...` writes
//! `FILE.out` beside each file, or the reason why it is refused to `FILE.error`. LINKS is `none`, `query` or `path`,
//! SCHEME `clear`, `cbcs` or `cenc`.
#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stderr, reason = "a tool of tests")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::{env, fs};

use playlock_dash::{Additions, Protection};
use url::Url;

use common::{Kind, Site, rewrite};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [links, document, scheme, files @ ..] = arguments.as_slice() else {
        panic!("usage: rewrite none|query|path DOCUMENT-URL clear|cbcs|cenc FILE...");
    };
    let kind = match links.as_str() {
        "none" => Kind::None,
        "query" => Kind::Query,
        "path" => Kind::Path,
        other => panic!("{other}: expected none, query or path"),
    };
    let document = Url::parse(document).unwrap();
    let protection = match scheme.as_str() {
        "clear" => None,
        "cbcs" => Some("cbcs"),
        "cenc" => Some("cenc"),
        other => panic!("{other}: expected clear, cbcs or cenc"),
    };
    let license = "/license?session=1&content=2".to_owned();
    let additions = Additions {
        location: None,
        base: None,
        protection: protection.map(|scheme| Protection { scheme, kid: [0xA5; 16], license }),
    };
    for file in files {
        let site = Site { document: document.clone(), hosts: vec![document.host_str().unwrap().to_owned()], kind };
        let input = fs::read(file).unwrap();
        match rewrite(site, &additions, input.chunks(1000)) {
            Ok(output) => fs::write(format!("{file}.out"), output).unwrap(),
            Err(error) => fs::write(format!("{file}.error"), format!("{error:?}")).unwrap(),
        }
    }
}
