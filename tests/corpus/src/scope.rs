//! Checks the key's scope: the filter encrypts exactly the media that the playlist declares as encrypted, with that
//! key.

use std::collections::BTreeMap;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use playlock_core::http::route::Kind;

use crate::edge::{Answer, Edge};
use crate::reading::{self, Key, Part, Reading, Reference, Role};
use crate::site::Site;

const BLOCK: usize = 16;
/// The origin's media.
const PLAIN: [u8; BLOCK] = *b"one plain block.";

/// The keys of a rewritten playlist, fetched as a player does.
pub struct Keys {
    fetched: Vec<Held>,
}

/// The key in force after a line.
#[derive(Clone, Copy)]
enum Held {
    /// METHOD=NONE.
    Nothing,
    /// The origin's own key.
    Origin,
    /// A key of the filter. Without an IV, the media sequence number is the IV.
    Ours { key: [u8; BLOCK], iv: Option<[u8; BLOCK]> },
}

/// Whether an attribute list is of a key of the filter.
pub fn is_ours(list: &str) -> bool {
    reading::attribute(list, "URI").is_some_and(|(_, uri)| uri.contains("plk=key~"))
}

impl Keys {
    /// Fetches all keys of the filter in `output`.
    ///
    /// # Errors
    /// An invalid key line, or a key that cannot be fetched.
    pub fn fetch(edge: &Edge, site: &Site, output: &Reading) -> Result<Self, String> {
        let mut known: BTreeMap<&str, [u8; BLOCK]> = BTreeMap::new();
        let mut fetched = Vec::with_capacity(output.keys.len());
        for Key { list, inside_segment } in &output.keys {
            let value = |name| reading::attribute(list, name).map(|(_, value)| value);
            if !is_ours(list) {
                fetched.push(if value("METHOD") == Some("NONE") { Held::Nothing } else { Held::Origin });
                continue;
            }
            if *inside_segment {
                return Err(format!("a key between EXTINF and its URI: {list}"));
            }
            let (Some("AES-128"), None, Some(uri)) = (value("METHOD"), value("KEYFORMAT"), value("URI")) else {
                return Err(format!("not a key for all players: {list}"));
            };
            let key = match known.get(uri) {
                Some(key) => *key,
                None => {
                    let url = site.own(uri).ok_or_else(|| format!("a key elsewhere: {list}"))?;
                    let Err(reply) = edge.request(&url) else {
                        return Err(format!("the key reached the origin: {list}"));
                    };
                    let key = <[u8; BLOCK]>::try_from(reply.body.as_slice()).ok().filter(|_| reply.status == 200);
                    key.ok_or_else(|| format!("{} for the key {list}", reply.status))?
                }
            };
            known.insert(uri, key);
            fetched.push(Held::Ours { key, iv: value("IV").map(initialisation_vector).transpose()? });
        }
        Ok(Self { fetched })
    }

    fn at(&self, reference: &Reference) -> Held {
        reference.key.and_then(|index| self.fetched.get(index)).copied().unwrap_or(Held::Nothing)
    }

    /// Whether a key of the filter is in force at `reference`.
    pub fn cover(&self, reference: &Reference) -> bool {
        matches!(self.at(reference), Held::Ours { .. })
    }
}

/// Compares a reference in the playlist, before and after rewriting, with the filter's response for its URL. `images`: it
/// is an image, which players do not decrypt.
///
/// # Errors
/// The difference between playlist and response.
pub fn check(keys: &Keys, before: &Reference, after: &Reference, images: bool, answer: Answer) -> Result<(), String> {
    let kind = answer.kind;
    // What ends in .m3u8 is a playlist, wherever its URI stands.
    if kind == Kind::Playlist || matches!(after.role, Role::Playlist | Role::Asset) {
        return Ok(());
    }
    let media = matches!(after.role, Role::Segment | Role::Part | Role::PartHint);
    let encrypted = media && before.key.is_none() && !images;
    let held = if after.role == Role::Data { Held::Nothing } else { keys.at(after) };
    let hint = matches!(after.role, Role::PartHint | Role::MapHint);
    let scope_fits = match held {
        // Its part comes with a key before it.
        _ if hint => true,
        Held::Ours { .. } => encrypted,
        Held::Origin => before.key.is_some(),
        Held::Nothing => !encrypted && before.key.is_none(),
    };
    if !scope_fits {
        return Err(format!("{:?} {} the scope of our key", after.role, if encrypted { "outside" } else { "in" }));
    }
    let kind_fits = match kind {
        Kind::Segment => encrypted,
        Kind::Clear => !encrypted,
        _ => false,
    };
    if !kind_fits {
        return Err(format!("{:?} is served as {kind:?}", after.role));
    }
    let (length, range) = match before.part {
        Part::Bytes(bytes) if before.key.is_none() && !images => {
            let last = bytes.offset.saturating_add(bytes.length).saturating_sub(1);
            (bytes.length, Some(format!("bytes={}-{last}", bytes.offset)))
        }
        _ => (u64::MAX, None),
    };
    if answer.range != range {
        return Err(format!("the origin is asked for {:?}, expected {range:?}", answer.range));
    }
    if after.role == Role::Data || hint {
        return Ok(());
    }
    // The first block of what is served, or all if there is less.
    let sent = PLAIN.get(..usize::try_from(length).unwrap_or(BLOCK).min(BLOCK)).unwrap_or(&PLAIN);
    let served = answer.serve(sent, length <= BLOCK as u64 || range.is_none())?;
    let opened = match held {
        Held::Ours { key, iv } => {
            let iv = iv.unwrap_or_else(|| u128::from(after.sequence).to_be_bytes());
            open_first_block(&key, &iv, &served).ok_or("no block came")?.to_vec()
        }
        Held::Origin | Held::Nothing => served,
    };
    if opened.get(..sent.len()) == Some(sent) {
        Ok(())
    } else {
        Err("what is served does not open with the key in force".into())
    }
}

/// The first block of CBC (NIST SP 800-38A section 6.2).
fn open_first_block(key: &[u8; BLOCK], iv: &[u8; BLOCK], ciphertext: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = (*ciphertext.first_chunk::<BLOCK>()?).into();
    Aes128::new(&(*key).into()).decrypt_block(&mut block);
    let mut plain: [u8; BLOCK] = block.into();
    for (byte, mask) in plain.iter_mut().zip(iv) {
        *byte ^= mask;
    }
    Some(plain)
}

fn initialisation_vector(text: &str) -> Result<[u8; BLOCK], String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).filter(|digits| digits.len() == 32);
    let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    number.map(u128::to_be_bytes).ok_or_else(|| format!("IV={text}"))
}
