//! `xrefd doctor`: what stands in the way, and what to do about it.
//!
//! A list of checks, each a function that says what it found. It needs no daemon, changes nothing,
//! and sends a few requests for each source. What is wrong is for a person to mend: it mends
//! nothing itself.

mod local;
mod source;

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::build::{self, Parts};
use super::output::{self, Format, plain};
use super::{Outcome, hint};
use crate::config::{Config, Environment};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How to print the findings [default: table on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    /// As it should be.
    Ok,
    /// It works, and a person should look at it; or a part of the index will be missing.
    Warning,
    /// It does not work.
    Error,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    severity: Severity,
    /// Which check: `token`, `database`.
    check: &'static str,
    /// The source, where it is about one.
    source: Option<String>,
    /// What was found.
    what: String,
    /// Why that is so, where it is known.
    why: Option<String>,
    /// What to do about it.
    next_step: Option<String>,
}

impl Finding {
    fn new(severity: Severity, check: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { severity, check, source: None, what, why: None, next_step: None }
    }

    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Ok, check, what)
    }

    fn warning(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Warning, check, what)
    }

    fn error(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Error, check, what)
    }

    fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    fn then(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }

    fn of(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }
}

/// Runs the command.
pub async fn run(
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    build::log("error", environment)?;
    let format = Format::settle(arguments.format);
    let parts = match load(config, environment) {
        Ok(parts) => parts,
        Err(error) => {
            let finding = Finding::error("configuration", "the configuration cannot be used")
                .because(format!("{error:#}"))
                .then(
                    hint(&error).unwrap_or_else(|| "correct what is named, and run again".into()),
                );
            print(format, &[finding]);
            return Err(error);
        }
    };
    let mut findings = vec![Finding::ok("configuration", "the configuration is valid")];
    for check in local::CHECKS {
        findings.extend(check(&parts).await);
    }
    let mut lost = 0;
    for source in &parts.config.sources {
        let found = source::examine(source, &parts).await;
        lost += usize::from(found.iter().any(|finding| finding.severity == Severity::Error));
        findings.extend(found);
    }
    print(format, &findings);
    let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    let elsewhere = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error && finding.source.is_none());
    if !has_errors {
        Ok(Outcome::Done)
    } else if !elsewhere && lost < parts.config.sources.len() {
        // The other sources can be read.
        Ok(Outcome::Incomplete)
    } else {
        anyhow::bail!("a sync would fail; the findings say why")
    }
}

fn load(path: Option<&Path>, environment: &Environment) -> anyhow::Result<Parts> {
    let loaded = Config::load(path, environment)?;
    loaded.config.require_sources()?;
    Parts::new(loaded.config, environment.clone())
}

fn print(format: Format, findings: &[Finding]) {
    match format {
        Format::Json => output::json(&findings),
        Format::Table => output::data(&shown(findings)),
    }
}

/// Shows findings, the reason and the next step below each.
fn shown(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for finding in findings {
        let place = match &finding.source {
            Some(source) => format!("{} {source}", finding.check),
            None => finding.check.to_owned(),
        };
        let severity = finding.severity.as_str();
        lines.push(format!("{severity:<8}{}: {}", plain(&place), plain(&finding.what)));
        for (word, text) in [("why", &finding.why), ("do", &finding.next_step)] {
            if let Some(text) = text {
                lines.push(format!("        {word}: {}", plain(text)));
            }
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_shown_with_its_reason_and_the_next_step() {
        let findings = [
            Finding::ok("configuration", "the configuration is valid"),
            Finding::error("token", "GitLab refuses the token")
                .because("it has\nexpired")
                .then("make a new one")
                .of("main"),
        ];
        assert_eq!(
            shown(&findings),
            "ok      configuration: the configuration is valid\n\
             error   token main: GitLab refuses the token\n        \
             why: it has expired\n        do: make a new one"
        );
    }
}
