//! Prints the size of the database after many versions of a policy: `size [DATABASE [VERSIONS]]`.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs, io};

use playlock_control::actor::{Actor, Role};
use playlock_control::clock::System;
use playlock_control::control::Control;
use playlock_control::store::vault::MasterKey;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = env::temp_dir().join(format!("playlock-size-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let file = format!("sqlite://{}?mode=rwc", folder.join("playlock.db").display());
    let database = env::args().nth(1).unwrap_or(file);
    let versions: i64 = env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let control = Control::open(&database, &MasterKey::generate(&System)?, Arc::new(System)).await?;
    let actor = Actor { name: "size".into(), roles: Role::ALL.to_vec() };
    let mut output = io::stdout();
    let empty = control.database_size().await?;
    let begin = Instant::now();
    let id = control.create_policy(&actor, policy(0)).await?.id;
    for number in 1..versions {
        control.edit_policy(&actor, id, policy(number)).await?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let size = control.database_size().await?;
    let each = size.saturating_sub(empty).checked_div(versions).unwrap_or_default();
    let length = policy(0).to_string().len();
    writeln!(
        output,
        "{versions} versions of a policy of {length} bytes: {size} bytes, {each} each with its audit entry, in {seconds:.1} s"
    )?;
    control.close().await;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The policy of the API's examples with another number of seconds.
fn policy(number: i64) -> Value {
    let mut policy: Value =
        serde_json::from_str(include_str!("../tests/story/policy-post.json")).unwrap_or_else(|_| json!({}));
    if let Some(ttl) = policy.pointer_mut("/playerVerification/ttl") {
        *ttl = format!("{}s", number.saturating_add(1)).into();
    }
    policy
}
