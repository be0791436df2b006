//! Rows of `settings_versions`.

use serde_json::Value;
use sqlx::{AnyConnection, Row};

use super::database::Store;
use super::policies::{VersionRow, parse};
use crate::error::ControlError;

impl Store {
    /// The highest version of the settings; 0 if there is none.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn last_settings(&self, connection: &mut AnyConnection) -> Result<i64, ControlError> {
        let sql = "SELECT COALESCE(MAX(version), 0) FROM settings_versions";
        Ok(sqlx::query(sql).fetch_one(connection).await?.try_get(0)?)
    }

    /// Appends a version.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_settings(
        &self,
        connection: &mut AnyConnection,
        version: &VersionRow,
        document: &Value,
    ) -> Result<(), ControlError> {
        sqlx::query("INSERT INTO settings_versions (version, created, actor, document) VALUES ($1, $2, $3, $4)")
            .bind(version.version)
            .bind(version.created.as_str())
            .bind(version.actor.as_str())
            .bind(self.seal(&place(version.version), &document.to_string())?)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// A version of the settings.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn settings(&self, connection: &mut AnyConnection, version: i64) -> Result<Value, ControlError> {
        let sql = "SELECT document FROM settings_versions WHERE version = $1";
        let row = sqlx::query(sql).bind(version).fetch_optional(connection).await?;
        let row = row.ok_or_else(|| ControlError::NotFound(format!("settings, version {version}")))?;
        parse(&self.unseal(&place(version), &row.try_get::<Vec<u8>, _>(0)?)?)
    }
}

fn place(version: i64) -> String {
    format!("settings_versions.document.{version}")
}
