//! Builds fragments, right and wrong ones.

use super::Random;

/// A box.
pub fn boxed(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let size = u32::try_from(body.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_bytes(), &body].concat()
}

/// A box with a size of 64 bits.
pub fn boxed64(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let size = u64::try_from(body.len() + 16).unwrap();
    [&1_u32.to_be_bytes(), kind.as_bytes(), &size.to_be_bytes(), &body].concat()
}

/// A box with a version and flags.
pub fn full(kind: &str, version: u8, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let word = u32::from(version) << 24 | flags;
    boxed(kind, &[&word.to_be_bytes(), &parts.concat()])
}

/// Numbers as fields of 32 bits.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A track's part of a fragment, to be changed before it is built.
#[derive(Clone)]
pub struct Traf {
    pub track: u32,
    pub tfhd: Vec<u8>,
    pub tfdt: Vec<u8>,
    pub samples: Vec<Vec<u8>>,
    /// Flags of `trun` besides the data offset: of 0x100, 0x200, 0x400 and 0x800.
    pub trun: u32,
    pub more: Vec<u8>,
}

impl Traf {
    pub fn new(track: u32, samples: Vec<Vec<u8>>) -> Self {
        let tfhd = full("tfhd", 0, 0x2_0000, &[&words(&[track])]);
        let tfdt = full("tfdt", 1, 0, &[&90_000_u64.to_be_bytes()]);
        Self { track, tfhd, tfdt, samples, trun: 0x301, more: Vec::new() }
    }

    fn build(&self, offset: u32) -> Vec<u8> {
        let count = u32::try_from(self.samples.len()).unwrap();
        let mut trun = words(&[count, offset]);
        for sample in &self.samples {
            let size = u32::try_from(sample.len()).unwrap();
            for (flag, value) in [(0x100, 3000), (0x200, size), (0x400, 0x10_1000), (0x800, 0)] {
                if self.trun & flag != 0 {
                    trun.extend(u32::to_be_bytes(value));
                }
            }
        }
        boxed("traf", &[&self.tfhd, &self.tfdt, &full("trun", 0, self.trun, &[&trun]), &self.more])
    }
}

/// A `moof` for an `mdat` with a header of so many bytes, in which the tracks' samples follow each other.
pub fn moof(trafs: &[Traf], header: usize) -> Vec<u8> {
    let build = |first: usize| {
        let mut offset = first;
        let mut boxes = full("mfhd", 0, 0, &[&words(&[7])]);
        for traf in trafs {
            boxes.extend(traf.build(u32::try_from(offset).unwrap()));
            offset += traf.samples.iter().map(Vec::len).sum::<usize>();
        }
        boxed("moof", &[&boxes])
    };
    let length = build(0).len();
    build(length + header)
}

/// A `moof` and its `mdat`.
pub fn fragment(trafs: &[Traf]) -> Vec<u8> {
    let data: Vec<u8> = trafs.iter().flat_map(|traf| traf.samples.iter().flatten()).copied().collect();
    [moof(trafs, 8), boxed("mdat", &[&data])].concat()
}

/// A NAL unit of so many bytes after its length.
pub fn nal(random: &mut Random, size: usize) -> Vec<u8> {
    let mut nal = u32::try_from(size).unwrap().to_be_bytes().to_vec();
    nal.extend(random.bytes(size));
    if let Some(header) = nal.get_mut(4) {
        *header = 0x25;
    }
    nal
}

/// A sample of audio, which is neither text nor NAL units.
pub fn sound(random: &mut Random, size: usize) -> Vec<u8> {
    let mut sample = random.bytes(size);
    if let Some(first) = sample.first_mut() {
        *first = 0xFF;
    }
    sample
}
