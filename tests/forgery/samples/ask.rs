//! A request in parts, so that each can be changed.

use playlock_host::message::Request;

use super::viewer::Viewer;
use super::world::KID;

/// A request in parts.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: &'static str,
    /// The token before the path.
    before: Option<String>,
    path: String,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Ask {
    pub fn new(path: &str) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
        let query = query.into_iter().collect();
        Self { method: "GET", before: None, path: path.into(), query, headers: Vec::new(), body: None }
    }

    /// With a session token at a place.
    pub fn token(self, place: &str, token: &str) -> Self {
        match place {
            "path" => self.before(token),
            "query" => self.more(&format!("hdntl={token}")),
            _ => self.header("cookie", &format!("hdntl={token}")),
        }
    }

    /// With another policy's token, as its own policy takes it and as `own` does.
    pub fn with(mut self, own: &Viewer, other: &Viewer) -> Self {
        self.before = None;
        self.query.retain(|pair| !pair.starts_with("hdntl="));
        self.headers.clear();
        own.carried(self, &other.token)
    }

    pub fn before(self, token: &str) -> Self {
        Self { before: Some(token.replace('/', "%2f")), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With another pair in the query.
    pub fn more(mut self, pair: &str) -> Self {
        self.query.push(pair.into());
        self
    }

    pub fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub fn body(self, body: &str) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    pub fn path(self, path: &str) -> Self {
        Self { path: path.into(), ..self }
    }

    /// A license request in place of one for a key.
    pub fn posted(self) -> Self {
        self.method("POST").body(&format!(r#"{{"kids":["{KID}"],"type":"temporary"}}"#))
    }

    fn target(&self) -> String {
        let before = self.before.as_ref().map(|token| format!("/~{token}")).unwrap_or_default();
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query.join("&")) };
        format!("{before}{}{query}", self.path)
    }

    pub fn request(&self) -> Request {
        let mut request = Request::new(self.method, &self.target());
        let headers = self.headers.iter().filter(|(name, _)| name != "cookie");
        request.headers.extend(headers.map(|(name, value)| (name.clone(), value.clone().into_bytes())));
        let cookies: Vec<_> =
            self.headers.iter().filter(|(name, _)| name == "cookie").map(|(_, value)| value.as_str()).collect();
        if !cookies.is_empty() {
            request.headers.push(("cookie".into(), cookies.join("; ").into_bytes()));
        }
        request.has_body = self.body.is_some();
        request.body = self.body.iter().filter(|body| !body.is_empty()).map(|body| body.clone().into()).collect();
        request
    }
}
