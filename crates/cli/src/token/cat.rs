//! Common Access Tokens (CTA-5007): claims in CBOR, signed with COSE.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::key::Algorithm;
use super::options::{Claims, Signer};
use crate::failure::Failure;

/// An item of CBOR (RFC 8949).
enum Item {
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Map(Vec<(Item, Item)>),
    Tag(u64, Box<Item>),
}

impl Item {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => match u64::try_from(*number) {
                Ok(number) => head(out, 0, number),
                Err(_) => head(out, 1, number.unsigned_abs().saturating_sub(1)),
            },
            Self::Bytes(bytes) => {
                head(out, 2, bytes.len() as u64);
                out.extend(bytes);
            }
            Self::Text(text) => {
                head(out, 3, text.len() as u64);
                out.extend(text.as_bytes());
            }
            Self::Array(items) => {
                head(out, 4, items.len() as u64);
                items.iter().for_each(|item| item.encode(out));
            }
            Self::Map(pairs) => {
                head(out, 5, pairs.len() as u64);
                for (name, value) in pairs {
                    name.encode(out);
                    value.encode(out);
                }
            }
            Self::Tag(tag, item) => {
                head(out, 6, *tag);
                item.encode(out);
            }
        }
    }

    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// The first bytes of an item: its major type and its number.
fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let [.., b6, b7] = bytes;
    let major = major << 5;
    match number {
        0..=23 => out.push(major | b7),
        24..=0xff => out.extend([major | 24, b7]),
        0x100..=0xffff => out.extend([major | 25, b6, b7]),
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend(bytes.iter().skip(4));
        }
        _ => {
            out.push(major | 27);
            out.extend(bytes);
        }
    }
}

/// Signs a token.
///
/// # Errors
/// Claims that the format cannot express; a key that is for another algorithm, or for one that the standard does not
/// have.
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let (algorithm, tag, context) = match signer.key.algorithm() {
        Algorithm::Es256 => (-7, 18, "Signature1"),
        Algorithm::Sha256 => (5, 17, "MAC0"),
        _ => return Err(Failure::Wrong("the key: for neither HS256 nor ES256, which cat tokens have".into())),
    };
    let kid = claims.options.kid.as_ref().or(signer.key.kid.as_ref());
    let mut header = vec![(Item::Number(1), Item::Number(algorithm))];
    header.extend(kid.map(|kid| (Item::Number(4), Item::Bytes(kid.clone().into_bytes()))));
    let protected = Item::Map(header).encoded();
    let payload = payload(claims, signer)?.encoded();
    // RFC 9052 sections 4.4 and 6.3.
    let signed = Item::Array(vec![
        Item::text(context),
        Item::Bytes(protected.clone()),
        Item::Bytes(Vec::new()),
        Item::Bytes(payload.clone()),
    ]);
    let signature = signer.key.sign(claims.options.algorithm, &signed.encoded())?;
    let message =
        Item::Array(vec![Item::Bytes(protected), Item::Map(Vec::new()), Item::Bytes(payload), Item::Bytes(signature)]);
    let token = Item::Tag(61, Box::new(Item::Tag(tag, Box::new(message))));
    Ok(URL_SAFE_NO_PAD.encode(token.encoded()))
}

/// The claims, in the order of their labels.
fn payload(claims: &Claims<'_>, signer: &Signer) -> Result<Item, Failure> {
    let options = claims.options;
    let mut items = Vec::new();
    let mut add = |label: i64, value: Option<Item>| items.extend(value.map(|value| (Item::Number(label), value)));
    let seconds = |time: u64| Item::Number(i64::try_from(time).unwrap_or(i64::MAX));
    add(1, signer.issuer(options).map(Item::text));
    add(2, options.payload.as_ref().map(|text| Item::text(text)));
    add(3, signer.audience(options).map(Item::text));
    add(4, Some(seconds(claims.expires)));
    add(5, claims.start.map(seconds));
    add(7, options.id.as_ref().map(|id| Item::Bytes(id.clone().into_bytes())));
    add(311, options.ip.as_deref().map(network).transpose()?.map(|network| Item::Array(vec![network])));
    add(312, Some(uri(claims)?));
    // Renewal: automatic, with the lifetime of the next token.
    add(
        323,
        options
            .renew
            .map(|lifetime| Item::Map(vec![(Item::Number(0), Item::Number(0)), (Item::Number(1), seconds(lifetime))])),
    );
    Ok(Item::Map(items))
}

/// `catu`: the path of the URL, or one pattern as a prefix or an exact path.
fn uri(claims: &Claims<'_>) -> Result<Item, Failure> {
    let (kind, path) = match (&claims.acl, claims.url) {
        (Some(acl), _) => match acl.strip_suffix('*') {
            Some(prefix) => (1, prefix),
            None => (0, acl.as_str()),
        },
        (None, Some(url)) => (0, url.path.as_str()),
        (None, None) => return Err(Failure::Wrong("expected --acl or --url".into())),
    };
    if path.contains(['*', '?', '!']) {
        return Err(Failure::Wrong(
            "--acl: several patterns, or wildcards within one; cat tokens have one path, expected * at its end only"
                .into(),
        ));
    }
    let matching = Item::Map(vec![(Item::Number(kind), Item::text(path))]);
    Ok(Item::Map(vec![(Item::Number(3), matching)]))
}

/// An address as bytes, or a block as its length and the bytes that it fixes (RFC 9164 sections 3.1 and 3.2).
fn network(text: &str) -> Result<Item, Failure> {
    let wrong =
        || Failure::Wrong("--ip: no address or block; expected one such as 203.0.113.7 or 203.0.113.0/24".into());
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let (tag, mut bytes) = match address.parse::<IpAddr>().map_err(|_| wrong())? {
        IpAddr::V4(address) => (52, address.octets().to_vec()),
        IpAddr::V6(address) => (54, address.octets().to_vec()),
    };
    let item = match length {
        None => Item::Bytes(bytes),
        Some(length) => {
            if usize::from(length) > bytes.len().saturating_mul(8) {
                return Err(wrong());
            }
            let mut left = u32::from(length);
            for byte in &mut bytes {
                let kept = left.min(8);
                *byte &= u8::MAX.checked_shl(8_u32.saturating_sub(kept)).unwrap_or(0);
                left = left.saturating_sub(kept);
            }
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            Item::Array(vec![Item::Number(length.into()), Item::Bytes(bytes)])
        }
    };
    Ok(Item::Tag(tag, Box::new(item)))
}
