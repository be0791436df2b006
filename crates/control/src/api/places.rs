//! Places as the API lists them: countries and regions from the program, Designated Market Areas from the operator.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::documents::json::{at, finding};
use crate::error::Finding;

/// Bytes of the operator's file at most.
const LIMIT: u64 = 1 << 20;

/// Warnings about one policy at most.
const WARNINGS: usize = 100;

/// The Designated Market Areas of the operator's file; none without one.
#[derive(Debug)]
pub struct MarketAreas {
    list: Value,
    /// Their codes, sorted, if there is a file.
    codes: Option<Vec<String>>,
}

/// A file of Designated Market Areas that cannot be used.
#[derive(Debug)]
pub struct MarketAreasFault {
    path: PathBuf,
    reason: String,
}

impl fmt::Display for MarketAreasFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for MarketAreasFault {}

impl MarketAreas {
    /// Reads the operator's file.
    ///
    /// # Errors
    /// A file that cannot be read, or has another form.
    pub fn read(path: Option<&Path>) -> Result<Self, MarketAreasFault> {
        let Some(path) = path else { return Ok(Self { list: json!([]), codes: None }) };
        let fault = |reason: String| MarketAreasFault { path: path.to_owned(), reason };
        let length = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
        if length > LIMIT {
            return Err(fault(format!("{length} bytes; expected at most {LIMIT}")));
        }
        let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let areas = playlock_places::read_dmas(&bytes).map_err(|error| fault(error.to_string()))?;
        let list = areas.iter().map(|area| json!({"dmaCode": area.code, "dmaName": area.name})).collect();
        let mut codes: Vec<_> = areas.into_iter().map(|area| area.code).collect();
        codes.sort_unstable();
        Ok(Self { list, codes: Some(codes) })
    }

    /// The list that `GET /dmas` answers with.
    pub fn list(&self) -> &Value {
        &self.list
    }

    /// Warnings about the areas of a policy that are not in the operator's file: they are licensed, and change every year,
    /// so that any three digits are accepted. `place` is the policy's path, with a dot after it.
    pub fn warnings(&self, policy: &Value, place: &str) -> Vec<Finding> {
        let Some(codes) = &self.codes else { return Vec::new() };
        let areas = at(policy, &["contentTargeting", "geoProtection", "dmas"]).and_then(Value::as_array);
        let areas = areas.into_iter().flatten().enumerate();
        let unlisted = areas.filter_map(|(index, area)| {
            let code = area.get("dmaCode")?.as_str().filter(|code| code.len() == 3)?;
            codes.binary_search_by(|known| known.as_str().cmp(code)).err()?;
            let member = format!("{place}contentTargeting.geoProtection.dmas[{index}].dmaCode");
            Some(finding(
                &member,
                &format!("found {code:?}, which is not in the file of --dmas; expected a code of GET /dmas"),
            ))
        });
        unlisted.take(WARNINGS).collect()
    }
}

/// The list that `GET /countries` answers with.
pub fn countries() -> &'static Value {
    static LIST: LazyLock<Value> = LazyLock::new(|| {
        let entry = |it: playlock_places::Country| json!({"countryCode": it.code, "countryName": it.name, "continentCode": it.continent});
        playlock_places::countries().map(entry).collect()
    });
    &LIST
}

/// The list that `GET /regions` answers with.
pub fn regions() -> &'static Value {
    static LIST: LazyLock<Value> = LazyLock::new(|| {
        let entry = |it: playlock_places::Region| json!({"countryCode": it.country, "regionCode": it.code, "regionName": it.name});
        playlock_places::regions().map(entry).collect()
    });
    &LIST
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn areas_that_the_file_does_not_list_are_named() {
        let file = std::env::temp_dir().join(format!("playlock-dmas-{}.json", std::process::id()));
        std::fs::write(&file, r#"[{"dmaCode": "803", "dmaName": "B"}, {"dmaCode": "501", "dmaName": "A"}]"#).unwrap();
        let areas = MarketAreas::read(Some(&file)).unwrap();
        std::fs::remove_file(&file).unwrap();
        let policy = |codes: &[&str]| {
            let dmas: Value = codes.iter().map(|code| json!({"dmaCode": code})).collect();
            json!({"contentTargeting": {"geoProtection": {"dmas": dmas}}})
        };
        let members = |areas: &MarketAreas, policy: &Value| {
            areas.warnings(policy, "policies[2].").into_iter().map(|found| found.member).collect::<Vec<_>>()
        };
        // Others than three digits are errors.
        let odd = policy(&["501", "999", "803", "80", "000"]);
        let place = |index: usize| format!("policies[2].contentTargeting.geoProtection.dmas[{index}].dmaCode");
        assert_eq!(members(&areas, &odd), [place(1), place(4)]);
        assert_eq!(members(&areas, &policy(&["999"; 1000])).len(), WARNINGS);
        for other in
            [json!({}), json!(null), json!({"contentTargeting": {"geoProtection": {"dmas": [1, {}, {"dmaCode": 5}]}}})]
        {
            assert!(members(&areas, &other).is_empty(), "{other}");
        }
        assert!(members(&MarketAreas::read(None).unwrap(), &odd).is_empty());
    }
}
