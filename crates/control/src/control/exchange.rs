//! The guided exchange of a secret: add the new one beside the old, swap them, drop the old one. Each step makes a
//! version on both networks, and waits until every Envoy runs the step before.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::change::Record;
use super::plane::{Control, Outcome};
use crate::actor::Actor;
use crate::documents::compose::Subject;
use crate::documents::json::{at, finding, set, take};
use crate::error::ControlError;
use crate::network::Network;
use crate::store::exchanges::{self, ExchangeRow};
use crate::store::nodes;

/// A secret that can be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// `tokenAuth.password`, with `transitionPassword` beside it.
    Password,
    /// `mediaEncryption.secret`, with `transitionSecret` beside it.
    Encryption,
}

impl Secret {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Password, Self::Encryption];

    /// The path of the member.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "tokenAuth.password",
            Self::Encryption => "mediaEncryption.secret",
        }
    }

    /// The secret with this path.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|secret| secret.name() == name)
    }

    /// Section, member, and the member of the second secret.
    const fn members(self) -> [&'static str; 3] {
        match self {
            Self::Password => ["tokenAuth", "password", "transitionPassword"],
            Self::Encryption => ["mediaEncryption", "secret", "transitionSecret"],
        }
    }
}

/// A step of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeStep {
    /// Accept the new secret beside the old one.
    Add,
    /// Use the new one, and still accept the old one.
    Swap,
    /// Accept the new one alone.
    Drop,
}

impl ExchangeStep {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Add, Self::Swap, Self::Drop];

    /// The word in requests and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Swap => "swap",
            Self::Drop => "drop",
        }
    }

    /// The step with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }
}

/// An exchange as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The secret.
    pub secret: Secret,
    /// The step that was done last: `none`, `added` or `swapped`.
    pub step: &'static str,
    /// The Envoys that do not run that step yet: `network/node`, sorted.
    pub waiting_for: Vec<String>,
    /// The next step.
    pub next: ExchangeStep,
}

impl Control {
    /// The exchange of a policy's secret as it stands.
    ///
    /// # Errors
    /// If there is no such policy, or the database cannot be read.
    pub async fn exchange(&self, id: i64, secret: Secret) -> Outcome<Exchange> {
        let mut reading = self.store().read().await?;
        let row = self.store().policy(&mut reading, id).await?;
        let document = self.store().policy_document(&mut reading, id, row.staging).await?;
        let under_way = self.under_way(&mut reading, id, secret, &document).await?;
        self.describe(&mut reading, secret, under_way.as_ref()).await
    }

    /// Does the next step. `value` is the new secret for `add`; without it a random one is made.
    ///
    /// # Errors
    /// [`ControlError::Waiting`] while an Envoy does not run the last step; a conflict if it is not this step's turn,
    /// or the policy is edited or marked.
    pub async fn do_exchange(
        &self,
        actor: &Actor,
        id: i64,
        secret: Secret,
        step: ExchangeStep,
        value: Option<Value>,
    ) -> Outcome<Exchange> {
        let store = self.store();
        let mut change = self.change(actor).await?;
        let mut row = store.policy(change.connection(), id).await?;
        if row.marked || row.production != Some(row.staging) {
            return Err(ControlError::Conflict(format!(
                "policy {id} is not the same on both networks, expected it to be promoted or reset first"
            )));
        }
        let before = store.policy_document(change.connection(), id, row.staging).await?;
        let under_way = self.under_way(change.connection(), id, secret, &before).await?;
        let state = self.describe(change.connection(), secret, under_way.as_ref()).await?;
        if step != state.next {
            let message = format!("{}: found step {}, expected {}", secret.name(), step.word(), state.next.word());
            return Err(ControlError::Conflict(message));
        }
        if !state.waiting_for.is_empty() {
            return Err(ControlError::Waiting(state.waiting_for));
        }
        if step != ExchangeStep::Add && value.is_some() {
            return Err(ControlError::Invalid(vec![finding(
                "value",
                "found beside another step, expected it for add",
            )]));
        }
        let generated = store.generated(change.connection(), id).await?;
        let mut document = before.clone();
        self.edit(&mut document, secret, step, value, &generated)?;
        self.read_policy(document.clone(), Some(&before), &generated).await?;
        row.staging = self.append_policy(&mut change, id, &document).await?;
        row.production = Some(row.staging);
        let now = change.now.clone();
        store.update_policy(change.connection(), &row, &now).await?;
        let done = match step {
            ExchangeStep::Add => Some("added"),
            ExchangeStep::Swap => Some("swapped"),
            ExchangeStep::Drop => None,
        };
        // The revisions that this write makes, since it changes the documents of both networks.
        let [staging, production] = change.rows.map(|row| row.revision.saturating_add(1));
        let next =
            done.map(|step| ExchangeRow { step: step.into(), version: row.staging, revisions: [staging, production] });
        exchanges::replace(change.connection(), id, secret.name(), next.as_ref()).await?;
        let action = match step {
            ExchangeStep::Add => "exchange.add",
            ExchangeStep::Swap => "exchange.swap",
            ExchangeStep::Drop => "exchange.drop",
        };
        let object = format!("policy {id}, {}", secret.name());
        let record = Record { action, object, before: Some(before), after: Some(document) };
        self.finish(change, Subject::Policy(id), record).await?;
        self.exchange(id, secret).await
    }

    /// The exchange under way, unless the secrets have been written otherwise since.
    async fn under_way(
        &self,
        connection: &mut AnyConnection,
        id: i64,
        secret: Secret,
        document: &Value,
    ) -> Outcome<Option<ExchangeRow>> {
        let Some(row) = exchanges::read(connection, id, secret.name()).await? else { return Ok(None) };
        let then = self.store().policy_document(connection, id, row.version).await?;
        let [section, member, transition] = secret.members();
        let same = [member, transition].iter().all(|it| at(document, &[section, it]) == at(&then, &[section, it]));
        Ok(same.then_some(row))
    }

    async fn describe(
        &self,
        connection: &mut AnyConnection,
        secret: Secret,
        under_way: Option<&ExchangeRow>,
    ) -> Outcome<Exchange> {
        let Some(row) = under_way else {
            return Ok(Exchange { secret, step: "none", waiting_for: Vec::new(), next: ExchangeStep::Add });
        };
        let [staging, production] = row.revisions;
        let behind = nodes::all(connection).await?.into_iter().filter(|node| {
            let needed = match node.network {
                Network::Staging => staging,
                Network::Production => production,
            };
            node.in_force.is_none_or(|in_force| in_force < needed)
        });
        let mut waiting_for: Vec<_> = behind.map(|node| format!("{}/{}", node.network, node.node)).collect();
        waiting_for.sort();
        let (step, next) = match row.step.as_str() {
            "added" => ("added", ExchangeStep::Swap),
            _ => ("swapped", ExchangeStep::Drop),
        };
        Ok(Exchange { secret, step, waiting_for, next })
    }

    /// Does a step in a document.
    fn edit(
        &self,
        document: &mut Value,
        secret: Secret,
        step: ExchangeStep,
        value: Option<Value>,
        generated: &Value,
    ) -> Outcome<()> {
        let [section, member, transition] = secret.members();
        if secret == Secret::Encryption && document.get(section).is_none() {
            set(document, section, json!({"enabled": false}));
        }
        let missing =
            |name: &str| ControlError::Conflict(format!("{section}.{name} is missing, expected a secret there"));
        let Some(section) = document.get_mut(section) else { return Err(missing(member)) };
        let current = match (section.get(member), secret) {
            (Some(current), _) => current.clone(),
            (None, Secret::Encryption) => generated.clone(),
            (None, Secret::Password) => return Err(missing(member)),
        };
        match step {
            ExchangeStep::Add => {
                let new = match (value, secret) {
                    (Some(value), _) => value,
                    // The longest password of the API.
                    (None, Secret::Password) => self.random_hex::<16>()?.into(),
                    (None, Secret::Encryption) => self.random_hex::<32>()?.into(),
                };
                if new == current {
                    let detail = "is the current secret, expected another one";
                    return Err(ControlError::Invalid(vec![finding("value", detail)]));
                }
                set(section, member, current);
                set(section, transition, new);
            }
            ExchangeStep::Swap => {
                let new = take(section, transition).ok_or_else(|| missing(transition))?;
                set(section, member, new);
                set(section, transition, current);
            }
            ExchangeStep::Drop => {
                take(section, transition);
            }
        }
        Ok(())
    }
}
