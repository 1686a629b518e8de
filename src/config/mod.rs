//! The configuration: what a person wrote, as typed and checked values.
//!
//! Defaults stand in the code; over them comes the TOML file, then the environment variables
//! `XREFD__SECTION__KEY`, then the short forms `GITLAB_URL`, `GITLAB_TOKEN`, `GITLAB_GROUPS` and
//! `GITLAB_PROJECTS` for what a single source still lacks. Everything is checked here, before the
//! first socket opens, and everything that is wrong is reported at once; past this module nobody
//! asks the environment or meets a text that means something else.
//!
//! It holds no secret: of a token it knows the place, of an API key the hash. It refuses to start
//! with a key it does not know, because a misspelled key would be silently without effect.
//!
//! One file per section: `server`, `database`, `source` (with `auth` and `token`), `schedule`,
//! `rules`, `aliases`, `api_keys`. How they are read: `section`. What is said when that fails:
//! `error` and `problem`.

use std::path::{Path, PathBuf};

use serde::Serialize;

mod aliases;
mod api_keys;
mod auth;
mod database;
mod environment;
mod error;
mod file;
mod glob;
mod inline;
mod pattern;
mod problem;
mod reading;
mod rules;
mod schedule;
mod section;
mod server;
mod show;
mod source;
mod token;

#[cfg(test)]
mod tests;

pub use aliases::Aliases;
pub use api_keys::{ApiKey, ApiKeys, KeyHash, NewKey, Scope};
pub use auth::Auth;
pub use database::Database;
pub use environment::Environment;
pub use error::{Error, Position};
pub use file::SEARCHED;
pub use glob::PathGlob;
pub use pattern::Pattern;
pub use problem::{Place, Problem};
pub use rules::{
    FieldRule, HOST_FAMILIES, LabelRule, OwnerRule, PathRule, ReferenceRule, Rules, Sentry,
    TopicRule,
};
pub use schedule::{Cron, Schedule};
pub use server::Server;
pub use source::{Source, Transport};
pub use token::{Stamp, TokenSource};

use file::ConfigFile;
use problem::Problems;
use section::Section;
use show::Toml;

/// The whole configuration. Serialized, it shows what `config show` may show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[database]`.
    pub database: Database,
    /// `[[gitlab]]`.
    #[serde(rename = "gitlab")]
    pub sources: Vec<Source>,
    /// `[schedule]`.
    pub schedule: Schedule,
    /// `[rules]`.
    pub rules: Rules,
    /// `[aliases]`.
    pub aliases: Aliases,
    /// `[[api_keys]]`.
    pub api_keys: ApiKeys,
    /// Short forms that were set and could not be used, for the message when no source is there.
    #[serde(skip)]
    unused: String,
}

/// A configuration and the file it was read from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file; `None` when there is none, so that only defaults and environment count.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads the configuration. A file that is named must exist; without a name the first of
    /// [`SEARCHED`] is read, if there is one. Touches the disk and nothing else: tokens are read
    /// when they are needed.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Loaded, Error> {
        let file = match path {
            Some(path) => Some(ConfigFile::load(path)?),
            None => ConfigFile::find_first(&SEARCHED)?,
        };
        Self::build(file, environment)
    }

    /// Returns the sources, or says how to configure one when there is none.
    pub fn require_sources(&self) -> Result<&[Source], Error> {
        if self.sources.is_empty() {
            return Err(Error::NoSource { note: self.unused.clone() });
        }
        Ok(&self.sources)
    }

    /// Finds a source by its name.
    pub fn find_source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Returns the effective configuration as TOML, without secrets: places of tokens but no
    /// token, and of an API key's hash only the beginning.
    pub fn redacted(&self) -> String {
        let mut toml = Toml::default();
        self.server.show(&mut toml);
        self.database.show(&mut toml);
        for source in &self.sources {
            source.show(&mut toml);
        }
        self.schedule.show(&mut toml);
        self.rules.show(&mut toml);
        self.aliases.show(&mut toml);
        self.api_keys.show(&mut toml);
        toml.into_string()
    }

    fn build(file: Option<ConfigFile>, environment: &Environment) -> Result<Loaded, Error> {
        let (path, mut values) = match file {
            Some(file) => (Some(file.path), file.values),
            None => (None, ::config::Map::new()),
        };
        let place =
            path.as_ref().map_or(Place::Nowhere, |path| Place::File(path.display().to_string()));
        let problems = Problems::new(place);
        environment.overlay(&mut values, &problems);
        let mut root = Section::root(values, &problems);
        let api_keys = ApiKeys::read(&mut root);
        let config = Self {
            server: root.read("server", |section| Server::read(section, &api_keys)),
            database: root.read("database", Database::read),
            sources: Source::read_all(&mut root, environment),
            schedule: root.read("schedule", Schedule::read),
            rules: root.read("rules", Rules::read),
            aliases: root.read("aliases", Aliases::read),
            api_keys,
            unused: describe_unused(environment),
        };
        root.finish();
        let problems = problems.into_vec();
        if problems.is_empty() {
            Ok(Loaded { config, file: path })
        } else {
            Err(Error::Invalid { problems })
        }
    }
}

/// Names the short forms that are set but make no source by themselves.
fn describe_unused(environment: &Environment) -> String {
    let set: Vec<&str> =
        ["GITLAB_FALLBACK_TOKEN", "GITLAB_GROUPS", "GITLAB_PROJECTS", "GITLAB_TOKEN"]
            .into_iter()
            .filter(|name| environment.find(name).is_some())
            .collect();
    if set.is_empty() {
        return String::new();
    }
    format!("; GITLAB_URL is not set, so {} has no effect", set.join(" and "))
}
