//! Where a token is read from: a variable, a file, or a command's output.
//!
//! The configuration names the place and never holds the token, so it can be shown, logged and
//! kept in a repository. The token is read when it is needed and again when GitLab refuses it, so
//! a rotated one is picked up without a restart. It refuses to show what it read, and the
//! arguments of a command, which may name a secret themselves.

use std::io;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use tokio::process::Command;

use super::section::Section;
use super::show::quote;
use super::{Environment, Error};

/// How long a command may take. A password manager asks its server within a second or two; one
/// that waits for input would wait for ever.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

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

impl TokenSource {
    /// Reads the token.
    pub async fn read(&self, environment: &Environment) -> Result<SecretString, Error> {
        let text = match self {
            Self::Env(name) => environment
                .find(name)
                .ok_or_else(|| Error::TokenUnset { name: name.clone() })?
                .to_owned(),
            Self::File(path) => {
                let file = path.clone();
                // A file may be a pipe that nobody writes to: not on a thread of the runtime.
                tokio::task::spawn_blocking(move || read_file(&file))
                    .await
                    .map_err(io::Error::other)
                    .and_then(|read| read)
                    .map_err(|source| Error::TokenFile { path: path.clone(), source })?
            }
            Self::Command { program, arguments } => run(program, arguments, COMMAND_LIMIT).await?,
        };
        self.check(text.trim())
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

    /// Reads the key `token` of a source. `None` when it is absent or wrong; then the problem is
    /// reported.
    pub(super) fn read_key(section: &mut Section<'_>) -> Option<Self> {
        if section.is_text("token") {
            let place = section.place_of("token");
            section.discard("token");
            section.report(
                "token",
                place,
                "holds a text, but a token may not stand in the configuration, which is shown and \
                 logged: name its place, as in { env = \"GITLAB_TOKEN\" }, { file = \
                 \"/run/secrets/gitlab\" } or { command = [\"program\", \"argument\"] }. If a \
                 token was written here, replace it by a new one",
            );
            return None;
        }
        let place = section.place_of("token");
        let (count, found) = section.read_present("token", |token| {
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
                "token",
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

fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(FILE_LIMIT + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_LIMIT) {
        return Err(io::Error::other("it is far too large to hold only a token"));
    }
    Ok(text)
}

/// Runs a command and returns what it prints. Its messages on stderr are dropped: a program that
/// fails may print what it was given.
async fn run(program: &str, arguments: &[String], limit: Duration) -> Result<String, Error> {
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
    // What is not Unicode becomes marks that no token holds, and is refused with it.
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
