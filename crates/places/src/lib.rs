//! Places of content targeting: countries and regions by their ISO codes, and Designated Market Areas (DMAs) from a file.
//!
//! Countries and regions are a table of 88 KB in the program (`data/places.tsv`, made by `tools/places.mjs`). DMAs are
//! Nielsen's and licensed, so the operator's file names them: [`read_dmas`].
#![forbid(unsafe_code)]

mod dma;
mod table;

pub use dma::{Dma, DmaError, read_dmas};
pub use table::{Country, Region, countries, country, region, regions};
