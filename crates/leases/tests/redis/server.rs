//! A Redis server of a test's own: Debian's package, without persistence, on a free port. It ends with the test.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use playlock_leases::{Redis, RedisUrl};

pub struct Server {
    pub port: u16,
    options: Vec<String>,
    process: Child,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(options: &[&str]) -> Self {
        let port = free_port();
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let process = launch(port, &options);
        Self { port, options, process }
    }

    pub fn url(&self) -> RedisUrl {
        url(self.port)
    }

    /// A store with so much time for an answer that no load of the machine exceeds it.
    pub fn store(&self) -> Redis {
        Redis::new(&self.url(), Duration::from_secs(20), |_| ()).unwrap()
    }

    /// The answer to a command.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Another server on the same port.
    pub fn restart(&mut self) {
        self.process = launch(self.port, &self.options);
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn url(port: u16) -> RedisUrl {
    RedisUrl::parse(&format!("redis://127.0.0.1:{port}")).unwrap()
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server and waits until it accepts connections. It gets a signal when this thread ends without ending it.
fn launch(port: u16, options: &[String]) -> Child {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "redis-server", "--port", &port.to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no", "--dir", "/tmp", "--loglevel", "warning"]);
    command.args(options).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("setpriv (util-linux)");
    for _ in 0..600 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return process;
        }
        if process.try_wait().unwrap().is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    let mut output = String::new();
    process.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    panic!("redis-server did not start; expected Debian's redis-server (tools/packages.sh redis-server): {output}");
}
