//! Documents of the API: read, checked, filled out with defaults, masked, and composed into the document of a network.

pub mod assignments;
pub mod compile;
pub mod compose;
pub mod configuration;
pub mod fill;
pub mod generated;
pub mod json;
mod limits;
pub mod mask;
mod places;
pub mod policy;
pub mod settings;
