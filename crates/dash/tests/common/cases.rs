//! The format of the cases: see README.md.

use std::fs;
use std::path::Path;

use playlock_dash::{Additions, Protection};
use url::Url;

use super::{Kind, Site};

pub struct Case {
    pub name: String,
    pub site: Site,
    pub additions: Additions,
    pub input: String,
    /// The output, or the name of the error.
    pub expected: Result<String, String>,
}

/// All cases of the folder.
pub fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| read(&file.file_stem().unwrap().to_string_lossy(), &fs::read_to_string(file).unwrap()))
        .collect()
}

fn read(file: &str, text: &str) -> Vec<Case> {
    let cases = text.split("\n== ").skip(1);
    cases.map(|case| parse(file, case.split_once('\n').unwrap_or((case, "")))).collect()
}

fn parse(file: &str, (name, lines): (&str, &str)) -> Case {
    let mut case = Case {
        name: format!("{file}: {name}"),
        site: Site {
            document: Url::parse("https://own.example/live/a.mpd?q").unwrap(),
            hosts: vec!["own.example".into(), "two.own.example".into()],
            kind: Kind::Query,
        },
        additions: Additions::default(),
        input: String::new(),
        expected: Ok(String::new()),
    };
    let mut error = None;
    let (mut input, mut output) = (Vec::new(), Vec::new());
    for line in lines.lines() {
        match line.split_at_checked(1) {
            Some((" ", line)) => {
                input.push(line);
                output.push(line);
            }
            Some(("-", line)) => input.push(line),
            Some(("+", line)) => output.push(line),
            Some(("!", line)) => error = Some(line.trim().to_owned()),
            Some(("@", line)) => option(&mut case, line),
            Some(("#", _)) | None => {}
            _ => panic!("{}: {line:?}", case.name),
        }
    }
    case.input = characters(&input.join("\n"));
    case.expected = error.map_or_else(|| Ok(characters(&output.join("\n"))), Err);
    case
}

fn option(case: &mut Case, line: &str) {
    let (name, value) = line.split_once(' ').unwrap_or((line, ""));
    match name {
        "document" => case.site.document = Url::parse(value).unwrap(),
        "links" => {
            case.site.kind = match value {
                "none" => Kind::None,
                "query" => Kind::Query,
                "path" => Kind::Path,
                "signed" => Kind::Signed,
                "show" => Kind::Show,
                _ => panic!("{}: {line:?}", case.name),
            }
        }
        "location" => case.additions.location = Some(value.into()),
        "scheme" => {
            case.additions.protection = Some(Protection {
                scheme: if value == "cenc" { "cenc" } else { "cbcs" },
                kid: std::array::from_fn(|at| u8::try_from(at * 17).unwrap()),
                license: "/license?a=1&b=2".into(),
            });
        }
        _ => panic!("{}: {line:?}", case.name),
    }
}

/// Characters that do not survive in a file of text.
fn characters(text: &str) -> String {
    let mut text =
        text.replace("{BOM}", "\u{FEFF}").replace("{CR}", "\r").replace("{TAB}", "\t").replace("{NONE}\n", "");
    while let Some((before, (letter, count), behind)) = repeated(&text) {
        text = format!("{before}{}{behind}", letter.repeat(count));
    }
    text
}

/// `{a*9000}`
fn repeated(text: &str) -> Option<(String, (String, usize), String)> {
    let star = text.find("*").filter(|star| text[..*star].contains('{'))?;
    let open = text[..star].rfind('{')?;
    let close = star + text[star..].find('}')?;
    let count = text[star + 1..close].parse().ok()?;
    Some((text[..open].into(), (text[open + 1..star].into(), count), text[close + 1..].into()))
}
