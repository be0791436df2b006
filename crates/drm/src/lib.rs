//! DRM signalling and encrypted key delivery for a SPEKE key server: pure functions over bytes. Nothing here reads a
//! clock, a random source or a document; the caller puts the results into one.
//!
//! - [`signal()`]: for a [`System`], a content key and the [`Settings`], the data of each element of a `DRMSystem`:
//!   `PSSH`, `ContentProtectionData`, `HLSSignalingData`, `SmoothStreamingProtectionHeaderData`, and `URIExtXKey` with
//!   its two companions of SPEKE 1.0.
//! - [`pssh`]: the formats below that: `pssh` boxes (ISO/IEC 23001-7, section 8.1), Widevine's protobuf message, the
//!   PlayReady Object and its header.
//! - [`delivery`]: keys encrypted for the packager's certificate (DASH-IF CPIX, section 6), as SPEKE shows them.
//! - `read`, a feature: the same formats read back, for the command line.
//!
//! Content keys are borrowed, never kept; whatever holds a secret has no `Debug` and is zeroed when dropped.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod delivery;
pub mod kid;
pub mod pssh;
#[cfg(feature = "read")]
pub mod read;
pub mod scheme;
pub mod signal;
pub mod system;
pub mod template;
pub mod text;

pub use kid::Kid;
pub use scheme::Scheme;
pub use signal::{Content, HlsKey, Settings, Signals, signal};
pub use system::System;
pub use template::Template;
