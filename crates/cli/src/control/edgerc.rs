//! Credentials in an `.edgerc` file.

use playlock_edgegrid::{ClientSecret, Credentials};

/// A section of the file: a host, and the credentials of a client.
pub struct Section {
    /// Host, with a port if it is not 443.
    pub host: String,
    /// The client's credentials.
    pub credentials: Credentials,
}

/// Reads a section.
///
/// # Errors
/// A text that names the section or member that is missing or unusable. No secret is repeated.
pub fn section(text: &str, name: &str) -> Result<Section, String> {
    let mut inside = false;
    let mut found = false;
    let mut members: [Option<&str>; 4] = [None; 4];
    const NAMES: [&str; 4] = ["host", "client_token", "access_token", "client_secret"];
    for line in text.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = title.trim() == name;
            found |= inside;
        } else if inside && !line.starts_with(['#', ';']) {
            let Some((member, value)) = line.split_once(['=', ':']) else { continue };
            for (known, slot) in NAMES.iter().zip(&mut members) {
                if member.trim() == *known && slot.replace(value.trim()).is_some() {
                    return Err(format!("[{name}] {known}: found twice; expected once"));
                }
            }
        }
    }
    if !found {
        return Err(format!("no section [{name}]; expected one, or another name as --section"));
    }
    let [host, client_token, access_token, client_secret] = members;
    let member = |value: Option<&str>, known: &str| {
        value.map(str::to_owned).ok_or_else(|| format!("[{name}] {known}: missing; expected a value"))
    };
    let secret = ClientSecret::new(member(client_secret, "client_secret")?).map_err(|fault| fault.to_string())?;
    let (client, access) = (member(client_token, "client_token")?, member(access_token, "access_token")?);
    let credentials = Credentials::new(client, access, secret).map_err(|fault| fault.to_string())?;
    Ok(Section { host: member(host, "host")?, credentials })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "; a comment\n[default]\nhost = a.example:8443\nclient_token = t\naccess_token: u\n\
                        client_secret = 0123456789abcdef0123456789abcdef=\n[other]\nhost = b.example\n";

    #[test]
    fn a_section_is_read() {
        let section = section(TEXT, "default").unwrap();
        assert_eq!((section.host.as_str(), section.credentials.client_token()), ("a.example:8443", "t"));
        assert_eq!(section.credentials.access_token(), "u");
        assert_eq!(section.credentials.client_secret().expose(), "0123456789abcdef0123456789abcdef=");
    }

    #[test]
    fn faults_are_named() {
        let fault = |text: &str, name| section(text, name).err().unwrap();
        assert!(fault(TEXT, "none").contains("no section [none]"));
        assert!(fault(TEXT, "other").contains("client_secret: missing"));
        assert!(fault(&TEXT.replacen("host", "host = x\nhost", 1), "default").contains("host: found twice"));
    }
}
