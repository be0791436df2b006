//! Replays files through a property, without libFuzzer: a finding, or a corpus to see what it covers.
//!
//!     cargo run --manifest-path fuzz/Cargo.toml --no-default-features --example replay -- TARGET FILE-OR-FOLDER...

use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, property)) = playlock_fuzz::PROPERTIES.iter().find(|(known, _)| *known == name) else {
        eprintln!("no target {name:?}: {}", playlock_fuzz::PROPERTIES.map(|(known, _)| known).join(" "));
        process::exit(2);
    };
    let mut files = 0;
    for file in arguments.flat_map(|path| files_of(Path::new(&path))) {
        match fs::read(&file) {
            Ok(input) => property(&input),
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                process::exit(2);
            }
        }
        files += 1;
    }
    println!("{name}: holds of {files} files");
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => vec![path.into()],
    }
}
