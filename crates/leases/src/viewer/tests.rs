use proptest::prelude::*;

use super::*;
use crate::question::Realm;
use crate::terms::ViewerSource;

const PERIOD: Millis = 60_000;
const GRACE: Millis = 30_000;
const SESSION: Millis = 86_400_000;

fn id(number: u8) -> SessionId {
    SessionId::parse(&format!("{}{}Q", "A".repeat(20), char::from(b'A' + number))).unwrap()
}

fn question(on_limit: OnLimit, limit: u32, session: u8, period: Option<u64>) -> Question {
    let terms = Terms {
        group: "tv".into(),
        limit,
        on_limit,
        viewer: ViewerSource::Id,
        limit_field: None,
        period: PERIOD,
        grace: GRACE,
        keys_ahead: 3,
        session: SESSION,
    };
    Question {
        realm: Realm::Default,
        terms,
        viewer: "ann".into(),
        limit,
        session: id(session),
        policy: "vod".into(),
        stream: "/vod/*".into(),
        client: None,
        period,
    }
}

fn refusing(session: u8, period: u64) -> Question {
    question(OnLimit::RefuseNew, 2, session, Some(period))
}

fn ending(session: u8, period: u64) -> Question {
    question(OnLimit::EndOldest, 2, session, Some(period))
}

#[test]
fn a_newcomer_waits_for_a_lease_to_end() {
    let mut viewer = Viewer::default();
    assert_eq!(viewer.ask(0, &refusing(1, 0)), Answer::Granted);
    assert_eq!(viewer.ask(1, &refusing(2, 0)), Answer::Granted);
    assert_eq!(viewer.ask(2, &refusing(3, 0)), Answer::Limit);
    assert_eq!(viewer.ask(PERIOD, &refusing(2, 1)), Answer::Granted);
    assert_eq!(viewer.ask(PERIOD + GRACE - 1, &refusing(3, 0)), Answer::Limit);
    // The first did not come back: its lease of one period and the grace has ended.
    assert_eq!(viewer.ask(PERIOD + GRACE, &refusing(3, 0)), Answer::Granted);
    assert_eq!(viewer.ask(PERIOD + GRACE, &refusing(1, 1)), Answer::Limit);
}

#[test]
fn the_oldest_ends_and_stays_ended() {
    let mut viewer = Viewer::default();
    for session in 1..=3 {
        assert_eq!(viewer.ask(session.into(), &ending(session, 0)), Answer::Granted);
    }
    for now in [10, PERIOD, 5 * PERIOD, SESSION] {
        assert_eq!(viewer.ask(now, &ending(1, 1)), Answer::Ended);
    }
    // A session as old as that cannot be.
    assert_eq!(viewer.ask(SESSION + 3, &ending(1, 1)), Answer::Granted);
}

#[test]
fn a_limit_that_shrinks_holds_from_the_next_question_on() {
    for (on_limit, stays, goes, answer) in
        [(OnLimit::RefuseNew, 1, 2, Answer::Limit), (OnLimit::EndOldest, 2, 1, Answer::Ended)]
    {
        let mut viewer = Viewer::default();
        for session in [1, 2] {
            assert_eq!(viewer.ask(session.into(), &question(on_limit, 2, session, Some(0))), Answer::Granted);
        }
        assert_eq!(viewer.ask(10, &question(on_limit, 1, goes, Some(1))), answer);
        assert_eq!(viewer.ask(10, &question(on_limit, 1, stays, Some(1))), Answer::Granted);
        assert_eq!(viewer.leases().len(), 1);
    }
}

#[test]
fn keys_ahead_are_limited_and_extend_the_lease() {
    let mut viewer = Viewer::default();
    for period in 0..4 {
        assert_eq!(viewer.ask(0, &refusing(1, period)), Answer::Granted);
    }
    assert_eq!(viewer.leases()[0].expires, 4 * PERIOD + GRACE);
    assert_eq!(viewer.ask(0, &refusing(1, 4)), Answer::Ahead);
    assert_eq!(viewer.ask(0, &refusing(1, 2)), Answer::Granted, "a key that it has costs nothing");
    assert_eq!(viewer.ask(PERIOD / 2 - 1, &refusing(1, 4)), Answer::Ahead);
    assert_eq!(viewer.ask(PERIOD / 2, &refusing(1, 4)), Answer::Granted, "at double speed");
    // Without a period there is nothing to count.
    for _ in 0..9 {
        assert_eq!(viewer.ask(PERIOD, &question(OnLimit::RefuseNew, 2, 1, None)), Answer::Granted);
    }
}

#[test]
fn a_player_whose_periods_are_shorter_than_announced_plays_on() {
    let mut viewer = Viewer::default();
    for period in 0..10_000 {
        assert_eq!(viewer.ask(period * PERIOD * 6 / 10, &refusing(1, period)), Answer::Granted);
    }
    let lease = &viewer.leases()[0];
    assert_eq!(lease.expires - lease.renewed, PERIOD + GRACE);
}

#[test]
fn operators_end_one_session_or_all() {
    let mut viewer = Viewer::default();
    for session in [1, 2] {
        viewer.ask(0, &refusing(session, 0));
    }
    assert_eq!(viewer.end(1, Some(id(3))), 0);
    assert_eq!(viewer.end(1, Some(id(1))), 1);
    assert_eq!(viewer.ask(2, &refusing(1, 0)), Answer::Ended);
    assert_eq!(viewer.ask(2, &refusing(3, 0)), Answer::Granted);
    assert_eq!(viewer.end(3, None), 2);
    assert!(viewer.leases().is_empty() && !viewer.is_empty());
}

#[test]
fn a_viewer_who_opens_sessions_without_pause_stays_small() {
    let mut viewer = Viewer::default();
    for round in 0..2000_u32 {
        let session = SessionId::parse(&format!("{}{round:04}A", "A".repeat(17))).unwrap();
        let asked = Question { session, ..ending(0, 0) };
        assert_eq!(viewer.ask(round.into(), &asked), Answer::Granted);
    }
    assert_eq!((viewer.leases.len(), viewer.ended.len()), (2, Viewer::REMEMBERED));
    viewer.forget(10 * SESSION);
    assert!(viewer.is_empty());
}

/// An event in the life of a viewer.
#[derive(Debug, Clone)]
enum Event {
    Ask { after: Millis, session: u8, period: Option<u64> },
    End { session: Option<u8> },
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    let after = prop_oneof![Just(0), 0..1000_u64, 0..3 * PERIOD];
    let ask = (after, 0..6_u8, prop_oneof![Just(None), (0..9_u64).prop_map(Some), any::<u64>().prop_map(Some)]);
    prop_oneof![
        30 => ask.prop_map(|(after, session, period)| Event::Ask { after, session, period }),
        2 => proptest::option::of(0..6_u8).prop_map(|session| Event::End { session }),
        1 => Just(Event::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any order of questions, expiries, ended sessions and crashes.
    #[test]
    fn never_more_than_the_limit(
        limit in 1..4_u32,
        refuse in any::<bool>(),
        events in proptest::collection::vec(event(), 1..200),
    ) {
        let on_limit = if refuse { OnLimit::RefuseNew } else { OnLimit::EndOldest };
        let (mut viewer, mut now) = (Viewer::default(), 1_000_000);
        // By session: until when a lease holds at least, by what it was promised; and the ended ones.
        let mut promised = [0; 6];
        let mut ended = [false; 6];
        for event in events {
            match event {
                Event::Crash => {
                    viewer = Viewer::default();
                    (promised, ended) = ([0; 6], [false; 6]);
                }
                Event::End { session } => {
                    let live: Vec<_> = viewer.leases().iter().filter(|lease| lease.expires > now).cloned().collect();
                    let wanted = live.iter().filter(|lease| session.is_none_or(|it| id(it) == lease.session));
                    let count = wanted.count() as u64;
                    prop_assert_eq!(viewer.end(now, session.map(id)), count);
                    for number in 0..6 {
                        if session.is_none_or(|it| it == number) && live.iter().any(|it| it.session == id(number)) {
                            (promised[usize::from(number)], ended[usize::from(number)]) = (0, true);
                        }
                    }
                }
                Event::Ask { after, session, period } => {
                    now += after;
                    let at = usize::from(session);
                    let answer = viewer.ask(now, &question(on_limit, limit, session, period));
                    let live = viewer.leases();
                    prop_assert!(live.len() <= limit as usize, "{live:?}");
                    prop_assert!(live.iter().all(|lease| lease.expires > now));
                    let own = live.iter().find(|lease| lease.session == id(session));
                    prop_assert_eq!(own.is_some(), matches!(answer, Answer::Granted | Answer::Ahead));
                    if ended[at] {
                        prop_assert_eq!(answer, Answer::Ended, "ended sessions get no further key");
                    }
                    let others = (0..6).filter(|other| *other != at && promised[*other] > now).count();
                    if answer == Answer::Limit {
                        prop_assert!(refuse && others >= limit as usize, "refused although {others} have leases");
                        prop_assert!(promised[at] <= now, "whoever has a lease keeps it");
                    }
                    if answer == Answer::Granted {
                        let lease = own.unwrap();
                        prop_assert!(lease.expires >= now + PERIOD + GRACE);
                        prop_assert!(lease.expires <= now + 4 * PERIOD + GRACE, "no lease is longer than its keys");
                        promised[at] = lease.expires;
                    }
                    // Sessions that the newcomer ended.
                    for other in 0..6_u8 {
                        let at = usize::from(other);
                        if promised[at] > now && !live.iter().any(|lease| lease.session == id(other)) {
                            prop_assert!(!refuse, "a lease ended early under refuse-new");
                            (promised[at], ended[at]) = (0, true);
                        }
                    }
                }
            }
        }
    }
}
