//! The address of a Redis server, with what it takes to log in.

use std::fmt;

use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

/// The URL of a Redis server. Its user and password are never printed.
#[derive(Clone)]
pub struct RedisUrl(ConnectionInfo);

/// A text that is no URL of a Redis server, by its origin. The text is not repeated: it may have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotRedis(&'static str);

impl RedisUrl {
    /// Environment variable with the URL, because arguments are visible to every user of the machine.
    pub const VARIABLE: &str = "PLAYLOCK_REDIS_URL";

    /// The URL of the option `--redis`, or else of the environment.
    ///
    /// # Errors
    /// [`NotRedis`]
    pub fn given(option: Option<&str>) -> Result<Option<Self>, NotRedis> {
        match option {
            Some(text) => Self::parse(text).map(Some).map_err(|_| NotRedis("--redis")),
            None => match std::env::var_os(Self::VARIABLE).filter(|text| !text.is_empty()) {
                Some(text) => text.to_str().map_or(Err(NotRedis(Self::VARIABLE)), Self::parse).map(Some),
                None => Ok(None),
            },
        }
    }

    /// Reads `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, the same with `rediss` (TLS, verified by the system's
    /// certificates or those of `SSL_CERT_FILE`), or `unix:///PATH`.
    ///
    /// # Errors
    /// [`NotRedis`]
    pub fn parse(text: &str) -> Result<Self, NotRedis> {
        let information = text.into_connection_info().map_err(|_| NotRedis(Self::VARIABLE))?;
        // Proxies and old servers have the older protocol only, and the store needs no more.
        let settings = information.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
        let settings = settings.set_lib_name("playlock", env!("CARGO_PKG_VERSION"));
        Ok(Self(information.set_redis_settings(settings)))
    }

    /// The address, and the settings of connections.
    pub(super) fn connection(&self) -> ConnectionInfo {
        self.0.clone()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.addr().fmt(f)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl fmt::Display for NotRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(place) = self;
        write!(
            f,
            "{place}: no URL of a Redis server; expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], the same with \
             rediss for TLS, or unix:///PATH"
        )
    }
}

impl std::error::Error for NotRedis {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_without_passwords() {
        for (text, printed) in [
            ("redis://10.0.0.1", "10.0.0.1:6379"),
            ("redis://:geheim@redis:7000/3", "redis:7000"),
            ("rediss://ann:geheim@redis.example", "redis.example:6379"),
            ("unix:///run/redis.sock", "/run/redis.sock"),
        ] {
            let url = RedisUrl::parse(text).unwrap();
            assert_eq!((url.to_string(), format!("{url:?}")), (printed.to_owned(), format!("RedisUrl({printed})")));
        }
        for text in ["", "10.0.0.1:6379", "http://:geheim@redis", "redis://:geheim@redis/x", "redis://:geheim@redis:x"]
        {
            let error = RedisUrl::parse(text).unwrap_err();
            assert!(!error.to_string().contains("geheim"));
        }
    }
}
