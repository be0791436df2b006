//! Names, paths and URLs in a configuration, valid by type. Each type declares its parser and the pattern for the JSON
//! Schema side by side.

use crate::http::incoming::SIGNED_PARAMETER;
use crate::http::target;

/// Longest [`TokenName`] in bytes.
const MAX_TOKEN_NAME: usize = 64;
/// Longest [`AssignedHost`] with a `*` in bytes: no name is longer (RFC 1035 section 2.3.4).
const MAX_WILDCARD: usize = 253;

/// A text that does not match its type's grammar, with a description of the expected syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected(pub &'static str);

/// Declares a string type: the description of its syntax, its parser (`None` for invalid texts), and the pattern for
/// the JSON Schema, which may be more permissive.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $expected:expr, $read:expr $(, $pattern:literal)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(alloc::string::String);

        impl core::str::FromStr for $name {
            type Err = $crate::policy::text::Expected;

            fn from_str(text: &str) -> Result<Self, $crate::policy::text::Expected> {
                let read: fn(&str) -> Option<alloc::string::String> = $read;
                read(text).map(Self).ok_or($crate::policy::text::Expected($expected))
            }
        }

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for alloc::string::String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        $(
            #[cfg(feature = "schema")]
            impl schemars::JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> alloc::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({"type": "string", "pattern": $pattern})
                }
            }
        )?
    };
}

pub(super) use text;

text! {
    /// Name of a request header, in lower case: letters, digits, `-` and `_`.
    HeaderName, "the name of a header",
    |text| (!text.is_empty() && text.bytes().all(is_name_byte)).then(|| text.to_ascii_lowercase()),
    "^[A-Za-z0-9_-]+$"
}

text! {
    /// Name of a token in queries, cookies and headers, at most 64 bytes. It needs no escaping in any of them.
    TokenName, "up to 64 letters, digits, _ and -, and not \"plk\"",
    |text| {
        let plain = (1..=MAX_TOKEN_NAME).contains(&text.len()) && text.bytes().all(is_name_byte);
        (plain && text != SIGNED_PARAMETER).then(|| text.into())
    },
    "^[A-Za-z0-9_-]{1,64}$"
}

text! {
    /// Name of a requester of keys, at most 64 bytes.
    RequesterName, "up to 64 letters, digits, ., _ and -",
    |text| {
        let plain = text.bytes().all(|byte| is_name_byte(byte) || byte == b'.');
        (plain && (1..=MAX_TOKEN_NAME).contains(&text.len())).then(|| text.into())
    },
    "^[A-Za-z0-9._-]{1,64}$"
}

text! {
    /// Name of a field in the payload of an access token, at most 32 bytes.
    FieldName, "up to 32 letters, digits, ., _ and -",
    |text| {
        let plain = text.bytes().all(|byte| is_name_byte(byte) || byte == b'.');
        (plain && (1..=32).contains(&text.len())).then(|| text.into())
    },
    "^[A-Za-z0-9._-]{1,32}$"
}

text! {
    /// Marker before a token in the path, at most 16 bytes. Its first character is none that paths commonly begin with,
    /// and none of its characters needs escaping (RFC 3986 section 2.3).
    PathMarker, "~, - or _, then up to 15 letters, digits, ~, -, _ and .",
    |text| {
        let plain = text.len() <= 16 && text.bytes().all(|byte| is_name_byte(byte) || matches!(byte, b'~' | b'.'));
        (plain && text.starts_with(['~', '-', '_'])).then(|| text.into())
    },
    "^[~_-][A-Za-z0-9~._-]{0,15}$"
}

text! {
    /// Host of an assignment, without a port, in lower case and without the root's trailing dot (RFC 1034 section
    /// 3.1): a name, or `*` and the end of names, which covers all names that are longer.
    ///
    /// The `*` stands for whole labels, or for the beginning of one before a `-`. Two labels must follow: `*.com` and
    /// `*-tv.com` would cover names of any owner, and `*tv.example` others than those of `tv.example`.
    AssignedHost, "a host name without a port, perhaps with * before a . or - in place of its beginning, such as \"*.tv.example\"",
    |text| {
        let host = text.strip_suffix('.').unwrap_or(text);
        let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| is_name_byte(byte) || byte == b'.');
        let good = match host.strip_prefix('*') {
            None => plain(host),
            Some(end) => {
                let (_, labels) = end.split_once('.')?;
                let two = labels.contains('.') && labels.split('.').all(|label| !label.is_empty());
                plain(end) && two && end.starts_with(['.', '-']) && host.len() <= MAX_WILDCARD
            }
        };
        good.then(|| host.to_ascii_lowercase())
    },
    "^([A-Za-z0-9._-]+|[*][.-][A-Za-z0-9._-]+)$"
}

text! {
    /// Host with an optional port, as in `:authority`.
    Authority, "a host, perhaps with a port",
    |text| (is_graphic(text) && !text.contains(['/', '@', '?', '#'])).then(|| text.into()),
    "^[!-\"$-.0->A-~]+$"
}

text! {
    /// Name of an Envoy cluster.
    ClusterName, "the name of a cluster of Envoy's",
    |text| is_graphic(text).then(|| text.into()),
    "^[!-~]+$"
}

text! {
    /// Path of a request, with an optional query.
    AbsolutePath, "an absolute path such as \"/may-play\"",
    |text| (is_graphic(text) && text.starts_with('/') && !text.contains('#')).then(|| text.into()),
    "^/[!-\"$-~]*$"
}

text! {
    /// Path of a key endpoint. It is written into a quoted attribute of every playlist and compared with the decoded
    /// path of requests, so it must be normalised and need no escaping.
    KeyPath, "an absolute path of letters, digits and /.-_",
    |text| {
        let plain = text.bytes().all(|byte| is_name_byte(byte) || matches!(byte, b'/' | b'.'));
        (plain && target::normal_path(text).is_ok() && !text.ends_with('/')).then(|| text.into())
    },
    "^/[A-Za-z0-9/._-]*[A-Za-z0-9._-]$"
}

text! {
    /// Absolute `http` or `https` URL that is valid in a header.
    HttpUrl, "an absolute http or https URL",
    |text| {
        let (scheme, rest) = text.split_once("://")?;
        let known = ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
        let has_host = !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@', '\\']);
        (known && has_host && is_graphic(text)).then(|| text.into())
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_graphic(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn read<T: core::str::FromStr<Err = Expected> + ToString>(text: &str) -> Option<alloc::string::String> {
        text.parse::<T>().ok().map(|it| it.to_string())
    }

    /// A text and its form in each type; `None` if the type rejects it.
    #[test]
    fn each_type_has_its_grammar() {
        for (text, header, token, host, key_path) in [
            ("X-Device_1", Some("x-device_1"), Some("X-Device_1"), Some("x-device_1"), None),
            ("plk", Some("plk"), None, Some("plk"), None),
            ("TV.example.", None, None, Some("tv.example"), None),
            ("tv.example:80", None, None, None, None),
            ("", None, None, None, None),
            (".", None, None, None, None),
            ("a b", None, None, None, None),
            ("x\r\n", None, None, None, None),
            ("\u{e9}", None, None, None, None),
            ("/k/serve.key", None, None, None, Some("/k/serve.key")),
            ("/k/../serve.key", None, None, None, None),
            ("/k/", None, None, None, None),
        ] {
            assert_eq!(read::<HeaderName>(text).as_deref(), header, "{text:?}");
            assert_eq!(read::<TokenName>(text).as_deref(), token, "{text:?}");
            assert_eq!(read::<AssignedHost>(text).as_deref(), host, "{text:?}");
            assert_eq!(read::<KeyPath>(text).as_deref(), key_path, "{text:?}");
        }
        assert!(read::<TokenName>(&"a".repeat(64)).is_some() && read::<TokenName>(&"a".repeat(65)).is_none());
    }

    /// A host of an assignment with a `*`; `None` if it is refused.
    #[test]
    fn wildcards_leave_two_labels_to_their_owner() {
        for (text, host) in [
            ("*-Demo-lh.Akamaihd.net", Some("*-demo-lh.akamaihd.net")),
            ("*.TV.example.", Some("*.tv.example")),
            ("*.co.uk", Some("*.co.uk")),
            ("*", None),
            ("*.", None),
            ("*..", None),
            ("*.com", None),
            ("*.com.", None),
            ("*com", None),
            ("*-tv.com", None),
            ("*tv.example", None),
            ("*a.tv.example", None),
            ("**.tv.example", None),
            ("*.*.tv.example", None),
            ("a*.tv.example", None),
            ("tv.*", None),
            ("*..tv.example", None),
            ("*.tv..example", None),
            ("*.tv.example..", None),
            ("*.tv.example:80", None),
            ("*.tv.\u{e9}xample", None),
            (" *.tv.example", None),
        ] {
            assert_eq!(read::<AssignedHost>(text).as_deref(), host, "{text:?}");
        }
        let long = |length: usize| alloc::format!("*.tv.{}", "a".repeat(length - 5));
        assert!(read::<AssignedHost>(&long(253)).is_some() && read::<AssignedHost>(&long(254)).is_none());
    }

    #[test]
    fn requests_have_what_they_are_made_of() {
        for (text, authority, cluster, path, url) in [
            ("auth.example:8443", true, true, false, false),
            ("out|80||a", true, true, false, false),
            ("/may-play?a=b", false, true, true, false),
            ("/may-play#a", false, true, false, false),
            ("HTTPS://tv.example/no#a", false, true, false, true),
            ("https://", false, true, false, false),
            ("https:///no", false, true, false, false),
            ("https://tv.example/a b", false, false, false, false),
            ("user@auth.example", false, true, false, false),
            ("", false, false, false, false),
        ] {
            assert_eq!(read::<Authority>(text).is_some(), authority, "{text:?}");
            assert_eq!(read::<ClusterName>(text).is_some(), cluster, "{text:?}");
            assert_eq!(read::<AbsolutePath>(text).is_some(), path, "{text:?}");
            assert_eq!(read::<HttpUrl>(text).is_some(), url, "{text:?}");
        }
    }
}
