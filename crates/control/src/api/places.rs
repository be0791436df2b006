//! Places as the API lists them: countries and regions from the program, Designated Market Areas from the operator.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

/// Bytes of the operator's file at most.
const LIMIT: u64 = 1 << 20;

/// The Designated Market Areas of the operator's file; none without one.
#[derive(Debug)]
pub struct MarketAreas(Value);

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
        let Some(path) = path else { return Ok(Self(json!([]))) };
        let fault = |reason: String| MarketAreasFault { path: path.to_owned(), reason };
        let length = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
        if length > LIMIT {
            return Err(fault(format!("{length} bytes; expected at most {LIMIT}")));
        }
        let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        let areas = playlock_places::read_dmas(&bytes).map_err(|error| fault(error.to_string()))?;
        Ok(Self(areas.iter().map(|area| json!({"dmaCode": area.code, "dmaName": area.name})).collect()))
    }

    /// The list that `GET /dmas` answers with.
    pub fn list(&self) -> &Value {
        &self.0
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
