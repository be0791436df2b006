//! Access to the API: EdgeGrid clients, bearer tokens, logins that work once, and sessions of the page.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::change::Record;
use super::plane::{Control, Outcome};
use crate::actor::{Actor, Role};
use crate::clock::rfc3339;
use crate::documents::json::finding;
use crate::error::ControlError;
use crate::store::access::{self, ClientRow, TokenRow};

/// Seconds for which a login works.
const LOGIN: i64 = 15 * 60;
/// Seconds for which a session of the page lasts.
const SESSION: i64 = 12 * 3600;

/// A new EdgeGrid client. Its secret is shown this once.
pub struct NewClient {
    /// The number.
    pub id: i64,
    /// EdgeGrid's `client_token`.
    pub client_token: String,
    /// EdgeGrid's `access_token`.
    pub access_token: String,
    /// EdgeGrid's `client_secret`.
    pub client_secret: Zeroizing<String>,
}

/// An EdgeGrid client, to verify a signature with.
pub struct Client {
    /// The author of its requests.
    pub actor: Actor,
    /// EdgeGrid's `access_token`, which its requests must have.
    pub access_token: String,
    /// EdgeGrid's `client_secret`.
    pub client_secret: Zeroizing<String>,
}

/// A new bearer token, shown this once.
pub struct NewToken {
    /// The number.
    pub id: i64,
    /// 32 random bytes in hex, after `playlock_`.
    pub token: Zeroizing<String>,
}

/// A new session of the page.
pub struct NewSession {
    /// The author of its requests.
    pub actor: Actor,
    /// The value of the cookie: 32 random bytes in hex.
    pub cookie: Zeroizing<String>,
    /// Seconds for which it lasts.
    pub max_age: i64,
}

impl Control {
    /// Creates an EdgeGrid client.
    ///
    /// # Errors
    /// A name or roles that are missing.
    pub async fn create_client(&self, actor: &Actor, name: &str, roles: &[Role]) -> Outcome<NewClient> {
        let roles = written(name, roles)?;
        let mut change = self.change_elsewhere(actor).await?;
        let client_secret = Zeroizing::new(self.random_hex::<32>()?);
        let client = ClientRow {
            id: 0,
            name: name.into(),
            roles: roles.clone(),
            client_token: format!("akab-{}", self.random_hex::<16>()?),
            access_token: format!("akab-{}", self.random_hex::<16>()?),
            created: change.now.clone(),
        };
        let id = self.store().insert_client(change.connection(), &client, &client_secret).await?;
        let after = Some(serde_json::json!({"name": name, "roles": roles, "clientToken": client.client_token}));
        let record = Record { action: "client.create", object: format!("client {id}"), before: None, after };
        self.finish_elsewhere(change, record).await?;
        Ok(NewClient { id, client_token: client.client_token, access_token: client.access_token, client_secret })
    }

    /// The client with this `client_token`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn client(&self, client_token: &str) -> Outcome<Option<Client>> {
        if client_token.contains('\0') {
            // Which PostgreSQL cannot look up.
            return Ok(None);
        }
        let found = self.store().client(client_token).await?;
        Ok(found.map(|(row, secret)| Client {
            actor: actor(row.name, &row.roles),
            access_token: row.access_token,
            client_secret: Zeroizing::new(secret),
        }))
    }

    /// All clients, without their secrets.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn clients(&self) -> Outcome<Vec<ClientRow>> {
        self.store().clients().await
    }

    /// Withdraws a client.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete_client(&self, actor: &Actor, id: i64) -> Outcome<()> {
        let mut change = self.change_elsewhere(actor).await?;
        let now = change.now.clone();
        let name = access::delete_client(change.connection(), id, &now).await?;
        let name = name.ok_or_else(|| ControlError::NotFound(format!("client {id}")))?;
        let before = Some(serde_json::json!({"name": name}));
        let record = Record { action: "client.delete", object: format!("client {id}"), before, after: None };
        self.finish_elsewhere(change, record).await
    }

    /// Creates a bearer token, which ends after `lifetime` seconds or never.
    ///
    /// # Errors
    /// A name or roles that are missing.
    pub async fn create_token(
        &self,
        actor: &Actor,
        name: &str,
        roles: &[Role],
        lifetime: Option<i64>,
    ) -> Outcome<NewToken> {
        let roles = written(name, roles)?;
        let mut change = self.change_elsewhere(actor).await?;
        let token = Zeroizing::new(format!("playlock_{}", self.random_hex::<32>()?));
        let row = TokenRow {
            id: 0,
            name: name.into(),
            roles: roles.clone(),
            created: change.now.clone(),
            expires: lifetime.map(|lifetime| rfc3339(self.seconds().saturating_add(lifetime))),
        };
        let id = self.store().insert_token(change.connection(), &row, &digest(&token)).await?;
        let after = Some(serde_json::json!({"name": name, "roles": roles, "expires": row.expires}));
        let record = Record { action: "token.create", object: format!("token {id}"), before: None, after };
        self.finish_elsewhere(change, record).await?;
        Ok(NewToken { id, token })
    }

    /// The author of requests with this bearer token, unless it has ended.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn token(&self, token: &str) -> Outcome<Option<Actor>> {
        let found = self.store().token(&digest(token), &self.now()).await?;
        Ok(found.map(|(name, roles)| actor(name, &roles)))
    }

    /// All tokens, without their texts.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn tokens(&self) -> Outcome<Vec<TokenRow>> {
        self.store().tokens().await
    }

    /// Withdraws a token.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete_token(&self, actor: &Actor, id: i64) -> Outcome<()> {
        let mut change = self.change_elsewhere(actor).await?;
        let now = change.now.clone();
        let name = access::delete_token(change.connection(), id, &now).await?;
        let name = name.ok_or_else(|| ControlError::NotFound(format!("token {id}")))?;
        let before = Some(serde_json::json!({"name": name}));
        let record = Record { action: "token.delete", object: format!("token {id}"), before, after: None };
        self.finish_elsewhere(change, record).await
    }

    /// Makes a login to the page that works once, for a quarter of an hour. Returns its text, 64 hex digits.
    ///
    /// # Errors
    /// A name or roles that are missing.
    pub async fn create_login(&self, name: &str, roles: &[Role]) -> Outcome<Zeroizing<String>> {
        let roles = written(name, roles)?;
        let login = Zeroizing::new(self.random_hex::<32>()?);
        let expires = rfc3339(self.seconds().saturating_add(LOGIN));
        access::insert_login(self.store().pool(), &digest(&login), (name, &roles), &expires).await?;
        Ok(login)
    }

    /// Uses a login up, and opens a session of the page for it. `None` if it was used, or has ended.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn log_in(&self, login: &str) -> Outcome<Option<NewSession>> {
        let (now, seconds) = (self.now(), self.seconds());
        let mut writing = self.store().write().await?;
        let found = access::take_login(writing.connection(), &digest(login), &now).await?;
        let mut session = None;
        if let Some((name, roles)) = found {
            let cookie = Zeroizing::new(self.random_hex::<32>()?);
            let expires = rfc3339(seconds.saturating_add(SESSION));
            access::insert_session(writing.connection(), &digest(&cookie), (&name, &roles), &now, &expires).await?;
            session = Some(NewSession { actor: actor(name, &roles), cookie, max_age: SESSION });
        }
        writing.commit().await?;
        Ok(session)
    }

    /// The author of requests with this cookie, unless the session has ended.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn session(&self, cookie: &str) -> Outcome<Option<Actor>> {
        let found = access::session(self.store().pool(), &digest(cookie), &self.now()).await?;
        Ok(found.map(|(name, roles)| actor(name, &roles)))
    }

    /// Ends a session of the page.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn log_out(&self, cookie: &str) -> Outcome<()> {
        access::delete_session(self.store().pool(), &digest(cookie)).await
    }

    /// Uses a nonce of an EdgeGrid client up, for `window` seconds. Returns whether it is new.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn use_nonce(&self, client_token: &str, nonce: &str, window: i64) -> Outcome<bool> {
        if client_token.contains('\0') || nonce.contains('\0') {
            return Ok(false);
        }
        let expires = rfc3339(self.seconds().saturating_add(window));
        access::use_nonce(self.store().pool(), client_token, nonce, &self.now(), &expires).await
    }
}

/// The token of a session against requests from other sites: derived from its cookie, which other sites cannot read.
pub fn csrf_token(cookie: &str) -> String {
    let mut hash = Sha256::new();
    hash.update("playlock csrf\0");
    hash.update(cookie);
    base16ct::lower::encode_string(&hash.finalize())
}

fn digest(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text))
}

/// Roles as they are stored. A name stands in the audit trail.
fn written(name: &str, roles: &[Role]) -> Outcome<String> {
    if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
        let detail = "expected 1 to 128 bytes without control characters";
        return Err(ControlError::Invalid(vec![finding("name", detail)]));
    }
    if roles.is_empty() {
        return Err(ControlError::Invalid(vec![finding("roles", "empty, expected at least one role")]));
    }
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    Ok(roles.into_iter().map(Role::name).collect::<Vec<_>>().join(" "))
}

fn actor(name: String, roles: &str) -> Actor {
    Actor { name, roles: roles.split(' ').filter_map(Role::of).collect() }
}
