//! A server that is away, hangs, forgets, refuses, or closes connections: bounded waiting, a cause without secrets, and
//! leases again by itself.

use std::sync::Arc;
use std::time::Duration;

use playlock_leases::{Answer, Filter, OnLimit, Question, Redis, RedisUrl, Unavailable};
use tokio::time::timeout;

use crate::server::{Server, free_port, url};
use crate::support::{question, session, until};

/// Longer than any bounded wait on a machine under load.
const LONG: Duration = Duration::from_secs(20);

fn store(url: &RedisUrl) -> Redis {
    Redis::new(url, Redis::TIMEOUT, |_| ()).unwrap()
}

async fn ask(redis: &Redis) -> Result<Answer, Unavailable> {
    timeout(LONG, redis.ask(None, &question("ann", 1))).await.expect("an answer, or none, in bounded time")
}

async fn works_again(redis: &Redis) {
    until("an answer", async || ask(redis).await == Ok(Answer::Granted)).await;
}

async fn cause(redis: &Redis) -> String {
    ask(redis).await.expect_err("no answer").0
}

/// The cause that there is after a while: the first ones may be of a connection that is being lost.
async fn settled(redis: &Redis, expected: &str) {
    let mut last = String::new();
    until(expected, async || {
        last = cause(redis).await;
        last.contains(expected)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_killed_is_missed_and_found_again() {
    let mut server = Server::start();
    let redis = store(&server.url());
    works_again(&redis).await;
    server.kill();
    settled(&redis, "refused").await;
    assert!(redis.ping().await.is_err());
    server.restart();
    works_again(&redis).await;
    assert_eq!(redis.ping().await, Ok(()));
}

#[tokio::test]
async fn a_server_that_is_away_at_first_is_found() {
    let port = free_port();
    let redis = store(&url(port));
    settled(&redis, "refused").await;
    let mut server = Server::start();
    server.kill();
    server.port = port;
    server.restart();
    works_again(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_not_waited_for() {
    let server = Server::start();
    let redis = Arc::new(store(&server.url()));
    works_again(&redis).await;
    server.signal("-STOP");
    let asking: Vec<_> = (0..6000)
        .map(|_| {
            let redis = Arc::clone(&redis);
            tokio::spawn(async move { cause(&redis).await })
        })
        .collect();
    let mut refused = 0;
    for cause in asking {
        let cause = cause.await.unwrap();
        assert!(cause.contains("within 250ms") || cause.contains("wait for it"), "{cause}");
        refused += usize::from(cause.contains("wait for it"));
    }
    assert!(refused > 0, "6000 questions waited at once");
    server.signal("-CONT");
    works_again(&redis).await;
}

/// A failover behind an address: the server keeps its connections and takes no writes any more.
#[tokio::test]
async fn a_server_that_is_demoted_is_asked_on_another_connection() {
    let server = Server::start();
    let redis = store(&server.url());
    works_again(&redis).await;
    let connections: u64 = connections(&server).await;
    server.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]).await;
    settled(&redis, "READONLY").await;
    server.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    works_again(&redis).await;
    assert!(self::connections(&server).await > connections + 2, "no connection was made anew");
}

/// Connections that the server has accepted since its start.
async fn connections(server: &Server) -> u64 {
    let text: String = server.command(&["INFO", "stats"]).await;
    let line = text.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_closed_connection_and_forgotten_scripts_cost_no_answer() {
    let server = Server::start();
    let redis = server.store();
    for _ in 0..3 {
        assert_eq!(ask(&redis).await, Ok(Answer::Granted));
        server.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert_eq!(ask(&redis).await, Ok(Answer::Granted));
        server.command::<()>(&["SCRIPT", "FLUSH"]).await;
    }
}

#[tokio::test]
async fn a_server_without_memory_refuses_before_anything_is_written() {
    let server = Server::start();
    let redis = server.store();
    let memory = async |limit: &str| server.command::<()>(&["CONFIG", "SET", "maxmemory", limit]).await;
    memory("1").await;
    settled(&redis, "OOM").await;
    assert_eq!(server.command::<u64>(&["DBSIZE"]).await, 0);
    memory("0").await;
    works_again(&redis).await;
    let mut newcomer = Question { limit: 1, ..question("ann", 2) };
    newcomer.terms.on_limit = OnLimit::EndOldest;
    memory("1").await;
    assert!(redis.ask(None, &newcomer).await.unwrap_err().0.contains("OOM"));
    memory("0").await;
    let listed = redis.sessions(None, &Filter::default(), None, 10).await.unwrap().sessions;
    assert_eq!(listed.iter().map(|live| live.session).collect::<Vec<_>>(), [session(1)]);
    assert_eq!(redis.counts(None).await.unwrap().sessions, 1);
    assert_eq!(ask(&redis).await, Ok(Answer::Granted));
}

#[tokio::test]
async fn causes_have_no_passwords() {
    let server = Server::with(&["--requirepass", "richtig"]);
    let renamed = Server::with(&["--rename-command", "AUTH", ""]);
    let login = |port: u16, login: &str| store(&RedisUrl::parse(&format!("redis://{login}127.0.0.1:{port}")).unwrap());
    for (redis, expected) in [
        (login(server.port, ""), "NOAUTH"),
        (login(server.port, ":geheim@"), "authentication failed"),
        (login(server.port, "ann:geheim@"), "authentication failed"),
        (login(renamed.port, ":geheim@"), "authentication failed"),
        (login(renamed.port, "ann:geheim@"), "authentication failed"),
    ] {
        settled(&redis, expected).await;
        let texts = [cause(&redis).await, format!("{redis:?}"), redis.ping().await.unwrap_err().to_string()];
        assert!(texts.iter().all(|text| !text.contains("geheim")), "{texts:?}");
    }
    works_again(&login(server.port, ":richtig@")).await;
    works_again(&login(server.port, "default:richtig@")).await;
}
