//! The real binary: commands that end, and a daemon that runs until it is stopped.
//!
//! It waits for states, each with a deadline far beyond what a slow machine needs.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::{Bench, TOKEN_VARIABLE};

/// How long a state may take to come.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How often a state is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// What a command left.
#[derive(Debug)]
pub struct Output {
    /// The exit code.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// All else.
    pub stderr: String,
}

impl Output {
    /// Reads the data as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Prepares the binary with a configuration and the token, and nothing else of the environment.
pub fn command(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command.arg("--config").arg(bench.config()).env(TOKEN_VARIABLE, bench.token());
    command
}

/// Prepares the binary with nothing of the environment.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xrefd"));
    command.args(arguments).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(bench: &Bench, arguments: &[&str]) -> Output {
    finish(command(bench, arguments)).await
}

/// Runs a prepared command to its end.
pub async fn finish(mut command: Command) -> Output {
    let output = tokio::time::timeout(PATIENCE, command.output());
    let output = output.await.expect("the command ends").expect("the binary runs");
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is text"),
        stderr: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// Waits until something is there.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(LOOK).await;
    }
}

/// A running `serve`.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    /// Where it answers.
    pub url: String,
}

impl Daemon {
    /// Starts a daemon, and waits until it listens.
    pub async fn start(bench: &Bench) -> Self {
        let log = bench.config().with_file_name("daemon.log");
        Self::spawn(command(bench, &["serve"]), log, "listening on ").await
    }

    /// Starts something that serves and writes all it says to a file, and waits until it says
    /// where it answers: after `mark`.
    pub async fn spawn(mut command: Command, log: PathBuf, mark: &str) -> Self {
        let file = File::create(&log).expect("the log can be made");
        let copy = file.try_clone().expect("a file can be opened twice");
        command.stdout(copy).stderr(file);
        let mut child = command.spawn().expect("the binary runs");
        let url = wait_for("the address", async || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(status) = child.try_wait().expect("its state can be asked") {
                panic!("it ended with {status}: {text}");
            }
            let (_, rest) = text.split_once(mark)?;
            // The rest of the line may still be on its way.
            let end = rest.find(|c: char| c.is_whitespace() || c == '"')?;
            Some(rest[..end].to_owned())
        });
        let url = url.await;
        Self { child, log, url }
    }

    /// Returns what it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks for an address with a key, and returns the status and the body.
    pub async fn get(&self, path: &str, key: Option<&str>) -> Option<(u16, Value)> {
        let mut request = reqwest::Client::new().get(format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        #[expect(clippy::disallowed_methods, reason = "this is no request to GitLab")]
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let body = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Waits until a whole sync has ended.
    pub async fn synced(&self) -> Value {
        wait_for("the first sync", async || {
            let (_, body) = self.get("/readyz", None).await?;
            (body["complete"] == true).then_some(body)
        })
        .await
    }

    /// Sends a signal by its name.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait());
        let status = status.await.expect("it ends").expect("its state can be asked");
        (status, self.log())
    }
}
