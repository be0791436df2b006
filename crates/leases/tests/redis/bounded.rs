//! Bounds: never more leases than the limit, few commands for a question, and nothing that stays.

use std::collections::HashMap;
use std::sync::Arc;

use playlock_leases::{Answer, Filter, OnLimit, Question, Realm, Which};

use crate::server::Server;
use crate::support::{NOW, all, question, session, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_together_give_no_more_leases_than_the_limit() {
    let server = Server::start();
    let stores = [Arc::new(server.store()), Arc::new(server.store())];
    for on_limit in [OnLimit::RefuseNew, OnLimit::EndOldest] {
        let viewer = format!("{on_limit:?}");
        let asking: Vec<_> = (0..200)
            .map(|number| {
                let mut question = Question { limit: 3, ..question(&viewer, number) };
                question.terms.on_limit = on_limit;
                let store = Arc::clone(&stores[number as usize % 2]);
                tokio::spawn(async move { store.ask(None, &question).await.unwrap() })
            })
            .collect();
        let mut granted = 0;
        for answer in asking {
            granted += usize::from(answer.await.unwrap() == Answer::Granted);
        }
        let filter = Filter { viewer: Some(viewer), ..Filter::default() };
        let live = stores[0].sessions(None, &filter, None, 100).await.unwrap().sessions;
        assert_eq!((live.len(), granted), (3, if on_limit == OnLimit::RefuseNew { 3 } else { 200 }));
    }
}

#[tokio::test]
async fn everything_expires_by_itself() {
    let server = Server::start();
    let redis = server.store();
    for number in 0..50 {
        let mut question = Question { policy: format!("policy-{}", number % 5), ..question("ann", number) };
        question.viewer = format!("viewer-{}", number / 3);
        question.terms.on_limit = if number % 2 == 0 { OnLimit::RefuseNew } else { OnLimit::EndOldest };
        (question.terms.period, question.terms.grace, question.terms.session) = (400, 100, 600);
        redis.ask(None, &question).await.unwrap();
    }
    let which = Which { realm: Realm::Default, group: "tv".into(), viewer: "viewer-1".into(), session: None };
    assert!(redis.end(None, &which).await.unwrap() > 0);
    let keys: Vec<String> = server.command(&["KEYS", "*"]).await;
    assert!(keys.len() > 20 && keys.iter().all(|key| key.starts_with("playlock:")), "{keys:?}");
    for key in &keys {
        assert!(server.command::<i64>(&["PTTL", key]).await != -1, "{key} stays for ever");
    }
    until("the end of all keys", async || server.command::<u64>(&["DBSIZE"]).await == 0).await;
}

#[tokio::test]
async fn a_session_that_ended_cannot_outlast_the_memory_of_it() {
    let server = Server::start();
    let redis = server.store();
    let mut asked = question("ann", 1);
    (asked.terms.period, asked.terms.grace, asked.terms.session) = (10, 10, 3_600_000);
    assert_eq!(redis.ask(None, &asked).await, Ok(Answer::Granted));
    let which = Which { realm: Realm::Default, group: "tv".into(), viewer: "ann".into(), session: Some(session(1)) };
    assert_eq!(redis.end(None, &which).await, Ok(1));
    let keys: Vec<String> = server.command(&["KEYS", "playlock:1:viewer:*"]).await;
    let left: u64 = server.command(&["PTTL", &keys[0]]).await;
    assert!((1_800_000..=3_600_000).contains(&left), "{left}");
    assert_eq!(redis.ask(None, &asked).await, Ok(Answer::Ended));
}

#[tokio::test]
async fn indexes_last_as_long_as_the_longest_lease() {
    let server = Server::start();
    let redis = server.store();
    let long = question("ann", 1);
    let mut short = question("bob", 2);
    (short.terms.period, short.terms.grace) = (2000, 1000);
    let elsewhere = |question: &Question| Question { realm: Realm::Staging, ..question.clone() };
    for question in [&long, &short, &elsewhere(&short), &elsewhere(&long)] {
        assert_eq!(redis.ask(None, question).await, Ok(Answer::Granted));
    }
    let keys: Vec<String> = server.command(&["KEYS", "*"]).await;
    assert_eq!(keys.len(), 4 + 2 * 5, "{keys:?}");
    for key in keys.iter().filter(|key| !key.ends_with("bob")) {
        // One and a half minutes, and a period more at most: the index of names has two.
        let left: i64 = server.command(&["PTTL", key]).await;
        assert!((45_000..=210_000).contains(&left), "{key}: {left}");
    }
}

/// The number of calls of each command, those of scripts included.
async fn calls(server: &Server) -> HashMap<String, u64> {
    let text: String = server.command(&["INFO", "commandstats"]).await;
    let line = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// The commands that a question takes, without those that read the numbers.
async fn cost(server: &Server, question: impl Future<Output = Answer>) -> (Answer, u64) {
    let count = |calls: &HashMap<String, u64>| {
        calls
            .iter()
            .filter(|(name, _)| !["info", "client|setinfo", "evalsha"].contains(&name.as_str()))
            .map(|(_, n)| n)
            .sum::<u64>()
    };
    let before = count(&calls(server).await);
    let answer = question.await;
    (answer, count(&calls(server).await) - before)
}

#[tokio::test]
async fn a_question_takes_few_commands_whatever_has_expired() {
    let server = Server::start();
    let redis = server.store();
    let ask = async |now, question: &Question| redis.ask(Some(now), question).await.unwrap();
    assert_eq!(ask(NOW, &question("first", 0)).await, Answer::Granted);
    let (answer, commands) = cost(&server, ask(NOW + 1, &question("first", 0))).await;
    assert_eq!(answer, Answer::Granted);
    assert!(commands <= 12, "a renewal takes {commands} commands");
    let (answer, commands) = cost(&server, ask(NOW + 1, &question("second", 1))).await;
    assert_eq!(answer, Answer::Granted);
    assert!(commands <= 16, "a newcomer takes {commands} commands");
    for number in 2..1000 {
        ask(NOW + 2, &Question { policy: format!("policy-{}", number % 10), ..question(&number.to_string(), number) })
            .await;
    }
    // All of them have expired.
    let later = NOW + 1_000_000;
    let (answer, commands) = cost(&server, ask(later, &question("last", 2000))).await;
    assert_eq!(answer, Answer::Granted);
    assert!(commands <= 45, "with 1000 expired leases it takes {commands} commands");
    for number in 0..260 {
        ask(later, &question(&format!("later-{number}"), 3000 + number)).await;
    }
    let sessions: u64 = server.command(&["ZCARD", "playlock:1:sessions:default"]).await;
    let viewers: u64 = server.command(&["ZCARD", "playlock:1:viewers:default"]).await;
    assert_eq!((sessions, viewers), (261, 261), "expired leases leave the indexes");
    assert_eq!(all(&redis, later, &Filter::default(), 100).await.len(), 261);
}

#[tokio::test]
async fn the_largest_viewer_is_ended_by_one_question() {
    let server = Server::start();
    let redis = server.store();
    for number in 0..1000 {
        let question = Question { limit: 1000, ..question("ann", number) };
        assert_eq!(redis.ask(Some(NOW + u64::from(number)), &question).await, Ok(Answer::Granted));
    }
    let mut last = Question { limit: 1, ..question("ann", 1000) };
    last.terms.on_limit = OnLimit::EndOldest;
    assert_eq!(redis.ask(Some(NOW + 1000), &last).await, Ok(Answer::Granted));
    let live = all(&redis, NOW + 1000, &Filter::default(), 100).await;
    assert_eq!(live.iter().map(|live| live.session).collect::<Vec<_>>(), [session(1000)]);
    assert_eq!(redis.counts(Some(NOW + 1000)).await.unwrap().sessions, 1);
}
