//! What can be said on the command line.
//!
//! Everything that is not said has the default of a fresh self-managed GitLab. What can change while
//! the instance runs is a matter of the control API, not of options.

use std::net::IpAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gitlab_sim::faults::{FaultProfile, FaultSchedule};
use gitlab_sim::hooks::HookOptions;
use gitlab_sim::{
    BlobRegime, Bulk, Delay, EndpointLimits, GitLab, Latency, Limit, Options, Throttle, Tier,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A simulated GitLab with a made-up organisation, on a port of this machine.
///
/// Prints its address and a token on standard output and serves until it is stopped with Ctrl-C.
/// With the control API, which is on unless told otherwise, the world, the clock, faults and waits
/// can be changed while it runs: GET /_sim lists the commands.
#[derive(Debug, Parser)]
#[command(version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Arguments {
    /// The seed: the same seed makes the same organisation
    #[arg(long, default_value_t = 1, help_heading = "World")]
    pub(crate) seed: u64,
    /// How many projects the organisation has
    #[arg(long, default_value_t = 50, help_heading = "World")]
    pub(crate) projects: usize,
    /// How many issues each project has
    #[arg(long, default_value_t = 30, help_heading = "World")]
    pub(crate) issues: usize,
    /// How many merge requests each project has
    #[arg(long, default_value_t = 30, help_heading = "World")]
    pub(crate) merge_requests: usize,
    /// Write a plain world of any size instead: no files, no pipelines, nothing that means anything
    #[arg(long, conflicts_with_all = ["life", "life_seed"], help_heading = "World")]
    pub(crate) bulk: bool,
    /// How many notes each item of a plain world has, on average
    #[arg(long, default_value_t = 0, requires = "bulk", help_heading = "World")]
    notes: u64,
    /// The moment at which the clock begins, such as 2026-11-22T10:00:00Z; by default now
    #[arg(long, value_name = "TIME", help_heading = "World")]
    pub(crate) clock: Option<Timestamp>,
    /// Let the clock stand still until the control API moves it
    #[arg(long, help_heading = "World")]
    pub(crate) clock_stands: bool,
    /// How many changes people make in a second of real time
    #[arg(long, default_value_t = 0, value_name = "CHANGES", help_heading = "World")]
    pub(crate) life: u32,
    /// The seed of what people do
    #[arg(long, default_value_t = 1, value_name = "SEED", help_heading = "World")]
    pub(crate) life_seed: u64,

    /// The address to listen at; the control API lets anybody in who reaches it
    #[arg(long, default_value = "127.0.0.1", help_heading = "Instance")]
    pub(crate) bind: IpAddr,
    /// The port to listen at; 0 takes a free one
    #[arg(long, default_value_t = 8929, help_heading = "Instance")]
    pub(crate) port: u16,
    /// The external address that links are built from; by default the listening address
    #[arg(long, value_name = "URL", help_heading = "Instance")]
    external_url: Option<String>,
    /// The edition and licence
    #[arg(long, value_enum, default_value_t = TierName::Free, help_heading = "Instance")]
    tier: TierName,
    /// The version that it claims
    #[arg(long = "gitlab-version", value_name = "VERSION", help_heading = "Instance")]
    gitlab_version: Option<String>,
    /// What blobs cost in GraphQL: as before 18.4.2, in 18.4.2 and 18.5, or since
    #[arg(long, value_enum, default_value_t = Blobs::New, help_heading = "Instance")]
    blobs: Blobs,
    /// How many fields a GraphQL query may resolve before its time is up; 0 sets no end
    #[arg(long, default_value_t = 0, value_name = "FIELDS", help_heading = "Instance")]
    graphql_fields: u64,
    /// How deep offset pages go, in rows, where there is keyset paging too; 0 sets no end
    #[arg(long, default_value_t = 50_000, value_name = "ROWS", help_heading = "Instance")]
    offset_ceiling: u64,
    /// Apply that to projects too, as early versions do
    #[arg(long, help_heading = "Instance")]
    projects_have_ceiling: bool,
    /// Send one constant entity tag with files, and false 304 for it, as versions until 2026 do
    #[arg(long, help_heading = "Instance")]
    constant_etag: bool,
    /// Count notes afresh in every list of merge requests, which GitLab does not
    #[arg(long, help_heading = "Instance")]
    fresh_lists: bool,
    /// Serve no control API
    #[arg(long, help_heading = "Instance")]
    no_control: bool,
    /// How many requests the log keeps; 0 keeps all
    #[arg(long, default_value_t = 10_000, value_name = "REQUESTS", help_heading = "Instance")]
    log_size: usize,

    /// Whether requests are limited, and which answers say so
    #[arg(long, value_enum, default_value_t = Mode::None, help_heading = "Limits")]
    throttle: Mode,
    /// Requests per window and user, where requests are limited
    #[arg(long, default_value_t = 600, value_name = "REQUESTS", help_heading = "Limits")]
    limit: u64,
    /// The length of a window, such as 60s or 1h
    #[arg(long, default_value = "60s", value_name = "TIME", help_heading = "Limits")]
    period: SignedDuration,
    /// The limits that single endpoints have besides, refused with JSON and without headers
    #[arg(long, value_enum, default_value_t = Endpoints::None, help_heading = "Limits")]
    endpoint_limits: Endpoints,
    /// Take the address of a client from X-Forwarded-For, as behind a proxy
    #[arg(long, help_heading = "Limits")]
    trust_forwarded_for: bool,

    /// How long every answer takes, such as 40ms, or a range such as 20ms..80ms
    #[arg(long, value_name = "TIME", value_parser = delay, help_heading = "Trouble")]
    latency: Option<Delay>,
    /// The same for one kind of request, such as list=40ms; kinds are list, single, notes, file,
    /// graphql and other
    #[arg(long, value_name = "KIND=TIME", value_parser = kind_delay, help_heading = "Trouble")]
    latency_of: Vec<(Kind, Delay)>,
    /// How long changes of items stay unseen, as with a database that lags, such as 5s
    #[arg(long, default_value = "0s", value_name = "TIME", help_heading = "Trouble")]
    pub(crate) lag: SignedDuration,
    /// How badly things go wrong
    #[arg(long, value_enum, default_value_t = Profile::None, help_heading = "Trouble")]
    faults: Profile,
    /// The seed of what goes wrong
    #[arg(long, default_value_t = 1, value_name = "SEED", help_heading = "Trouble")]
    fault_seed: u64,

    /// How long a receiver of webhooks may take to answer
    #[arg(long, default_value = "10s", value_name = "TIME", help_heading = "Webhooks")]
    hook_timeout: SignedDuration,
    /// How often a webhook that failed is sent again
    #[arg(long, default_value_t = 1, value_name = "TIMES", help_heading = "Webhooks")]
    hook_retries: u32,

    /// Print what there is as one JSON object instead of lines
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TierName {
    /// Community edition
    Community,
    /// Enterprise edition without a licence
    Free,
    /// With a licence
    Premium,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// No limit, no headers
    None,
    /// A limit, and headers on every answer
    Always,
    /// A limit, and headers on refusals only
    #[value(name = "only-429")]
    Only429,
    /// The numbers of gitlab.com
    GitlabCom,
    /// A self-managed GitLab whose throttles were switched on
    SelfManaged,
    /// GitLab Dedicated with --limit requests per minute
    Dedicated,
    /// The announced limits of gitlab.com for the free plan
    TierFree,
    /// The announced limits of gitlab.com for Premium
    TierPremium,
    /// The announced limits of gitlab.com for Ultimate
    TierUltimate,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Endpoints {
    /// No endpoint has a limit of its own
    None,
    /// The limits of gitlab.com
    GitlabCom,
    /// The defaults of a self-managed instance
    SelfManaged,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Blobs {
    /// 100 paths fit into one query
    Old,
    /// Two paths are too many
    Costly,
    /// One request returns 20 MB at most
    New,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    List,
    Single,
    Notes,
    File,
    Graphql,
    Other,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// Nothing goes wrong
    None,
    /// A short deploy now and then, one request of a thousand fails
    Calm,
    /// Deploys every few minutes, three of a hundred requests fail
    Rough,
    /// Everything that can pass goes wrong, one request of eight
    Hostile,
}

/// Reads a wait: one time, or two with `..` between them.
fn delay(text: &str) -> Result<Delay, String> {
    let time = |text: &str| {
        let time: SignedDuration = text
            .trim()
            .parse()
            .map_err(|error| format!("{text:?} is no time such as 40ms: {error}"))?;
        Duration::try_from(time).map_err(|_| format!("{text:?} is negative"))
    };
    match text.split_once("..") {
        Some((least, most)) => Ok(Delay::between(time(least)?, time(most)?)),
        None => time(text).map(Delay::fixed),
    }
}

/// Reads a wait for one kind of request.
fn kind_delay(text: &str) -> Result<(Kind, Delay), String> {
    let (kind, time) =
        text.split_once('=').ok_or_else(|| format!("{text:?} has no =, as in list=40ms"))?;
    Ok((Kind::from_str(kind.trim(), true)?, delay(time)?))
}

/// Returns the name of a value as it is given on the command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Arguments {
    /// Describes the plain world that is asked for.
    pub(crate) fn bulk_world(&self, now: Timestamp) -> Bulk {
        let each = |count: usize| (count as u64).saturating_mul(self.projects.max(1) as u64);
        let (issues, merge_requests) = (each(self.issues), each(self.merge_requests));
        Bulk {
            // A seed is whatever a person types: the lower half of it tells as many worlds apart.
            seed: u32::try_from(self.seed & u64::from(u32::MAX)).unwrap_or(u32::MAX),
            projects: self.projects.max(1),
            issues,
            merge_requests,
            notes: self.notes.saturating_mul(issues.saturating_add(merge_requests)),
            now,
        }
    }

    /// Returns how the instance is to present itself.
    pub(crate) fn options(&self) -> Options {
        let period = Duration::try_from(self.period).unwrap_or(Duration::from_mins(1));
        let limit = Limit { requests: self.limit, period };
        let defaults = Options::default();
        Options {
            throttle: Throttle::named(&word(&self.throttle), limit).unwrap_or_default(),
            endpoint_limits: EndpointLimits::named(&word(&self.endpoint_limits))
                .unwrap_or_default(),
            trust_forwarded_for: self.trust_forwarded_for,
            external_url: self.external_url.clone(),
            tier: match self.tier {
                TierName::Community => Tier::Community,
                TierName::Free => Tier::Free,
                TierName::Premium => Tier::Premium,
            },
            version: self.gitlab_version.clone().unwrap_or_else(|| defaults.version.clone()),
            blobs: match self.blobs {
                Blobs::Old => BlobRegime::Old,
                Blobs::Costly => BlobRegime::Costly,
                Blobs::New => BlobRegime::New,
            },
            graphql_fields: (self.graphql_fields > 0).then_some(self.graphql_fields),
            offset_ceiling: self.offset_ceiling,
            projects_have_ceiling: self.projects_have_ceiling,
            constant_etag: self.constant_etag,
            stale_lists: !self.fresh_lists,
            hooks: HookOptions {
                timeout: Duration::try_from(self.hook_timeout).unwrap_or(defaults.hooks.timeout),
                retries: self.hook_retries,
                ..defaults.hooks.clone()
            },
            control: !self.no_control,
            latency: self.waits(),
            faults: self.schedule(),
            log_size: (self.log_size > 0).then_some(self.log_size),
            ..defaults
        }
    }

    fn waits(&self) -> Latency {
        let mut waits = self.latency.map(Latency::all).unwrap_or_default();
        for (kind, delay) in &self.latency_of {
            let wait = match kind {
                Kind::List => &mut waits.list,
                Kind::Single => &mut waits.single,
                Kind::Notes => &mut waits.notes,
                Kind::File => &mut waits.file,
                Kind::Graphql => &mut waits.graphql,
                Kind::Other => &mut waits.other,
            };
            *wait = *delay;
        }
        waits
    }

    fn schedule(&self) -> Option<FaultSchedule> {
        let profile = match self.faults {
            Profile::None => return None,
            Profile::Calm => FaultProfile::Calm,
            Profile::Rough => FaultProfile::Rough,
            Profile::Hostile => FaultProfile::Hostile,
        };
        Some(FaultSchedule::seeded(self.fault_seed, profile))
    }

    /// Returns what a script must know of the running instance, by name.
    pub(crate) fn facts(&self, gitlab: &GitLab, group: &str) -> Vec<(String, Value)> {
        let control = (!self.no_control).then(|| format!("{}/_sim", gitlab.url()));
        let facts = [
            ("url", json!(gitlab.url())),
            ("token", json!(gitlab.token())),
            ("group", json!(group)),
            ("control", control.map_or(json!("off"), |url| json!(url))),
            ("seed", json!(self.seed)),
            ("projects", json!(self.projects)),
            ("issues", json!(self.issues)),
            ("merge_requests", json!(self.merge_requests)),
            ("tier", json!(word(&self.tier))),
            ("throttle", json!(word(&self.throttle))),
            ("faults", json!(word(&self.faults))),
            ("clock", json!(gitlab.world().clock().now().to_string())),
        ];
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests;
