//! Prints keys: as a table, as JSON, or as arguments of packagers.

use std::io::Write;

use base16ct::lower::encode_string as hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::{Answer, AnswerKey, SystemData};
use super::asked::{Asked, Gap, SchemeName, system_name};
use super::options::Output;
use crate::config;
use crate::failure::Failure;

/// Checks before the request is sent that its keys can be printed in this form.
///
/// # Errors
/// [`Failure::Wrong`] if the packager's arguments have no place for them.
pub fn check(output: Output, asked: &Asked) -> Result<(), Failure> {
    let (name, most) = match output {
        Output::Table | Output::Json => return Ok(()),
        Output::ShakaPackager => ("shaka-packager", usize::MAX),
        Output::Bento4 => ("bento4", usize::MAX),
        Output::Ffmpeg => ("ffmpeg", 1),
    };
    let wrong = |problem: &str| Err(Failure::Wrong(format!("--output {name}: {problem}")));
    if asked.periods.len() > 1 {
        return wrong("no key rotation in its arguments; expected one --period");
    }
    if asked.keys.len() > most {
        return wrong("one key in its arguments; expected one --track");
    }
    match counter_mode(asked) {
        None => wrong("encrypts samples; expected --scheme cenc or cbcs"),
        Some(false) if output == Output::Ffmpeg => wrong("cbcs is not supported; expected --scheme cenc"),
        Some(_) => Ok(()),
    }
}

/// Documents of SPEKE 1.0 without a scheme are for cenc.
fn counter_mode(asked: &Asked) -> Option<bool> {
    asked.scheme.unwrap_or(SchemeName::Cenc).is_counter_mode()
}

/// A key that is known.
struct Known<'a> {
    key: &'a [u8; 16],
    answer: &'a AnswerKey,
    track: &'a str,
    period: Option<u32>,
}

/// Prints the keys.
///
/// # Errors
/// Encrypted keys in another form than JSON.
pub fn print(form: Output, asked: &Asked, answer: &Answer, output: &mut dyn Write) -> Result<(), Failure> {
    if form == Output::Json {
        return config::write_json(output, &to_json(asked, answer));
    }
    let mut known = Vec::new();
    for key in &answer.keys {
        let (Some(bytes), Some(place)) = (&key.key, asked.keys.get(key.asked)) else {
            let message = "--output: the keys are encrypted; expected --private-key, or --output json";
            return Err(Failure::Wrong(message.into()));
        };
        known.push(Known { key: bytes, answer: key, track: &place.track, period: place.period });
    }
    let text = match form {
        Output::Table | Output::Json => table(&known),
        Output::ShakaPackager => shaka_packager(asked, &known),
        Output::Bento4 => bento4(asked, &known),
        Output::Ffmpeg => ffmpeg(&known),
    };
    writeln!(output, "{text}").map_err(config::output_failure)
}

fn table(keys: &[Known<'_>]) -> String {
    let heading = ["track", "period", "key ID", "key", "IV", "systems"].map(str::to_owned);
    let rows = keys.iter().map(|key| {
        let systems: Vec<_> = key.answer.systems.iter().map(|data| system_name(data.system)).collect();
        [
            key.track.to_owned(),
            key.period.map_or("-".into(), |period| period.to_string()),
            key.answer.kid.to_string(),
            hex(key.key),
            key.answer.iv.map_or("-".into(), |iv| hex(&iv)),
            systems.join(","),
        ]
    });
    let rows: Vec<_> = std::iter::once(heading).chain(rows).collect();
    let widths: Vec<usize> = (0..6)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0))
        .collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Labels are the track types, which are Shaka Packager's own for SD, HD, UHD1, UHD2 and AUDIO. The empty one is for all.
fn shaka_packager(asked: &Asked, keys: &[Known<'_>]) -> String {
    let scheme = if counter_mode(asked) == Some(true) { "cenc" } else { "cbcs" };
    let parts = keys.iter().flat_map(|key| key.track.split('+').map(move |part| (part, key)));
    let specified: Vec<_> = parts
        .map(|(part, key)| {
            let label = if part == "ALL" { "" } else { part };
            let iv = key.answer.iv.map(|iv| format!(":iv={}", hex(&iv))).unwrap_or_default();
            format!("label={label}:key_id={}:key={}{iv}", key.answer.kid.hex(), hex(key.key))
        })
        .collect();
    let boxes: String = keys.iter().flat_map(|key| &key.answer.systems).filter_map(pssh).map(hex).collect();
    let pssh = if boxes.is_empty() { String::new() } else { format!(" --pssh {boxes}") };
    format!("--enable_raw_key_encryption --protection_scheme {scheme} --keys {}{pssh}", specified.join(","))
}

fn pssh(data: &SystemData) -> Option<&[u8]> {
    data.get(Gap::Pssh)
}

fn bento4(asked: &Asked, keys: &[Known<'_>]) -> String {
    let method = if counter_mode(asked) == Some(true) { "MPEG-CENC" } else { "MPEG-CBCS" };
    let tracks = keys.iter().zip(1_u32..).map(|(key, track)| {
        let iv = key.answer.iv.map_or("random".into(), |iv| hex(&iv));
        format!(" --key {track}:{}:{iv} --property {track}:KID:{}", hex(key.key), key.answer.kid.hex())
    });
    format!("--method {method}{}", tracks.collect::<String>())
}

fn ffmpeg(keys: &[Known<'_>]) -> String {
    let arguments = keys.iter().map(|key| {
        let (kid, key) = (key.answer.kid.hex(), hex(key.key));
        format!("-encryption_scheme cenc-aes-ctr -encryption_key {key} -encryption_kid {kid}")
    });
    arguments.collect()
}

fn to_json(asked: &Asked, answer: &Answer) -> Value {
    let keys = answer.keys.iter().map(|key| {
        let place = asked.keys.get(key.asked);
        let encrypted = key
            .encrypted
            .as_ref()
            .map(|it| json!({"cipherValue": STANDARD.encode(&it.cipher), "valueMac": STANDARD.encode(&it.mac)}));
        let systems: Map<String, Value> = key
            .systems
            .iter()
            .map(|data| {
                let elements =
                    data.data.iter().map(|(gap, bytes)| (gap.label().to_owned(), STANDARD.encode(bytes).into()));
                (system_name(data.system).to_owned(), Value::Object(elements.collect()))
            })
            .collect();
        json!({
            "kid": key.kid.to_string(),
            "key": key.key.map(|key| hex(&key)),
            "iv": key.iv.map(|iv| hex(&iv)),
            "track": place.map(|place| &place.track),
            "period": place.and_then(|place| place.period),
            "encrypted": encrypted,
            "systems": systems,
        })
    });
    let delivery = answer
        .delivery
        .as_ref()
        .map(|it| json!({"documentKey": STANDARD.encode(&it.document_key), "macKey": STANDARD.encode(&it.mac_key)}));
    json!({
        "contentId": asked.content_id,
        "spekeVersion": asked.version.to_string(),
        "scheme": asked.scheme.map(SchemeName::name),
        "keys": keys.collect::<Vec<_>>(),
        "delivery": delivery,
    })
}
