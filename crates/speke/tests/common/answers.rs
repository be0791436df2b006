//! Answers with keys that a reader can compute: each byte of the key ID, xor 0xa5; the IV is the key ID backwards.

use playlock_drm::{Kid, Scheme, Settings, Template};
use playlock_speke::{ContentId, Document, Keys, SpekeError, Supply};
use zeroize::Zeroizing;

pub const WIDEVINE: &str = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";
pub const PLAYREADY: &str = "9a04f079-9840-4286-ab92-e65be0885f95";
pub const FAIRPLAY: &str = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2";
pub const COMMON: &str = "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b";
pub const CLEAR_KEY: &str = "e2719d58-a985-b3c9-781a-b030af78d30e";

pub struct Computed;

impl Keys for Computed {
    fn key(&self, _: &ContentId, kid: &Kid) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(kid.bytes().map(|byte| byte ^ 0xA5))
    }

    fn iv(&self, _: &ContentId, kid: &Kid) -> [u8; 16] {
        let mut iv = *kid.bytes();
        iv.reverse();
        iv
    }
}

pub fn settings() -> Settings {
    Settings {
        fairplay: Some(Template::fairplay("skd://{json:base64}").unwrap()),
        key_url: Some(Template::url("https://edge.example/keys/{contentId}/{kid}").unwrap()),
        license_url: Some(Template::url("https://edge.example/license").unwrap()),
        ..Settings::default()
    }
}

pub fn answer(document: &Document<'_>, scheme: Option<Scheme>) -> Result<String, SpekeError> {
    let settings = settings();
    document.answer(&Supply { keys: &Computed, settings: &settings, scheme, seed: &[7; 32] })
}

/// The names of the request documents.
pub fn requests() -> Vec<String> {
    let entries = std::fs::read_dir(super::folder().join("requests")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
