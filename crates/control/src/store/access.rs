//! Rows of `clients`, `tokens`, `logins`, `sessions` and `nonces`. Secrets that a server only compares are kept as
//! SHA-256, the secrets of EdgeGrid clients encrypted.

use sqlx::{AnyConnection, AnyPool, Row};

use super::database::Store;
use crate::error::ControlError;

/// A row of `clients` without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// The number.
    pub id: i64,
    /// The name in the audit trail.
    pub name: String,
    /// Names of roles, separated by spaces.
    pub roles: String,
    /// EdgeGrid's `client_token`.
    pub client_token: String,
    /// EdgeGrid's `access_token`.
    pub access_token: String,
    /// The time at which it was made.
    pub created: String,
}

/// A row of `tokens` without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The number.
    pub id: i64,
    /// The name in the audit trail.
    pub name: String,
    /// Names of roles, separated by spaces.
    pub roles: String,
    /// The time at which it was made.
    pub created: String,
    /// The time at which it ends.
    pub expires: Option<String>,
}

impl Store {
    /// Creates a client. Returns its number.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_client(
        &self,
        connection: &mut AnyConnection,
        client: &ClientRow,
        secret: &str,
    ) -> Result<i64, ControlError> {
        let sealed = self.seal(&place(&client.client_token), secret)?;
        let row = sqlx::query(
            "INSERT INTO clients (id, name, roles, client_token, access_token, secret, created)
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6 FROM clients RETURNING id",
        )
        .bind(client.name.as_str())
        .bind(client.roles.as_str())
        .bind(client.client_token.as_str())
        .bind(client.access_token.as_str())
        .bind(sealed)
        .bind(client.created.as_str())
        .fetch_one(connection)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// The client with this `client_token`, and its secret.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn client(&self, client_token: &str) -> Result<Option<(ClientRow, String)>, ControlError> {
        let sql = "SELECT id, name, roles, client_token, access_token, created, secret FROM clients
                   WHERE client_token = $1 AND deleted IS NULL";
        let Some(row) = sqlx::query(sql).bind(client_token).fetch_optional(self.pool()).await? else {
            return Ok(None);
        };
        let secret = self.unseal(&place(client_token), &row.try_get::<Vec<u8>, _>(6)?)?;
        Ok(Some((client(&row)?, secret)))
    }

    /// All clients.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn clients(&self) -> Result<Vec<ClientRow>, ControlError> {
        let sql = "SELECT id, name, roles, client_token, access_token, created FROM clients
                   WHERE deleted IS NULL ORDER BY id";
        sqlx::query(sql).fetch_all(self.pool()).await?.iter().map(client).collect()
    }

    /// Creates a bearer token. Returns its number.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_token(
        &self,
        connection: &mut AnyConnection,
        token: &TokenRow,
        hash: &str,
    ) -> Result<i64, ControlError> {
        let row = sqlx::query(
            "INSERT INTO tokens (id, name, roles, hash, created, expires)
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5 FROM tokens RETURNING id",
        )
        .bind(token.name.as_str())
        .bind(token.roles.as_str())
        .bind(hash)
        .bind(token.created.as_str())
        .bind(token.expires.clone())
        .fetch_one(connection)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Name and roles of a token that has not ended.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn token(&self, hash: &str, now: &str) -> Result<Option<(String, String)>, ControlError> {
        let sql = "SELECT name, roles FROM tokens
                   WHERE hash = $1 AND deleted IS NULL AND (expires IS NULL OR expires > $2)";
        named(sqlx::query(sql).bind(hash).bind(now).fetch_optional(self.pool()).await?)
    }

    /// All tokens.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, ControlError> {
        let sql = "SELECT id, name, roles, created, expires FROM tokens WHERE deleted IS NULL ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(self.pool()).await?;
        rows.iter()
            .map(|row| {
                Ok(TokenRow {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    roles: row.try_get(2)?,
                    created: row.try_get(3)?,
                    expires: row.try_get(4)?,
                })
            })
            .collect()
    }
}

/// Withdraws a client. Returns its name.
///
/// # Errors
/// If the database cannot be written.
pub async fn delete_client(connection: &mut AnyConnection, id: i64, now: &str) -> Result<Option<String>, ControlError> {
    let sql = "UPDATE clients SET deleted = $1 WHERE id = $2 AND deleted IS NULL RETURNING name";
    let row = sqlx::query(sql).bind(now).bind(id).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Withdraws a token. Returns its name.
///
/// # Errors
/// If the database cannot be written.
pub async fn delete_token(connection: &mut AnyConnection, id: i64, now: &str) -> Result<Option<String>, ControlError> {
    let sql = "UPDATE tokens SET deleted = $1 WHERE id = $2 AND deleted IS NULL RETURNING name";
    let row = sqlx::query(sql).bind(now).bind(id).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Stores a login that works once.
///
/// # Errors
/// If the database cannot be written.
pub async fn insert_login(pool: &AnyPool, hash: &str, actor: (&str, &str), expires: &str) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO logins (hash, name, roles, expires) VALUES ($1, $2, $3, $4)")
        .bind(hash)
        .bind(actor.0)
        .bind(actor.1)
        .bind(expires)
        .execute(pool)
        .await?;
    Ok(())
}

/// Uses a login up. Returns name and roles.
///
/// # Errors
/// If the database cannot be written.
pub async fn take_login(
    connection: &mut AnyConnection,
    hash: &str,
    now: &str,
) -> Result<Option<(String, String)>, ControlError> {
    sqlx::query("DELETE FROM logins WHERE expires <= $1").bind(now).execute(&mut *connection).await?;
    let sql = "DELETE FROM logins WHERE hash = $1 RETURNING name, roles";
    named(sqlx::query(sql).bind(hash).fetch_optional(connection).await?)
}

/// Stores a session of the page.
///
/// # Errors
/// If the database cannot be written.
pub async fn insert_session(
    connection: &mut AnyConnection,
    hash: &str,
    actor: (&str, &str),
    now: &str,
    expires: &str,
) -> Result<(), ControlError> {
    sqlx::query("DELETE FROM sessions WHERE expires <= $1").bind(now).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO sessions (hash, name, roles, created, expires) VALUES ($1, $2, $3, $4, $5)")
        .bind(hash)
        .bind(actor.0)
        .bind(actor.1)
        .bind(now)
        .bind(expires)
        .execute(connection)
        .await?;
    Ok(())
}

/// Name and roles of a session that has not ended.
///
/// # Errors
/// If the database cannot be read.
pub async fn session(pool: &AnyPool, hash: &str, now: &str) -> Result<Option<(String, String)>, ControlError> {
    let sql = "SELECT name, roles FROM sessions WHERE hash = $1 AND expires > $2";
    named(sqlx::query(sql).bind(hash).bind(now).fetch_optional(pool).await?)
}

/// Ends a session.
///
/// # Errors
/// If the database cannot be written.
pub async fn delete_session(pool: &AnyPool, hash: &str) -> Result<(), ControlError> {
    sqlx::query("DELETE FROM sessions WHERE hash = $1").bind(hash).execute(pool).await?;
    Ok(())
}

/// Stores a nonce of a client. Returns whether it is new.
///
/// # Errors
/// If the database cannot be written.
pub async fn use_nonce(
    pool: &AnyPool,
    client: &str,
    nonce: &str,
    now: &str,
    expires: &str,
) -> Result<bool, ControlError> {
    // Not those of this second: a transaction that began earlier may still need them.
    sqlx::query("DELETE FROM nonces WHERE expires < $1").bind(now).execute(pool).await?;
    let sql = "INSERT INTO nonces (client, nonce, expires) VALUES ($1, $2, $3) ON CONFLICT (client, nonce) DO NOTHING";
    let done = sqlx::query(sql).bind(client).bind(nonce).bind(expires).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

fn named(row: Option<sqlx::any::AnyRow>) -> Result<Option<(String, String)>, ControlError> {
    let Some(row) = row else { return Ok(None) };
    Ok(Some((row.try_get(0)?, row.try_get(1)?)))
}

fn client(row: &sqlx::any::AnyRow) -> Result<ClientRow, ControlError> {
    Ok(ClientRow {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        roles: row.try_get(2)?,
        client_token: row.try_get(3)?,
        access_token: row.try_get(4)?,
        created: row.try_get(5)?,
    })
}

fn place(client_token: &str) -> String {
    format!("clients.secret.{client_token}")
}
