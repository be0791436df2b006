//! Authentication and permission: EdgeGrid signatures, bearer tokens, sessions of the page.

pub mod authority;
mod bearer;
mod edgegrid;
pub mod guard;
mod refusals;
pub mod session;
pub mod user;
