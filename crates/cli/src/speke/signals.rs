//! Checks of the data of DRM systems against keys and key IDs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use playlock_drm::System;
use playlock_drm::read::{Header, PsshBox, WidevineData};
use roxmltree::Document;

use super::answer::{Answer, AnswerKey, SystemData};
use super::asked::{Asked, Gap, SchemeName, system_name};
use super::verify::Problems;

/// The namespaces of `pssh` and `pro` elements in MPDs.
const CENC: &str = "urn:mpeg:cenc:2013";
const MSPR: &str = "urn:microsoft:playready";

/// Checks every element of every DRM system.
pub fn verify(asked: &Asked, answer: &Answer, problems: &mut Problems) {
    for key in &answer.keys {
        for data in &key.systems {
            let place = format!("{} of key {}", system_name(data.system), key.kid);
            let scheme = asked.scheme;
            Check { place: &place, key, data, answer, scheme, problems }.all();
        }
    }
}

struct Check<'a> {
    place: &'a str,
    key: &'a AnswerKey,
    data: &'a SystemData,
    answer: &'a Answer,
    scheme: Option<SchemeName>,
    problems: &'a mut Problems,
}

impl Check<'_> {
    fn all(mut self) {
        let pssh = self.data.get(Gap::Pssh);
        if let Some(pssh) = pssh {
            self.pssh("PSSH", pssh);
        }
        if let Some(fragment) = self.data.get(Gap::ContentProtectionData) {
            self.content_protection(fragment, pssh);
        }
        for gap in [Gap::SmoothHeader, Gap::ProtectionHeader] {
            if let Some(object) = self.data.get(gap) {
                self.playready(gap.label(), object);
            }
        }
        self.hls(pssh);
        for gap in [Gap::UriExtXKey, Gap::KeyFormat, Gap::KeyFormatVersions] {
            if self.data.get(gap).is_some_and(|bytes| std::str::from_utf8(bytes).is_err()) {
                self.add(&format!("{}: not UTF-8; expected text", gap.label()));
            }
        }
    }

    fn add(&mut self, problem: &str) {
        self.problems.add(format!("{}: {problem}", self.place));
    }

    /// A `pssh` box: its system, its key IDs, and what the system has in it.
    fn pssh(&mut self, name: &str, bytes: &[u8]) {
        let Ok(pssh) = PsshBox::read(bytes) else {
            return self.add(&format!("{name}: malformed; expected a pssh box"));
        };
        // Browsers read the common box for ClearKey, too.
        let system = if self.data.system == System::ClearKey { System::Common } else { self.data.system };
        if pssh.system() != Some(system) && pssh.system() != Some(self.data.system) {
            return self.add(&format!("{name}: a box of another system; expected {}", system.id()));
        }
        if pssh.version == 1 {
            self.kids(name, &pssh.kids);
        }
        match system {
            System::Widevine => self.widevine(name, pssh.data),
            System::PlayReady => self.playready(name, pssh.data),
            System::Common if pssh.version != 1 => self.add(&format!("{name}: without key IDs; expected version 1")),
            _ => {}
        }
    }

    fn widevine(&mut self, name: &str, data: &[u8]) {
        let Ok(message) = WidevineData::read(data) else {
            return self.add(&format!("{name}: malformed data; expected Widevine's message"));
        };
        // A content ID can stand for the keys.
        if !message.kids.is_empty() || message.content_id.is_none() {
            self.kids(name, &message.kids);
        }
        let found = message.scheme.map(|scheme| scheme == playlock_drm::Scheme::Cenc);
        let expected = self.scheme.and_then(SchemeName::is_counter_mode);
        if found.is_some() && expected.is_some() && found != expected {
            self.add(&format!("{name}: another encryption scheme; expected that of the request"));
        }
    }

    /// A PlayReady Object: key IDs, algorithms, and checksums of the keys.
    fn playready(&mut self, name: &str, object: &[u8]) {
        let Ok(header) = Header::read(object) else {
            return self.add(&format!("{name}: malformed; expected a PlayReady Object with a header"));
        };
        self.kids(name, &header.keys.iter().map(|key| key.kid).collect::<Vec<_>>());
        for key in &header.keys {
            let own = self.answer.keys.iter().find(|own| own.kid == key.kid).and_then(|own| own.key);
            if own.is_some_and(|own| key.verify(&own) == Some(false)) {
                self.add(&format!("{name}: the checksum of another key; expected that of {}", key.kid));
            }
            let expected = self.scheme.and_then(SchemeName::is_counter_mode);
            if key.is_counter_mode.is_some() && expected.is_some() && key.is_counter_mode != expected {
                self.add(&format!("{name}: another algorithm; expected that of the request's scheme"));
            }
        }
    }

    /// The key's own ID is there, and no ID that is not in the response.
    fn kids(&mut self, name: &str, kids: &[playlock_drm::Kid]) {
        let (place, own) = (self.place, self.key.kid);
        if !kids.contains(&own) {
            self.problems.add(format!("{place}: {name}: without this key ID; expected {own}"));
        }
        for kid in kids.iter().filter(|kid| !self.answer.keys.iter().any(|key| key.kid == **kid)) {
            self.problems.add(format!("{place}: {name}: the key ID {kid}; expected only those of the response"));
        }
    }

    /// Children of `ContentProtection` in an MPD: the same box as in `PSSH`, and PlayReady's object.
    fn content_protection(&mut self, fragment: &[u8], pssh: Option<&[u8]>) {
        let name = Gap::ContentProtectionData.label();
        let text = std::str::from_utf8(fragment).map(|text| format!("<fragment>{text}</fragment>")).unwrap_or_default();
        let Ok(document) = Document::parse(&text) else {
            return self.add(&format!("{name}: malformed; expected elements that declare their namespaces"));
        };
        let of = |namespace: &str, element: &str| -> Vec<Option<Vec<u8>>> {
            let nodes = document.root_element().children().filter(|node| node.has_tag_name((namespace, element)));
            nodes.map(|node| STANDARD.decode(node.text().unwrap_or_default().trim()).ok()).collect()
        };
        let boxes = of(CENC, "pssh");
        match boxes.as_slice() {
            [Some(own)] if pssh.is_none_or(|pssh| pssh == own) => self.pssh(name, own),
            [Some(_)] => self.add(&format!("{name}: another pssh box than PSSH; expected the same")),
            // ClearKey can do with the URL of a license server.
            [] if self.data.system == System::ClearKey => {}
            _ => self.add(&format!("{name}: none or several of pssh; expected one in {CENC}")),
        }
        if self.data.system == System::PlayReady {
            match of(MSPR, "pro").as_slice() {
                [Some(object)] => self.playready("ContentProtectionData/pro", object),
                _ => self.add(&format!("{name}: none or several of pro; expected one in {MSPR}")),
            }
        }
    }

    /// Key tags: the right ones, with the same attributes, and with the box or object of this key.
    fn hls(&mut self, pssh: Option<&[u8]>) {
        let mut all = Vec::new();
        for (gap, tag) in [(Gap::HlsMedia, "#EXT-X-KEY:"), (Gap::HlsMaster, "#EXT-X-SESSION-KEY:")] {
            let Some(bytes) = self.data.get(gap) else { continue };
            let attributes = std::str::from_utf8(bytes).ok().and_then(|text| text.trim_end().strip_prefix(tag));
            let name = gap.label();
            let Some(attributes) = attributes else {
                self.add(&format!("{name}: another tag; expected {tag}"));
                continue;
            };
            all.push(attributes);
            self.tag(name, attributes);
            let Some(uri) = value(attributes, "URI") else {
                self.add(&format!("{name}: without URI; expected a key tag"));
                continue;
            };
            let data = uri.strip_prefix("data:").and_then(|uri| uri.split_once("base64,"));
            match (self.data.system, data.map(|(_, data)| STANDARD.decode(data))) {
                (System::Widevine, Some(Ok(own))) if pssh.is_none_or(|pssh| pssh == own) => self.pssh(name, &own),
                (System::Widevine, _) => self.add(&format!("{name}: another URI; expected the box of PSSH as data:")),
                (System::PlayReady, Some(Ok(object))) => self.playready(name, &object),
                (System::PlayReady, _) => {
                    self.add(&format!("{name}: another URI; expected a PlayReady Object as data:"))
                }
                _ => {}
            }
        }
        if let [media, master] = all.as_slice()
            && media != master
        {
            self.add("HLSSignalingData: other attributes for media than for master; expected the same");
        }
    }

    /// Method, key format and key ID of a key tag.
    fn tag(&mut self, name: &str, attributes: &str) {
        let is_hls = matches!(self.data.system, System::HlsAes128V1 | System::HlsAes128);
        let methods: &[&str] = if is_hls { &["AES-128"] } else { &["SAMPLE-AES", "SAMPLE-AES-CTR"] };
        if !value(attributes, "METHOD").is_some_and(|found| methods.contains(&found)) {
            self.add(&format!("{name}: another METHOD; expected {}", methods.join(" or ")));
        }
        let key_format = match self.data.system {
            System::Widevine => "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
            System::PlayReady => "com.microsoft.playready",
            System::FairPlay => "com.apple.streamingkeydelivery",
            System::HlsAes128V1 | System::HlsAes128 | System::HlsSampleAes => "identity",
            System::ClearKey | System::Common => "org.w3.clearkey",
        };
        // Without the attribute, it is `identity` (RFC 8216, section 4.3.2.4).
        if !value(attributes, "KEYFORMAT").unwrap_or("identity").eq_ignore_ascii_case(key_format) {
            self.add(&format!("{name}: another KEYFORMAT; expected {key_format}"));
        }
        let kid = format!("0x{}", self.key.kid.hex());
        if value(attributes, "KEYID").is_some_and(|found| !found.eq_ignore_ascii_case(&kid)) {
            self.add(&format!("{name}: another KEYID; expected {kid}"));
        }
    }
}

/// The value of an attribute in a list (RFC 8216, section 4.2), without quotes.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (found, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if found.trim() == name {
            return Some(value);
        }
        rest = after.strip_prefix(',')?;
    }
}
