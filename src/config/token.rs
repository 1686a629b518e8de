//! Where a token is read from: a variable, a file, or a command's output.
//!
//! The configuration names the place and never holds the token, so it can be shown, logged and
//! kept in a repository. When it is read, and when again, is decided by the one who holds keys
//! (`gitlab::credential`); [`TokenSource::stamp`] tells without reading whether a file changed. It
//! refuses to show what it read, and the arguments of a command, which may name a secret
//! themselves.

use std::io;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Serialize;
use tokio::process::Command;

use super::section::Section;
use super::show::quote;
use super::{Environment, Error};

/// How long a command may take. A password manager asks its server within a second or two; one
/// that waits for input would wait for ever.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// How long a file may take. It may be a pipe that nobody writes to, or lie on a server that is
/// gone.
const FILE_TIME: Duration = Duration::from_secs(10);

/// The most that is read of a file, in bytes. GitLab's tokens have less than a hundred, a job
/// token that is a signed document some thousands.
const FILE_LIMIT: u64 = 64 * 1024;

/// The place a token is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// An environment variable.
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
    /// A program and its arguments, which print the token and nothing else.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// What a file looks like from outside. Another stamp means that it was written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length_bytes: u64,
    /// Device and number of the file: a secret that is mounted is replaced by another file, which
    /// may be as old and as long.
    file: Option<(u64, u64)>,
}

impl TokenSource {
    /// Reads the token.
    ///
    /// # Errors
    ///
    /// When the place holds no token, or does not say so in time. The error names the place.
    pub async fn read(&self, environment: &Environment) -> Result<SecretString, Error> {
        let text = match self {
            Self::Env(name) => Zeroizing::new(
                environment
                    .find(name)
                    .ok_or_else(|| Error::TokenUnset { name: name.clone() })?
                    .to_owned(),
            ),
            Self::File(path) => {
                let file = path.clone();
                // A file may be a pipe that nobody writes to: not on a thread of the runtime.
                let read = tokio::task::spawn_blocking(move || read_file(&file));
                match tokio::time::timeout(FILE_TIME, read).await {
                    Ok(read) => read.map_err(io::Error::other).and_then(|read| read),
                    Err(_) => Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!("it could not be read within {} seconds", FILE_TIME.as_secs()),
                    )),
                }
                .map_err(|source| Error::TokenFile { path: path.clone(), source })?
            }
            Self::Command { program, arguments } => run(program, arguments, COMMAND_LIMIT).await?,
        };
        self.check(text.trim())
    }

    /// Looks at the file without reading it. `None` for what is no plain file, or cannot be looked
    /// at: a variable never changes while a program runs, and what a command or a pipe holds shows
    /// only when it is read.
    pub async fn stamp(&self) -> Option<Stamp> {
        let Self::File(path) = self else { return None };
        let found = tokio::time::timeout(FILE_TIME, tokio::fs::metadata(path)).await.ok()?.ok()?;
        found.is_file().then(|| Stamp {
            modified: found.modified().ok(),
            length_bytes: found.len(),
            file: file_number(&found),
        })
    }

    /// Returns the place in words: `the environment variable GITLAB_TOKEN`.
    pub fn describe(&self) -> String {
        match self {
            Self::Env(name) => format!("the environment variable {name}"),
            Self::File(path) => format!("the file {}", path.display()),
            Self::Command { program, .. } => format!("the output of the command `{program}`"),
        }
    }

    fn check(&self, token: &str) -> Result<SecretString, Error> {
        if token.is_empty() {
            return Err(Error::TokenEmpty { place: self.describe() });
        }
        if !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Error::TokenMalformed { place: self.describe() });
        }
        Ok(SecretString::from(token))
    }

    /// Reads a key that names a place. `None` when it is absent or wrong; then the problem is
    /// reported.
    pub(super) fn read_key(section: &mut Section<'_>, key: &str) -> Option<Self> {
        if section.is_text(key) {
            let place = section.place_of(key);
            section.discard(key);
            section.report(
                key,
                place,
                "holds a text, but a token may not stand in the configuration, which is shown and \
                 logged: name its place, as in { env = \"GITLAB_TOKEN\" }, { file = \
                 \"/run/secrets/gitlab\" } or { command = [\"program\", \"argument\"] }. If a \
                 token was written here, replace it by a new one",
            );
            return None;
        }
        let place = section.place_of(key);
        let (count, found) = section.read_present(key, |token| {
            const KEYS: [&str; 3] = ["env", "file", "command"];
            // A variable names a new place; the one in the file then no longer counts.
            if KEYS.iter().any(|key| token.is_from_variable(key)) {
                for key in KEYS {
                    if token.has(key) && !token.is_from_variable(key) {
                        token.discard(key);
                    }
                }
            }
            let count = KEYS.iter().filter(|key| token.has(key)).count();
            let env = token.parse("env", parse_variable).map(Self::Env);
            let file = token.parse("file", parse_file).map(Self::File);
            let command = read_command(token);
            (count, env.or(file).or(command))
        })?;
        if count != 1 {
            section.report(
                key,
                place,
                "must name exactly one place: { env = \"NAME\" }, { file = \"PATH\" } or \
                 { command = [\"program\", \"argument\"] }",
            );
        }
        found
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Env(name) => format!("{{ env = {} }}", quote(name)),
            Self::File(path) => format!("{{ file = {} }}", quote(&path.display().to_string())),
            Self::Command { program, arguments } => {
                let rest = if arguments.is_empty() { "" } else { ", \"…\"" };
                format!("{{ command = [{}{rest}] }}", quote(program))
            }
        }
    }
}

impl Serialize for TokenSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Shown<'a> {
            Env(&'a str),
            File(&'a Path),
            Command([&'a str; 1]),
        }
        match self {
            Self::Env(name) => Shown::Env(name),
            Self::File(path) => Shown::File(path),
            Self::Command { program, .. } => Shown::Command([program]),
        }
        .serialize(serializer)
    }
}

/// Reads the name of a variable. What cannot be one is not repeated: a token may have been put
/// here by mistake.
fn parse_variable(name: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = name.chars().next();
    if first.is_none_or(|c| c.is_ascii_digit()) || !name.chars().all(valid) {
        return Err("must be the name of an environment variable (letters, digits, _), not a \
                    token"
            .to_owned());
    }
    Ok(name.to_owned())
}

fn parse_file(path: &str) -> Result<PathBuf, String> {
    if path.is_empty() || path.contains('\0') {
        return Err("must be the path of a file".to_owned());
    }
    Ok(PathBuf::from(path))
}

fn read_command(token: &mut Section<'_>) -> Option<TokenSource> {
    let place = token.place_of("command");
    let mut words = token.texts("command")?.into_iter();
    match words.next() {
        Some(program) if !program.is_empty() => {
            Some(TokenSource::Command { program, arguments: words.collect() })
        }
        _ => {
            token.report("command", place, "must be a list that begins with a program");
            None
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems number no files")]
fn file_number(found: &std::fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_number(_: &std::fs::Metadata) -> Option<(u64, u64)> {
    None
}

fn read_file(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(path)?.take(FILE_LIMIT + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_LIMIT) {
        return Err(io::Error::other("it is far too large to hold only a token"));
    }
    Ok(text)
}

/// Runs a command and returns what it prints. Its messages on stderr are dropped: a program that
/// fails may print what it was given.
async fn run(
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<Zeroizing<String>, Error> {
    let cannot = |source| Error::TokenCommand { program: program.to_owned(), source };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot)?;
    let output = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .map_err(|_| Error::TokenCommandSlow {
            program: program.to_owned(),
            seconds: limit.as_secs(),
        })?
        .map_err(cannot)?;
    if !output.status.success() {
        return Err(Error::TokenCommandFailed {
            program: program.to_owned(),
            status: output.status,
        });
    }
    let printed = Zeroizing::new(output.stdout);
    // What is not Unicode becomes marks that no token holds, and is refused with it.
    Ok(Zeroizing::new(String::from_utf8_lossy(&printed).into_owned()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn command(words: &[&str]) -> TokenSource {
        let mut words = words.iter().map(|word| (*word).to_owned());
        TokenSource::Command { program: words.next().unwrap(), arguments: words.collect() }
    }

    fn chain(error: &Error) -> String {
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }

    #[tokio::test]
    async fn a_token_is_read_from_variable_file_and_command_without_white_space() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "\nglpat-file \n").unwrap();
        let environment = Environment::from([("TOKEN", " glpat-env\n")]);
        for (source, token) in [
            (TokenSource::Env("TOKEN".to_owned()), "glpat-env"),
            (TokenSource::File(path), "glpat-file"),
            (command(&["printf", "%s\\n", "glpat-command"]), "glpat-command"),
        ] {
            let read = source.read(&environment).await.unwrap();
            assert_eq!(read.expose_secret(), token);
            assert!(!format!("{read:?}").contains("glpat"));
        }
    }

    #[tokio::test]
    async fn a_place_without_a_token_is_named_in_the_error() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty");
        std::fs::write(&empty, " \n").unwrap();
        let large = directory.path().join("large");
        std::fs::write(&large, "x".repeat(70_000)).unwrap();
        let environment = Environment::from([("EMPTY", "")]);
        for (source, named) in [
            (TokenSource::Env("EMPTY".to_owned()), "EMPTY"),
            (TokenSource::Env("UNSET".to_owned()), "UNSET"),
            (TokenSource::File(empty), "empty holds nothing"),
            (TokenSource::File(large), "too large"),
            (TokenSource::File(directory.path().join("absent")), "absent"),
            (TokenSource::File(directory.path().to_owned()), "cannot read"),
            (command(&["true"]), "`true` holds nothing"),
            (command(&["false"]), "`false` failed"),
            (command(&["no-such-program-here"]), "`no-such-program-here`"),
        ] {
            let error = source.read(&environment).await.unwrap_err();
            assert!(chain(&error).contains(named), "{named}: {error}");
        }
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_a_token_is_refused_and_never_shown() {
        let environment = Environment::from([("TOKEN", "glpat-one\nglpat-two")]);
        for source in [
            TokenSource::Env("TOKEN".to_owned()),
            command(&["printf", "glpat-one two"]),
            command(&["printf", "glpat-\\377"]),
        ] {
            let error = source.read(&environment).await.unwrap_err();
            assert!(matches!(error, Error::TokenMalformed { .. }), "{error}");
            assert!(!chain(&error).contains("glpat"), "{}", chain(&error));
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_shows_neither_output_nor_arguments() {
        let source = command(&["sh", "-c", "echo glpat-out; echo glpat-err >&2; exit 3"]);
        let error = source.read(&Environment::default()).await.unwrap_err();
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        assert!(!chain(&error).contains("glpat"), "{}", chain(&error));
    }

    #[tokio::test]
    async fn a_file_that_is_written_or_replaced_gets_another_stamp() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = TokenSource::File(path.clone());
        assert_eq!(source.stamp().await, None, "there is no file yet");
        std::fs::write(&path, "glpat-one").unwrap();
        let first = source.stamp().await;
        assert!(first.is_some());
        assert_eq!(source.stamp().await, first);
        let other = directory.path().join("other");
        std::fs::write(&other, "glpat-two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(source.stamp().await, first);
        assert_eq!(TokenSource::File(directory.path().to_owned()).stamp().await, None);
        assert_eq!(TokenSource::Env("TOKEN".to_owned()).stamp().await, None);
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_given_up() {
        let error = run("sleep", &["60".to_owned()], Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, Error::TokenCommandSlow { .. }), "{error}");
    }

    #[test]
    fn a_command_is_shown_without_its_arguments() {
        let source = command(&["vault", "--token", "s.secret"]);
        assert_eq!(source.shown(), "{ command = [\"vault\", \"…\"] }");
        assert!(!serde_json::to_string(&source).unwrap().contains("s.secret"));
    }
}
