//! The implementations under test: the crate compiled natively, and the wasm modules under wasmtime.
#![allow(dead_code, unused_macros, missing_docs, reason = "no test uses all of it")]

use std::path::PathBuf;

use playlock_aes128::{BLOCK, CbcEncryptor, Counter, Key, Lane, Message, encrypt_lanes};
use wasmtime::{Config, Engine, Instance, Memory, Module, Store};

pub type Block = [u8; BLOCK];

/// Defines a test's three runs: `fn check(&mut dyn Subject)` natively, and in either module.
macro_rules! everywhere {
    ($($check:ident),* $(,)?) => {
        mod native { $(#[test] fn $check() { super::$check(&mut $crate::common::Native::default()) })* }
        mod wasm { $(#[test] fn $check() { super::$check(&mut $crate::common::Wasm::relaxed()) })* }
        mod wasm_strict { $(#[test] fn $check() { super::$check(&mut $crate::common::Wasm::strict()) })* }
    };
}

/// Several messages, each with its number.
pub trait Subject {
    fn start(&mut self, lane: usize, key: &Block, iv: &Block);
    fn encrypt(&mut self, lane: usize, blocks: &mut [Block]);
    /// Encrypts the messages' next blocks side by side: those of message 0 first.
    fn encrypt_lanes(&mut self, lanes: &mut [Vec<Block>]);
    /// Encrypts messages under message 0's key and IV: one block, then `skip` clear blocks, and so on.
    fn encrypt_messages(&mut self, skip: usize, messages: &mut [Vec<Block>]);
    /// Encrypts blocks in counter mode under message 0's key and IV, in pieces of this many bytes.
    fn encrypt_counter(&mut self, piece: usize, blocks: &mut [Block]);
}

#[derive(Default)]
pub struct Native(Vec<CbcEncryptor>, Option<(Key, Block)>);

impl Subject for Native {
    fn start(&mut self, lane: usize, key: &Block, iv: &Block) {
        self.0.truncate(lane);
        self.0.push(CbcEncryptor::new(key, iv));
        if lane == 0 {
            self.1 = Some((Key::new(key), *iv));
        }
    }

    fn encrypt(&mut self, lane: usize, blocks: &mut [Block]) {
        self.0[lane].encrypt_blocks(blocks);
    }

    fn encrypt_lanes(&mut self, lanes: &mut [Vec<Block>]) {
        let mut lanes: Vec<_> =
            self.0.iter_mut().zip(lanes).map(|(message, blocks)| Lane { message, blocks }).collect();
        encrypt_lanes(&mut lanes);
        assert!(lanes.iter().all(|lane| lane.blocks.is_empty()));
    }

    fn encrypt_messages(&mut self, skip: usize, messages: &mut [Vec<Block>]) {
        let (key, chain) = self.1.as_ref().unwrap();
        key.encrypt_messages(skip, messages.iter_mut().map(|blocks| Message { chain: *chain, blocks }));
    }

    fn encrypt_counter(&mut self, piece: usize, blocks: &mut [Block]) {
        let (key, first) = self.1.as_ref().unwrap();
        let mut counter = Counter::new(first);
        blocks.as_flattened_mut().chunks_mut(piece).for_each(|piece| counter.encrypt(key, piece));
    }
}

/// `examples/probe.rs` as a wasm module.
pub struct Wasm {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

/// Enough fuel for any test; it serves only to count instructions.
const FUEL: u64 = u64::MAX / 2;

impl Wasm {
    pub fn relaxed() -> Self {
        Self::new(&module("aes128.wasm"))
    }

    pub fn strict() -> Self {
        Self::new(&module("aes128-strict.wasm"))
    }

    fn new(module: &[u8]) -> Self {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, module).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self { store, instance, memory }
    }

    fn call(&mut self, function: &str, argument: usize) {
        let function = self.instance.get_typed_func::<u32, ()>(&mut self.store, function).unwrap();
        function.call(&mut self.store, argument.try_into().unwrap()).unwrap();
    }

    fn read(&mut self, lane: usize, blocks: &mut [Block]) {
        let address = self.buffer(lane, blocks.len());
        self.memory.read(&self.store, address, blocks.as_flattened_mut()).unwrap();
    }

    /// The address of the lane's buffer, resized to this many blocks.
    fn buffer(&mut self, lane: usize, blocks: usize) -> usize {
        let buffer = self.instance.get_typed_func::<(u32, u32), u32>(&mut self.store, "buffer").unwrap();
        let arguments = (lane.try_into().unwrap(), blocks.try_into().unwrap());
        buffer.call(&mut self.store, arguments).unwrap().try_into().unwrap()
    }

    fn write(&mut self, lane: usize, blocks: &[Block]) -> usize {
        let address = self.buffer(lane, blocks.len());
        self.memory.write(&mut self.store, address, blocks.as_flattened()).unwrap();
        address
    }

    /// The number of instructions that `act` executes.
    pub fn fuel_of(&mut self, act: impl FnOnce(&mut Self)) -> u64 {
        let before = self.store.get_fuel().unwrap();
        act(self);
        before - self.store.get_fuel().unwrap()
    }
}

impl Subject for Wasm {
    fn start(&mut self, lane: usize, key: &Block, iv: &Block) {
        self.write(lane, &[*key, *iv]);
        self.call("start", lane);
    }

    fn encrypt(&mut self, lane: usize, blocks: &mut [Block]) {
        let address = self.write(lane, blocks);
        self.call("encrypt", lane);
        self.memory.read(&self.store, address, blocks.as_flattened_mut()).unwrap();
    }

    fn encrypt_lanes(&mut self, lanes: &mut [Vec<Block>]) {
        for (lane, blocks) in lanes.iter().enumerate() {
            self.write(lane, blocks);
        }
        self.call("encrypt_lanes", lanes.len());
        for (lane, blocks) in lanes.iter_mut().enumerate() {
            self.read(lane, blocks);
        }
    }

    fn encrypt_messages(&mut self, skip: usize, messages: &mut [Vec<Block>]) {
        for (lane, blocks) in messages.iter().enumerate() {
            self.write(lane, blocks);
        }
        let function = self.instance.get_typed_func::<(u32, u32), ()>(&mut self.store, "encrypt_messages").unwrap();
        let arguments = (messages.len().try_into().unwrap(), skip.try_into().unwrap());
        function.call(&mut self.store, arguments).unwrap();
        for (lane, blocks) in messages.iter_mut().enumerate() {
            self.read(lane, blocks);
        }
    }

    fn encrypt_counter(&mut self, piece: usize, blocks: &mut [Block]) {
        self.write(0, blocks);
        self.call("encrypt_counter", piece);
        self.read(0, blocks);
    }
}

/// The bytes of a module from `make wasm`, in `target/` or in the directory PLAYLOCK_MODULES.
pub fn module(name: &str) -> Vec<u8> {
    let directory = std::env::var_os("PLAYLOCK_MODULES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")), PathBuf::from);
    let path = directory.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `make wasm` builds it", path.display()))
}

/// Reproducible random blocks: SplitMix64 from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn block(&mut self) -> Block {
        (u128::from(self.word()) << 64 | u128::from(self.word())).to_be_bytes()
    }

    pub fn blocks(&mut self, length: usize) -> Vec<Block> {
        (0..length).map(|_| self.block()).collect()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<Block> {
    let nibble = |digit: char| u8::try_from(digit.to_digit(16).unwrap()).unwrap();
    let nibbles: Vec<u8> = text.chars().map(nibble).collect();
    let (blocks, []) = nibbles.as_chunks::<{ 2 * BLOCK }>() else { panic!("not whole blocks: {text}") };
    blocks.iter().map(|block| std::array::from_fn(|i| block[2 * i] << 4 | block[2 * i + 1])).collect()
}
