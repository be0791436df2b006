//! JSON documents whose errors name the JSON path.

mod error;
mod read;
mod tree;

pub use self::error::Error;
#[cfg(feature = "findings")]
pub use self::error::written;
pub use self::tree::Json;

#[cfg(test)]
mod tests;
