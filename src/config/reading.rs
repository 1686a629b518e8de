//! The reader that this configuration asks for.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::Config;
use crate::correlate::{KeyRule, Names, Reader, ReaderSettings, Rules};
use crate::extract::{self, CustomReference, Fields, References};

/// Raised when the program itself reads texts differently, so that what is stored is read again.
const READING_VERSION: &str = "1";

impl Config {
    /// Builds what reads tags and references out of texts.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be compiled with the configured rules.
    pub fn reader(&self) -> Result<Reader, extract::Error> {
        let rules = &self.rules;
        let topics = rules
            .topics
            .iter()
            .map(|rule| KeyRule { pattern: rule.pattern.regex().clone(), key: rule.key.clone() });
        let labels = rules
            .labels
            .iter()
            .map(|rule| KeyRule { pattern: rule.pattern.regex().clone(), key: rule.key.clone() });
        let mut names = if rules.defaults { Fields::default_names() } else { BTreeMap::new() };
        for rule in &rules.fields {
            names.insert(rule.name.clone(), rule.key.clone());
        }
        let mut hosts = rules.hosts.clone();
        let mut gitlab_hosts = hosts.remove("gitlab").unwrap_or_default();
        gitlab_hosts.extend(self.sources.iter().filter_map(|source| {
            let host = source.url.host_str()?;
            let port = source.url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{host}{port}{}", source.url.path().trim_end_matches('/')))
        }));
        let settings = extract::Settings {
            gitlab_hosts,
            prefixes: rules.prefixes.clone(),
            hosts,
            sentry_projects: rules.sentry.projects.clone(),
            custom: rules
                .references
                .iter()
                .map(|rule| CustomReference {
                    kind: rule.kind.clone(),
                    pattern: rule.pattern.as_str().to_owned(),
                    id: rule.id.clone(),
                    url: rule.url.clone(),
                })
                .collect(),
        };
        let everything =
            format!("{READING_VERSION} {:?} {:?} {settings:?}", self.rules, self.aliases);
        let revision = Sha256::digest(everything.as_bytes());
        let revision = URL_SAFE_NO_PAD.encode(&revision[..12]);
        Ok(Reader::new(ReaderSettings {
            rules: Rules::new(topics.collect(), labels.collect(), rules.defaults),
            names: Names::new(&self.aliases.0),
            references: References::new(&settings)?,
            fields: Fields::new(&names),
            revision,
        }))
    }
}
