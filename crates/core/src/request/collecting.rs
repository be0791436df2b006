//! A request whose body is awaited.

use super::license::LicenseRequest;
use super::speke;

/// A request whose body is awaited.
#[derive(Debug)]
pub enum Collecting {
    /// A packager's.
    Speke(speke::Collecting),
    /// A viewer's for licenses.
    License(LicenseRequest),
}
