//! What can be said on the command line.
//!
//! Everything that is not said has the default of a fresh self-managed GitLab. What can change while
//! the instance runs is a matter of the control API, not of options.

use std::net::IpAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gitlab_sim::faults::{FaultProfile, FaultSchedule};
use gitlab_sim::{
    Delay, EndpointLimits, GitLab, Latency, Limit, Options, Plan, Throttle, Throttles, Tier,
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
    /// How badly things go wrong
    #[arg(long, value_enum, default_value_t = Profile::None, help_heading = "Trouble")]
    faults: Profile,
    /// The seed of what goes wrong
    #[arg(long, default_value_t = 1, value_name = "SEED", help_heading = "Trouble")]
    fault_seed: u64,

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

impl Arguments {
    /// Returns how the instance is to present itself.
    pub(crate) fn options(&self) -> Options {
        let period = Duration::try_from(self.period).unwrap_or(Duration::from_mins(1));
        let limit = Limit { requests: self.limit, period };
        let defaults = Options::default();
        Options {
            throttle: match self.throttle {
                Mode::None => Throttle::None,
                Mode::Always => Throttle::Always(limit),
                Mode::Only429 => Throttle::Only429(limit),
                Mode::GitlabCom => Throttle::Custom(Throttles::gitlab_com()),
                Mode::SelfManaged => Throttle::Custom(Throttles::self_managed_enabled()),
                Mode::Dedicated => Throttle::Custom(Throttles::dedicated(self.limit)),
                Mode::TierFree => Throttle::Custom(Throttles::tier_aware(Plan::Free)),
                Mode::TierPremium => Throttle::Custom(Throttles::tier_aware(Plan::Premium)),
                Mode::TierUltimate => Throttle::Custom(Throttles::tier_aware(Plan::Ultimate)),
            },
            endpoint_limits: match self.endpoint_limits {
                Endpoints::None => EndpointLimits::none(),
                Endpoints::GitlabCom => EndpointLimits::gitlab_com(),
                Endpoints::SelfManaged => EndpointLimits::self_managed(),
            },
            trust_forwarded_for: self.trust_forwarded_for,
            external_url: self.external_url.clone(),
            tier: match self.tier {
                TierName::Community => Tier::Community,
                TierName::Free => Tier::Free,
                TierName::Premium => Tier::Premium,
            },
            version: self.gitlab_version.clone().unwrap_or_else(|| defaults.version.clone()),
            control: !self.no_control,
            latency: self.latency.map(Latency::all).unwrap_or_default(),
            faults: self.schedule(),
            log_size: (self.log_size > 0).then_some(self.log_size),
            ..defaults
        }
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
        let word = |value: Option<clap::builder::PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
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
            ("tier", json!(word(self.tier.to_possible_value()))),
            ("throttle", json!(word(self.throttle.to_possible_value()))),
            ("faults", json!(word(self.faults.to_possible_value()))),
            ("clock", json!(gitlab.world().clock().now().to_string())),
        ];
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_option_is_in_a_group_and_explained() {
        for argument in Arguments::command().get_arguments() {
            assert!(argument.get_help_heading().is_some(), "{} has no group", argument.get_id());
            assert!(argument.get_help().is_some(), "{} is not explained", argument.get_id());
        }
    }

    #[test]
    fn waits_are_one_time_or_a_range() {
        let millis = Duration::from_millis;
        assert_eq!(delay("40ms"), Ok(Delay::fixed(millis(40))));
        assert_eq!(delay("20ms..80ms"), Ok(Delay::between(millis(20), millis(80))));
        assert!(delay("soon").is_err());
        assert!(delay("-1s").is_err());
    }

    #[test]
    fn options_follow_from_arguments() {
        let line = "gitlab-sim --throttle only-429 --limit 5 --period 1h --tier premium \
                    --faults rough --fault-seed 7 --no-control --log-size 0";
        let options = Arguments::try_parse_from(line.split_whitespace()).unwrap().options();
        assert_eq!(
            options.throttle,
            Throttle::Only429(Limit { requests: 5, period: Duration::from_hours(1) })
        );
        assert_eq!(options.tier, Tier::Premium);
        assert_eq!(options.faults, Some(FaultSchedule::seeded(7, FaultProfile::Rough)));
        assert!(!options.control && options.log_size.is_none());
        assert_eq!(options.version, Options::default().version);
    }
}
