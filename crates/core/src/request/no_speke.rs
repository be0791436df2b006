//! Stands in for the requests of packagers in builds that leave SPEKE out: there are none.

use crate::http::incoming::RequestHead;
use crate::http::reply::Reply;
use crate::policy::Policies;

/// A request whose body is awaited: none.
#[derive(Debug)]
pub enum Collecting {}

/// A request for a key server: none.
pub type Opened = super::opened::Opened<Collecting>;

/// No request is for a key server.
pub fn open(_: &Policies, _: &RequestHead<'_>, _: &mut dyn FnMut() -> [u8; 16]) -> Option<Opened> {
    None
}

impl Collecting {
    /// Never called.
    pub fn push(&mut self, _: &[u8], _: bool, _: &Policies, _: &mut dyn FnMut() -> [u8; 16]) -> Option<Reply> {
        match *self {}
    }
}
