//! The path that each kind of error names.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;

use super::Json;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Word {
    Plain,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is read is of no interest here")]
struct Site {
    #[serde(default)]
    rooms: Vec<Vec<Room>>,
    #[serde(default)]
    names: BTreeMap<String, u8>,
    word: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is read is of no interest here")]
struct Room {
    seats: u16,
}

fn read(json: &str) -> Result<Site, String> {
    let tree: Json = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Site::deserialize(&tree).map_err(|error| alloc::format!("{}: {error}", error.path))
}

#[test]
fn errors_name_the_way_to_the_value() {
    for (json, said) in [
        ("[]", ": invalid type: sequence, expected struct Site"),
        (r#"{"roms": 1}"#, "roms: unknown field `roms`, expected one of `rooms`, `names`, `word`"),
        (
            r#"{"rooms": [[{"a.b[0]\"]\n": 1}]]}"#,
            r#"rooms[0][0]["a.b[0]\"]\n"]: unknown field `a.b[0]\"]\n`, expected one of `seats`"#,
        ),
        (
            r#"{"rooms": [[], [{"seats": 1}, {"seats": "2"}]]}"#,
            "rooms[1][1].seats: invalid type: string \"2\", expected u16",
        ),
        (r#"{"rooms": [[{"seats": 65536}]]}"#, "rooms[0][0].seats: invalid value: integer `65536`, expected u16"),
        (r#"{"rooms": [[{"seats": 1, "seats": 1}]]}"#, "rooms[0][0].seats: found twice, expected once"),
        (r#"{"rooms": [[{}]]}"#, "rooms[0][0].seats: missing, expected this member"),
        (r#"{"rooms": [3]}"#, "rooms[0]: invalid type: integer `3`, expected a sequence"),
        (r#"{"names": {"a": -1}}"#, "names.a: invalid value: integer `-1`, expected u8"),
        (r#"{"word": "other"}"#, "word: unknown variant `other`, expected `plain`"),
        (r#"{"word": 1}"#, "word: invalid type: integer `1`, expected a word in quotes"),
        (r#"{"word": {"plain": null}}"#, "word: invalid type: map, expected a word in quotes"),
    ] {
        assert_eq!(read(json).unwrap_err(), said, "{json}");
    }
    assert_eq!(read(r#"{"word": null}"#).unwrap().word, None);
    assert_eq!(read(r#"{"word": "plain", "rooms": [[{"seats": 7}]]}"#).unwrap().word, Some(Word::Plain));
}
