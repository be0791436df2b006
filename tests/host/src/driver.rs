//! The filters that a case runs through: the core and the modules.

use std::fmt;

use crate::native::Native;
use crate::node::{Node, Refused, Setup};
#[cfg(feature = "wasm")]
use crate::wasm::{self, Flavour, Vm};

/// The filter that a case runs through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// The core.
    Native,
    /// A module.
    #[cfg(feature = "wasm")]
    Wasm(Flavour),
}

impl Driver {
    /// Every driver that this crate is compiled with, the core first.
    #[cfg(feature = "wasm")]
    pub const ALL: &[Self] = &[Self::Native, Self::Wasm(Flavour::Relaxed), Self::Wasm(Flavour::Strict)];
    /// The core alone: without the feature `wasm` there is nothing to run a module in.
    #[cfg(not(feature = "wasm"))]
    pub const ALL: &[Self] = &[Self::Native];

    /// A node of this driver.
    ///
    /// # Errors
    /// `Err(Ok(log))`: the configuration was refused; `Err(Err(why))`: there is no module.
    pub fn start(self, setup: &Setup) -> Result<Box<dyn Node>, Result<Vec<String>, String>> {
        let refused = |Refused(log): Refused| Ok(log);
        match self {
            Self::Native => Ok(Box::new(Native::start(setup).map_err(refused)?)),
            #[cfg(feature = "wasm")]
            Self::Wasm(flavour) => {
                Ok(Box::new(Vm::start(wasm::module(flavour).map_err(Err)?, setup).map_err(refused)?))
            }
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            #[cfg(feature = "wasm")]
            Self::Wasm(Flavour::Relaxed) => "wasm",
            #[cfg(feature = "wasm")]
            Self::Wasm(Flavour::Strict) => "strict wasm",
            #[cfg(feature = "wasm")]
            Self::Wasm(Flavour::Sdk) => "wasm on the SDK",
        })
    }
}
