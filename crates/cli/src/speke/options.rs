//! The options of `playlock speke request`, and the request that they make.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use playlock_drm::Kid;
use playlock_drm::delivery::certificate;

use super::asked::{Asked, AskedKey, SchemeName, SystemName, Version, system_name};
use super::document;
use crate::address::Address;
use crate::config::counted;
use crate::failure::Failure;
use crate::https::certificates;
use crate::time::parse_span;
use crate::viewer::random;

/// Request content keys, verify the response, and print the keys.
///
/// The command verifies status, headers and that no key or DRM data of the request is missing; key IDs and systems of pssh
/// boxes; PlayReady's checksums; and that the rules of the request come back. If anything is wrong, standard error has each
/// problem, no key is printed, and the exit status is 1. Anyone with the keys can decrypt the content.
#[derive(Args)]
#[command(after_help = "Examples:
  playlock speke request https://edge.example/speke/cpix/getKey --token-file token --content-id film
  playlock speke request \"$URL\" --content-id film --track SD,HD,AUDIO --system widevine,playready,common \\
      --scheme cbcs --output json
  packager in=film.mp4,stream=video,output=film.mp4 \\
      $(playlock speke request \"$URL\" --content-id film --output shaka-packager) --mpd_output film.mpd
  playlock speke request \"$URL\" --content-id live --speke-version 2.1 --period 7,8 --certificate packager.pem \\
      --private-key packager.key
  playlock speke request \"$URL\" --content-id film --request-only > request.xml")]
pub struct Request {
    /// URL of the SPEKE server, for POST.
    pub url: Address,
    /// Content ID.
    #[arg(long, value_name = "ID")]
    pub content_id: String,
    /// Track type with a key of its own; may be repeated. ALL, VIDEO, SD, HD, HD1, HD2, UHD, UHD1, UHD2, AUDIO,
    /// STEREO_AUDIO, MULTICHANNEL_AUDIO, MULTICHANNEL_AUDIO_3_6, MULTICHANNEL_AUDIO_7, or some of them joined with +.
    #[arg(long = "track", value_name = "TYPE", value_delimiter = ',', default_value = "ALL")]
    pub tracks: Vec<String>,
    /// Key ID, a UUID, for each track of each period in their order; may be repeated. Random ones by default.
    #[arg(long = "kid", value_name = "UUID", value_delimiter = ',', value_parser = parse_kid)]
    pub kids: Vec<Kid>,
    /// DRM system; may be repeated. `hls` is AES-128, `common` the W3C's pssh box, which ClearKey in browsers needs.
    #[arg(
        long = "system",
        value_enum,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "widevine,playready"
    )]
    pub systems: Vec<SystemName>,
    /// Encryption scheme of all keys; cenc by default, and none in SPEKE 1.0. AES-128 of HLS is cbc1 in SPEKE 2.0.
    #[arg(long, value_enum)]
    pub scheme: Option<SchemeName>,
    /// Version of SPEKE.
    #[arg(long, value_enum, default_value = "2.0")]
    pub speke_version: Version,
    /// Index of a key rotation period; may be repeated in SPEKE 2.1.
    #[arg(long = "period", value_name = "INDEX", value_delimiter = ',')]
    pub periods: Vec<u32>,
    /// Ask for keys that are encrypted for this certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate, in PEM. The `openssl` command decrypts with it. Without it, only --output json
    /// prints the keys, encrypted.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<PathBuf>,
    /// Token of the requester, sent as the query parameter enc-token. Other users of this machine can see it; prefer
    /// --token-file.
    #[arg(long, conflicts_with = "token_file")]
    pub token: Option<String>,
    /// File with the token of the requester.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// User of HTTP Basic authentication. Other users of this machine can see the password.
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub user: Option<String>,
    /// Request header; may be repeated.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// CA certificates in PEM, instead of those of SSL_CERT_FILE or the system.
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Time limit for the response.
    #[arg(long, value_parser = parse_span, default_value = "10s")]
    pub timeout: u64,
    /// Print the request document and send nothing.
    #[arg(long)]
    pub request_only: bool,
    /// Form of the keys.
    #[arg(long, value_enum, default_value = "table")]
    pub output: Output,
}

/// The form of the keys in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table.
    Table,
    /// JSON, with the data of the DRM systems.
    Json,
    /// Arguments of Shaka Packager.
    ShakaPackager,
    /// Arguments of Bento4's mp4encrypt; the first key is for track 1, the second for track 2.
    Bento4,
    /// Arguments of ffmpeg: one key, cenc.
    Ffmpeg,
}

impl Request {
    /// The request.
    ///
    /// # Errors
    /// Options that cannot be used or do not fit each other.
    pub fn asked(&self) -> Result<Asked, Failure> {
        let version = self.speke_version;
        if self.content_id.is_empty() || self.content_id.chars().any(char::is_control) {
            return Err(wrong("--content-id: empty, or with control characters; expected a name"));
        }
        self.check_tracks()?;
        unique("--period", &self.periods)?;
        if self.periods.len() > 1 && version != Version::V2_1 {
            return Err(wrong(&format!("--period: several in SPEKE {version}; expected one, or --speke-version 2.1")));
        }
        let scheme = self.scheme.or((version != Version::V1).then_some(SchemeName::Cenc));
        let systems: Vec<_> = self.systems.iter().map(|name| name.system(version)).collect();
        unique("--system", &systems)?;
        if let (Some(scheme), true) = (scheme, version != Version::V1) {
            if scheme.scheme().is_hls_method() && version != Version::V2_1 {
                let name = scheme.name();
                return Err(wrong(&format!("--scheme: {name} in SPEKE {version}; expected cenc, cbcs or cbc1")));
            }
            if let Some(system) = systems.iter().find(|system| !system.supports(scheme.scheme())) {
                let (scheme, system) = (scheme.name(), system_name(*system));
                return Err(wrong(&format!("--scheme: {scheme} with the system {system}; expected one that it takes")));
            }
        }
        let periods =
            if self.periods.is_empty() { vec![None] } else { self.periods.iter().copied().map(Some).collect() };
        let places: Vec<_> =
            periods.iter().flat_map(|period| self.tracks.iter().map(move |track| (track.clone(), *period))).collect();
        let kids = self.kids(places.len())?;
        let keys = places.into_iter().zip(kids).map(|((track, period), kid)| AskedKey { kid, track, period }).collect();
        Ok(Asked {
            version,
            content_id: self.content_id.clone(),
            scheme,
            systems,
            periods: self.periods.clone(),
            keys,
            fixed_kids: !self.kids.is_empty(),
            certificate: self.certificate.as_deref().map(read_certificate).transpose()?,
        })
    }

    /// As many key IDs, of the arguments or random.
    fn kids(&self, count: usize) -> Result<Vec<Kid>, Failure> {
        unique("--kid", &self.kids)?;
        match self.kids.len() {
            0 => (0..count).map(|_| random().map(random_kid)).collect(),
            given if given == count => Ok(self.kids.clone()),
            given => Err(wrong(&format!(
                "--kid: {}; expected {count}, one for each track of each period, or none",
                counted(given, "key ID", "key IDs")
            ))),
        }
    }

    fn check_tracks(&self) -> Result<(), Failure> {
        unique("--track", &self.tracks)?;
        for track in &self.tracks {
            if track == "ALL" && self.tracks.len() > 1 {
                return Err(wrong("--track: ALL with others; expected ALL alone"));
            }
            if document::filters(track, &self.tracks).is_none() {
                return Err(wrong(&format!("--track: found \"{track}\", expected a type that --help lists")));
            }
        }
        Ok(())
    }
}

fn wrong(message: &str) -> Failure {
    Failure::Wrong(message.into())
}

fn unique<T: PartialEq>(option: &str, values: &[T]) -> Result<(), Failure> {
    let twice = values.iter().enumerate().any(|(index, value)| values.iter().take(index).any(|other| other == value));
    if twice { Err(wrong(&format!("{option}: a value twice; expected each once"))) } else { Ok(()) }
}

fn parse_kid(text: &str) -> Result<Kid, String> {
    Kid::parse(text).ok_or_else(|| "expected a UUID, such as 0f083e4e-b831-4a3d-917e-ce78076e54aa".into())
}

/// A UUID of version 4 (RFC 9562, section 5.4).
fn random_kid(mut bytes: [u8; 16]) -> Kid {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Kid::new(bytes)
}

/// The first certificate of a file, as base64 of DER.
fn read_certificate(file: &Path) -> Result<String, Failure> {
    let certificates = certificates(file)?;
    let der = certificates.first().map(|certificate| certificate.der()).unwrap_or_default();
    certificate::read(der).map_err(|_| {
        let place = file.display();
        Failure::Wrong(format!("{place}: not usable; expected a certificate of an RSA key of 2048 to 4096 bits"))
    })?;
    Ok(STANDARD.encode(der))
}
