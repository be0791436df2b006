//! Faults of a host, and rare behaviour: unexpected statuses, and streams that end while a callback runs.

use wasmtime::{Caller, Error, ExternType, Linker, Module, Result, Val};

use super::Host;
use crate::stream::Stream;

/// A function of the host's that does something else than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The function of this name does nothing, with this status.
    Status(&'static str, u32),
    /// The function of this name resets the stream and ends it at once: its last callbacks come before the function
    /// returns, as with Envoy.
    EndsStream(&'static str),
}

/// Puts the fault in its function's place.
pub(super) fn put(linker: &mut Linker<Host>, module: &Module, fault: Fault) -> Result<()> {
    let (Fault::Status(name, _) | Fault::EndsStream(name)) = fault;
    let import = module.imports().find(|import| import.name() == name);
    let Some((ExternType::Func(kind), from)) = import.map(|import| (import.ty(), import.module().to_owned())) else {
        return Err(Error::msg(format!("{name} is not imported")));
    };
    linker.allow_shadowing(true);
    linker.func_new(&from, name, kind, move |mut guest, _, results| {
        let status = match fault {
            Fault::Status(_, status) => status,
            Fault::EndsStream(_) => end_stream(&mut guest)?,
        };
        results.iter_mut().for_each(|result| *result = Val::I32(status.cast_signed()));
        Ok(())
    })?;
    Ok(())
}

fn end_stream(guest: &mut Caller<'_, Host>) -> Result<u32> {
    guest.data_mut().stream.as_mut().map(Stream::reset);
    guest.data_mut().ended = true;
    let id = Val::I32(guest.data().current.cast_signed());
    for (callback, results) in [("proxy_on_done", 1), ("proxy_on_log", 0), ("proxy_on_delete", 0)] {
        if let Some(callback) = guest.get_export(callback).and_then(|export| export.into_func()) {
            callback.call(&mut *guest, &[id], &mut vec![Val::I32(0); results])?;
        }
    }
    Ok(0)
}
