//! Runs the real binary in a folder of its own, with an environment of its own.
//!
//! Nothing of the machine reaches it: no variable, no configuration, no database. It refuses to
//! wait for ever: what does not end in time is killed and fails the test.

#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The longest that a command may take; tests are killed at 120 s.
const PATIENCE: Duration = Duration::from_secs(100);

/// A folder with a configuration, in which commands run; the index is made there too.
pub struct Sandbox {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed as data.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Ran {
    /// Returns the data, which must be one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON ({error}): {self:#?}"))
    }

    /// Fails unless the command ended with this code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

impl Sandbox {
    /// Makes a folder with this configuration.
    pub fn new(config: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("xrefd.toml"), config).expect("a writable folder");
        Self { folder, variables: Vec::new() }
    }

    /// Sets an environment variable for all commands.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xrefd"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let output = tokio::time::timeout(PATIENCE, self.command(arguments).output())
            .await
            .unwrap_or_else(|_| panic!("`xrefd {}` does not end", arguments.join(" ")))
            .expect("the binary runs");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("stdout is text"),
            stderr: String::from_utf8(output.stderr).expect("stderr is text"),
        }
    }

    /// Starts the daemon, and waits until it is ready. It must be configured to listen on port 0.
    #[expect(clippy::disallowed_methods, reason = "the reader ends with the daemon's stderr")]
    pub async fn serve(&self) -> Daemon {
        let mut child = self.command(&["serve"]).spawn().expect("the binary runs");
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("stderr is piped");
        tokio::spawn({
            let said = Arc::clone(&said);
            async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    said.push_str(&line);
                    said.push('\n');
                }
            }
        });
        let mut daemon = Daemon { child, said, url: String::new() };
        let began = Instant::now();
        loop {
            if let Some((_, rest)) = daemon.said().split_once("listening on ") {
                let end = rest.find(|c: char| c == '"' || c.is_whitespace()).unwrap_or(rest.len());
                daemon.url = rest[..end].to_owned();
                if daemon.get("/readyz").await.is_some_and(|(status, _)| status == 200) {
                    return daemon;
                }
            }
            let ended = daemon.child.try_wait().expect("a child can be looked at");
            assert!(ended.is_none(), "the daemon ended with {ended:?}: {}", daemon.said());
            assert!(began.elapsed() < PATIENCE, "the daemon is not ready: {}", daemon.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A running daemon. It is killed when dropped.
pub struct Daemon {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Where it listens.
    pub url: String,
}

impl Daemon {
    /// Returns what it has logged so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for a path and query; `None` when there is no answer.
    pub async fn get(&self, address: &str) -> Option<(u16, Value)> {
        self.get_as(address, None).await
    }

    /// Asks with an API key.
    pub async fn get_as(&self, address: &str, key: Option<&str>) -> Option<(u16, Value)> {
        let url = format!("{}{address}", self.url).parse().expect("an address");
        let mut request = reqwest::Request::new(reqwest::Method::GET, url);
        if let Some(key) = key {
            let value = format!("Bearer {key}").parse().expect("a header value");
            request.headers_mut().insert("authorization", value);
        }
        let response = reqwest::Client::new().execute(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// Returns whatever it answers to a path and query, as text.
    pub async fn text(&self, address: &str) -> String {
        let url = format!("{}{address}", self.url).parse().expect("an address");
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        let response = reqwest::Client::new().execute(request).await.expect("an answer");
        response.text().await.expect("a whole answer")
    }

    /// Asks for a path and query, and returns the body of a success.
    pub async fn data(&self, address: &str) -> Value {
        let (status, body) = self.get(address).await.expect("an answer");
        assert_eq!(status, 200, "{address}: {body}");
        body
    }

    /// Tells it to stop, as a service manager would.
    pub fn tell_to_stop(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("the daemon runs").to_string();
        let told = std::process::Command::new("kill").args(["-s", name, &id]).status();
        assert!(told.expect("kill runs").success());
    }

    /// Tells it to stop, and returns its exit code and all that it wrote: stdout, then stderr.
    pub async fn stop(mut self) -> (i32, String) {
        self.tell_to_stop();
        let mut stdout = String::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            use tokio::io::AsyncReadExt as _;
            let read = tokio::time::timeout(PATIENCE, pipe.read_to_string(&mut stdout)).await;
            read.expect("the daemon stops in time").expect("stdout is text");
        }
        let status = self.child.wait().await.expect("the daemon ends");
        (status.code().unwrap_or(-1), format!("{stdout}\n{}", self.said()))
    }
}
