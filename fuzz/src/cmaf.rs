//! Property of sample encryption (ISO 23001-7): any cut of a stream has the same output or the same error, and no faulty file
//! makes it panic.

use playlock_cmaf::{Coverage, Encryptor, Error, IV_SECRET, Scheme, Settings};

use crate::source::Source;

/// Input: the scheme; the coverage in percent; the size of the pieces, two bytes; then a file, init section and fragments.
pub fn property(input: &[u8]) {
    let mut source = Source::new(input);
    let scheme = source.pick(&[Scheme::Cbcs { iv: [3; 16] }, Scheme::Cenc { secret: &[4; IV_SECRET] }]);
    let coverage = Coverage::percent(source.byte()).unwrap_or(Coverage::ALL);
    let size = 1 + usize::from(u16::from_be_bytes([source.byte(), source.byte()]));
    let file = source.rest();
    let whole = encrypted(scheme, coverage, &[file]);
    let pieces: Vec<&[u8]> = file.chunks(size).collect();
    assert!(whole == encrypted(scheme, coverage, &pieces), "{scheme:?} in pieces of {size} bytes");
    if let Ok(whole) = whole {
        assert!(whole.len() >= file.len().min(8), "{} of {} bytes", whole.len(), file.len());
    }
}

fn encrypted(scheme: Scheme<'_>, coverage: Coverage, pieces: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let mut encryptor = Encryptor::new(Settings::new(&[1; 16], [2; 16], scheme).with_coverage(coverage));
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(encryptor.push(piece.to_vec())?.into_vec());
    }
    out.extend(encryptor.finish()?.into_vec());
    Ok(out)
}
