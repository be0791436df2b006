//! The control plane: the Media Security Policy API, its storage, and the delivery of policies to Envoys.

pub mod actor;
mod api;
pub mod clock;
pub mod control;
pub mod documents;
pub mod error;
mod first_run;
mod log;
pub mod network;
mod options;
mod page;
mod serve;
pub mod store;
pub mod xds;

pub use self::options::{Options, Why, WhyRequest};
pub use self::serve::{ServeError, create_login, rotate_master_key, run};
