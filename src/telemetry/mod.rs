//! Logs: how they are written, and which of them. Metrics: [`metrics`].
//!
//! Logs go to stderr, so that stdout holds data alone: as text where a person looks on, as one
//! JSON object a line where a program collects them. `XREFD_LOG` chooses what is written, in the
//! form `info,xrefd::crawl=debug`. It refuses to guess: a filter that cannot be read is an error
//! and not silence.

pub mod metrics;

use std::io;
use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{EnvFilter, util::SubscriberInitExt as _};

use crate::config::Environment;

/// The variable that holds the filter.
const FILTER_VARIABLE: &str = "XREFD_LOG";

/// How log lines are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    format: Format,
    filter: String,
    color: bool,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter cannot be read.
    #[error(
        "cannot read the log filter \"{filter}\"; write {FILTER_VARIABLE} as in \"info\" or \
         \"info,xrefd::crawl=debug\""
    )]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Logging has been set up before.
    #[error("logging is set up already; a process does that once")]
    AlreadySet {
        /// What the library says.
        #[source]
        source: TryInitError,
    },
}

impl Settings {
    /// Takes the filter from `XREFD_LOG`, or the given one where that is not set, and no colour
    /// where `NO_COLOR` is set.
    pub fn new(format: Format, default_filter: &str, environment: &Environment) -> Self {
        Self {
            format,
            filter: environment.find(FILTER_VARIABLE).unwrap_or(default_filter).to_owned(),
            color: environment.find("NO_COLOR").is_none(),
        }
    }
}

/// Tells an error with its causes on one line. A message never holds that of its cause, so that
/// nothing is said twice.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    text
}

/// Begins to write logs to stderr. Fails when the filter cannot be read, or when it was called
/// before; what was set up then stays.
pub fn init(settings: &Settings) -> Result<(), Error> {
    subscriber(settings, io::stderr().is_terminal(), io::stderr)?
        .try_init()
        .map_err(|source| Error::AlreadySet { source })
}

fn subscriber<W>(
    settings: &Settings,
    terminal: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, Error>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|source| Error::Filter { filter: settings.filter.clone(), source })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(terminal && settings.color);
    let json = match settings.format {
        Format::Auto => !terminal,
        Format::Text => false,
        Format::Json => true,
    };
    Ok(if json {
        Box::new(builder.json().flatten_event(true).finish())
    } else {
        Box::new(builder.finish())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(format: Format, terminal: bool, environment: &Environment) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = Settings::new(format, "info", environment);
        let subscriber = subscriber(&settings, terminal, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(project.id = 7, "project crawled");
            tracing::debug!("why");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_terminal_gets_text_and_a_pipe_gets_json() {
        let none = Environment::default();
        let text = log(Format::Auto, true, &none);
        assert!(text.contains("project crawled") && text.contains("\u{1b}["), "{text}");
        for json in [log(Format::Auto, false, &none), log(Format::Json, true, &none)] {
            let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
            assert_eq!(line["message"], "project crawled");
            assert_eq!(line["project.id"], 7);
        }
    }

    #[test]
    fn no_color_is_respected() {
        let text = log(Format::Text, true, &Environment::from([("NO_COLOR", "1")]));
        assert!(!text.contains('\u{1b}'), "{text}");
        let text = log(Format::Text, false, &Environment::default());
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn the_variable_chooses_what_is_logged() {
        assert!(!log(Format::Text, false, &Environment::default()).contains("why"));
        let environment = Environment::from([("XREFD_LOG", "debug")]);
        assert!(log(Format::Text, false, &environment).contains("why"));
        let environment = Environment::from([("XREFD_LOG", "error")]);
        assert_eq!(log(Format::Text, false, &environment), "");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error_that_names_the_variable() {
        let environment = Environment::from([("XREFD_LOG", "xrefd=loud")]);
        let settings = Settings::new(Format::Auto, "info", &environment);
        let error = init(&settings).unwrap_err();
        assert!(error.to_string().contains("XREFD_LOG"), "{error}");
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let cause = io::Error::other(io::Error::other("the disk is full"));
        let error = Error::Filter {
            filter: "loud".to_owned(),
            source: EnvFilter::try_new("xrefd=loud").unwrap_err(),
        };
        assert_eq!(chain(&cause), "the disk is full");
        assert!(chain(&error).starts_with(&format!("{error}: ")), "{}", chain(&error));
    }

    #[test]
    fn setting_up_twice_is_an_error_and_no_panic() {
        let settings = Settings::new(Format::Auto, "off", &Environment::default());
        // Another test of this process may have been first.
        let first = init(&settings);
        assert!(!matches!(first, Err(Error::Filter { .. })));
        assert!(matches!(init(&settings), Err(Error::AlreadySet { .. })));
    }
}
