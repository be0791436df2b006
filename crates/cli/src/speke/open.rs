//! Decrypts content keys with the private key of the certificate.
//!
//! RSA with a private key is left to the `openssl` command: ring does not decrypt with RSA, and no pure Rust crate does
//! it in constant time (RUSTSEC-2023-0071).

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::answer::Answer;
use super::verify::Problems;
use crate::failure::Failure;
use crate::terminal::shown;

/// Decrypts the document's keys and with them the content keys, whose MACs are verified.
///
/// # Errors
/// No `openssl` command, or a private key that it cannot use.
pub fn open(answer: &mut Answer, private_key: &Path, problems: &mut Problems) -> Result<(), Failure> {
    let Some(delivery) = &answer.delivery else { return Ok(()) };
    let mut sized = |name: &str, bytes: Vec<u8>, length: usize| {
        if bytes.len() != length {
            problems.add(format!("{name}: {} bytes after decryption; expected {length}", bytes.len()));
        }
        bytes
    };
    let document_key = sized("DocumentKey", decrypt(&delivery.document_key, private_key)?, 32);
    let mac_key = sized("MACMethod", decrypt(&delivery.mac_key, private_key)?, 64);
    let (Ok(document_key), Ok(mac_key)) =
        (<[u8; 32]>::try_from(document_key.as_slice()), <[u8; 64]>::try_from(mac_key.as_slice()))
    else {
        return Ok(());
    };
    for key in &mut answer.keys {
        let Some(encrypted) = &key.encrypted else { continue };
        let plain = playlock_drm::read::open(&document_key, &mac_key, &encrypted.cipher, &encrypted.mac);
        key.key = plain.and_then(|plain| plain.as_slice().try_into().ok());
        if key.key.is_none() {
            let kid = key.kid;
            problems.add(format!("key {kid}: another ValueMAC or padding; expected 16 bytes under the document key"));
        }
    }
    Ok(())
}

/// RSA-OAEP with SHA-1 and MGF1 (RFC 8017, section 7.1.2). The private key stays in its file.
fn decrypt(cipher: &[u8], private_key: &Path) -> Result<Vec<u8>, Failure> {
    let place = private_key.display();
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:oaep", "-inkey"]).arg(private_key);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::Wrong("openssl: not found; expected the command, which decrypts with --private-key".into())
        }
        _ => Failure::Wrong(format!("openssl: {error}")),
    })?;
    if let Some(mut input) = child.stdin.take() {
        // If it has ended already, its status has the reason.
        let _ = input.write_all(cipher);
    }
    let output = child.wait_with_output().map_err(|error| Failure::Wrong(format!("openssl: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let reason = shown(reason.lines().next().unwrap_or_default());
    Err(Failure::Wrong(format!(
        "--private-key {place}: openssl cannot decrypt with it ({reason}); expected the key of --certificate"
    )))
}
