//! Stands in for the key server for packagers in builds that leave it out: no policy has one.

use alloc::string::String;
use alloc::vec::Vec;

use super::text::KeyPath;

/// A key server that does not exist.
#[derive(Debug)]
pub enum Speke {}

impl Speke {
    /// Never called.
    pub fn serves_viewers(&self) -> bool {
        match *self {}
    }

    /// Never called.
    pub fn is_viewer_path(&self, _: &str) -> bool {
        match *self {}
    }

    /// Never called.
    pub fn path(&self) -> &KeyPath {
        match *self {}
    }

    /// Never called.
    pub fn requester_names(&self) -> Vec<String> {
        match *self {}
    }
}
