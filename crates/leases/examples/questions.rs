//! Asks a service of leases many questions, at a steady rate or as fast as it answers, and prints its latencies as JSON.
//!
//! `questions ADDRESS SECONDS RATE CONNECTIONS VIEWERS`: RATE in questions per second, 0 for as fast as possible. Each viewer
//! has three sessions and a limit of two. At a steady rate the time of a question counts from when it was due, so that a
//! service that stalls cannot hide it.

use std::env;
use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

const TERMS: &str =
    "group=subscribers;limit=2;on-limit=refuse-new;viewer=id;period=60;grace=30;keys-ahead=10;session=86400";

struct Plan {
    address: String,
    begin: Instant,
    end: Instant,
    /// Questions per second; 0 for as fast as possible.
    rate: u64,
    viewers: u64,
    /// Number of the next question.
    next: AtomicU64,
}

/// Latencies in microseconds, and how often each kind of answer came.
#[derive(Default)]
struct Seen {
    micros: Vec<u64>,
    granted: u64,
    refused: u64,
    failed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, seconds, rate, connections, viewers] = arguments.as_slice() else {
        return Err("usage: questions ADDRESS SECONDS RATE CONNECTIONS VIEWERS".into());
    };
    let begin = Instant::now();
    let plan = Arc::new(Plan {
        address: address.clone(),
        begin,
        end: begin + Duration::from_secs(seconds.parse()?),
        rate: rate.parse()?,
        viewers: viewers.parse()?,
        next: AtomicU64::new(0),
    });
    let mut asking = JoinSet::new();
    for _ in 0..connections.parse::<usize>()? {
        asking.spawn(ask(Arc::clone(&plan)));
    }
    let mut all = Seen::default();
    while let Some(seen) = asking.join_next().await {
        let seen = seen??;
        all.micros.extend(seen.micros);
        all.granted += seen.granted;
        all.refused += seen.refused;
        all.failed += seen.failed;
    }
    all.micros.sort_unstable();
    let at = |part: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index within the length")]
        let index = (all.micros.len() as f64 * part) as usize;
        all.micros.get(index).or(all.micros.last()).copied()
    };
    let took = begin.elapsed().as_secs_f64();
    let report = json!({
        "per_second": all.micros.len() as f64 / took,
        "granted": all.granted,
        "refused": all.refused,
        "failed": all.failed,
        "micros": {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": all.micros.last()},
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// Asks over one connection until the end.
async fn ask(plan: Arc<Plan>) -> Result<Seen, io::Error> {
    let mut seen = Seen::default();
    let mut connection = TcpStream::connect(&plan.address).await?;
    connection.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        let number = plan.next.fetch_add(1, Ordering::Relaxed);
        let due = match number.saturating_mul(1_000_000).checked_div(plan.rate) {
            Some(micros) => {
                let due = plan.begin + Duration::from_micros(micros);
                sleep_until(due.min(plan.end).into()).await;
                due
            }
            None => Instant::now(),
        };
        if Instant::now() >= plan.end {
            return Ok(seen);
        }
        connection.write_all(question(number, plan.viewers).as_bytes()).await?;
        let length = head(&mut connection, &mut buffer).await?;
        seen.micros.push(u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX));
        match buffer.get(..length).and_then(|head| head.get(9..12)) {
            Some(b"204") => seen.granted += 1,
            Some(b"409") => seen.refused += 1,
            _ => seen.failed += 1,
        }
    }
}

fn question(number: u64, viewers: u64) -> String {
    let viewer = number % viewers;
    let round = number / viewers;
    // 22 characters of base64url, the last of which has four bits of zeros.
    let session = format!("{:0>20}{}A", viewer, round % 3);
    format!(
        "GET /lease HTTP/1.1\r\nhost: leases\r\nx-playlock-policy: vod\r\nx-playlock-session: {session}\r\n\
         x-playlock-paths: /vod/*\r\nx-playlock-key-scope: session\r\nx-playlock-period: {}\r\n\
         x-playlock-client: 203.0.113.9\r\nx-playlock-access-token-id: viewer-{viewer}\r\nx-playlock-leases: {TERMS}\r\n\r\n",
        round / 3 % 8
    )
}

/// Reads a response; its body, a problem document, is within the same buffer. Returns the length of the head.
async fn head(connection: &mut TcpStream, buffer: &mut [u8]) -> Result<usize, io::Error> {
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = connection.read(room).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        let got = buffer.get(..filled).unwrap_or_default();
        if let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = got.get(..end).unwrap_or_default();
            if filled >= end + 4 + content_length(head) {
                return Ok(end);
            }
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head);
    let value = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    value.and_then(|value| value.parse().ok()).unwrap_or_default()
}
