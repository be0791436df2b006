//! Owns Designated Market Areas, as the operator's file lists them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// Longest name in bytes.
const MAX_NAME: usize = 200;

/// A file of one DMA, for messages.
const EXAMPLE: &str = r#"[{"dmaCode": "501", "dmaName": "NewYork::CT,NJ,NY,PA"}]"#;

/// A Designated Market Area (Nielsen, United States).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dma {
    /// Three digits, such as `501`.
    pub code: String,
    /// City and states, such as `NewYork::CT,NJ,NY,PA`.
    pub name: String,
}

/// Reads a file of DMAs, in the form of the API's own response, and sorts them by code.
///
/// ```json
/// [{"dmaCode": "501", "dmaName": "NewYork::CT,NJ,NY,PA"}]
/// ```
///
/// # Errors
/// [`DmaError`]: another form, or a code that is no DMA's or stands twice.
pub fn read_dmas(file: &[u8]) -> Result<Vec<Dma>, DmaError> {
    let dmas: Vec<Dma> = serde_json::from_slice(file).map_err(|error| DmaError::json(&error))?;
    let mut order = Vec::with_capacity(dmas.len());
    for (index, dma) in dmas.into_iter().enumerate() {
        if dma.code.len() != 3 || !dma.code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DmaError::Code { index });
        }
        if !(1..=MAX_NAME).contains(&dma.name.len()) || dma.name.chars().any(char::is_control) {
            return Err(DmaError::Name { index });
        }
        order.push((dma, index));
    }
    order.sort();
    for pair in order.windows(2) {
        if let [(one, first), (other, second)] = pair
            && one.code == other.code
        {
            return Err(DmaError::Duplicate { index: *first.max(second), first: *first.min(second) });
        }
    }
    Ok(order.into_iter().map(|(dma, _)| dma).collect())
}

/// A file that lists no DMAs. Indices begin with 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DmaError {
    /// The file is not a JSON array of objects with these two members, both of them strings.
    Json {
        /// Line, beginning with 1; 0 for an empty file.
        line: usize,
        /// Column in bytes, beginning with 1.
        column: usize,
        /// Description of the fault.
        fault: String,
    },
    /// A `dmaCode` is not three digits.
    Code {
        /// Index of the DMA.
        index: usize,
    },
    /// A `dmaName` is empty, longer than 200 bytes, or has control characters.
    Name {
        /// Index of the DMA.
        index: usize,
    },
    /// A `dmaCode` is that of an earlier DMA.
    Duplicate {
        /// Index of the later one.
        index: usize,
        /// Index of the earlier one.
        first: usize,
    },
}

impl DmaError {
    fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        // The library appends the position to its message.
        let fault = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self::Json { line, column, fault }
    }
}

impl fmt::Display for DmaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { line, column, fault } => {
                write!(f, "line {line}, column {column}: {fault}; expected {EXAMPLE}")
            }
            Self::Code { index } => {
                write!(f, "[{index}].dmaCode: no DMA's code; expected three digits, such as \"501\"")
            }
            Self::Name { index } => {
                write!(f, "[{index}].dmaName: unusable; expected 1 to {MAX_NAME} bytes without control characters")
            }
            Self::Duplicate { index, first } => {
                write!(f, "[{index}].dmaCode: that of [{first}] again; expected each code once")
            }
        }
    }
}

impl std::error::Error for DmaError {}

/// Only objects: a derived reader would take arrays for them, too.
impl<'de> Deserialize<'de> for Dma {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Dma;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Dma, A::Error> {
        let (mut code, mut name) = (None, None);
        while let Some(member) = members.next_key::<String>()? {
            let (slot, known) = match member.as_str() {
                "dmaCode" => (&mut code, "dmaCode"),
                "dmaName" => (&mut name, "dmaName"),
                _ => return Err(A::Error::unknown_field(&member, &["dmaCode", "dmaName"])),
            };
            if slot.replace(members.next_value::<String>()?).is_some() {
                return Err(A::Error::duplicate_field(known));
            }
        }
        let code = code.ok_or_else(|| A::Error::missing_field("dmaCode"))?;
        Ok(Dma { code, name: name.ok_or_else(|| A::Error::missing_field("dmaName"))? })
    }
}
