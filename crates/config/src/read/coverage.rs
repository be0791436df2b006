//! Reader of `percentageCoverage`: the share of samples' blocks to encrypt.

use alloc::format;

use crate::document::MediaEncryption;
use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::policy::encryption::{Coverage, HlsMethod, SampleScheme};

/// Reads the member of the policy's `mediaEncryption` at the JSON path `path`. `None`: the scheme's own share.
///
/// # Errors
/// A value that is no share.
pub fn read(
    path: &str,
    encryption: &MediaEncryption,
    reader: &mut Reader<'_>,
) -> Result<Option<Coverage>, ConfigError> {
    let Some(written) = encryption.percentage_coverage.as_deref() else { return Ok(None) };
    let coverage = match written {
        "AUTO" => return Ok(None),
        "ALL" => Some(Coverage::ALL),
        // One spelling: "+5" and "05" are none.
        share if share.starts_with(|first| matches!(first, '1'..='9')) => {
            share.parse().ok().and_then(Coverage::percent)
        }
        _ => None,
    };
    let coverage = coverage.ok_or_else(|| {
        let message = format!("found \"{}\", expected \"ALL\", \"AUTO\" or \"1\" to \"100\"", written.escape_default());
        ConfigError::new(format!("{path}.percentageCoverage"), message)
    })?;
    if let Some(caution) = caution(coverage, encryption) {
        reader.warnings.push(format!("{path}.percentageCoverage: found \"{written}\"{caution}"));
    }
    Ok(Some(coverage))
}

/// The warning about a share that has another effect than one would expect.
fn caution(coverage: Coverage, encryption: &MediaEncryption) -> Option<&'static str> {
    let skipped = coverage.skipped();
    match encryption.scheme {
        None if coverage == Coverage::ALL => None,
        // Players decrypt whole segments: a part in clear would have to be a segment in clear.
        None => Some(" without scheme; every segment is encrypted as a whole all the same"),
        Some(SampleScheme::Cenc) => None,
        Some(SampleScheme::Cbcs) if coverage < Coverage::LEAST_CBCS => {
            Some("; one block in ten is encrypted: there is no thinner pattern")
        }
        Some(SampleScheme::Cbcs) if encryption.hls_method == HlsMethod::SampleAes && skipped != 9 => Some(
            " beside hlsMethod \"SAMPLE-AES\", for which Apple's players expect one block in ten; expected \"AUTO\" for them",
        ),
        Some(SampleScheme::Cbcs) if skipped == 0 && coverage != Coverage::ALL => {
            Some("; every block is encrypted: there is no pattern between 50 and 100 percent")
        }
        Some(SampleScheme::Cbcs) => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use serde_json::{Value, json};

    use crate::error::ConfigError;
    use crate::tests::parse;

    /// The share, and the warnings about it.
    fn read(media: Value) -> Result<(Option<u8>, Vec<String>), ConfigError> {
        let mut object = json!({"enabled": true, "secret": {"env": "KEY"}});
        object.as_object_mut().unwrap().extend(media.as_object().unwrap().clone());
        let document = json!({"policies": [{"policyName": "p", "mediaEncryption": object,
            "tokenAuth": {"enabled": true, "password": {"env": "KEY"}}}],
            "assignments": [{"policyName": "p", "path": "/..."}], "holdHeaders": true});
        let (policies, mut warnings) = parse(&document.to_string())?;
        warnings.retain(|warning| warning.contains("percentageCoverage"));
        let (_, policy) = policies.iter().next().unwrap();
        let coverage = policy.samples().and_then(|samples| samples.coverage);
        Ok((coverage.map(|coverage| coverage.skipped()), warnings))
    }

    #[test]
    fn a_share_is_read_and_doubtful_ones_are_warned_of() {
        for (media, skipped, warning) in [
            (json!({}), None, None),
            (json!({"percentageCoverage": "ALL"}), None, None),
            (json!({"percentageCoverage": "AUTO"}), None, None),
            (json!({"percentageCoverage": "100"}), None, None),
            (json!({"percentageCoverage": "30"}), None, Some("found \"30\" without scheme")),
            (json!({"scheme": "cbcs"}), None, None),
            (json!({"scheme": "cbcs", "percentageCoverage": "AUTO"}), None, None),
            (json!({"scheme": "cbcs", "percentageCoverage": "5"}), Some(9), Some("found \"5\"; one block in ten")),
            (json!({"scheme": "cbcs", "percentageCoverage": "10"}), Some(9), None),
            (json!({"scheme": "cbcs", "percentageCoverage": "50"}), Some(1), None),
            (json!({"scheme": "cbcs", "percentageCoverage": "75"}), Some(0), Some("found \"75\"; every block")),
            (json!({"scheme": "cbcs", "percentageCoverage": "ALL"}), Some(0), None),
            (json!({"scheme": "cbcs", "percentageCoverage": "100"}), Some(0), None),
            (
                json!({"scheme": "cbcs", "percentageCoverage": "50", "hlsMethod": "SAMPLE-AES"}),
                Some(1),
                Some("found \"50\" beside hlsMethod"),
            ),
            (json!({"scheme": "cbcs", "percentageCoverage": "10", "hlsMethod": "SAMPLE-AES"}), Some(9), None),
            (json!({"scheme": "cenc", "percentageCoverage": "5"}), Some(9), None),
        ] {
            let (found, warnings) = read(media.clone()).unwrap();
            assert_eq!(found, skipped, "{media}");
            assert_eq!(warnings.len(), usize::from(warning.is_some()), "{media}: {warnings:?}");
            if let (Some(warning), [found]) = (warning, warnings.as_slice()) {
                assert!(found.contains(warning), "{media}: {found}");
            }
        }
    }

    #[test]
    fn other_words_are_refused() {
        for written in ["", "0", "101", "256", "-1", "+5", "05", "1.5", "10%", " 10", "all", "auto", "\u{ff11}"] {
            for media in [json!({}), json!({"scheme": "cbcs"})] {
                let mut media = media;
                media.as_object_mut().unwrap().insert("percentageCoverage".into(), written.into());
                let error = read(media).unwrap_err();
                assert_eq!(error.path, "policies[0].mediaEncryption.percentageCoverage", "{written}");
            }
        }
    }
}
