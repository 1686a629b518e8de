//! Puts the parts together.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, Loaded};
use crate::correlate::Reader;
use crate::crawl::{Crawler, Progress};
use crate::lookup::Lookup;
use crate::serve::HookSecrets;
use crate::store::{Lock, Store};
use crate::telemetry;

/// What commands are made of.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The environment that it was read from.
    pub environment: Environment,
    /// What reads texts.
    pub reader: Arc<Reader>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Parts {
    /// Loads the configuration and builds what needs no disk or network.
    pub fn load(path: Option<&Path>, environment: &Environment) -> anyhow::Result<Self> {
        let Loaded { config, .. } = Config::load(path, environment)?;
        Self::new(config, environment.clone())
    }

    /// Builds what needs no disk or network.
    pub fn new(config: Config, environment: Environment) -> anyhow::Result<Self> {
        let reader = Arc::new(config.reader()?);
        Ok(Self { config, environment, reader, clock: Arc::new(SystemClock) })
    }

    /// Takes the right to sync into the index.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        Ok(Lock::take(&self.config.database.url())?)
    }

    /// Opens the index, making it if there is none.
    pub async fn open(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.config.database.url()).await?)
    }

    /// Opens an index that must be there.
    pub async fn open_existing(&self) -> anyhow::Result<Store> {
        Ok(Store::open_existing(&self.config.database.url()).await?)
    }

    /// Makes the read side of an index.
    pub fn lookup(&self, store: Store) -> Lookup {
        let sources = self.config.sources.iter().map(|source| source.name.clone()).collect();
        Lookup::new(store, self.reader.clone(), sources)
    }

    /// Makes a crawler for each source.
    pub async fn crawlers(
        &self,
        store: &Store,
        progress: &Arc<dyn Progress>,
    ) -> anyhow::Result<Vec<Crawler>> {
        let mut crawlers = Vec::new();
        for source in self.config.require_sources()? {
            let beside = crawlers.iter().find(|crawler: &&Crawler| crawler.is_beside(source));
            let crawler = Crawler::new(
                source.clone(),
                &self.environment,
                store.clone(),
                self.reader.clone(),
                self.clock.clone(),
                progress.clone(),
                beside,
            );
            let crawler = crawler.await?;
            crawlers.push(crawler);
        }
        Ok(crawlers)
    }

    /// Reads what the senders of webhooks are checked by, for each source that takes them.
    pub async fn hook_secrets(&self) -> anyhow::Result<BTreeMap<String, HookSecrets>> {
        let mut hooks = BTreeMap::new();
        for source in &self.config.sources {
            let (mut secrets, name) = (HookSecrets::default(), &source.name);
            for (place, secret, key) in [
                (&source.webhook_token, &mut secrets.token, "webhook_token"),
                (&source.webhook_secret, &mut secrets.signing, "webhook_secret"),
            ] {
                let Some(place) = place else { continue };
                let read = place.read(&self.environment).await;
                *secret = Some(read.with_context(|| format!("cannot read {key} of {name}"))?);
            }
            hooks.insert(name.clone(), secrets);
        }
        Ok(hooks)
    }

    /// Removes from the index what belongs to sources that are no longer configured.
    pub async fn forget_other_sources(&self, store: &Store) -> anyhow::Result<()> {
        let names: Vec<&str> =
            self.config.sources.iter().map(|source| source.name.as_str()).collect();
        for name in store.remove_other_sources(&names).await? {
            tracing::warn!(source = %name, "removed the source {name}: it is no longer configured");
        }
        Ok(())
    }
}

/// Begins to log, with a filter for this command.
pub fn log(default_filter: &str, environment: &Environment) -> anyhow::Result<()> {
    let settings = telemetry::Settings::new(telemetry::Format::Auto, default_filter, environment);
    telemetry::init(&settings)?;
    Ok(())
}
