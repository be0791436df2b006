use std::sync::Arc;
use std::thread;

use super::*;
use crate::terms::{OnLimit, Terms, ViewerSource};

fn question(viewer: &str, session: u32, policy: &str) -> Question {
    let terms = Terms {
        group: "tv".into(),
        limit: 2,
        on_limit: OnLimit::RefuseNew,
        viewer: ViewerSource::Id,
        limit_field: None,
        period: 60_000,
        grace: 30_000,
        keys_ahead: 10,
        session: 86_400_000,
    };
    Question {
        realm: Realm::Default,
        terms,
        viewer: viewer.into(),
        limit: 2,
        session: SessionId::parse(&format!("{}{session:04}A", "A".repeat(17))).unwrap(),
        policy: policy.into(),
        stream: "/vod/*".into(),
        client: None,
        period: Some(0),
    }
}

#[test]
fn viewers_groups_and_realms_are_counted_apart() {
    let memory = Memory::default();
    for session in 1..=2 {
        assert_eq!(memory.ask(0, &question("ann", session, "vod")), Answer::Granted);
    }
    assert_eq!(memory.ask(0, &question("ann", 3, "live")), Answer::Limit);
    assert_eq!(memory.ask(0, &question("bob", 3, "vod")), Answer::Granted);
    let elsewhere = Question { realm: Realm::Staging, ..question("ann", 3, "vod") };
    assert_eq!(memory.ask(0, &elsewhere), Answer::Granted);
    let mut other = question("ann", 4, "vod");
    other.terms.group = "tv2".into();
    assert_eq!(memory.ask(0, &other), Answer::Granted);
    let counts = memory.counts(1);
    assert_eq!((counts.viewers, counts.sessions), (4, 5));
    let of = |realm, sessions| OfPolicy { realm, policy: "vod".into(), sessions };
    assert_eq!(counts.policies, [of(Realm::Default, 4), of(Realm::Staging, 1)]);
}

#[test]
fn the_list_has_every_session_once_page_by_page() {
    let memory = Memory::default();
    for number in 0..95 {
        let policy = if number % 2 == 0 { "vod" } else { "live" };
        memory.ask(u64::from(number / 3), &question(&format!("viewer-{number}"), number, policy));
    }
    for (filter, expected) in [
        (Filter::default(), 95),
        (Filter { policy: Some("vod".into()), ..Filter::default() }, 48),
        (Filter { viewer: Some("viewer-7".into()), ..Filter::default() }, 1),
        (Filter { realm: Some(Realm::Staging), ..Filter::default() }, 0),
    ] {
        let (mut seen, mut cursor): (Vec<Live>, Option<String>) = (Vec::new(), None);
        loop {
            let page = memory.sessions(100, &filter, cursor.as_deref(), 10);
            assert!(page.sessions.len() == 10 || page.next.is_none());
            seen.extend(page.sessions);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), expected);
        assert!(seen.is_sorted_by(|a, b| (a.since, a.session) < (b.since, b.session)));
    }
}

#[test]
fn viewers_who_left_are_forgotten() {
    let memory = Memory::default();
    for number in 0..1000 {
        memory.ask(0, &question(&format!("viewer-{number}"), number, "vod"));
    }
    memory.sweep(89_999);
    assert_eq!(memory.kept(), 1000);
    assert_eq!(memory.counts(90_000).sessions, 0);
    memory.sweep(90_000);
    assert_eq!(memory.kept(), 0);
    let which = Which { realm: Realm::Default, group: "tv".into(), viewer: "viewer-1".into(), session: None };
    memory.ask(0, &question("viewer-1", 1, "vod"));
    assert_eq!(memory.end(1, &which), 1);
    assert_eq!(memory.end(1, &which), 0);
}

#[test]
fn questions_at_once_get_no_more_than_the_limit() {
    let memory = Arc::new(Memory::default());
    let asking: Vec<_> = (0..32)
        .map(|session| {
            let memory = Arc::clone(&memory);
            thread::spawn(move || memory.ask(0, &question("ann", session, "vod")))
        })
        .collect();
    let answers: Vec<_> = asking.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Granted).count(), 2);
}
