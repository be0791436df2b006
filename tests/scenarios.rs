//! Tests every case of `tests/cases/`, one test per case: through the core and, with the feature `wasm`, through both
//! modules of `make wasm`, in the in-memory Envoy. `tests/cases/README.md` documents the format.
#![allow(clippy::print_stderr, reason = "a test's own words")]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use playlock_host::case;
use playlock_host::driver::Driver;
use playlock_host::scenario;
#[cfg(feature = "wasm")]
use playlock_host::wasm::{self, Flavour};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = match case::all() {
        Ok(cases) => cases,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    // Compiled once, before the cases, so that a missing module is said once and not for each of them.
    #[cfg(feature = "wasm")]
    if !arguments.list
        && let Some(why) = Flavour::ALL.into_iter().find_map(|flavour| wasm::module(flavour).err())
    {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    let trials = cases.into_iter().map(|(name, case)| {
        let of = name.clone();
        Trial::test(of, move || scenario::run(&name, &case, Driver::ALL).map_err(Into::into))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
