//! Measures the encryption of a fragment per MB beside AES-128-CBC of the whole segment, in one run:
//! `cargo run --release -p playlock-cmaf --example measure [CHUNK]`. Chunks have 16 KB unless CHUNK gives other bytes.
#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "a command on data of its own")]

use std::time::Instant;

use playlock_aes128::CbcEncryptor;
use playlock_cmaf::{Encryptor, Error, Scheme, Settings};

fn full(kind: &[u8; 4], words: &[u32]) -> Vec<u8> {
    let size = u32::try_from(words.len() * 4 + 8).unwrap_or(0);
    let words = words.iter().flat_map(|word| word.to_be_bytes());
    size.to_be_bytes().into_iter().chain(*kind).chain(words).collect()
}

/// A fragment of these samples.
fn fragment(samples: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(samples.len()).unwrap_or(0);
    let length = 8 + 16 + 8 + 16 + 20 + 20 + 8 * count;
    let sizes = samples.iter().flat_map(|sample| [512, u32::try_from(sample.len()).unwrap_or(0)]);
    let trun: Vec<u32> = [0x301, count, length + 8].into_iter().chain(sizes).collect();
    let data = samples.concat();
    [
        &length.to_be_bytes()[..],
        b"moof",
        &full(b"mfhd", &[0, 1]),
        &(length - 24).to_be_bytes(),
        b"traf",
        &full(b"tfhd", &[0x2_0000, 1]),
        &full(b"tfdt", &[0x0100_0000, 0, 0]),
        &full(b"trun", &trun),
        &(u32::try_from(data.len()).unwrap_or(0) + 8).to_be_bytes(),
        b"mdat",
        &data,
    ]
    .concat()
}

/// Milliseconds per MB of the fastest of several runs.
fn measure(name: &str, bytes: usize, mut run: impl FnMut() -> Result<usize, Error>) -> Result<f64, Error> {
    let mut best = f64::MAX;
    let mut length = 0;
    for _ in 0..30 {
        let start = Instant::now();
        length = run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let cost = best * 1e3 / (bytes as f64 / 1e6);
    println!("{name:28} {cost:6.3} ms/MB, {length} bytes");
    Ok(cost)
}

fn main() -> Result<(), Error> {
    let chunk = std::env::args().nth(1).and_then(|size| size.parse().ok()).unwrap_or(16_384);
    let mut state = 1_u64;
    let mut random = |count: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()
        };
        (0..count / 8).flat_map(|_| next()).collect()
    };
    let mut sample = |size: usize, slices: usize| -> Vec<u8> {
        let size = size / slices / 8 * 8;
        let slice = |data: Vec<u8>| [&u32::try_from(size).unwrap_or(0).to_be_bytes()[..], &[0x25], &data[1..]].concat();
        (0..slices).flat_map(|_| slice(random(size))).collect()
    };
    // 8 Mbit/s, 50 pictures a second, 6 seconds.
    let size = |number: usize| if number == 0 { 317_000 } else { 5000 + number * 977 % 30_000 };
    let one = fragment(&(0..300).map(|number| sample(size(number), 1)).collect::<Vec<_>>());
    let eight = fragment(&(0..300).map(|number| sample(size(number), 8)).collect::<Vec<_>>());
    // Not a chain of NAL units: AV1, whose samples are encrypted as a whole, and audio.
    let mut whole = |sizes: &mut dyn Iterator<Item = usize>| {
        let mut samples = sizes.map(|size| sample(size, 1)).collect::<Vec<_>>();
        samples.iter_mut().for_each(|sample| sample[0] = 0xFF);
        fragment(&samples)
    };
    let av1 = whole(&mut (0..300).map(size));
    let audio = whole(&mut (0..10_000).map(|number| 200 + number * 37 % 300));

    let chunks = |bytes: &[u8]| bytes.chunks(chunk).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let base = measure("AES-128-CBC", one.len(), || {
        let mut cbc = CbcEncryptor::new(&[1; 16], &[2; 16]);
        let mut length = 0;
        for mut chunk in chunks(&one) {
            cbc.encrypt_blocks(chunk.as_chunks_mut().0);
            length += chunk.len();
        }
        Ok(length)
    })?;
    let cbcs = Scheme::Cbcs { iv: [2; 16] };
    let cenc = Scheme::Cenc { secret: &[2; playlock_cmaf::IV_SECRET] };
    let table = [
        ("cbcs, one slice", &one, cbcs),
        ("cbcs, eight slices", &eight, cbcs),
        ("cbcs, AV1", &av1, cbcs),
        ("cbcs, audio", &audio, cbcs),
        ("cenc, one slice", &one, cenc),
        ("cenc, audio", &audio, cenc),
    ];
    for (name, bytes, scheme) in table {
        let cost = measure(name, bytes.len(), || {
            let mut encryptor = Encryptor::new(Settings::new(&[1; 16], [3; 16], scheme));
            let mut length = 0;
            for chunk in chunks(bytes) {
                length += encryptor.push(chunk)?.len();
            }
            Ok(length + encryptor.finish()?.len())
        })?;
        println!("{:28} {:6.3} of AES-128-CBC", "", cost / base);
    }
    Ok(())
}
