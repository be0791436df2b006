//! Request documents: CPIX with gaps for the server to fill.

use std::fmt::Write;

use super::asked::{Asked, AskedKey, Version, gaps};

/// Namespaces of documents.
pub const CPIX: &str = "urn:dashif:org:cpix";
pub const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
pub const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub const SPEKE: &str = "urn:aws:amazon:com:speke";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The largest pictures of AWS's classes, in pixels (SPEKE API v2, "Encryption contract").
const SD: u32 = 589_824;
const HD1: u32 = 921_600;
const HD: u32 = 2_073_600;
const UHD1: u32 = 8_847_360;

/// Writes the document.
pub fn write(asked: &Asked) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String never fails.
    let _ = write_into(&mut text, asked);
    text
}

fn write_into(text: &mut String, asked: &Asked) -> std::fmt::Result {
    let version = asked.version;
    write!(text, "<cpix:CPIX {}=\"{}\"", version.content_id(), escape(&asked.content_id))?;
    if let Some(version) = version.of_cpix() {
        write!(text, " version=\"{version}\"")?;
    }
    write!(text, " xmlns:cpix=\"{CPIX}\" xmlns:pskc=\"{PSKC}\"")?;
    if version == Version::V1 {
        write!(text, " xmlns:speke=\"{SPEKE}\"")?;
    }
    if asked.certificate.is_some() {
        write!(text, " xmlns:ds=\"{DS}\" xmlns:enc=\"{ENC}\"")?;
    }
    text.push_str(">\n");
    if let Some(certificate) = &asked.certificate {
        let key = format!("<ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data>");
        text.push_str("  <cpix:DeliveryDataList>\n    <cpix:DeliveryData id=\"packager\">\n");
        writeln!(text, "      <cpix:DeliveryKey>{key}</cpix:DeliveryKey>")?;
        text.push_str("    </cpix:DeliveryData>\n  </cpix:DeliveryDataList>\n");
    }
    text.push_str("  <cpix:ContentKeyList>\n");
    for key in &asked.keys {
        let scheme = asked.scheme.map(|scheme| format!(" commonEncryptionScheme=\"{}\"", scheme.name()));
        writeln!(text, "    <cpix:ContentKey kid=\"{}\"{}></cpix:ContentKey>", key.kid, scheme.unwrap_or_default())?;
    }
    text.push_str("  </cpix:ContentKeyList>\n  <cpix:DRMSystemList>\n");
    for key in &asked.keys {
        for system in &asked.systems {
            writeln!(text, "    <cpix:DRMSystem kid=\"{}\" systemId=\"{}\">", key.kid, system.id())?;
            for gap in gaps(*system, version) {
                let (name, is_speke) = gap.element();
                let name = format!("{}:{name}", if is_speke { "speke" } else { "cpix" });
                let playlist = gap.playlist().map(|playlist| format!(" playlist=\"{playlist}\"")).unwrap_or_default();
                writeln!(text, "      <{name}{playlist}></{name}>")?;
            }
            text.push_str("    </cpix:DRMSystem>\n");
        }
    }
    text.push_str("  </cpix:DRMSystemList>\n");
    if !asked.periods.is_empty() {
        text.push_str("  <cpix:ContentKeyPeriodList>\n");
        for period in &asked.periods {
            writeln!(text, "    <cpix:ContentKeyPeriod id=\"period-{period}\" index=\"{period}\"/>")?;
        }
        text.push_str("  </cpix:ContentKeyPeriodList>\n");
    }
    rules(text, asked)?;
    text.push_str("</cpix:CPIX>\n");
    Ok(())
}

/// The usage rules. One key of SPEKE 1.0 without rotation needs none.
fn rules(text: &mut String, asked: &Asked) -> std::fmt::Result {
    let is_v1 = asked.version == Version::V1;
    if is_v1 && asked.keys.len() == 1 && asked.periods.is_empty() {
        return Ok(());
    }
    let tracks: Vec<String> = asked.keys.iter().map(|key| key.track.clone()).collect();
    text.push_str("  <cpix:ContentKeyUsageRuleList>\n");
    for AskedKey { kid, track, period } in &asked.keys {
        writeln!(text, "    <cpix:ContentKeyUsageRule kid=\"{kid}\" intendedTrackType=\"{track}\">")?;
        if let Some(period) = period {
            writeln!(text, "      <cpix:KeyPeriodFilter periodId=\"period-{period}\"/>")?;
        }
        for filter in filters(track, &tracks).filter(|_| !is_v1).unwrap_or_default() {
            writeln!(text, "      <cpix:{filter}/>")?;
        }
        text.push_str("    </cpix:ContentKeyUsageRule>\n");
    }
    text.push_str("  </cpix:ContentKeyUsageRuleList>\n");
    Ok(())
}

/// The filters of a track type, which depend on the `others` of the request; `None` of an unknown type.
pub fn filters(track: &str, others: &[String]) -> Option<Vec<String>> {
    if track == "ALL" {
        return Some(vec!["VideoFilter".into(), "AudioFilter".into()]);
    }
    let has_uhd = others.iter().any(|other| other.split('+').any(|part| part.starts_with("UHD")));
    track.split('+').map(|part| filter(part, has_uhd)).collect()
}

fn filter(part: &str, has_uhd: bool) -> Option<String> {
    let video = |above: Option<u32>, most: Option<u32>| {
        let min = above.map(|above| format!(" minPixels=\"{}\"", above.saturating_add(1))).unwrap_or_default();
        let max = most.map(|most| format!(" maxPixels=\"{most}\"")).unwrap_or_default();
        Some(format!("VideoFilter{min}{max}"))
    };
    match part {
        "VIDEO" => video(None, None),
        "SD" => video(None, Some(SD)),
        // Beside other classes above, it ends where they begin.
        "HD" => video(Some(SD), has_uhd.then_some(HD)),
        "HD1" => video(Some(SD), Some(HD1)),
        "HD2" => video(Some(HD1), has_uhd.then_some(HD)),
        "UHD" => video(Some(HD), None),
        "UHD1" => video(Some(HD), Some(UHD1)),
        "UHD2" => video(Some(UHD1), None),
        "AUDIO" => Some("AudioFilter".into()),
        "STEREO_AUDIO" => Some("AudioFilter maxChannels=\"2\"".into()),
        "MULTICHANNEL_AUDIO" => Some("AudioFilter minChannels=\"3\"".into()),
        "MULTICHANNEL_AUDIO_3_6" => Some("AudioFilter minChannels=\"3\" maxChannels=\"6\"".into()),
        "MULTICHANNEL_AUDIO_7" => Some("AudioFilter minChannels=\"7\"".into()),
        _ => None,
    }
}

/// Text in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
