//! JSON documents whose errors name the JSON path.

mod error;
mod read;
mod tree;

pub use self::error::Error;
pub use self::tree::Json;

#[cfg(test)]
mod tests;
