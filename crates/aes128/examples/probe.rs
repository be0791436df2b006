//! A wasm module around the crate's interface, without imports, for the tests in wasm and for measuring.
//!
//! A host writes a lane's key and IV into its buffer and calls `start`, writes blocks into the buffer and calls
//! `encrypt`, or fills several lanes' buffers and calls `encrypt_lanes`. `encrypt_messages` encrypts them under lane 0's key
//! and IV, with a pattern; `encrypt_counter` encrypts lane 0's buffer in counter mode from that IV. `start_rustcrypto` and `rustcrypto` do the
//! same with RustCrypto's `aes`, to be measured beside it in the same engine. Lanes are numbered from 0.
#![allow(unsafe_code, reason = "functions under the names that a host looks for")]

use std::sync::{Mutex, PoisonError};

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use playlock_aes128::{BLOCK, CbcEncryptor, Counter, Key, Lane, Message, encrypt_lanes as encrypt_side_by_side};

const LANES: usize = 8;

struct Probe {
    buffer: Vec<[u8; BLOCK]>,
    message: Option<CbcEncryptor>,
    key: Option<(Key, [u8; BLOCK])>,
    rustcrypto: Option<(aes::Aes128, [u8; BLOCK])>,
}

static PROBES: Mutex<[Probe; LANES]> =
    Mutex::new([const { Probe { buffer: Vec::new(), message: None, key: None, rustcrypto: None } }; LANES]);

/// Calls `act` with the lane of this number, if it exists.
fn with<T>(lane: usize, act: impl FnOnce(&mut Probe) -> T) -> Option<T> {
    PROBES.lock().unwrap_or_else(PoisonError::into_inner).get_mut(lane).map(act)
}

/// Resizes the lane's buffer to this many blocks and returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn buffer(lane: usize, blocks: usize) -> *mut u8 {
    with(lane, |probe| {
        probe.buffer.resize(blocks, [0; BLOCK]);
        probe.buffer.as_mut_ptr().cast()
    })
    .unwrap_or(core::ptr::null_mut())
}

/// Starts a message with the key and the IV that the buffer holds.
#[unsafe(no_mangle)]
pub extern "C" fn start(lane: usize) {
    with(lane, |probe| {
        if let [key, iv, ..] = probe.buffer.as_slice() {
            probe.message = Some(CbcEncryptor::new(key, iv));
            probe.key = Some((Key::new(key), *iv));
        }
    });
}

/// Encrypts the buffer as the message's next blocks.
#[unsafe(no_mangle)]
pub extern "C" fn encrypt(lane: usize) {
    with(lane, |probe| {
        if let Some(message) = &mut probe.message {
            message.encrypt_blocks(&mut probe.buffer);
        }
    });
}

/// Encrypts the buffers of the first `lanes` lanes side by side.
#[unsafe(no_mangle)]
pub extern "C" fn encrypt_lanes(lanes: usize) {
    let mut probes = PROBES.lock().unwrap_or_else(PoisonError::into_inner);
    let started = probes.iter_mut().take(lanes).filter_map(|probe| {
        let message = probe.message.as_mut()?;
        Some(Lane { message, blocks: &mut probe.buffer })
    });
    encrypt_side_by_side(&mut started.collect::<Vec<_>>());
}

/// Encrypts the buffers of the first `lanes` lanes as messages under the key and the IV of lane 0: one block, then `skip`
/// clear blocks, and so on.
#[unsafe(no_mangle)]
pub extern "C" fn encrypt_messages(lanes: usize, skip: usize) {
    let mut probes = PROBES.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((key, iv)) = probes.first_mut().and_then(|probe| probe.key.take()) else { return };
    let messages = probes.iter_mut().take(lanes);
    key.encrypt_messages(skip, messages.map(|probe| Message { chain: iv, blocks: &mut probe.buffer }));
    if let Some(probe) = probes.first_mut() {
        probe.key = Some((key, iv));
    }
}

/// Encrypts lane 0's buffer in counter mode, in pieces of this many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn encrypt_counter(piece: usize) {
    with(0, |probe| {
        if let Some((key, iv)) = &probe.key {
            let mut counter = Counter::new(iv);
            for piece in probe.buffer.as_flattened_mut().chunks_mut(piece.max(1)) {
                counter.encrypt(key, piece);
            }
        }
    });
}

/// Starts a message with RustCrypto's `aes`.
#[unsafe(no_mangle)]
pub extern "C" fn start_rustcrypto(lane: usize) {
    with(lane, |probe| {
        if let [key, iv, ..] = probe.buffer.as_slice() {
            probe.rustcrypto = Some((aes::Aes128::new(&(*key).into()), *iv));
        }
    });
}

/// Encrypts the buffer as the next blocks of RustCrypto's message.
#[unsafe(no_mangle)]
pub extern "C" fn rustcrypto(lane: usize) {
    with(lane, |probe| {
        if let Some((cipher, chain)) = &mut probe.rustcrypto {
            for block in &mut probe.buffer {
                for (byte, chained) in block.iter_mut().zip(*chain) {
                    *byte ^= chained;
                }
                cipher.encrypt_block(block.into());
                *chain = *block;
            }
        }
    });
}
