//! A connection to Redis that is made again when it is lost, with bounded waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind, pipe,
};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::url::RedisUrl;
use crate::store::Unavailable;

/// Requests that wait for an answer at once. One more fails at once: a server that hangs must not fill the memory.
const WAITING: usize = 4096;
/// Least time for a connection. Questions do not wait for it any longer than for an answer.
const CONNECT: Duration = Duration::from_secs(1);
/// Time between two attempts to connect, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A connection to one Redis server. All requests share it.
#[derive(Debug)]
pub struct Link {
    state: watch::Receiver<State>,
    /// The number of the last connection that was found to be lost.
    lost: watch::Sender<u64>,
    waiting: Semaphore,
    timeout: Duration,
    keeper: JoinHandle<()>,
}

#[derive(Debug, Clone)]
enum State {
    Connecting,
    Up(Connection),
    Down(Unavailable),
}

#[derive(Debug, Clone)]
struct Connection {
    number: u64,
    connection: MultiplexedConnection,
    /// The number of requests that were answered.
    answered: Arc<AtomicU64>,
}

/// Gets a word about each change: a connection was made, or could not be.
pub type Notice = fn(Result<(), &Unavailable>);

impl Link {
    /// A link, which begins to connect. An answer may take `timeout`, a new connection included.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(url: &RedisUrl, timeout: Duration, notice: Notice) -> Result<Self, Unavailable> {
        let client = Client::open(url.connection()).map_err(|error| unavailable(&error))?;
        let (sender, state) = watch::channel(State::Connecting);
        let (lost, losses) = watch::channel(0);
        let keeper = tokio::spawn(keep(client, timeout, sender, losses, notice));
        Ok(Self { state, lost, waiting: Semaphore::new(WAITING), timeout, keeper })
    }

    /// The end of a request that begins now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends commands and waits for their answers until `deadline`.
    ///
    /// A connection that turns out to be closed is made again, once; the commands must not mind being repeated.
    ///
    /// # Errors
    /// [`Fault`]
    pub async fn call<T: FromRedisValue>(&self, commands: &Pipeline, deadline: Instant) -> Result<T, Fault> {
        let Ok(_permit) = self.waiting.try_acquire() else {
            return Err(Fault::Unavailable(Unavailable(format!("{WAITING} questions wait for it"))));
        };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Connection { number, mut connection, answered } = self.connection(deadline).await?;
            let before = answered.load(Ordering::Relaxed);
            match timeout_at(deadline, commands.query_async(&mut connection)).await {
                Ok(Ok(value)) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(value);
                }
                Ok(Err(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    return Err(Fault::NoScript);
                }
                Ok(Err(error)) => {
                    // A server that was demoted, or a proxy that lost its server, keeps the connection open.
                    let is_demoted = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
                    let is_lost = error.is_unrecoverable_error() || error.is_io_error();
                    if is_lost || is_demoted {
                        self.lose(number);
                    }
                    if !is_lost || attempt == 2 {
                        return Err(Fault::Unavailable(unavailable(&error)));
                    }
                }
                Err(_) => {
                    // Nothing came back all the time: the other end may be gone without a word, as after a failover.
                    if answered.load(Ordering::Relaxed) == before {
                        self.lose(number);
                    }
                    return Err(Fault::Unavailable(late(self.timeout)));
                }
            }
        }
    }

    /// The connection, once there is one.
    async fn connection(&self, deadline: Instant) -> Result<Connection, Fault> {
        let lost = *self.lost.borrow();
        let settled = |state: &State| match state {
            State::Connecting => false,
            State::Up(connection) => connection.number > lost,
            State::Down(_) => true,
        };
        let mut receiver = self.state.clone();
        match timeout_at(deadline, receiver.wait_for(settled)).await {
            Ok(Ok(state)) => match &*state {
                State::Up(connection) => Ok(connection.clone()),
                State::Down(cause) => Err(Fault::Unavailable(cause.clone())),
                State::Connecting => Err(Fault::Unavailable(late(self.timeout))),
            },
            Ok(Err(_)) | Err(_) => Err(Fault::Unavailable(late(self.timeout))),
        }
    }

    fn lose(&self, number: u64) {
        self.lost.send_if_modified(|lost| {
            let is_news = number > *lost;
            *lost = number.max(*lost);
            is_news
        });
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// The cause that a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server does not have the script.
    NoScript,
    /// Everything else.
    Unavailable(Unavailable),
}

impl From<Fault> for Unavailable {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoScript => Self("it does not keep scripts".into()),
            Fault::Unavailable(cause) => cause,
        }
    }
}

/// Connects, and again when a connection is lost. While no attempt succeeds, requests fail at once with the last cause.
async fn keep(
    client: Client,
    limit: Duration,
    state: watch::Sender<State>,
    mut lost: watch::Receiver<u64>,
    notice: Notice,
) {
    let configuration = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(WAITING);
    let (mut number, mut pause) = (0, PAUSES.0);
    let mut reported = None;
    let connecting = limit.max(CONNECT);
    loop {
        let cause = match timeout(connecting, connect(&client, &configuration)).await {
            Ok(Ok(connection)) => {
                number += 1;
                reported = None;
                notice(Ok(()));
                let began = Instant::now();
                state.send_replace(State::Up(Connection { number, connection, answered: Arc::default() }));
                if lost.wait_for(|lost| *lost >= number).await.is_err() {
                    return;
                }
                state.send_replace(State::Connecting);
                if began.elapsed() > PAUSES.1 {
                    pause = PAUSES.0;
                    continue;
                }
                // A server that accepts connections and is of no use must not get them without pause.
                if pause < limit {
                    sleep(pause).await;
                    pause *= 2;
                    continue;
                }
                Unavailable("the connection was lost".into())
            }
            Ok(Err(error)) => unavailable(&error),
            Err(_) => Unavailable(format!("no connection within {connecting:?}")),
        };
        if reported.as_ref() != Some(&cause) {
            notice(Err(&cause));
            reported = Some(cause.clone());
        }
        state.send_replace(State::Down(cause));
        sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}

/// A connection to a server that answers: one that loads its data or wants a password does not.
async fn connect(client: &Client, configuration: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    let mut connection = client.get_multiplexed_async_connection_with_config(configuration).await?;
    let () = pipe().cmd("PING").ignore().query_async(&mut connection).await?;
    Ok(connection)
}

fn late(limit: Duration) -> Unavailable {
    Unavailable(format!("nothing within {limit:?}"))
}

/// A cause without secrets. Servers repeat the arguments of commands that they do not know, and a password is one.
fn unavailable(error: &RedisError) -> Unavailable {
    let server = error.clone().into_server_errors().and_then(|errors| errors.first().map(|(_, error)| error.clone()));
    let text = match server {
        Some(server) => format!("{} {}", server.code(), server.details().unwrap_or_default()),
        None => error.to_string(),
    };
    let known = text.find(", with args").and_then(|end| text.get(..end));
    Unavailable(known.unwrap_or(&text).to_owned())
}
