//! The one error type of the configuration.
//!
//! Every message names the thing, the cause and the next step, because it is read by somebody
//! whose daemon does not start. No message shows a value that could be a secret: a broken TOML
//! line is named by its number, a token by the place it was to come from.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Problem;

/// Why the configuration could not be used, or a token not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file named by `--config` does not exist.
    #[error("there is no configuration file {}: name another with --config, or leave it out to use the defaults and the environment", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file exists but cannot be read.
    #[error("cannot read the configuration file {}: it must be a text file that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML. The line itself is not shown: it may hold a secret.
    #[error("{}{position}: this is not valid TOML: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line and column, or empty when the parser names none.
        position: Position,
        /// What the parser says.
        message: String,
    },
    /// The configuration was read, but something in it is wrong.
    #[error("{}", list(problems))]
    Invalid {
        /// Everything found, in the order found.
        problems: Vec<Problem>,
    },
    /// A command needs a GitLab, and none is configured.
    #[error(
        "no GitLab is configured: set GITLAB_URL (and GITLAB_TOKEN, GITLAB_GROUPS or GITLAB_PROJECTS), or add a [[gitlab]] section with its url to xrefd.toml{note}"
    )]
    NoSource {
        /// What was found that could not be used by itself; may be empty.
        note: String,
    },
    /// The environment variable that should hold the token is not set.
    #[error(
        "no token: the environment variable {name} is not set or empty; set it, or name another place with `token`"
    )]
    TokenUnset {
        /// The variable.
        name: String,
    },
    /// The file that should hold the token cannot be read.
    #[error("no token: cannot read the file {}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The command that should print the token cannot be run.
    #[error("no token: cannot run the command `{program}`; is it installed and on the PATH?")]
    TokenCommand {
        /// The program, without its arguments.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The command that should print the token failed.
    #[error("no token: the command `{program}` failed ({status}); run it by hand to see why")]
    TokenCommandFailed {
        /// The program, without its arguments.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The command that should print the token did not end in time.
    #[error(
        "no token: the command `{program}` did not end within {seconds} seconds; does it wait for input?"
    )]
    TokenCommandSlow {
        /// The program, without its arguments.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// What was read holds no token.
    #[error("no token: {place} holds nothing")]
    TokenEmpty {
        /// The place it was read from.
        place: String,
    },
    /// What was read cannot be a token.
    #[error("no token: what {place} holds is not one line of printable characters without spaces")]
    TokenMalformed {
        /// The place it was read from.
        place: String,
    },
}

impl Error {
    /// Returns the single problems of a configuration that was read but is wrong.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid { problems } => problems,
            Self::Absent { .. }
            | Self::Unreadable { .. }
            | Self::Syntax { .. }
            | Self::NoSource { .. }
            | Self::TokenUnset { .. }
            | Self::TokenFile { .. }
            | Self::TokenCommand { .. }
            | Self::TokenCommandFailed { .. }
            | Self::TokenCommandSlow { .. }
            | Self::TokenEmpty { .. }
            | Self::TokenMalformed { .. } => &[],
        }
    }
}

/// A line and column, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position(pub Option<(usize, usize)>);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ", line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

fn list(problems: &[Problem]) -> String {
    match problems {
        [only] => format!("the configuration is not valid: {only}"),
        many => many.iter().fold(
            format!("the configuration has {} problems:", many.len()),
            |mut text, problem| {
                text.push_str("\n  ");
                text.push_str(&problem.to_string());
                text
            },
        ),
    }
}
