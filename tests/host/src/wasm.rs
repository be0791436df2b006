//! The filter as the module, in wasmtime: one VM per node and one context per stream, as in Envoy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc, WasmParams, WasmResults};

use crate::envoy::{Envoy, Filter, Trap};
use crate::message::{Header, Request, Response, Seen};
use crate::node::{Node, Random, Refused, Setup};
use crate::stream::{Action, Stream};

mod abi;
mod fault;
mod pairs;
mod plugin;

pub use fault::Fault;

/// The fuel that a metered VM starts with.
const FUEL: u64 = u64::MAX / 2;

/// The context id of the plugin; streams have the following ones.
const ROOT: u32 = 1;

/// The modules that `make wasm` builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// With relaxed SIMD, for Envoy.
    Relaxed,
    /// Without relaxed SIMD, for hosts that do not support it.
    Strict,
    /// The trial of the public SDK, with relaxed SIMD. It is not shipped.
    Sdk,
}

impl Flavour {
    /// Those that are shipped.
    pub const ALL: [Self; 2] = [Self::Relaxed, Self::Strict];

    fn file(self) -> &'static str {
        match self {
            Self::Relaxed => "playlock.wasm",
            Self::Strict => "playlock-strict.wasm",
            Self::Sdk => "playlock-sdk.wasm",
        }
    }

    /// The path at which `make wasm` creates it. `PLAYLOCK_MODULES` replaces the directory `target`.
    pub fn path(self) -> PathBuf {
        let folder = std::env::var_os("PLAYLOCK_MODULES")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
        folder.join(self.file())
    }
}

/// A compiled module, once per process.
pub fn module(flavour: Flavour) -> Result<&'static Module, String> {
    static MODULES: [OnceLock<Result<Module, String>>; 3] = [const { OnceLock::new() }; 3];
    let [relaxed, strict, sdk] = &MODULES;
    let module = match flavour {
        Flavour::Relaxed => relaxed,
        Flavour::Strict => strict,
        Flavour::Sdk => sdk,
    };
    let build = if flavour == Flavour::Sdk { "tools/wasm.sh test" } else { "make wasm" };
    let compiled = module.get_or_init(|| {
        let found = compile(&flavour.path(), flavour != Flavour::Strict);
        found.map_err(|why| format!("{why}; `{build}` builds it"))
    });
    compiled.as_ref().map_err(Clone::clone)
}

/// Compiles a module with all features, so that executed instructions are counted.
pub fn metered(bytes: &[u8]) -> Result<Module, String> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).map_err(|error| format!("wasmtime: {error:?}"))?;
    Module::new(&engine, bytes).map_err(|error| format!("{error:?}"))
}

/// Compiles a module with the features of Envoy's V8, or those of a host without relaxed SIMD.
pub fn compile(path: &Path, relaxed_simd: bool) -> Result<Module, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut config = Config::new();
    config.wasm_simd(true).wasm_relaxed_simd(relaxed_simd);
    let engine = Engine::new(&config).map_err(|error| format!("wasmtime: {error:?}"))?;
    Module::new(&engine, &bytes).map_err(|error| format!("{}: {error:?}", path.display()))
}

/// The state that the module's imports act on.
pub(crate) struct Host {
    /// The stream whose callback is running.
    stream: Option<Stream>,
    config: Vec<u8>,
    env: Vec<Vec<u8>>,
    now: u64,
    random: Random,
    log: Vec<String>,
    /// The number of streams left by [`Vm::leave_waiting`]; the ids of calls continue from here.
    waiting: u32,
    /// Metrics, in the order of their ids.
    metrics: Vec<Metric>,
    /// The context whose callback is running.
    current: u32,
    /// Its stream has ended while it ran.
    ended: bool,
    /// The context that has been made effective last.
    effective: u32,
    /// Tick periods in milliseconds, by root context.
    ticks: BTreeMap<u32, u32>,
    /// How often each function was called.
    calls: BTreeMap<&'static str, u64>,
}

impl Host {
    /// The `now` that stands for a host without a clock.
    const NO_CLOCK: u64 = u64::MAX;

    /// Counts a call of the function of this name.
    fn count(&mut self, name: &'static str) {
        *self.calls.entry(name).or_default() += 1;
    }
}

/// A VM with the configured module in it.
pub struct Vm {
    store: Store<Host>,
    instance: Instance,
    contexts: u32,
    /// A trap kills a VM for good.
    dead: Option<String>,
}

impl Vm {
    /// Starts a VM and configures the plugin, as Envoy does when a listener comes up.
    pub fn start(module: &Module, setup: &Setup) -> Result<Self, Refused> {
        Self::start_on(module, setup, None)
    }

    /// [`Vm::start`], on a host with a fault.
    pub fn start_on(module: &Module, setup: &Setup, fault: Option<Fault>) -> Result<Self, Refused> {
        let env = setup.env.iter().map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect();
        let host = Host {
            stream: None,
            config: setup.config.clone().into_bytes(),
            env,
            now: setup.now,
            random: Random::new(setup.seed),
            log: Vec::new(),
            waiting: 0,
            metrics: Vec::new(),
            current: ROOT,
            ended: false,
            effective: ROOT,
            ticks: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        let mut store = Store::new(module.engine(), host);
        // Enough for ever, where it is counted at all.
        let _ = store.set_fuel(FUEL);
        let linked = abi::linker(module).and_then(|mut linker| {
            fault.map_or(Ok(()), |fault| fault::put(&mut linker, module, fault))?;
            Ok(linker)
        });
        let instance = linked
            .and_then(|linker| linker.instantiate(&mut store, module))
            .map_err(|error| Refused(vec![format!("{error:?}")]))?;
        let mut vm = Self { store, instance, contexts: ROOT, dead: None };
        match vm.configure() {
            Ok(true) => Ok(vm),
            Ok(false) => Err(Refused(vm.log())),
            Err(Trap(why)) => Err(Refused([vm.log(), vec![why]].concat())),
        }
    }

    fn configure(&mut self) -> Result<bool, Trap> {
        let size = self.store.data().config.len() as u32;
        self.call::<(), ()>("_initialize", ())?;
        self.call::<(u32, u32), ()>("proxy_on_context_create", (ROOT, 0))?;
        let started = self.call::<(u32, u32), u32>("proxy_on_vm_start", (ROOT, 0))?;
        let configured = self.call::<(u32, u32), u32>("proxy_on_configure", (ROOT, size))?;
        Ok(started != 0 && configured != 0)
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> Result<R, Trap> {
        if let Some(why) = &self.dead {
            return Err(Trap(format!("the VM is dead: {why}")));
        }
        let function: Result<TypedFunc<P, R>, _> = self.instance.get_typed_func(&mut self.store, name);
        let result = function.and_then(|function| function.call(&mut self.store, params));
        result.map_err(|error| {
            // The panic's message went to the log.
            let said = self.store.data().log.last().cloned().unwrap_or_default();
            let why = format!("{name}: {error:?} {said}");
            self.dead = Some(why.clone());
            Trap(why)
        })
    }
}

impl Vm {
    /// The number of instructions that a [`metered`] module has executed.
    pub fn executed(&self) -> u64 {
        self.store.get_fuel().map_or(0, |left| FUEL - left)
    }

    /// How often each of the host's functions was called since this was last asked.
    pub fn take_calls(&mut self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.store.data_mut().calls)
    }

    /// The value of an exported 64-bit global, which is then reset to zero.
    pub fn take_global(&mut self, name: &str) -> Option<i64> {
        let global = self.instance.get_global(&mut self.store, name)?;
        let value = global.get(&mut self.store).i64();
        global.set(&mut self.store, 0_i64.into()).ok()?;
        value
    }

    /// Removes the host's clock.
    pub fn stop_clock(&mut self) {
        self.store.data_mut().now = Host::NO_CLOCK;
    }

    /// Starts a request whose stream waits for the response of a cluster, while others start and end.
    ///
    /// # Errors
    /// The stream does not wait.
    pub fn leave_waiting(&mut self, request: Request) -> Result<(), String> {
        self.contexts += 1;
        let id = self.contexts;
        let mut stream = Stream::new(request);
        let action = Context { vm: self, id, root: ROOT }.on_request_headers(&mut stream, true);
        self.store.data_mut().waiting += 1;
        match action {
            Ok(Action::Pause) if stream.call.is_some() => Ok(()),
            other => Err(format!("{other:?}, answered {:?}", stream.reply)),
        }
    }

    fn exports(&mut self, name: &str) -> bool {
        self.instance.get_export(&mut self.store, name).is_some()
    }
}

/// A metric that the filter has defined.
struct Metric {
    name: String,
    /// The type's number in the ABI.
    kind: u32,
    /// The value; of a histogram, the last one recorded.
    value: u64,
}

/// The name of a request or refusal counter without policy and, unless a requester counts it, verdict, which Envoy's
/// stats turn into labels.
fn without_labels(name: &str) -> Option<String> {
    let rest = name.strip_prefix("playlock.")?;
    let rest = rest.strip_prefix("policy.").map_or(rest, |rest| rest.split_once('.').map_or(rest, |(_, rest)| rest));
    let mut words = rest.split('.');
    match (words.next()?, words.next(), words.next()) {
        (kind @ ("requests" | "refused"), Some(word), _) => Some(format!("playlock.{kind}.{word}")),
        (kind @ "speke_requests", Some(requester), Some(verdict)) => {
            Some(format!("playlock.{kind}.{requester}.{verdict}"))
        }
        ("batches", None, None) => Some(name.into()),
        ("unauthorized_keys", None, None) => Some("playlock.unauthorized_keys".into()),
        _ => None,
    }
}

impl Node for Vm {
    fn set_now(&mut self, seconds: u64) {
        self.store.data_mut().now = seconds;
    }

    fn exchange(&mut self, envoy: &Envoy, request: Request, origin: &mut dyn FnMut(&[Header]) -> Response) -> Seen {
        self.contexts += 1;
        let id = self.contexts;
        envoy.exchange(&mut Context { vm: self, id, root: ROOT }, request, origin)
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        let mut counters = BTreeMap::new();
        for metric in &self.store.data().metrics {
            if let Some(name) = without_labels(&metric.name) {
                *counters.entry(name).or_default() += metric.value;
            }
        }
        counters
    }

    fn log(&self) -> Vec<String> {
        self.store.data().log.clone()
    }
}

/// One stream's context in the VM.
struct Context<'a> {
    vm: &'a mut Vm,
    id: u32,
    root: u32,
}

impl Context<'_> {
    /// Runs a callback with the stream accessible to the imports.
    fn with<P: WasmParams, R: WasmResults>(&mut self, stream: &mut Stream, name: &str, params: P) -> Result<R, Trap> {
        let idle = std::mem::replace(stream, Stream::idle());
        self.vm.store.data_mut().stream = Some(idle);
        self.vm.store.data_mut().current = self.id;
        let result = self.vm.call(name, params);
        if let Some(back) = self.vm.store.data_mut().stream.take() {
            *stream = back;
        }
        result
    }

    fn action<P: WasmParams>(&mut self, stream: &mut Stream, name: &str, params: P) -> Result<Action, Trap> {
        match self.with::<P, u32>(stream, name, params)? {
            0 => Ok(Action::Continue),
            1 => Ok(Action::Pause),
            other => Err(Trap(format!("{name}: answered {other}"))),
        }
    }
}

impl Filter for Context<'_> {
    fn on_request_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap> {
        self.with::<_, ()>(stream, "proxy_on_context_create", (self.id, self.root))?;
        let count = stream.request.len() as u32;
        self.action(stream, "proxy_on_request_headers", (self.id, count, u32::from(end_of_stream)))
    }

    fn on_request_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        // A module without it lets bodies pass.
        if !self.vm.exports("proxy_on_request_body") {
            return Ok(Action::Continue);
        }
        self.action(stream, "proxy_on_request_body", (self.id, size as u32, u32::from(end_of_stream)))
    }

    fn on_request_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        if !self.vm.exports("proxy_on_request_trailers") {
            return Ok(Action::Continue);
        }
        self.action(stream, "proxy_on_request_trailers", (self.id, 1_u32))
    }

    fn on_http_call_response(&mut self, stream: &mut Stream, token: u32) -> Result<(), Trap> {
        let count = stream.answer.as_ref().map_or(0, Vec::len) as u32;
        let token = token + self.vm.store.data().waiting;
        self.with(stream, "proxy_on_http_call_response", (self.id, token, count, 0_u32, 0_u32))
    }

    fn on_response_headers(&mut self, stream: &mut Stream, end_of_stream: bool) -> Result<Action, Trap> {
        let count = stream.response.len() as u32;
        self.action(stream, "proxy_on_response_headers", (self.id, count, u32::from(end_of_stream)))
    }

    fn on_response_body(&mut self, stream: &mut Stream, size: usize, end_of_stream: bool) -> Result<Action, Trap> {
        self.action(stream, "proxy_on_response_body", (self.id, size as u32, u32::from(end_of_stream)))
    }

    fn on_response_trailers(&mut self, stream: &mut Stream) -> Result<Action, Trap> {
        let count = stream.trailers.len() as u32;
        self.action(stream, "proxy_on_response_trailers", (self.id, count))
    }

    fn on_log(&mut self, stream: &mut Stream) -> Result<(), Trap> {
        if std::mem::take(&mut self.vm.store.data_mut().ended) {
            return Ok(());
        }
        // A module without it is done.
        if self.vm.exports("proxy_on_done") {
            let _done: u32 = self.with(stream, "proxy_on_done", self.id)?;
        }
        self.with::<_, ()>(stream, "proxy_on_log", self.id)?;
        self.with::<_, ()>(stream, "proxy_on_delete", self.id)
    }
}
