//! A PostgreSQL server of the tests' own: Debian's package, started as an unprivileged user on a free port.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, process, thread};

/// The server's URL without a database: `postgres://postgres@127.0.0.1:PORT`. The server ends with this process.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(start)
}

fn start() -> String {
    let programs = programs();
    let folder = std::env::temp_dir().join(format!("playlock-postgres-{}", process::id()));
    remove_old();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder for PostgreSQL");
    let user = user();
    if let Some((_, uid, gid)) = &user {
        chown(&folder, Some(*uid), Some(*gid)).expect("the folder's owner");
    }
    let data = folder.join("data");
    let made = unprivileged(&user, &programs.join("initdb"), &[])
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--pgdata"])
        .arg(&data)
        .stdin(Stdio::null())
        .output()
        .expect("initdb");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = unprivileged(&user, &programs.join("postgres"), &["--pdeathsig", "INT"]);
    server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k", "", "-h", "127.0.0.1"]);
    server.args(["-c", "fsync=off", "-c", "max_connections=200"]);
    let log = fs::File::create(folder.join("log")).unwrap();
    server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    // The server gets a signal when the thread that started it ends: this one does so with the process.
    thread::spawn(move || {
        let mut server = server.spawn().expect("postgres");
        let _ = server.wait();
    });
    for _ in 0..600 {
        let ready = Command::new(programs.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
            .status()
            .expect("pg_isready");
        if ready.success() {
            return format!("postgres://postgres@127.0.0.1:{port}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("PostgreSQL did not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default());
}

/// The newest version's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let newest = folders.filter(|folder| folder.join("postgres").exists()).max();
    newest.expect("no PostgreSQL below /usr/lib/postgresql: install Debian's postgresql (tools/packages.sh postgresql)")
}

/// The user to run as, which must not be root.
fn user() -> Option<(String, u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().expect("id");
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let found = ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some(((*name).to_owned(), id(&["-u", name])?, id(&["-g", name])?)));
    Some(found.expect("a user postgres or nobody"))
}

fn unprivileged(user: &Option<(String, u32, u32)>, program: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((_, uid, gid)) = user {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".into()]);
    }
    command.args(options).arg("--").arg(program).current_dir("/");
    command
}

/// Removes the folders of test runs that have ended.
fn remove_old() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("playlock-postgres-") else { continue };
        let server = entry.path().join("data/postmaster.pid");
        if !Path::new("/proc").join(pid).exists() && !server.exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
