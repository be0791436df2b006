//! Clients, tokens, logins, sessions and nonces.

use playlock_control::actor::{Actor, Role};
use playlock_control::control::csrf_token;
use playlock_control::error::ControlError;

use crate::on_both;
use crate::support::{Database, anna, members};

on_both!(clients, tokens, sessions, nonces);

async fn clients(database: Database) {
    let control = database.open().await;
    let new = control.create_client(&anna(), "packager", &[Role::Edit, Role::Read, Role::Edit]).await.unwrap();
    let found = control.client(&new.client_token).await.unwrap().unwrap();
    assert_eq!(found.actor, Actor { name: "packager".into(), roles: vec![Role::Read, Role::Edit] });
    assert_eq!(found.access_token, new.access_token);
    assert_eq!(found.client_secret, new.client_secret);
    assert!(control.client(&new.access_token).await.unwrap().is_none());
    let listed = control.clients().await.unwrap();
    assert_eq!((listed[0].id, listed[0].name.as_str(), listed[0].roles.as_str()), (1, "packager", "read edit"));
    control.delete_client(&anna(), 1).await.unwrap();
    assert!(control.client(&new.client_token).await.unwrap().is_none());
    assert!(matches!(control.delete_client(&anna(), 1).await, Err(ControlError::NotFound(_))));
    assert_eq!(control.create_client(&anna(), "next", &[Role::Read]).await.unwrap().id, 2);
    assert_eq!(members(control.create_client(&anna(), "", &[Role::Read]).await.map(|it| it.id)), ["name"]);
    assert_eq!(members(control.create_client(&anna(), "x", &[]).await.map(|it| it.id)), ["roles"]);
    let actions: Vec<_> = control.audit(None, 9).await.unwrap().entries.into_iter().map(|it| it.action).collect();
    assert_eq!(actions, ["client.create", "client.delete", "client.create"]);
}

async fn tokens(database: Database) {
    let control = database.open().await;
    let forever = control.create_token(&anna(), "script", &[Role::Read], None).await.unwrap();
    let hour = control.create_token(&anna(), "hour", &[Role::Promote, Role::Secrets], Some(3600)).await.unwrap();
    assert_eq!(forever.token.len(), "playlock_".len() + 64);
    assert_eq!(control.token(&hour.token).await.unwrap().unwrap().roles, [Role::Promote, Role::Secrets]);
    database.pass(3600);
    assert!(control.token(&hour.token).await.unwrap().is_none());
    assert_eq!(control.token(&forever.token).await.unwrap().unwrap().name, "script");
    assert!(control.token(&forever.token[1..]).await.unwrap().is_none());
    assert_eq!(control.tokens().await.unwrap().len(), 2);
    control.delete_token(&anna(), forever.id).await.unwrap();
    assert!(control.token(&forever.token).await.unwrap().is_none());
}

async fn sessions(database: Database) {
    let control = database.open().await;
    let login = control.create_login("admin", &Role::ALL).await.unwrap();
    let late = control.create_login("admin", &Role::ALL).await.unwrap();
    let session = control.log_in(&login).await.unwrap().unwrap();
    // A login works once.
    assert!(control.log_in(&login).await.unwrap().is_none());
    assert_eq!(control.session(&session.cookie).await.unwrap().unwrap().name, "admin");
    assert!(control.session(&login).await.unwrap().is_none());
    assert_ne!(csrf_token(&session.cookie), *session.cookie);
    database.pass(15 * 60);
    assert!(control.log_in(&late).await.unwrap().is_none());
    control.log_out(&session.cookie).await.unwrap();
    assert!(control.session(&session.cookie).await.unwrap().is_none());
    let login = control.create_login("admin", &Role::ALL).await.unwrap();
    let session = control.log_in(&login).await.unwrap().unwrap();
    database.pass(session.max_age);
    assert!(control.session(&session.cookie).await.unwrap().is_none());
}

async fn nonces(database: Database) {
    let control = database.open().await;
    assert!(control.use_nonce("client", "one", 30).await.unwrap());
    assert!(!control.use_nonce("client", "one", 30).await.unwrap());
    assert!(control.use_nonce("another", "one", 30).await.unwrap());
    database.pass(30);
    assert!(!control.use_nonce("client", "one", 30).await.unwrap());
    // Of many at once, on two servers, one is new.
    let servers = [control.clone(), database.open().await];
    let uses: Vec<_> = (0..10)
        .map(|number: usize| {
            let control = servers[number % 2].clone();
            tokio::spawn(async move { control.use_nonce("client", "two", 30).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for one in uses {
        new += i64::from(one.await.unwrap());
    }
    assert_eq!(new, 1);
    database.pass(31);
    assert!(control.use_nonce("client", "two", 30).await.unwrap());
}
