//! Running `playlock` as a user does.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "tests, of which none needs all of it")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fmt, fs, process};

use playlock_host::node::Setup;

/// The password of the cases' configurations.
pub const PASSWORD: &str = "52a152a152a152a152a152a152a152a1";
/// Their secret.
pub const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The time of the cases.
pub const NOW: &str = "1700000000";

/// The result of a run.
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub errors: String,
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let output = String::from_utf8_lossy(&self.output);
        write!(f, "exit status {}\n--- output\n{output}--- errors\n{}", self.status, self.errors)
    }
}

impl Ran {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.output).unwrap()
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `playlock` with these arguments, where the cases' secrets are in the environment.
pub fn playlock(arguments: &[&str]) -> Ran {
    run(arguments, &[], &BTreeMap::new())
}

/// The same with standard input, and variables beside or in place of the usual ones.
pub fn run(arguments: &[&str], input: &[u8], env: &BTreeMap<String, String>) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_playlock"));
    command.args(arguments).env("TZ", "UTC").env("PLAYLOCK_PASSWORD", PASSWORD).env("PLAYLOCK_SECRET", SECRET);
    command.env("PLAYLOCK_SECRET_OLD", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").envs(env);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads no input may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().expect("not killed"),
        output: output.stdout,
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file that goes when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// With this content, and a name that ends so.
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("playlock-cli-{}-{number}-{name}", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    /// Its path as an argument.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The configuration of the cases, in a file.
pub fn vod(name: &str) -> Scratch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/config/vod.json");
    Scratch::new(name, fs::read(path).unwrap())
}

/// A node's configuration in a file, and its environment with the usual variables that it lacks emptied.
pub fn node(name: &str, setup: &Setup) -> (Scratch, BTreeMap<String, String>) {
    (Scratch::new(name, &setup.config), setup.env.clone())
}
