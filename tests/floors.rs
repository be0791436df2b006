//! Tests the dependencies between modules: the files of a room depend only on lower rooms, and files have no circular
//! dependencies. Dependencies are the paths in `use` lines and in code, except in tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A crate and its rooms, which are the files and folders of its sources, from the bottom up. A crate without rooms is
/// only tested for circular dependencies.
struct Building {
    name: &'static str,
    sources: &'static str,
    rooms: &'static [&'static str],
}

const BUILDINGS: [Building; 6] = [
    Building {
        name: "playlock_core",
        sources: "crates/core/src",
        rooms: &[
            "bytes", "http", "token", "policy", "session", "media", "playlist", "dash", "request", "response", "step",
            "exchange",
        ],
    },
    Building { name: "playlock_config", sources: "crates/config/src", rooms: &[] },
    Building { name: "playlock_cli", sources: "crates/cli/src", rooms: &[] },
    Building { name: "playlock_control", sources: "crates/control/src", rooms: &[] },
    Building { name: "playlock_proxy_wasm", sources: "crates/proxy-wasm/src", rooms: &[] },
    Building { name: "playlock", sources: "src", rooms: &[] },
];

/// Path of a module, starting with the crate's name.
type Module = Vec<String>;

/// Dependencies of a file.
#[derive(Debug, Default)]
struct File {
    /// Path relative to the repository.
    path: String,
    /// Absolute paths of the modules and items that it names.
    named: BTreeSet<Module>,
    /// Modules in separate files that are compiled for tests only.
    tests: BTreeSet<Module>,
}

/// Reads all files of these crates, by module.
fn files() -> BTreeMap<Module, File> {
    let mut files = BTreeMap::new();
    for building in &BUILDINGS {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(building.sources);
        let mut folders = vec![sources.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let module = module(building.name, path.strip_prefix(&sources).unwrap());
                    let shown = PathBuf::from(building.sources).join(path.strip_prefix(&sources).unwrap());
                    let (named, tests) = read(&fs::read_to_string(&path).unwrap(), &module);
                    files.insert(module, File { path: shown.display().to_string(), named, tests });
                }
            }
        }
    }
    let tests: Vec<Module> = files.values().flat_map(|file| file.tests.clone()).collect();
    files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    files
}

/// Module of a file, by its path below the crate's sources.
fn module(name: &str, file: &Path) -> Module {
    let file = file.with_extension("");
    let parts = file.iter().map(|part| part.to_str().unwrap().to_owned());
    let mut module: Module = [name.to_owned()].into_iter().chain(parts).collect();
    module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    module
}

/// Returns the paths that a file names outside of tests, and its test modules in separate files.
fn read(text: &str, file: &[String]) -> (BTreeSet<Module>, BTreeSet<Module>) {
    let (mut named, mut tests) = (BTreeSet::new(), BTreeSet::new());
    // Inline modules around a line, each with the line that ends it.
    let mut within: Vec<(String, String)> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let here = || file.iter().cloned().chain(within.iter().map(|(name, _)| name.clone())).collect::<Module>();
        if code == "#[cfg(test)]" {
            let item = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
            if let Some(name) = in_file(item) {
                tests.insert(here().into_iter().chain([name.to_owned()]).collect());
            } else if !item.ends_with(';') {
                let end = format!("{indent}}}");
                lines.by_ref().find(|line| **line == *end);
            }
        } else if within.last().is_some_and(|(_, end)| end == line) {
            within.pop();
        } else if let Some(name) = code.strip_suffix(" {").and_then(declared) {
            within.push((name.to_owned(), format!("{indent}}}")));
        } else if code.starts_with("//") || in_file(code).is_some() {
        } else if let Some(tree) = imported(code) {
            let mut tree = tree.to_owned();
            while !tree.ends_with(';') {
                tree.push_str(lines.next().unwrap_or(";").trim());
            }
            spread(&[], tree.trim_end_matches(';'), &mut |path| named.extend(absolute(path, &here())));
        } else {
            for path in paths(code) {
                named.extend(absolute(&path, &here()));
            }
        }
    }
    (named, tests)
}

/// Returns the rest of a module declaration: its name and the text after it.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
    line.strip_prefix("mod ")
}

fn in_file(line: &str) -> Option<&str> {
    declared(line)?.strip_suffix(';')
}

/// Returns the tree of a `use` line, or its start.
fn imported(line: &str) -> Option<&str> {
    let line = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
    line.strip_prefix("use ")
}

/// Calls `each` with every path of a `use` tree.
fn spread(above: &[&str], tree: &str, each: &mut dyn FnMut(&[&str])) {
    let tree = tree.trim();
    let (path, group) = match tree.split_once('{') {
        Some((path, group)) => (path, Some(group.strip_suffix('}').expect("a tree is closed"))),
        None => (tree.split(" as ").next().unwrap(), None),
    };
    let path: Vec<&str> = above.iter().copied().chain(path.split("::").filter(|part| !part.is_empty())).collect();
    let Some(group) = group else { return each(&path) };
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                spread(&path, &group[start..at], each);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !group[start..].trim().is_empty() {
        spread(&path, &group[start..], each);
    }
}

/// Returns the paths in a line of code that start at a module.
fn paths(line: &str) -> Vec<Vec<&str>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = line.split(|c: char| !is_name(c) && c != ':').filter(|word| word.contains("::"));
    let paths = words.map(|word| word.split("::").filter(|part| !part.is_empty()).collect::<Vec<_>>());
    paths.filter(|path| matches!(path.first(), Some(&("crate" | "super" | "self" | "playlock_core")))).collect()
}

/// Resolves a path in the module `here` to one that starts with the crate's name; `None` for external crates.
fn absolute(path: &[&str], here: &[String]) -> Option<Module> {
    let mut module: Module = match path.first()? {
        &"crate" => here[..1].to_vec(),
        &("self" | "super") => here.to_vec(),
        name if BUILDINGS.iter().any(|building| building.name == *name) => vec![(*name).to_owned()],
        _ => return None,
    };
    for part in path {
        match *part {
            "super" => drop(module.pop()),
            "crate" | "self" => {}
            name if module.len() == 1 && module[0] == name => {}
            name => module.push(name.to_owned()),
        }
    }
    Some(module)
}

/// Dependencies between files: a path depends on the deepest file that contains it.
fn graph(files: &BTreeMap<Module, File>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let owner = |path: &Module| (1..=path.len()).rev().find_map(|length| files.get_key_value(&path[..length]));
    let edges = files.iter().map(|(module, file)| {
        let named = file.named.iter().filter_map(owner).map(|(owner, _)| owner);
        (module, named.filter(|other| *other != module).collect())
    });
    edges.collect()
}

fn building(module: &Module) -> &'static Building {
    BUILDINGS.iter().find(|building| building.name == module[0]).unwrap()
}

/// Position of a file's room, from the bottom; `None` if the crate has no rooms.
fn floor(module: &Module) -> Option<usize> {
    building(module).rooms.iter().position(|room| module.get(1).is_some_and(|name| name == room))
}

/// Finds a path through the dependencies of `from` back to it.
fn circle<'a>(graph: &BTreeMap<&'a Module, BTreeSet<&'a Module>>, from: &'a Module) -> Option<Vec<&'a Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for other in graph.get(module).into_iter().flatten() {
            if *other == from {
                let mut way = vec![from, module];
                while let Some(before) = came_from.get(way[way.len() - 1]) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(other) {
                came_from.insert(other, module);
                next.push(other);
            }
        }
    }
    None
}

#[test]
fn rooms_depend_on_lower_rooms_only_and_no_files_on_each_other() {
    let files = files();
    let graph = graph(&files);
    let mut wrong = Vec::new();
    for (module, others) in &graph {
        for other in others {
            if let (Some(own), Some(others)) = (floor(module), floor(other))
                && module[0] == other[0]
                && own < others
            {
                wrong.push(format!("{} depends on {}, which is above it", files[*module].path, files[*other].path));
            }
        }
    }
    for module in graph.keys() {
        // Reports each circle once, from its first file.
        let way = circle(&graph, module).filter(|way| way.iter().all(|other| *other >= *module));
        let shown = way.map(|way| way.iter().map(|module| &*files[*module].path).collect::<Vec<_>>().join(" → "));
        wrong.extend(shown.map(|way| format!("a circle: {way}")));
    }
    assert!(graph.len() > 100, "{} files", graph.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_has_a_floor() {
    let files = files();
    for building in BUILDINGS.iter().filter(|building| !building.rooms.is_empty()) {
        let rooms = files.keys().filter(|module| module[0] == building.name).filter_map(|module| module.get(1));
        let rooms: BTreeSet<&str> = rooms.map(String::as_str).collect();
        let listed: Vec<&str> = building.rooms.to_vec();
        let once: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(once, rooms, "{}", building.sources);
        assert_eq!(once.len(), listed.len(), "{}: a room is listed twice", building.sources);
    }
}

/// Tests the reader with an example of every supported syntax.
#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let text = "\
pub mod inner;
use std::fmt;
pub use self::inner::{Deep, deeper::{self, Deepest}};
use super::sibling::Thing as Other;
// crate::comment::X
fn f() -> crate::far::X { super::near() }
mod nested {
    use super::Own;
    use crate::{
        a::B,
        c,
    };
}
#[cfg(test)]
mod vectors;
#[cfg(test)]
#[path = \"x.rs\"]
mod tests {
    use crate::tested::X;
}
use playlock_core::policy::Policy;
";
    let module = ["playlock", "room", "file"].map(str::to_owned).to_vec();
    let (named, tests) = read(text, &module);
    let shown = |modules: BTreeSet<Module>| modules.iter().map(|module| module.join("::")).collect::<Vec<_>>();
    assert_eq!(shown(tests), ["playlock::room::file::vectors"]);
    assert_eq!(
        shown(named),
        [
            "playlock::a::B",
            "playlock::c",
            "playlock::far::X",
            "playlock::room::file::Own",
            "playlock::room::file::inner::Deep",
            "playlock::room::file::inner::deeper",
            "playlock::room::file::inner::deeper::Deepest",
            "playlock::room::near",
            "playlock::room::sibling::Thing",
            "playlock_core::policy::Policy",
        ]
    );
}
