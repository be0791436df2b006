//! `playlock decrypt`: decrypts a captured segment and checks it.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use base16ct::lower::encode_string as hex;
use clap::Args;
use serde_json::json;

use crate::config;
use crate::content::{KeySource, find};
use crate::failure::Failure;
use crate::given;
use crate::media;

/// Decrypt a captured segment and check that it is intact.
///
/// Key and IV come from --key-file (or --key) and --iv (or --sequence), or from the segment's URL and the configuration.
/// The size and container format are printed on standard error. Exit status 1 if the segment does not decrypt or is
/// damaged; nothing is written then.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock decrypt --config policies.json 'https://edge.example/vod/1.ts?hdntl=…' --input 1.enc --output 1.ts
  playlock decrypt --key-file key.hex --iv 0x0a --input 1.enc --output 1.ts
  curl -s \"$URL\" | playlock decrypt --config policies.json \"$URL\" | ffprobe -")]
pub struct Decrypt {
    /// Configuration of the filter. Secrets given as {"env": NAME} are read from the environment.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["key", "key_file"])]
    config: Option<PathBuf>,
    /// Key, 32 hex digits. Other users of this machine can see it; prefer --key-file.
    #[arg(long, value_name = "HEX", conflicts_with_all = ["config", "url"])]
    key: Option<String>,
    /// File with the key; - is standard input, in which case the segment comes from --input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "url", "key"])]
    key_file: Option<PathBuf>,
    /// IV, as in EXT-X-KEY.
    #[arg(long, value_name = "HEX", conflicts_with = "sequence")]
    iv: Option<String>,
    #[command(flatten)]
    source: KeySource,
    /// Segment as the viewer received it; standard input by default.
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// File for the decrypted segment; standard output by default.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the result as JSON on standard output; needs --output.
    #[arg(long, requires = "output")]
    json: bool,
}

/// Decrypts `input`, or the file of `--input`, to `output`, or the file of `--output`.
///
/// # Errors
/// The segment does not decrypt; a key, an argument or a file that cannot be used.
pub fn run(arguments: &Decrypt, input: &mut dyn Read, output: &mut dyn Write) -> Result<(), Failure> {
    if arguments.key_file.as_deref() == Some(Path::new("-")) && arguments.input.is_none() {
        return Err(Failure::Wrong(
            "--key-file -: standard input cannot hold both key and segment; expected --input".into(),
        ));
    }
    let KeyAndIv { key, iv, notes } = key_and_iv(arguments, input)?;
    if arguments.output.is_none() && io::stdout().is_terminal() {
        return Err(Failure::Wrong(
            "--output: not given, and standard output is a terminal; expected a file or a pipe".into(),
        ));
    }
    let mut ciphertext = Vec::new();
    match &arguments.input {
        None => drop(input.read_to_end(&mut ciphertext).map_err(|error| io_failure("standard input", &error))?),
        Some(file) => ciphertext = fs::read(file).map_err(|error| io_failure(&file.display().to_string(), &error))?,
    }
    let decrypted = media::decrypt(&ciphertext, &key, &iv).and_then(|bytes| {
        let container = media::examine(&bytes)?;
        Ok((bytes, container))
    });
    let (bytes, container) = decrypted.map_err(Failure::Negative)?;
    match &arguments.output {
        None => output.write_all(&bytes).map_err(config::output_failure)?,
        Some(file) => fs::write(file, &bytes).map_err(|error| io_failure(&file.display().to_string(), &error))?,
    }
    if arguments.json {
        let json = json!({"bytes": bytes.len(), "container": container.to_string(), "key": hex(&key), "iv": hex(&iv),
            "notes": notes});
        return config::write_json(output, &json);
    }
    for line in notes.into_iter().chain([format!("{} bytes, {container}", bytes.len())]) {
        // Without standard error, the line is lost.
        let _ = writeln!(io::stderr(), "playlock: {line}");
    }
    Ok(())
}

/// Key and IV, with remarks for the user.
struct KeyAndIv {
    key: [u8; 16],
    iv: [u8; 16],
    notes: Vec<String>,
}

fn key_and_iv(arguments: &Decrypt, input: &mut dyn Read) -> Result<KeyAndIv, Failure> {
    let iv = match &arguments.iv {
        None => None,
        Some(text) => Some(given::iv(text).ok_or_else(|| {
            Failure::Wrong(format!("--iv: found \"{text}\", expected up to 32 hex digits, such as 0x0a"))
        })?),
    };
    if arguments.key.is_some() || arguments.key_file.is_some() {
        let key = given::key(arguments.key.as_deref(), arguments.key_file.as_deref(), Some(16), input)?;
        let key = key.try_into().map_err(|_| Failure::Wrong("--key: not 16 bytes; expected 32 hex digits".into()))?;
        let iv = iv.or_else(|| arguments.source.sequence.map(|number| u128::from(number).to_be_bytes()));
        let iv = iv.ok_or_else(|| Failure::Wrong("--iv: not given; expected the IV, or --sequence".into()))?;
        return Ok(KeyAndIv { key, iv, notes: Vec::new() });
    }
    let Some(file) = &arguments.config else {
        return Err(Failure::Wrong("--config: not given; expected the configuration, or --key-file".into()));
    };
    let loaded = config::load(file)?;
    let content = find(&arguments.source, &loaded.policies)?;
    Ok(KeyAndIv { key: content.key, iv: iv.unwrap_or(content.iv), notes: content.notes })
}

fn io_failure(place: &str, error: &io::Error) -> Failure {
    Failure::Wrong(format!("{place}: {error}"))
}
