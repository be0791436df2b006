//! Placeholders in a case's text.
//!
//! `{name}` a value captured by an earlier step · `{now}` `{now+60}` `{now-60}` · `{flip:name}` a captured value with
//! its last digit but one changed · `{escape:name}` percent-encoded · `{token:acl=/vod/*,exp=+3600}` an access token ·
//! `{sign:any text}` a text signed like a token. In a token: `st` and `exp` are unix seconds or relative to now (`exp`
//! defaults to +3600; `none` omits it), `!` joins several ACLs, `alg` defaults to sha256, `key` is hex or the name of a
//! variable of the case's environment (default `PLAYLOCK_PASSWORD`), `%2C` is a comma. Other text in braces is
//! unchanged.

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};

use crate::edge_auth::{Token, sign};

/// The values of placeholders.
#[derive(Debug, Clone)]
pub struct Text {
    /// Captured values.
    pub values: BTreeMap<String, String>,
    /// The node's environment, for the keys of tokens.
    pub env: BTreeMap<String, String>,
    /// Unix seconds of the step.
    pub now: u64,
}

impl Text {
    /// Replaces every placeholder. An unknown name is an error.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        let pattern = Regex::new(r"\{(now[+-]\d+|[a-z][a-z0-9_]*)(?::([^{}]*))?\}").map_err(|e| e.to_string())?;
        let mut error = None;
        let expanded = pattern.replace_all(text, |found: &Captures<'_>| {
            let name = found.get(1).map_or("", |group| group.as_str());
            let argument = found.get(2).map(|group| group.as_str());
            self.value(name, argument).unwrap_or_else(|why| {
                error.get_or_insert(format!("{{{name}}}: {why}"));
                String::new()
            })
        });
        error.map_or_else(|| Ok(expanded.into_owned()), Err)
    }

    fn value(&self, name: &str, argument: Option<&str>) -> Result<String, String> {
        match (name, argument) {
            ("now", None) => Ok(self.now.to_string()),
            ("token", Some(fields)) => self.token(fields),
            ("sign", Some(text)) => sign(text, "", "sha256", &self.key("PLAYLOCK_PASSWORD")),
            ("flip", Some(name)) => {
                let mut value = self.captured(name)?.to_owned();
                let last = value.pop().ok_or("is empty")?;
                let flipped = value.pop().ok_or("has one character")?;
                value.push(if flipped == '0' { '1' } else { '0' });
                value.push(last);
                Ok(value)
            }
            ("escape", Some(name)) => Ok(escape(self.captured(name)?)),
            (name, None) if name.starts_with("now") => self.instant(&name[3..]).map(|seconds| seconds.to_string()),
            (name, None) => self.captured(name).map(str::to_owned),
            _ => Err("is no placeholder".to_owned()),
        }
    }

    fn captured(&self, name: &str) -> Result<&str, String> {
        self.values.get(name).map(String::as_str).ok_or_else(|| format!("{name} was not captured"))
    }

    /// Hex, or the value of the environment variable of that name.
    fn key(&self, key: &str) -> String {
        self.env.get(key).cloned().unwrap_or_else(|| key.to_owned())
    }

    fn instant(&self, text: &str) -> Result<u64, String> {
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match text.split_at_checked(1) {
            Some(("+", later)) => Ok(self.now + number(later)?),
            Some(("-", earlier)) => Ok(self.now - number(earlier)?),
            _ => number(text),
        }
    }

    fn token(&self, fields: &str) -> Result<String, String> {
        let mut token = Token { exp: Some(self.now + 3600), ..Token::default() };
        let (mut alg, mut key) = ("sha256", "PLAYLOCK_PASSWORD");
        for field in fields.split(',').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').ok_or_else(|| format!("{field} has no value"))?;
            let text = Some(value.replace("%2C", ","));
            match name {
                "ip" => token.ip = text,
                "st" => token.st = Some(self.instant(value)?),
                "exp" if value == "none" => token.exp = None,
                "exp" => token.exp = Some(self.instant(value)?),
                "acl" => token.acl = text,
                "id" => token.id = text,
                "data" => token.data = text,
                "url" => token.url = text,
                "salt" => token.salt = text,
                "alg" => alg = value,
                "key" => key = value,
                _ => return Err(format!("{name} is no field of a token")),
            }
        }
        token.sign(alg, &self.key(key))
    }
}

/// Percent-encodes everything except letters and digits.
fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_expand_and_other_braces_stay() {
        let values = BTreeMap::from([("tok".to_owned(), "a=1~b".to_owned())]);
        let env = BTreeMap::from([("PLAYLOCK_PASSWORD".to_owned(), "52a152a152a152a152a152a152a152a1".to_owned())]);
        let text = Text { values, env, now: 1_700_000_000 };
        let expand = |from: &str| text.expand(from).unwrap();
        assert_eq!(expand("{tok}|{flip:tok}|{escape:tok}"), "a=1~b|a=10b|a%3D1%7Eb");
        assert_eq!(expand("{now} {now+5} {now-5}"), "1700000000 1700000005 1699999995");
        assert_eq!(
            expand("{token:st=+0,acl=/vod/*}"),
            "st=1700000000~exp=1700003600~acl=/vod/*~hmac=bb07ba926e57958bdfe943f1c0914c04948eb0dc8a5e44baa426c9184f733ed2"
        );
        assert_eq!(expand("{sign:st=1700000000~exp=1700003600~acl=/vod/*}"), expand("{token:st=+0,acl=/vod/*}"));
        assert_eq!(expand("{$auth} {\"type\":1} {}"), "{$auth} {\"type\":1} {}");
        assert!(text.expand("{unknown}").is_err());
    }
}
