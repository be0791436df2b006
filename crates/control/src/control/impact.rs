//! The hosts, paths and Envoys that a change of a policy concerns.

use serde_json::{Value, json};

use super::plane::{Control, Outcome};
use crate::documents::configuration;
use crate::network::Network;
use crate::store::nodes;

impl Control {
    /// `{assignments: [{hosts, path, startTime, endTime, network}], nodes: {staging, production}}`: the assignments of
    /// a policy, with all hosts of their configurations (none: every host), and the number of Envoys on each network.
    ///
    /// # Errors
    /// If there is no such policy, or the database cannot be read.
    pub async fn impact(&self, id: i64) -> Outcome<Value> {
        let store = self.store();
        let mut reading = store.read().await?;
        store.policy(&mut reading, id).await?;
        let mut listed = Vec::new();
        for network in Network::ALL {
            for (row, assignments) in store.configurations_on(&mut reading, network).await? {
                let hosts = configuration::hosts(network, &row.document);
                let hosts: Vec<_> = hosts.into_iter().flatten().collect();
                for assignment in assignments.iter().filter(|it| it.get("policyId") == Some(&id.into())) {
                    listed.push(json!({
                        "hosts": hosts,
                        "path": assignment.get("path"),
                        "startTime": assignment.get("startTime"),
                        "endTime": assignment.get("endTime"),
                        "network": network.name(),
                    }));
                }
            }
        }
        let nodes = nodes::all(&mut reading).await?;
        let count = |network: Network| nodes.iter().filter(|node| node.network == network).count();
        let nodes = json!({"staging": count(Network::Staging), "production": count(Network::Production)});
        Ok(json!({"assignments": Value::Array(listed), "nodes": nodes}))
    }
}
