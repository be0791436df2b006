//! Tokens of Google Media CDN, after Google's published signer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playlock_core::token::media_cdn::claims::Claims as Read;

use super::key::{Algorithm, Material};
use super::options::{Claims, Signer};
use crate::failure::Failure;

/// Signs a token.
///
/// # Errors
/// Claims that the format cannot express; a key that is for another algorithm.
pub fn sign(claims: &Claims<'_>, signer: &Signer) -> Result<String, Failure> {
    let options = claims.options;
    // What the token has, and what is signed in its place.
    let mut fields: Vec<(String, Option<String>)> = vec![scope(claims)?];
    let mut add = |name: &str, value: Option<String>| {
        fields.extend(value.map(|value| (format!("{name}={value}"), None)));
    };
    add("Starts", claims.start.map(|start| start.to_string()));
    add("Expires", Some(claims.expires.to_string()));
    add("SessionID", options.id.clone());
    add("Data", options.payload.clone());
    fields.extend(headers(&options.headers)?);
    fields.extend(options.ip.as_ref().map(|ip| (format!("IPRanges={}", URL_SAFE_NO_PAD.encode(ip)), None)));
    let token: Vec<&str> = fields.iter().map(|(token, _)| token.as_str()).collect();
    let signed: Vec<&str> = fields.iter().map(|(token, signed)| signed.as_ref().unwrap_or(token).as_str()).collect();
    let (token, signed) = (token.join("~"), signed.join("~"));
    let tail = match signer.key.material {
        Material::Hmac(_) if options.algorithm != Some(Algorithm::EdDsa) => {
            format!("hmac={}", signer.key.hmac_hex(options.algorithm, signed.as_bytes())?)
        }
        _ => {
            let signature = signer.key.sign(Some(Algorithm::EdDsa), signed.as_bytes())?;
            format!("Signature={}", URL_SAFE_NO_PAD.encode(signature))
        }
    };
    let token = format!("{token}~{tail}");
    let read = Read::parse(&token).ok().filter(|_| token.chars().all(|char| !char.is_control()));
    let read = read.filter(|read| read.session_id == options.id.as_deref() && read.data == options.payload.as_deref());
    match read {
        Some(_) => Ok(token),
        None => Err(Failure::Wrong(
            "--acl, --id, --payload or --header: empty, or not possible in a token; expected text without ~ and control characters, and valid escapes in an ACL".into(),
        )),
    }
}

/// `URLPrefix`, `PathGlobs` or `FullPath`.
fn scope(claims: &Claims<'_>) -> Result<(String, Option<String>), Failure> {
    match (&claims.acl, claims.url) {
        (Some(acl), _) if acl.contains("://") => {
            let prefix = acl.strip_suffix('*').unwrap_or(acl);
            if prefix.contains(['*', '!']) {
                return Err(Failure::Wrong(
                    "--acl: a URL with other patterns; expected the beginning of one URL, or paths".into(),
                ));
            }
            Ok((format!("URLPrefix={}", URL_SAFE_NO_PAD.encode(prefix)), None))
        }
        (Some(acl), _) => Ok((format!("PathGlobs={acl}"), None)),
        (None, Some(url)) => Ok(("FullPath".into(), Some(format!("FullPath={}", url.path)))),
        (None, None) => Err(Failure::Wrong("expected --acl or --url".into())),
    }
}

/// The field `Headers`, if there are any.
fn headers(lines: &[String]) -> Result<Option<(String, Option<String>)>, Failure> {
    let mut pairs = Vec::new();
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| Failure::Wrong(format!("--header: found \"{line}\", expected NAME: VALUE")))?;
        pairs.push((name.trim(), value.trim()));
    }
    let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
    let signed: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields = || (format!("Headers={}", names.join(",")), Some(format!("Headers={}", signed.join(","))));
    Ok((!pairs.is_empty()).then(fields))
}
