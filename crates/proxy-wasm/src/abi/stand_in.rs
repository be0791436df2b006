//! Host functions for native builds: they call a host installed by the test. Without one, every call fails with a
//! status that is not in the ABI.

use std::cell::RefCell;
use std::rc::Rc;

use super::memory::allocate;

/// A call to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Name of the function.
    pub name: &'static str,
    /// Its numbers, in order, except for pointers and their sizes.
    pub numbers: Vec<u64>,
    /// Bytes that its pointers refer to, in order.
    pub bytes: Vec<Vec<u8>>,
}

/// The host's result of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Result of the function; 0 for success.
    pub status: u32,
    /// Bytes returned. `None` leaves the pointers unchanged.
    pub bytes: Option<Vec<u8>>,
    /// Number returned.
    pub number: u64,
}

/// A status that is not in the ABI.
pub const UNKNOWN: u32 = 0xdead;

type Host = Rc<dyn Fn(&Call) -> Answer>;

thread_local! {
    static HOST: RefCell<Option<Host>> = RefCell::default();
}

/// Installs `host` for this thread. It may call back.
pub fn install(host: impl Fn(&Call) -> Answer + 'static) {
    HOST.set(Some(Rc::new(host)));
}

fn ask(name: &'static str, numbers: &[u64], bytes: &[(*const u8, usize)]) -> Answer {
    // SAFETY: the callers in this file pass each pointer with its size.
    let bytes = bytes.iter().map(|(at, size)| unsafe { read(*at, *size) }).collect();
    // Not borrowed during the call: the host may call back, and that callback may call the host.
    let host = HOST.with_borrow(Clone::clone);
    let call = Call { name, numbers: numbers.to_vec(), bytes };
    host.map_or(Answer { status: UNKNOWN, ..Answer::default() }, |host| host(&call))
}

/// # Safety
/// `at` points to `size` bytes, or `size` is 0.
unsafe fn read(at: *const u8, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    // SAFETY: guaranteed by the caller.
    unsafe { std::slice::from_raw_parts(at, size) }.to_vec()
}

/// # Safety
/// `to` is writable.
unsafe fn write<T>(to: *mut T, value: T) {
    // SAFETY: guaranteed by the caller.
    unsafe { to.write(value) }
}

/// Returns the result's bytes in memory that the module allocates, as a host does.
///
/// # Safety
/// `data` and `size` are writable.
unsafe fn give(answer: Answer, data: *mut *mut u8, size: *mut usize) -> u32 {
    if let Some(bytes) = answer.bytes {
        let at = allocate(bytes.len());
        // SAFETY: `allocate` has returned this many bytes; the caller guarantees the rest.
        unsafe {
            at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            write(data, at);
            write(size, bytes.len());
        }
    }
    answer.status
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[allow(clippy::too_many_arguments, reason = "as the ABI has them")]
pub(super) mod env {
    use super::{ask, give, small, write};

    pub unsafe fn proxy_log(level: u32, text: *const u8, size: usize) -> u32 {
        ask("proxy_log", &[level.into()], &[(text, size)]).status
    }

    pub unsafe fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32 {
        let answer = ask("proxy_get_current_time_nanoseconds", &[], &[]);
        // SAFETY: the host's contract.
        unsafe { write(time, answer.number) };
        answer.status
    }

    pub unsafe fn proxy_set_tick_period_milliseconds(period: u32) -> u32 {
        ask("proxy_set_tick_period_milliseconds", &[period.into()], &[]).status
    }

    pub unsafe fn proxy_set_effective_context(context: u32) -> u32 {
        ask("proxy_set_effective_context", &[context.into()], &[]).status
    }

    pub unsafe fn proxy_get_buffer_bytes(b: u32, at: usize, most: usize, data: *mut *mut u8, size: *mut usize) -> u32 {
        let answer = ask("proxy_get_buffer_bytes", &[b.into(), at as u64, most as u64], &[]);
        // SAFETY: the host's contract.
        unsafe { give(answer, data, size) }
    }

    pub unsafe fn proxy_set_buffer_bytes(b: u32, start: usize, size: usize, data: *const u8, length: usize) -> u32 {
        ask("proxy_set_buffer_bytes", &[b.into(), start as u64, size as u64], &[(data, length)]).status
    }

    pub unsafe fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32 {
        let answer = ask("proxy_get_header_map_pairs", &[map.into()], &[]);
        // SAFETY: the host's contract.
        unsafe { give(answer, data, size) }
    }

    pub unsafe fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32 {
        ask("proxy_remove_header_map_value", &[map.into()], &[(name, size)]).status
    }

    pub unsafe fn proxy_replace_header_map_value(m: u32, n: *const u8, ns: usize, v: *const u8, vs: usize) -> u32 {
        ask("proxy_replace_header_map_value", &[m.into()], &[(n, ns), (v, vs)]).status
    }

    pub unsafe fn proxy_add_header_map_value(m: u32, n: *const u8, ns: usize, v: *const u8, vs: usize) -> u32 {
        ask("proxy_add_header_map_value", &[m.into()], &[(n, ns), (v, vs)]).status
    }

    pub unsafe fn proxy_get_property(path: *const u8, size: usize, data: *mut *mut u8, length: *mut usize) -> u32 {
        let answer = ask("proxy_get_property", &[], &[(path, size)]);
        // SAFETY: the host's contract.
        unsafe { give(answer, data, length) }
    }

    pub unsafe fn proxy_set_property(path: *const u8, size: usize, value: *const u8, length: usize) -> u32 {
        ask("proxy_set_property", &[], &[(path, size), (value, length)]).status
    }

    pub unsafe fn proxy_get_shared_data(
        k: *const u8,
        ks: usize,
        v: *mut *mut u8,
        vs: *mut usize,
        cas: *mut u32,
    ) -> u32 {
        let answer = ask("proxy_get_shared_data", &[], &[(k, ks)]);
        // SAFETY: the host's contract.
        unsafe {
            write(cas, small(answer.number));
            give(answer, v, vs)
        }
    }

    pub unsafe fn proxy_set_shared_data(k: *const u8, ks: usize, v: *const u8, vs: usize, cas: u32) -> u32 {
        ask("proxy_set_shared_data", &[cas.into()], &[(k, ks), (v, vs)]).status
    }

    pub unsafe fn proxy_continue_stream(stream: u32) -> u32 {
        ask("proxy_continue_stream", &[stream.into()], &[]).status
    }

    pub unsafe fn proxy_close_stream(stream: u32) -> u32 {
        ask("proxy_close_stream", &[stream.into()], &[]).status
    }

    pub unsafe fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        _grpc_status: i32,
    ) -> u32 {
        let bytes = [(details, details_size), (body, body_size), (headers, headers_size)];
        ask("proxy_send_local_response", &[status.into()], &bytes).status
    }

    pub unsafe fn proxy_http_call(
        upstream: *const u8,
        upstream_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32 {
        let bytes = [(upstream, upstream_size), (headers, headers_size), (body, body_size), (trailers, trailers_size)];
        let answer = ask("proxy_http_call", &[timeout.into()], &bytes);
        // SAFETY: the host's contract.
        unsafe { write(token, small(answer.number)) };
        answer.status
    }

    pub unsafe fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32 {
        let answer = ask("proxy_define_metric", &[kind.into()], &[(name, size)]);
        // SAFETY: the host's contract.
        unsafe { write(id, small(answer.number)) };
        answer.status
    }

    pub unsafe fn proxy_increment_metric(id: u32, by: i64) -> u32 {
        ask("proxy_increment_metric", &[id.into(), by.cast_unsigned()], &[]).status
    }

    pub unsafe fn proxy_record_metric(id: u32, value: u64) -> u32 {
        ask("proxy_record_metric", &[id.into(), value], &[]).status
    }
}

pub(super) mod wasi {
    use super::{Answer, ask, write};

    /// WASI status codes have 16 bits.
    fn status(answer: &Answer) -> u16 {
        u16::try_from(answer.status).unwrap_or(u16::MAX)
    }

    pub unsafe fn random_get(buffer: *mut u8, length: usize) -> u16 {
        let answer = ask("random_get", &[length as u64], &[]);
        let bytes = answer.bytes.iter().flatten().take(length);
        // SAFETY: the buffer has this length.
        bytes.enumerate().for_each(|(at, byte)| unsafe { write(buffer.wrapping_add(at), *byte) });
        status(&answer)
    }

    /// `number` of the host's result is the number of variables, `bytes` the environment.
    pub unsafe fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16 {
        let answer = ask("environ_sizes_get", &[], &[]);
        // SAFETY: the host's contract.
        unsafe {
            write(count, usize::try_from(answer.number).unwrap_or(usize::MAX));
            write(size, answer.bytes.as_ref().map_or(0, Vec::len));
        }
        status(&answer)
    }

    pub unsafe fn environ_get(_pointers: *mut *mut u8, buffer: *mut u8) -> u16 {
        let answer = ask("environ_get", &[], &[]);
        let bytes = answer.bytes.iter().flatten();
        // SAFETY: the buffer has the length returned by `environ_sizes_get`.
        bytes.enumerate().for_each(|(at, byte)| unsafe { write(buffer.wrapping_add(at), *byte) });
        status(&answer)
    }
}
