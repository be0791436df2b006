//! Viewers, groups, realms and policies of any name are kept apart, listed and ended.

use std::collections::BTreeSet;

use playlock_leases::{Answer, Filter, Question, Realm, Which};

use crate::server::Server;
use crate::support::{NOW, all, question, session};

/// Texts that would be mistaken for each other without their lengths.
fn names() -> Vec<String> {
    let names = ["a", "a:", ":a", "1:a", "a\n", "\r\na", "\0", "a\0b", "{a}", "*", "ü", " ", "-1", "state"];
    let mut names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    names.push("x".repeat(4096));
    names.push("x".repeat(4095));
    names
}

#[tokio::test]
async fn names_of_any_text_are_kept_apart() {
    let server = Server::start();
    let redis = server.store();
    let mut asked = Vec::new();
    let mut number = 0;
    for name in names() {
        for (group, policy, realm) in
            [("a", "a", Realm::Default), ("a:1", "1:a", Realm::Staging), (&name, &name, Realm::Production)]
        {
            number += 2;
            let mut question = Question { realm, limit: 1, policy: policy.into(), ..question(&name, number) };
            question.terms.group = group.into();
            question.stream.clone_from(&name);
            assert_eq!(redis.ask(Some(NOW), &question).await, Ok(Answer::Granted), "{name:?} in {group:?}");
            let other = Question { session: session(number + 1), ..question.clone() };
            assert_eq!(redis.ask(Some(NOW), &other).await, Ok(Answer::Limit), "{name:?} in {group:?}");
            asked.push(question);
        }
    }
    let listed = all(&redis, NOW, &Filter::default(), 7).await;
    let found: BTreeSet<_> = listed
        .iter()
        .map(|live| (live.realm, &live.group, &live.viewer, &live.policy, &live.stream, live.session))
        .collect();
    let expected: BTreeSet<_> =
        asked.iter().map(|it| (it.realm, &it.terms.group, &it.viewer, &it.policy, &it.stream, it.session)).collect();
    assert!(found == expected && listed.len() == asked.len(), "{} of {}", listed.len(), asked.len());
    for name in names() {
        let filter = Filter { viewer: Some(name.clone()), ..Filter::default() };
        assert_eq!(all(&redis, NOW, &filter, 2).await.len(), 3, "{name:?}");
    }
    let counts = redis.counts(Some(NOW)).await.unwrap();
    assert_eq!((counts.viewers, counts.sessions), (asked.len() as u64, asked.len() as u64));
    let mut left = asked.len();
    for it in asked {
        let which = Which { realm: it.realm, group: it.terms.group.clone(), viewer: it.viewer.clone(), session: None };
        assert_eq!(redis.end(Some(NOW), &which).await, Ok(1), "{which:?}");
        assert_eq!(redis.end(Some(NOW), &which).await, Ok(0), "{which:?}");
        assert_eq!(redis.ask(Some(NOW), &it).await, Ok(Answer::Ended), "{which:?}");
        left -= 1;
        assert_eq!(redis.counts(Some(NOW)).await.unwrap().sessions, left as u64);
    }
}

#[tokio::test]
async fn lists_have_every_session_once_while_leases_are_renewed() {
    let server = Server::start();
    let redis = server.store();
    let ask = |number: u32, now: u64| {
        let mut question = question(&format!("viewer-{}", number / 2), number);
        question.policy = ["vod", "live"][number as usize % 2].into();
        question.realm = Realm::ALL[number as usize % 3];
        let redis = &redis;
        async move { assert_eq!(redis.ask(Some(now), &question).await, Ok(Answer::Granted)) }
    };
    for number in 0..1700 {
        ask(number, NOW + u64::from(number / 5)).await;
    }
    for (filter, limit, expected) in [
        (Filter::default(), 50, 1700),
        (Filter::default(), 10_000, 1700),
        (Filter { realm: Some(Realm::Staging), ..Filter::default() }, 50, 567),
        (Filter { policy: Some("live".into()), ..Filter::default() }, 50, 850),
        (Filter { stream: Some("/live/*".into()), ..Filter::default() }, 50, 0),
    ] {
        let (mut found, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let page = redis.sessions(Some(NOW + 1000), &filter, cursor.as_deref(), limit).await.unwrap();
            found.extend(page.sessions.iter().map(|live| (live.since, live.session)));
            pages += 1;
            // Those that were listed and those that were not.
            ask(pages * 7 % 1700, NOW + 2000 + u64::from(pages)).await;
            ask((1699_u32).wrapping_sub(pages * 3) % 1700, NOW + 2000 + u64::from(pages)).await;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), expected, "{filter:?}");
        assert!(found.is_sorted_by(|a, b| a < b), "{filter:?}");
    }
}
