//! Checks of documents that are not stored.

use serde_json::{Value, json};

use super::compiler::Purpose;
use super::plane::{Control, Outcome};
use crate::documents::json::{finding, kind, set};
use crate::documents::{compile, policy};
use crate::error::Finding;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The faults for which the document would be refused.
    pub errors: Vec<Finding>,
    /// The warnings that the filter would log.
    pub warnings: Vec<Finding>,
}

impl Control {
    /// Checks a policy by itself, as `POST` or, with the number of a stored policy, as `PUT` would.
    ///
    /// # Errors
    /// If there is no such policy, the database cannot be read, or too many compilations wait. Faults of the document are no errors here.
    pub async fn check_policy(&self, document: Value, stored: Option<i64>) -> Outcome<Checked> {
        let store = self.store();
        // A stand-in that is nobody's secret: nothing is stored.
        let generated: Value = "5d".repeat(32).into();
        let before = match stored {
            None => None,
            Some(id) => {
                let mut reading = store.read().await?;
                let row = store.policy(&mut reading, id).await?;
                Some(store.policy_document(&mut reading, id, row.staging).await?)
            }
        };
        let job = move || match policy::read(document, before.as_ref(), &generated) {
            Ok(read) => Checked { errors: Vec::new(), warnings: compile::policy_warnings(&read.document, &generated) },
            Err(errors) => Checked { errors, warnings: Vec::new() },
        };
        self.compile(Purpose::Check, job).await
    }

    /// Checks a whole document of the filter, such as a `policies.json`.
    ///
    /// # Errors
    /// If too many compilations wait. Faults of the document are no errors here.
    pub async fn check_document(&self, document: Value) -> Outcome<Checked> {
        self.compile(Purpose::Check, || whole(document)).await
    }
}

/// Checks a whole document of the filter, which need not have policies or assignments.
pub(super) fn whole(mut document: Value) -> Checked {
    if !document.is_object() {
        let detail = format!("found {}, expected a document: an object", kind(&document));
        return Checked { errors: vec![finding("$", &detail)], warnings: Vec::new() };
    }
    for member in ["assignments", "policies"] {
        if document.get(member).is_none() {
            set(&mut document, member, json!([]));
        }
    }
    let text = document.to_string();
    // Its tree is many times as large.
    drop(document);
    let compiled = match compile::document(&text) {
        Ok(compiled) => compiled,
        Err(errors) => return Checked { errors, warnings: Vec::new() },
    };
    let warnings = compiled.warnings.iter().map(|warning| match warning.split_once(": ") {
        Some((member, detail)) => finding(member, detail),
        None => finding("$", warning),
    });
    Checked { errors: Vec::new(), warnings: warnings.collect() }
}
