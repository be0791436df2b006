//! The ciphers alone. In Envoy, this module is a filter that responds to a request for `/CIPHER/LANES/CHUNKS` after it has
//! encrypted that amount. Other engines call [`measure`].
//!
//! CIPHER is 0 for playlock's kernel and 1 for RustCrypto's `aes` and `cbc`; each of LANES messages is encrypted in
//! CHUNKS chunks of 64 KiB, the amount that Envoy passes to a filter at once.

use std::cell::RefCell;

use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use playlock_aes128::{BLOCK, CbcEncryptor, Lane, encrypt_lanes};

const CHUNK: usize = (64 << 10) / BLOCK;
const LANES: usize = 4;
const KEY: [u8; BLOCK] = *b"a key of 16 byte";

thread_local! {
    /// The messages' chunks, allocated once.
    static CHUNKS: RefCell<Vec<Vec<[u8; BLOCK]>>> = RefCell::new(vec![vec![[7; BLOCK]; CHUNK]; LANES]);
}

/// Encrypts; returns a byte of the result, so that no compiler leaves the work out.
#[unsafe(no_mangle)]
pub extern "C" fn measure(cipher: usize, lanes: usize, chunks: usize) -> usize {
    CHUNKS.with_borrow_mut(|buffers| {
        let buffers = &mut buffers[..lanes.clamp(1, LANES)];
        if cipher == 0 {
            playlock(buffers, chunks)
        } else {
            rustcrypto(buffers, chunks)
        }
        usize::from(buffers[0][CHUNK - 1][0])
    })
}

fn iv(lane: usize) -> [u8; BLOCK] {
    [u8::try_from(lane).unwrap_or(0); BLOCK]
}

fn playlock(buffers: &mut [Vec<[u8; BLOCK]>], chunks: usize) {
    let mut messages: Vec<_> = (0..buffers.len()).map(|lane| CbcEncryptor::new(&KEY, &iv(lane))).collect();
    for _ in 0..chunks {
        let lanes = messages.iter_mut().zip(&mut *buffers);
        encrypt_lanes(&mut lanes.map(|(message, blocks)| Lane { message, blocks }).collect::<Vec<_>>());
    }
}

fn rustcrypto(buffers: &mut [Vec<[u8; BLOCK]>], chunks: usize) {
    for (lane, blocks) in buffers.iter_mut().enumerate() {
        let mut message = cbc::Encryptor::<aes::Aes128>::new(&KEY.into(), &iv(lane).into());
        for _ in 0..chunks {
            message.encrypt_blocks(aes::Block::cast_slice_from_core_mut(blocks));
        }
    }
}

/// The part of a proxy-wasm filter that is needed to be asked over HTTP.
mod filter {
    const REQUEST_HEADERS: i32 = 0;
    const PAUSE: i32 = 1;
    const TRUE: i32 = 1;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_header_map_value(
            map: i32,
            key: *const u8,
            length: usize,
            value: *mut *mut u8,
            size: *mut usize,
        ) -> i32;
        fn proxy_send_local_response(
            status: u32,
            details: *const u8,
            details_size: usize,
            body: *const u8,
            body_size: usize,
            headers: *const u8,
            headers_size: usize,
            grpc: i32,
        ) -> i32;
    }

    #[unsafe(no_mangle)]
    extern "C" fn proxy_abi_version_0_2_1() {}

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
        Box::leak(vec![0; size].into_boxed_slice()).as_mut_ptr()
    }

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_context_create(_context: i32, _parent: i32) {}

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_vm_start(_root: i32, _size: i32) -> i32 {
        TRUE
    }

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_configure(_root: i32, _size: i32) -> i32 {
        TRUE
    }

    #[unsafe(no_mangle)]
    extern "C" fn proxy_on_request_headers(_context: i32, _count: i32, _end: i32) -> i32 {
        let (mut value, mut size) = (std::ptr::null_mut(), 0);
        let name = ":path";
        // SAFETY: the host writes the address of `size` bytes that it had allocated above.
        let path = unsafe {
            proxy_get_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), &raw mut value, &raw mut size);
            std::slice::from_raw_parts(value, size)
        };
        let numbers: Vec<usize> =
            path.split(|b| *b == b'/').filter_map(|n| std::str::from_utf8(n).ok()?.parse().ok()).collect();
        let status = match numbers[..] {
            [cipher, lanes, chunks] => {
                super::measure(cipher, lanes, chunks);
                200
            }
            _ => 400,
        };
        let none = std::ptr::null();
        // SAFETY: every string is empty.
        unsafe { proxy_send_local_response(status, none, 0, none, 0, none, 0, -1) };
        PAUSE
    }
}
