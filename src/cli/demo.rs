//! `xrefd demo`: a simulated GitLab, crawled, asked and served. Needs nothing.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use gitlab_sim::{Generator, GitLab, Truth};
use tokio::net::TcpListener;

use super::Outcome;
use super::build::{self, Parts};
use super::names;
use super::output;
use super::owners;
use super::progress;
use super::reference;
use super::sync;
use crate::clock::{Clock, SystemClock};
use crate::config::{Auth, Config, Environment, Source, TokenSource, Transport};
use crate::crawl::{Pass, Progress, Schedule, Silent, Status};
use crate::lifecycle::Lifecycle;
use crate::lookup::{ItemQuery, Lookup, Viewer};
use crate::serve::{self, App};

/// The variable in which the demo's own environment holds its token.
const TOKEN_VARIABLE: &str = "GITLAB_TOKEN";

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How many projects the simulated organisation has
    #[arg(long, default_value_t = 50)]
    projects: usize,
    /// From what the organisation is made; the same seed makes the same one
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Port to serve on; another is taken when it is in use
    #[arg(long, default_value_t = 8420)]
    port: u16,
    /// End after the look-ups instead of serving
    #[arg(long)]
    once: bool,
}

/// Runs the command.
pub async fn run(arguments: &Arguments, environment: &Environment) -> anyhow::Result<Outcome> {
    build::log("warn", environment)?;
    let clock = SystemClock;
    let generator = Generator {
        seed: arguments.seed,
        projects: arguments.projects,
        now: clock.now(),
        ..Generator::default()
    };
    let (world, truth) = generator.generate();
    let gitlab = GitLab::start(world, gitlab_sim::Options::default())
        .await
        .context("the simulated GitLab cannot listen on the loopback address")?;
    output::note(&format!(
        "A simulated GitLab with {} projects answers at {}",
        arguments.projects,
        gitlab.url()
    ));
    let folder = tempfile::tempdir().context("cannot make a temporary folder for the index")?;
    let database = format!("sqlite://{}", folder.path().join("demo.db").display());
    let parts = Parts::new(
        demo_config(&gitlab, &truth)?,
        [(TOKEN_VARIABLE.to_owned(), gitlab.token().to_owned())].into_iter().collect(),
    )?;
    let store = crate::store::Store::open(&database).await?;
    let watched = progress::watch();
    let crawlers = parts.crawlers(&store, &watched).await?;
    let summary = sync::until_stopped(crawlers, Pass::Full).await?;
    drop(watched);
    output::note(&sync::shown(&summary));

    let lookup = parts.lookup(store.clone());
    show(&lookup, &truth).await?;
    if arguments.once {
        store.close().await;
        gitlab.stop().await;
        return Ok(Outcome::Done);
    }

    let listener = listen(arguments.port).await?;
    let address = listener.local_addr().context("the socket has no address")?;
    output::data(&format!(
        "\nServing on http://{address} until stopped (Ctrl-C). Try:\n  \
         curl http://{address}/v1/services\n  \
         xrefd service --server http://{address}"
    ));
    let lifecycle = Lifecycle::default();
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let crawlers = parts.crawlers(&store, &silent).await?;
    let app = App {
        lookup,
        keys: Arc::new(parts.config.api_keys.clone()),
        status: Status::of(&crawlers),
        hooks: Arc::default(),
        bodies: App::bodies(),
        start: rand::random(),
    };
    let soft = lifecycle.soft();
    lifecycle.spawn("http", {
        let stop = soft.clone();
        async move { serve::serve(listener, app, stop).await.context("the HTTP server failed") }
    });
    let schedule = Schedule::new(crawlers, parts.config.schedule.clone(), parts.clock.clone());
    lifecycle.spawn("schedule", async move {
        schedule.run(soft).await;
        Ok(())
    });
    let ended = lifecycle.run().await;
    store.close().await;
    gitlab.stop().await;
    ended.map(|()| Outcome::Done)
}

/// Configures the simulated GitLab as an operator would configure a real one.
fn demo_config(gitlab: &GitLab, truth: &Truth) -> anyhow::Result<Config> {
    let mut config = Config::default();
    config.sources.push(Source {
        name: "demo".to_owned(),
        url: gitlab.url().parse().context("the simulated GitLab has no address")?,
        auth: Auth::PrivateToken(TokenSource::Env(TOKEN_VARIABLE.to_owned())),
        fallback_token: None,
        webhook_token: None,
        webhook_secret: None,
        groups: vec![truth.group.clone()],
        projects: Vec::new(),
        exclude: Vec::new(),
        archived: false,
        ca_file: None,
        comments: true,
        share: 0.8,
        concurrency: 8,
        // It is alone on this machine, and nobody shares it.
        requests_per_minute: 600_000,
        transport: Transport::Auto,
        drop: 0.33,
        yields_to: Vec::new(),
        origins: vec!["demo".to_owned()],
    });
    let prefixes = truth.settings.prefixes.iter();
    config.rules.prefixes = prefixes
        .map(|(kind, names)| ((*kind).to_owned(), names.clone()))
        .collect::<BTreeMap<_, _>>();
    Ok(config)
}

/// Prints three look-ups: a service, an incident, and owners.
async fn show(lookup: &Lookup, truth: &Truth) -> anyhow::Result<()> {
    let viewer = Viewer::default();
    let service = truth.services().max_by_key(|(_, tagged)| tagged.items.len());
    if let Some((name, _)) = service
        && let Some(detail) = lookup.name("service", name, &viewer).await?
    {
        output::data(&format!("\n$ xrefd service {name}\n{}", names::detail("service", &detail)));
    }
    let incident = truth
        .references
        .iter()
        .filter(|(reference, _)| reference.kind == "pagerduty_incident")
        .max_by_key(|(_, items)| items.len());
    if let Some((incident, _)) = incident {
        let url = format!("https://acme.pagerduty.com/incidents/{}", incident.id);
        let read = lookup.mentions_in(&url, &viewer).await?;
        let query = ItemQuery { limit: 5, ..ItemQuery::default() };
        let items = lookup.mentions_of(incident.kind, &incident.id, None, &query, &viewer).await?;
        let items = items.map(|page| page.data).unwrap_or_default();
        output::data(&format!("\n$ xrefd ref {url}\n{}", reference::listed(&read, &items)));
    }
    let owned = truth.projects.iter().find_map(|(project, known)| {
        let owned = known.owners.iter().max_by_key(|owners| owners.sections.len())?;
        (!owned.sections.is_empty()).then_some((project, owned.path))
    });
    if let Some((project, path)) = owned
        && let Some(found) = lookup.owners(project, Some(path), &viewer).await?
    {
        output::data(&format!("\n$ xrefd owners {project} {path}\n{}", owners::shown(&found)));
    }
    Ok(())
}

/// Listens on a port of the loopback address, or on any free one when that is taken.
async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match serve::bind(at(port)).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            output::note(&format!("port {port} cannot be used ({error}); taking a free one"));
            serve::bind(at(0)).await.context("no port of the loopback address is free")
        }
    }
}
