//! Encrypts a file: `encrypt INPUT OUTPUT --key HEX --kid HEX (--cbcs IV | --cenc SECRET) [--pssh] [--coverage PERCENT]
//! [--init FILE] [--chunk BYTES]`. INPUT is an init segment, a media segment or both; `--init` gives what only the init segment holds.
#![allow(clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

use playlock_cmaf::{Coverage, Encryptor, IV_SECRET, Scheme, Settings, common_pssh};

type Failure = Box<dyn std::error::Error>;

fn hex<const N: usize>(digits: &str) -> Result<[u8; N], Failure> {
    let bytes = base16ct::mixed::decode_vec(digits).map_err(|_| format!("{digits}: no hex digits"))?;
    bytes.try_into().map_err(|_| format!("{digits}: {N} bytes are expected").into())
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let [input, output, options @ ..] = arguments else { return Err("INPUT OUTPUT are expected".into()) };
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at.checked_add(1)?).map(String::as_str)
    };
    let required = |name: &str| option(name).ok_or_else(|| format!("{name} is missing"));
    let secret: [u8; IV_SECRET] = option("--cenc").map_or(Ok([0; IV_SECRET]), hex)?;
    let scheme = match (option("--cbcs"), option("--cenc")) {
        (Some(iv), None) => Scheme::Cbcs { iv: hex(iv)? },
        (None, Some(_)) => Scheme::Cenc { secret: &secret },
        _ => return Err("one of --cbcs, --cenc is expected".into()),
    };
    let (key, kid) = (hex(required("--key")?)?, hex(required("--kid")?)?);
    let mut settings = Settings::new(&key, kid, scheme);
    if let Some(share) = option("--coverage") {
        let coverage = share.parse().ok().and_then(Coverage::percent);
        settings = settings.with_coverage(coverage.ok_or("--coverage: 1 to 100 is expected")?);
    }
    if let Some(init) = option("--init") {
        let mut known = Encryptor::new(Settings::new(&key, kid, scheme));
        known.push(std::fs::read(init)?)?;
        settings = settings.with_tracks(known.tracks());
    }
    if options.iter().any(|option| option == "--pssh") {
        settings = settings.with_pssh(&common_pssh(&[kid]));
    }
    let bytes = std::fs::read(input)?;
    let chunk = option("--chunk").map_or(Ok(16_384), str::parse)?;
    let mut encryptor = Encryptor::new(settings);
    let mut out = Vec::new();
    for chunk in bytes.chunks(chunk) {
        out.extend(encryptor.push(chunk.to_vec())?.into_vec());
    }
    out.extend(encryptor.finish()?.into_vec());
    Ok(std::fs::write(output, out)?)
}

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("encrypt: {error}");
            ExitCode::FAILURE
        }
    }
}
