//! Rows of `policies` and `policy_versions`.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::database::Store;
use crate::error::ControlError;
use crate::network::Network;

/// A row of `policies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// The policy's number.
    pub id: i64,
    /// The name from which keys are derived.
    pub key_name: String,
    /// The version on staging.
    pub staging: i64,
    /// The version on production, if it was ever promoted.
    pub production: Option<i64>,
    /// Marked for deletion.
    pub marked: bool,
}

impl PolicyRow {
    /// The version on a network.
    pub const fn version(&self, network: Network) -> Option<i64> {
        match network {
            Network::Staging => Some(self.staging),
            Network::Production => self.production,
        }
    }
}

/// A row of `policy_versions` without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The number, from 1.
    pub version: i64,
    /// The time at which it was written.
    pub created: String,
    /// The author.
    pub actor: String,
}

const COLUMNS: &str = "SELECT id, key_name, staging_version, production_version, marked FROM policies";

fn row(row: &AnyRow) -> Result<PolicyRow, ControlError> {
    Ok(PolicyRow {
        id: row.try_get(0)?,
        key_name: row.try_get(1)?,
        staging: row.try_get(2)?,
        production: row.try_get(3)?,
        marked: row.try_get::<i64, _>(4)? != 0,
    })
}

impl Store {
    /// All policies that are not deleted, by number.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn policies(&self, connection: &mut AnyConnection) -> Result<Vec<PolicyRow>, ControlError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE deleted IS NULL ORDER BY id"));
        sqlx::query(sql).fetch_all(connection).await?.iter().map(row).collect()
    }

    /// All policies on a network, by number: the row, the generated secret and the document of its version there.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn policies_on(
        &self,
        connection: &mut AnyConnection,
        network: Network,
    ) -> Result<Vec<(PolicyRow, Value, Value)>, ControlError> {
        let sql = match network {
            Network::Staging => {
                "SELECT p.id, p.key_name, p.staging_version, p.production_version, p.marked, p.generated, v.version,
                 v.document FROM policies p JOIN policy_versions v ON v.policy = p.id AND v.version = p.staging_version
                 WHERE p.deleted IS NULL ORDER BY p.id"
            }
            Network::Production => {
                "SELECT p.id, p.key_name, p.staging_version, p.production_version, p.marked, p.generated, v.version,
                 v.document FROM policies p JOIN policy_versions v ON v.policy = p.id
                 AND v.version = p.production_version WHERE p.deleted IS NULL ORDER BY p.id"
            }
        };
        let rows = sqlx::query(sql).fetch_all(connection).await?;
        let mut policies = Vec::with_capacity(rows.len());
        for found in &rows {
            let policy = row(found)?;
            let generated: Vec<u8> = found.try_get(5)?;
            let generated = parse(&self.unseal(&format!("policies.generated.{}", policy.id), &generated)?)?;
            let document: Vec<u8> = found.try_get(7)?;
            let document = parse(&self.unseal(&place(policy.id, found.try_get(6)?), &document)?)?;
            policies.push((policy, generated, document));
        }
        Ok(policies)
    }

    /// A policy that is not deleted.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn policy(&self, connection: &mut AnyConnection, id: i64) -> Result<PolicyRow, ControlError> {
        let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE deleted IS NULL AND id = $1"));
        match sqlx::query(sql).bind(id).fetch_optional(connection).await? {
            Some(found) => row(&found),
            None => Err(ControlError::NotFound(format!("policy {id}"))),
        }
    }

    /// A number that no policy has had.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn next_policy(&self, connection: &mut AnyConnection) -> Result<i64, ControlError> {
        Ok(sqlx::query("SELECT COALESCE(MAX(id), 0) + 1 FROM policies").fetch_one(connection).await?.try_get(0)?)
    }

    /// Whether a policy, deleted or not, has had the number.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn policy_was(&self, connection: &mut AnyConnection, id: i64) -> Result<bool, ControlError> {
        Ok(sqlx::query("SELECT id FROM policies WHERE id = $1").bind(id).fetch_optional(connection).await?.is_some())
    }

    /// Creates a policy; its first version must follow.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_policy(
        &self,
        connection: &mut AnyConnection,
        policy: &PolicyRow,
        generated: &Value,
        now: &str,
    ) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO policies (id, key_name, generated, staging_version, production_version, marked, created, promoted)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(policy.id)
        .bind(policy.key_name.as_str())
        .bind(self.seal(&format!("policies.generated.{}", policy.id), &generated.to_string())?)
        .bind(policy.staging)
        .bind(policy.production)
        .bind(i64::from(policy.marked))
        .bind(now)
        .bind(policy.production.map(|_| now.to_owned()))
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Moves a policy's pointers and its mark.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn update_policy(
        &self,
        connection: &mut AnyConnection,
        policy: &PolicyRow,
        now: &str,
    ) -> Result<(), ControlError> {
        sqlx::query(
            "UPDATE policies SET staging_version = $1, production_version = $2, marked = $3,
             promoted = CASE WHEN production_version = $2 THEN promoted ELSE $4 END WHERE id = $5",
        )
        .bind(policy.staging)
        .bind(policy.production)
        .bind(i64::from(policy.marked))
        .bind(policy.production.map(|_| now.to_owned()))
        .bind(policy.id)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Deletes a policy. Its row and versions remain, so that its number is never given again.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn delete_policy(&self, connection: &mut AnyConnection, id: i64, now: &str) -> Result<(), ControlError> {
        sqlx::query("UPDATE policies SET deleted = $1 WHERE id = $2").bind(now).bind(id).execute(connection).await?;
        Ok(())
    }

    /// The policy's generated secret.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn generated(&self, connection: &mut AnyConnection, id: i64) -> Result<Value, ControlError> {
        let row = sqlx::query("SELECT generated FROM policies WHERE id = $1").bind(id).fetch_one(connection).await?;
        let text = self.unseal(&format!("policies.generated.{id}"), &row.try_get::<Vec<u8>, _>(0)?)?;
        parse(&text)
    }

    /// The highest version of a policy; 0 if it has none.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn last_policy_version(&self, connection: &mut AnyConnection, id: i64) -> Result<i64, ControlError> {
        let sql = "SELECT COALESCE(MAX(version), 0) FROM policy_versions WHERE policy = $1";
        Ok(sqlx::query(sql).bind(id).fetch_one(connection).await?.try_get(0)?)
    }

    /// Appends a version.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_policy_version(
        &self,
        connection: &mut AnyConnection,
        policy: i64,
        version: &VersionRow,
        document: &Value,
    ) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO policy_versions (policy, version, name, created, actor, document) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(policy)
        .bind(version.version)
        .bind(document.get("policyName").and_then(Value::as_str).unwrap_or_default())
        .bind(version.created.as_str())
        .bind(version.actor.as_str())
        .bind(self.seal(&place(policy, version.version), &document.to_string())?)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// The document of a version.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn policy_document(
        &self,
        connection: &mut AnyConnection,
        policy: i64,
        version: i64,
    ) -> Result<Value, ControlError> {
        let sql = "SELECT document FROM policy_versions WHERE policy = $1 AND version = $2";
        let row = sqlx::query(sql).bind(policy).bind(version).fetch_optional(connection).await?;
        let row = row.ok_or_else(|| ControlError::NotFound(format!("policy {policy}, version {version}")))?;
        parse(&self.unseal(&place(policy, version), &row.try_get::<Vec<u8>, _>(0)?)?)
    }

    /// The versions of a policy, the newest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn policy_versions(
        &self,
        connection: &mut AnyConnection,
        policy: i64,
    ) -> Result<Vec<VersionRow>, ControlError> {
        let sql = "SELECT version, created, actor FROM policy_versions WHERE policy = $1 ORDER BY version DESC";
        let rows = sqlx::query(sql).bind(policy).fetch_all(connection).await?;
        rows.iter().map(version).collect()
    }
}

/// Reads a row of `version, created, actor`.
///
/// # Errors
/// If the row has other columns.
pub fn version(row: &AnyRow) -> Result<VersionRow, ControlError> {
    Ok(VersionRow { version: row.try_get(0)?, created: row.try_get(1)?, actor: row.try_get(2)? })
}

/// Parses a document of the database.
///
/// # Errors
/// If it is not JSON.
pub fn parse(text: &str) -> Result<Value, ControlError> {
    serde_json::from_str(text).map_err(|error| ControlError::Storage(format!("a stored document: {error}")))
}

fn place(policy: i64, version: i64) -> String {
    format!("policy_versions.document.{policy}.{version}")
}
