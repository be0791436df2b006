//! Rows of `configurations` and `assignment_versions`.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::database::Store;
use super::policies::{VersionRow, parse, version};
use crate::error::ControlError;
use crate::network::Network;

/// A row of `configurations`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigurationRow {
    /// The configuration's number.
    pub id: i64,
    /// The configuration as written.
    pub document: Value,
    /// The version of its assignments on staging.
    pub staging: i64,
    /// The version of its assignments on production.
    pub production: i64,
}

impl ConfigurationRow {
    /// The version of the assignments on a network.
    pub const fn version(&self, network: Network) -> i64 {
        match network {
            Network::Staging => self.staging,
            Network::Production => self.production,
        }
    }
}

fn row(row: &AnyRow) -> Result<ConfigurationRow, ControlError> {
    let document: String = row.try_get(1)?;
    Ok(ConfigurationRow {
        id: row.try_get(0)?,
        document: parse(&document)?,
        staging: row.try_get(2)?,
        production: row.try_get(3)?,
    })
}

impl Store {
    /// All configurations that are not deleted, by number.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn configurations(&self, connection: &mut AnyConnection) -> Result<Vec<ConfigurationRow>, ControlError> {
        let sql = "SELECT id, document, assignments_staging, assignments_production FROM configurations
                   WHERE deleted IS NULL ORDER BY id";
        sqlx::query(sql).fetch_all(connection).await?.iter().map(row).collect()
    }

    /// All configurations with their assignments on a network, by number.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn configurations_on(
        &self,
        connection: &mut AnyConnection,
        network: Network,
    ) -> Result<Vec<(ConfigurationRow, Vec<Value>)>, ControlError> {
        let sql = match network {
            Network::Staging => {
                "SELECT c.id, c.document, c.assignments_staging, c.assignments_production, v.document
                 FROM configurations c JOIN assignment_versions v ON v.configuration = c.id
                 AND v.version = c.assignments_staging WHERE c.deleted IS NULL ORDER BY c.id"
            }
            Network::Production => {
                "SELECT c.id, c.document, c.assignments_staging, c.assignments_production, v.document
                 FROM configurations c JOIN assignment_versions v ON v.configuration = c.id
                 AND v.version = c.assignments_production WHERE c.deleted IS NULL ORDER BY c.id"
            }
        };
        let rows = sqlx::query(sql).fetch_all(connection).await?;
        let mut configurations = Vec::with_capacity(rows.len());
        for found in &rows {
            let configuration = row(found)?;
            let place = place(configuration.id, configuration.version(network));
            let assignments = array(parse(&self.unseal(&place, &found.try_get::<Vec<u8>, _>(4)?)?)?)?;
            configurations.push((configuration, assignments));
        }
        Ok(configurations)
    }

    /// Creates a configuration with version 1 of its assignments, none. Returns its number.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_configuration(
        &self,
        connection: &mut AnyConnection,
        document: &Value,
        actor: &str,
        now: &str,
    ) -> Result<i64, ControlError> {
        let id: i64 = sqlx::query(
            "INSERT INTO configurations (id, document, assignments_staging, assignments_production, created)
             SELECT COALESCE(MAX(id), 0) + 1, $1, 1, 1, $2 FROM configurations RETURNING id",
        )
        .bind(document.to_string())
        .bind(now)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
        let first = VersionRow { version: 1, created: now.into(), actor: actor.into() };
        self.insert_assignments(connection, id, &first, &Value::Array(Vec::new())).await?;
        Ok(id)
    }

    /// Writes a configuration's document and pointers.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn update_configuration(
        &self,
        connection: &mut AnyConnection,
        configuration: &ConfigurationRow,
    ) -> Result<(), ControlError> {
        sqlx::query(
            "UPDATE configurations SET document = $1, assignments_staging = $2, assignments_production = $3 WHERE id = $4",
        )
        .bind(configuration.document.to_string())
        .bind(configuration.staging)
        .bind(configuration.production)
        .bind(configuration.id)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Deletes a configuration. Its row remains, so that its number is never given again.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn delete_configuration(
        &self,
        connection: &mut AnyConnection,
        id: i64,
        now: &str,
    ) -> Result<(), ControlError> {
        let sql = "UPDATE configurations SET deleted = $1 WHERE id = $2";
        sqlx::query(sql).bind(now).bind(id).execute(connection).await?;
        Ok(())
    }

    /// The highest version of a configuration's assignments.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn last_assignments(
        &self,
        connection: &mut AnyConnection,
        configuration: i64,
    ) -> Result<i64, ControlError> {
        let sql = "SELECT COALESCE(MAX(version), 0) FROM assignment_versions WHERE configuration = $1";
        Ok(sqlx::query(sql).bind(configuration).fetch_one(connection).await?.try_get(0)?)
    }

    /// Appends a version of a configuration's assignments.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn insert_assignments(
        &self,
        connection: &mut AnyConnection,
        configuration: i64,
        version: &VersionRow,
        assignments: &Value,
    ) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO assignment_versions (configuration, version, created, actor, document) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(configuration)
        .bind(version.version)
        .bind(version.created.as_str())
        .bind(version.actor.as_str())
        .bind(self.seal(&place(configuration, version.version), &assignments.to_string())?)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// A version of a configuration's assignments: an array.
    ///
    /// # Errors
    /// If there is none, or the database cannot be read.
    pub async fn assignments(
        &self,
        connection: &mut AnyConnection,
        configuration: i64,
        version: i64,
    ) -> Result<Vec<Value>, ControlError> {
        let sql = "SELECT document FROM assignment_versions WHERE configuration = $1 AND version = $2";
        let row = sqlx::query(sql).bind(configuration).bind(version).fetch_optional(connection).await?;
        let missing =
            || ControlError::NotFound(format!("assignments of configuration {configuration}, version {version}"));
        let sealed: Vec<u8> = row.ok_or_else(missing)?.try_get(0)?;
        array(parse(&self.unseal(&place(configuration, version), &sealed)?)?)
    }

    /// The versions of a configuration's assignments, the newest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn assignment_versions(
        &self,
        connection: &mut AnyConnection,
        configuration: i64,
    ) -> Result<Vec<VersionRow>, ControlError> {
        let sql =
            "SELECT version, created, actor FROM assignment_versions WHERE configuration = $1 ORDER BY version DESC";
        sqlx::query(sql).bind(configuration).fetch_all(connection).await?.iter().map(version).collect()
    }
}

fn array(value: Value) -> Result<Vec<Value>, ControlError> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(ControlError::Storage("stored assignments: not an array".into())),
    }
}

fn place(configuration: i64, version: i64) -> String {
    format!("assignment_versions.document.{configuration}.{version}")
}
