//! Shared by the tests: keys, a reader of samples on mp4-atom, a decryptor on RustCrypto, a builder of fragments.
#![allow(dead_code, missing_docs, reason = "no test uses all of it")]

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use mp4_atom::{Any, Decode, Moof};
use playlock_cmaf::{Encryptor, Error, IV_SECRET, Scheme, Settings, Track};

pub mod build;

pub const KEY: [u8; 16] = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100_u128.to_be_bytes();
pub const KID: [u8; 16] = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
pub const IV: [u8; 16] = 0xd5fb_d6b8_2ed9_3e4e_f98a_e409_31ee_33b7_u128.to_be_bytes();
pub const SECRET: [u8; IV_SECRET] = *b"the secret from which a test makes its 48 bytes.";

pub const CBCS: Scheme<'_> = Scheme::Cbcs { iv: IV };
pub const CENC: Scheme<'_> = Scheme::Cenc { secret: &SECRET };
pub const SCHEMES: [(&str, Scheme<'_>); 2] = [("cbcs", CBCS), ("cenc", CENC)];

/// The streams in `vectors/`: their names, bytes, and whether their samples are NAL units.
pub const STREAMS: [(&str, &[u8], bool); 9] = [
    ("avc", include_bytes!("../vectors/avc.mp4"), true),
    ("avc-slices", include_bytes!("../vectors/avc-slices.mp4"), true),
    ("hevc", include_bytes!("../vectors/hevc.mp4"), true),
    ("av1", include_bytes!("../vectors/av1.mp4"), false),
    ("vp9", include_bytes!("../vectors/vp9.mp4"), false),
    ("aac", include_bytes!("../vectors/aac.mp4"), false),
    ("opus", include_bytes!("../vectors/opus.mp4"), false),
    ("wvtt", include_bytes!("../vectors/wvtt.mp4"), false),
    ("stpp", include_bytes!("../vectors/stpp.mp4"), false),
];

pub fn stream(name: &str) -> &'static [u8] {
    STREAMS.iter().find(|stream| stream.0 == name).unwrap().1
}

pub fn settings(scheme: Scheme<'_>) -> Settings {
    Settings::new(&KEY, KID, scheme)
}

/// Encrypts in chunks of this size.
pub fn encrypt_in(bytes: &[u8], chunk: usize, settings: Settings) -> Result<Vec<u8>, Error> {
    let mut encryptor = Encryptor::new(settings);
    let mut out = Vec::new();
    for chunk in bytes.chunks(chunk) {
        out.extend(encryptor.push(chunk.to_vec())?.into_vec());
    }
    out.extend(encryptor.finish()?.into_vec());
    Ok(out)
}

pub fn encrypt(bytes: &[u8], scheme: Scheme<'_>) -> Result<Vec<u8>, Error> {
    encrypt_in(bytes, usize::MAX, settings(scheme))
}

/// The tracks of an init segment.
pub fn tracks(init: &[u8]) -> Vec<Track> {
    let mut encryptor = Encryptor::new(settings(CBCS));
    encryptor.push(init.to_vec()).unwrap();
    encryptor.tracks().to_vec()
}

#[derive(Clone, Debug)]
pub struct Sample {
    pub track: u32,
    pub data: Vec<u8>,
    pub time: u64,
    pub iv: Vec<u8>,
    pub ranges: Option<Vec<(usize, usize)>>,
    /// The number of its fragment.
    pub fragment: usize,
}

/// Reads the samples of a file with mp4-atom.
pub fn read(mut file: &[u8], iv_size: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut moof = None;
    let (mut before, mut fragment) = (0, 0);
    while !file.is_empty() {
        let left = file.len();
        match Any::decode(&mut file).unwrap() {
            Any::Moof(read) => (moof, before) = (Some(read), left),
            Any::Mdat(mdat) => {
                if let Some(moof) = moof.take() {
                    // The offset of the data from the beginning of the `moof`.
                    let start = before - file.len() - mdat.data.len();
                    samples.extend(read_fragment(&moof, &mdat.data, start, iv_size, fragment));
                    fragment += 1;
                }
            }
            _ => {}
        }
    }
    samples
}

fn read_fragment(moof: &Moof, data: &[u8], start: usize, iv_size: usize, fragment: usize) -> Vec<Sample> {
    let mut all = Vec::new();
    for traf in &moof.traf {
        let mut time = traf.tfdt.as_ref().map_or(0, |tfdt| tfdt.base_media_decode_time);
        let mut samples = Vec::new();
        for trun in &traf.trun {
            let mut at = usize::try_from(trun.data_offset.unwrap()).unwrap() - start;
            for number in 0..trun.samples.len() {
                let entry = trun.samples.get(number).unwrap();
                let size = entry.size.or(traf.tfhd.default_sample_size).unwrap() as usize;
                let data = data[at..at + size].to_vec();
                samples.push(Sample { track: traf.tfhd.track_id, data, time, iv: Vec::new(), ranges: None, fragment });
                at += size;
                time += u64::from(entry.duration.or(traf.tfhd.default_sample_duration).unwrap_or(0));
            }
        }
        if let Some(senc) = &traf.senc {
            read_senc(&senc.data, senc.use_subsamples, iv_size, &mut samples);
        }
        all.extend(samples);
    }
    all
}

fn read_senc(data: &[u8], ranged: bool, iv_size: usize, samples: &mut [Sample]) {
    let mut rest = data;
    let mut take = |count: usize| {
        let (taken, behind) = rest.split_at(count);
        rest = behind;
        taken
    };
    assert_eq!(u32::from_be_bytes(take(4).try_into().unwrap()) as usize, samples.len());
    for sample in samples {
        sample.iv = take(iv_size).to_vec();
        if ranged {
            let count = u16::from_be_bytes(take(2).try_into().unwrap());
            let mut range = || {
                let clear = u16::from_be_bytes(take(2).try_into().unwrap());
                (usize::from(clear), u32::from_be_bytes(take(4).try_into().unwrap()) as usize)
            };
            let ranges: Vec<_> = (0..count).map(|_| range()).collect();
            assert_eq!(ranges.iter().map(|range| range.0 + range.1).sum::<usize>(), sample.data.len());
            sample.ranges = Some(ranges);
        }
    }
    assert!(rest.is_empty());
}

/// Decrypts a sample as a player does. `text`: it is clear.
pub fn decrypt(sample: &Sample, scheme: Scheme<'_>, text: bool) -> Vec<u8> {
    decrypt_by(sample, scheme, text, 10)
}

/// The same with a pattern of one block in so many.
pub fn decrypt_by(sample: &Sample, scheme: Scheme<'_>, text: bool, every: usize) -> Vec<u8> {
    let mut data = sample.data.clone();
    if text {
        return data;
    }
    let cipher = Aes128::new(&KEY.into());
    let step = if sample.ranges.is_some() { every } else { 1 };
    let ranges = sample.ranges.clone().unwrap_or_else(|| vec![(0, data.len())]);
    let mut at = 0;
    let mut counter = 0_u64;
    for (clear, protected) in ranges {
        at += clear;
        let range = &mut data[at..at + protected];
        match scheme {
            Scheme::Cbcs { iv } => {
                let mut chain = iv;
                for block in range.chunks_exact_mut(16).step_by(step) {
                    let next: [u8; 16] = (&*block).try_into().unwrap();
                    cipher.decrypt_block((&mut *block).try_into().unwrap());
                    block.iter_mut().zip(chain).for_each(|(byte, chain)| *byte ^= chain);
                    chain = next;
                }
            }
            Scheme::Cenc { .. } => {
                for block in range.chunks_mut(16) {
                    let mut keystream = [0; 16];
                    keystream[..sample.iv.len()].copy_from_slice(&sample.iv);
                    let low = u64::from_be_bytes(keystream[8..].try_into().unwrap()).wrapping_add(counter);
                    keystream[8..].copy_from_slice(&low.to_be_bytes());
                    cipher.encrypt_block((&mut keystream).into());
                    block.iter_mut().zip(keystream).for_each(|(byte, key)| *byte ^= key);
                    counter += 1;
                }
            }
        }
        at += protected;
    }
    data
}

pub fn iv_size(scheme: Scheme<'_>) -> usize {
    match scheme {
        Scheme::Cbcs { .. } => 0,
        Scheme::Cenc { .. } => 16,
    }
}

/// The end of the init segment of a file.
pub fn init_end(file: &[u8]) -> usize {
    file.windows(4)
        .position(|kind| kind == b"moov")
        .map(|at| {
            let size = u32::from_be_bytes(file[at - 4..at].try_into().unwrap());
            at - 4 + size as usize
        })
        .unwrap()
}

/// Reproducible random numbers: SplitMix64 from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.word() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.word().to_be_bytes()).take(count).collect()
    }
}
