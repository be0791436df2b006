//! proxy-wasm ABI 0.2.1 and a few WASI calls, limited to the filter's imports. Any other import traps when called.

use wasmtime::{Caller, Error, Linker, Memory, Module, Result};

use super::pairs::{deserialize, serialize};
use super::{Host, Metric};
use crate::message::HttpCall;
use crate::stream::{LocalReply, Map, Status, Stream};

const OK: u32 = 0;
const PLUGIN_CONFIGURATION: u32 = 7;
const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "critical"];

type Guest<'a> = Caller<'a, Host>;
type Change = fn(&mut Stream, Map, &str, &[u8]) -> Result<(), Status>;

/// Every import, by name.
pub(super) fn linker(module: &Module) -> Result<Linker<Host>> {
    let mut linker = Linker::new(module.engine());
    log_and_time(&mut linker)?;
    headers(&mut linker)?;
    buffers(&mut linker)?;
    stream(&mut linker)?;
    metrics(&mut linker)?;
    wasi(&mut linker)?;
    linker.define_unknown_imports_as_traps(module)?;
    Ok(linker)
}

fn memory(guest: &mut Guest<'_>) -> Result<Memory> {
    guest.get_export("memory").and_then(|export| export.into_memory()).ok_or_else(|| Error::msg("no memory exported"))
}

fn read(guest: &mut Guest<'_>, at: u32, size: u32) -> Result<Vec<u8>> {
    let memory = memory(guest)?;
    let (at, size) = (at as usize, size as usize);
    let bytes = memory.data(&guest).get(at..at.saturating_add(size));
    bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::msg("a pointer outside the memory"))
}

fn read_text(guest: &mut Guest<'_>, at: u32, size: u32) -> Result<String> {
    Ok(String::from_utf8_lossy(&read(guest, at, size)?).into_owned())
}

fn write(guest: &mut Guest<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    memory(guest)?.write(guest, at as usize, bytes)?;
    Ok(())
}

fn write_u32(guest: &mut Guest<'_>, at: u32, value: u32) -> Result<()> {
    write(guest, at, &value.to_le_bytes())
}

/// Hands bytes over in memory that the guest allocates and owns. Nothing leaves the pointers as they are.
fn give(guest: &mut Guest<'_>, bytes: &[u8], pointer_at: u32, size_at: u32) -> Result<u32> {
    if bytes.is_empty() {
        return Ok(OK);
    }
    let malloc = guest.get_export("malloc");
    let malloc = malloc.and_then(|export| export.into_func()).ok_or_else(|| Error::msg("no malloc exported"))?;
    let size = bytes.len() as u32;
    let at = malloc.typed::<u32, u32>(&guest)?.call(&mut *guest, size)?;
    write(guest, at, bytes)?;
    write_u32(guest, pointer_at, at)?;
    write_u32(guest, size_at, size)?;
    Ok(OK)
}

fn answer(result: Result<(), Status>) -> u32 {
    result.map_or_else(|status| status as u32, |()| OK)
}

fn with_stream(guest: &mut Guest<'_>, act: impl FnOnce(&mut Stream) -> Result<(), Status>) -> u32 {
    answer(guest.data_mut().stream.as_mut().ok_or(Status::BadArgument).and_then(act))
}

fn map(number: u32) -> Result<Map> {
    match number {
        0 => Ok(Map::RequestHeaders),
        2 => Ok(Map::ResponseHeaders),
        3 => Ok(Map::ResponseTrailers),
        6 => Ok(Map::CallResponseHeaders),
        other => Err(Error::msg(format!("header map {other} is not simulated"))),
    }
}

fn log_and_time(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("env", "proxy_log", |mut guest: Guest<'_>, level: u32, at: u32, size: u32| -> Result<u32> {
        guest.data_mut().count("proxy_log");
        let text = read_text(&mut guest, at, size)?;
        let level = LEVELS.get(level as usize).unwrap_or(&"?");
        guest.data_mut().log.push(format!("{level}: {text}"));
        Ok(OK)
    })?;
    linker.func_wrap("env", "proxy_get_log_level", |mut guest: Guest<'_>, to: u32| -> Result<u32> {
        guest.data_mut().count("proxy_get_log_level");
        write_u32(&mut guest, to, 2).map(|()| OK)
    })?;
    let name = "proxy_get_current_time_nanoseconds";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, to: u32| -> Result<u32> {
        guest.data_mut().count("proxy_get_current_time_nanoseconds");
        let now = guest.data().now;
        if now == Host::NO_CLOCK {
            return Ok(Status::InternalFailure as u32);
        }
        write(&mut guest, to, &(now * 1_000_000_000).to_le_bytes()).map(|()| OK)
    })?;
    // There is no other VM to share anything with.
    let name = "proxy_get_shared_data";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| {
        guest.data_mut().count("proxy_get_shared_data");
        Status::NotFound as u32
    })?;
    linker.func_wrap(
        "env",
        "proxy_set_shared_data",
        |mut guest: Guest<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| {
            guest.data_mut().count("proxy_set_shared_data");
            OK
        },
    )?;
    Ok(())
}

fn headers(linker: &mut Linker<Host>) -> Result<()> {
    let name = "proxy_get_header_map_pairs";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, of: u32, at: u32, size: u32| -> Result<u32> {
        guest.data_mut().count("proxy_get_header_map_pairs");
        let of = map(of)?;
        let headers = guest.data().stream.as_ref().map(|stream| stream.headers(of)).unwrap_or_default();
        give(&mut guest, &serialize(&headers), at, size)
    })?;
    let name = "proxy_set_header_map_pairs";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, of: u32, at: u32, size: u32| -> Result<u32> {
        guest.data_mut().count("proxy_set_header_map_pairs");
        let of = map(of)?;
        let bytes = read(&mut guest, at, size)?;
        let headers = deserialize(&bytes).ok_or_else(|| Error::msg("a header map that is none"))?;
        Ok(with_stream(&mut guest, |stream| stream.set_headers(of, headers)))
    })?;
    linker.func_wrap(
        "env",
        "proxy_get_header_map_value",
        |mut guest: Guest<'_>, of: u32, key: u32, key_size: u32, at: u32, size: u32| -> Result<u32> {
            guest.data_mut().count("proxy_get_header_map_value");
            let of = map(of)?;
            let key = read_text(&mut guest, key, key_size)?;
            let stream = guest.data().stream.as_ref();
            match stream.ok_or(Status::BadArgument).and_then(|stream| stream.header(of, &key)) {
                Ok(value) => give(&mut guest, &value, at, size),
                Err(status) => Ok(status as u32),
            }
        },
    )?;
    let name = "proxy_remove_header_map_value";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, of: u32, key: u32, key_size: u32| -> Result<u32> {
        guest.data_mut().count("proxy_remove_header_map_value");
        let of = map(of)?;
        let key = read_text(&mut guest, key, key_size)?;
        Ok(with_stream(&mut guest, |stream| stream.remove_header(of, &key)))
    })?;
    let changes: [(&str, Change); 2] =
        [("proxy_add_header_map_value", Stream::add_header), ("proxy_replace_header_map_value", Stream::set_header)];
    for (name, change) in changes {
        linker.func_wrap(
            "env",
            name,
            move |mut guest: Guest<'_>, of: u32, key: u32, key_size: u32, at: u32, size: u32| -> Result<u32> {
                guest.data_mut().count(name);
                let of = map(of)?;
                let key = read_text(&mut guest, key, key_size)?;
                let value = read(&mut guest, at, size)?;
                Ok(with_stream(&mut guest, |stream| change(stream, of, &key, &value)))
            },
        )?;
    }
    Ok(())
}

fn buffers(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_buffer_bytes",
        |mut guest: Guest<'_>, kind: u32, start: u32, max: u32, at: u32, size: u32| -> Result<u32> {
            guest.data_mut().count("proxy_get_buffer_bytes");
            let bytes = match (kind, &guest.data().stream) {
                (REQUEST_BODY | RESPONSE_BODY, Some(stream)) if stream.reads_request() == (kind == REQUEST_BODY) => {
                    stream.body(start as usize, max as usize)
                }
                (PLUGIN_CONFIGURATION, None) => {
                    let bytes = guest.data().config.iter().skip(start as usize).take(max as usize);
                    Ok(bytes.copied().collect())
                }
                _ => Err(Status::NotFound),
            };
            match bytes {
                Ok(bytes) => give(&mut guest, &bytes, at, size),
                Err(status) => Ok(status as u32),
            }
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_buffer_bytes",
        |mut guest: Guest<'_>, kind: u32, start: u32, length: u32, at: u32, size: u32| -> Result<u32> {
            guest.data_mut().count("proxy_set_buffer_bytes");
            let bytes = read(&mut guest, at, size)?;
            let reads_request = guest.data().stream.as_ref().is_some_and(crate::stream::Stream::reads_request);
            if kind != if reads_request { REQUEST_BODY } else { RESPONSE_BODY } {
                return Ok(Status::BadArgument as u32);
            }
            Ok(with_stream(&mut guest, |stream| stream.set_body(start as usize, length as usize, &bytes)))
        },
    )?;
    Ok(())
}

fn stream(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_property",
        |mut guest: Guest<'_>, path: u32, path_size: u32, at: u32, size: u32| -> Result<u32> {
            guest.data_mut().count("proxy_get_property");
            let path = read_text(&mut guest, path, path_size)?;
            let stream = guest.data().stream.as_ref();
            match stream.ok_or(Status::NotFound).and_then(|stream| stream.property(&path)) {
                Ok(value) => give(&mut guest, &value, at, size),
                Err(status) => Ok(status as u32),
            }
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_property",
        |mut guest: Guest<'_>, path: u32, path_size: u32, at: u32, size: u32| -> Result<u32> {
            guest.data_mut().count("proxy_set_property");
            let path = read_text(&mut guest, path, path_size)?;
            let value = read(&mut guest, at, size)?;
            Ok(with_stream(&mut guest, |stream| {
                stream.set_property(&path, &value);
                Ok(())
            }))
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |mut guest: Guest<'_>,
         status: u32,
         _details: u32,
         _details_size: u32,
         body: u32,
         body_size: u32,
         headers: u32,
         headers_size: u32,
         _grpc: i32|
         -> Result<u32> {
            guest.data_mut().count("proxy_send_local_response");
            let body = read(&mut guest, body, body_size)?;
            let headers = deserialize(&read(&mut guest, headers, headers_size)?);
            let headers = headers.ok_or_else(|| Error::msg("a header map that is none"))?;
            let status = u16::try_from(status)?;
            Ok(with_stream(&mut guest, |stream| {
                stream.send_local_reply(LocalReply { status, headers, body });
                Ok(())
            }))
        },
    )?;
    linker.func_wrap("env", "proxy_continue_stream", |mut guest: Guest<'_>, _kind: u32| -> u32 {
        guest.data_mut().count("proxy_continue_stream");
        with_stream(&mut guest, |stream| {
            stream.resume();
            Ok(())
        })
    })?;
    linker.func_wrap("env", "proxy_close_stream", |mut guest: Guest<'_>, _kind: u32| -> u32 {
        guest.data_mut().count("proxy_close_stream");
        with_stream(&mut guest, |stream| {
            stream.reset();
            Ok(())
        })
    })?;
    linker.func_wrap(
        "env",
        "proxy_http_call",
        |mut guest: Guest<'_>,
         cluster: u32,
         cluster_size: u32,
         headers: u32,
         headers_size: u32,
         _body: u32,
         _body_size: u32,
         _trailers: u32,
         _trailers_size: u32,
         milliseconds: u32,
         to: u32|
         -> Result<u32> {
            guest.data_mut().count("proxy_http_call");
            let cluster = read_text(&mut guest, cluster, cluster_size)?;
            let headers = deserialize(&read(&mut guest, headers, headers_size)?);
            let headers = headers.ok_or_else(|| Error::msg("a header map that is none"))?;
            let call = HttpCall { cluster, headers, milliseconds };
            let stream = guest.data_mut().stream.as_mut();
            match stream.ok_or(Status::BadArgument).and_then(|stream| stream.dispatch(call)) {
                Ok(token) => {
                    let token = token + guest.data().waiting;
                    write_u32(&mut guest, to, token).map(|()| OK)
                }
                Err(status) => Ok(status as u32),
            }
        },
    )?;
    // One VM serves one stream at a time here.
    linker.func_wrap("env", "proxy_set_effective_context", |mut guest: Guest<'_>, context: u32| -> u32 {
        guest.data_mut().count("proxy_set_effective_context");
        guest.data_mut().effective = context;
        OK
    })?;
    let name = "proxy_set_tick_period_milliseconds";
    linker.func_wrap("env", name, |mut guest: Guest<'_>, period: u32| -> u32 {
        guest.data_mut().count("proxy_set_tick_period_milliseconds");
        let root = guest.data().effective;
        guest.data_mut().ticks.insert(root, period);
        OK
    })?;
    Ok(())
}

const COUNTER: u32 = 0;
const GAUGE: u32 = 1;

fn metrics(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_define_metric",
        |mut guest: Guest<'_>, kind: u32, name: u32, name_size: u32, to: u32| -> Result<u32> {
            guest.data_mut().count("proxy_define_metric");
            let name = read_text(&mut guest, name, name_size)?;
            let metrics = &mut guest.data_mut().metrics;
            let id = metrics.iter().position(|known| known.name == name).unwrap_or_else(|| {
                metrics.push(Metric { name, kind, value: 0 });
                metrics.len() - 1
            });
            write_u32(&mut guest, to, id as u32).map(|()| OK)
        },
    )?;
    linker.func_wrap("env", "proxy_increment_metric", |mut guest: Guest<'_>, id: u32, by: i64| -> u32 {
        guest.data_mut().count("proxy_increment_metric");
        let Some(metric) = guest.data_mut().metrics.get_mut(id as usize) else { return Status::NotFound as u32 };
        match metric.value.checked_add_signed(by) {
            Some(value) if by > 0 && metric.kind == COUNTER || by != 0 && metric.kind == GAUGE => metric.value = value,
            _ => return Status::BadArgument as u32,
        }
        OK
    })?;
    linker.func_wrap("env", "proxy_record_metric", |mut guest: Guest<'_>, id: u32, to: u64| -> u32 {
        guest.data_mut().count("proxy_record_metric");
        let Some(metric) = guest.data_mut().metrics.get_mut(id as usize) else { return Status::NotFound as u32 };
        metric.value = to;
        OK
    })?;
    linker.func_wrap("env", "proxy_get_metric", |mut guest: Guest<'_>, id: u32, to: u32| -> Result<u32> {
        guest.data_mut().count("proxy_get_metric");
        let value = guest.data().metrics.get(id as usize).map(|metric| metric.value);
        let Some(value) = value else { return Ok(Status::NotFound as u32) };
        write(&mut guest, to, &value.to_le_bytes()).map(|()| OK)
    })?;
    Ok(())
}

fn wasi(linker: &mut Linker<Host>) -> Result<()> {
    let wasi = "wasi_snapshot_preview1";
    linker.func_wrap(wasi, "random_get", |mut guest: Guest<'_>, at: u32, size: u32| -> Result<u32> {
        guest.data_mut().count("random_get");
        let mut bytes = vec![0; size as usize];
        guest.data_mut().random.fill(&mut bytes);
        write(&mut guest, at, &bytes).map(|()| OK)
    })?;
    linker.func_wrap(wasi, "environ_sizes_get", |mut guest: Guest<'_>, count: u32, size: u32| -> Result<u32> {
        guest.data_mut().count("environ_sizes_get");
        let entries = guest.data().env.len() as u32;
        let total = guest.data().env.iter().map(Vec::len).sum::<usize>() as u32;
        write_u32(&mut guest, count, entries)?;
        write_u32(&mut guest, size, total).map(|()| OK)
    })?;
    linker.func_wrap(wasi, "environ_get", |mut guest: Guest<'_>, pointers: u32, buffer: u32| -> Result<u32> {
        guest.data_mut().count("environ_get");
        let (mut to, mut at) = (pointers, buffer);
        for entry in guest.data().env.clone() {
            write_u32(&mut guest, to, at)?;
            write(&mut guest, at, &entry)?;
            to += 4;
            at += entry.len() as u32;
        }
        Ok(OK)
    })?;
    Ok(())
}
