//! What can be seen of one source: its GitLab, its token and its roots.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use jiff::SignedDuration;

use super::{Finding, Severity};
use crate::cli::build::Parts;
use crate::clock::Clock;
use crate::config::{Auth, Source, Transport};
use crate::crawl;
use crate::gitlab::{self, Client, Lack, Verdict};
use crate::model::ProjectId;
use crate::telemetry::chain;

/// A clock that is further from GitLab's makes a sync read items again, or too late.
const MUCH_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A source that is looked at.
struct Visit<'a> {
    source: &'a Source,
    client: Client,
    clock: &'a dyn Clock,
    /// Projects that were found on the way.
    projects: Mutex<Vec<ProjectId>>,
}

/// What a check found, and whether it makes sense to go on.
struct Seen {
    findings: Vec<Finding>,
    ends: bool,
}

impl From<Vec<Finding>> for Seen {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ends: false }
    }
}

type Check = for<'a> fn(&'a Visit<'a>) -> BoxFuture<'a, Seen>;

/// The checks, in the order in which they are made: each may rely on those before it.
const CHECKS: [Check; 6] = [
    |visit| Box::pin(token(visit)),
    |visit| Box::pin(roots(visit)),
    |visit| Box::pin(instance(visit)),
    |visit| Box::pin(graphql(visit)),
    |visit| Box::pin(async { limits(visit).into() }),
    |visit| Box::pin(async { time(visit).into() }),
];

/// Makes all checks of a source.
pub(super) async fn examine(source: &Source, parts: &Parts) -> Vec<Finding> {
    let settings = crawl::settings(source, &parts.environment);
    let findings = match Client::new(settings, parts.clock.clone()) {
        Ok(client) => {
            let clock = &*parts.clock;
            let visit = Visit { source, client, clock, projects: Mutex::default() };
            let mut findings = Vec::new();
            for check in CHECKS {
                let seen = check(&visit).await;
                findings.extend(seen.findings);
                if seen.ends {
                    break;
                }
            }
            findings
        }
        Err(error) => vec![failure("configuration", "the client cannot be set up", &error)],
    };
    findings.into_iter().map(|finding| finding.of(&source.name)).collect()
}

fn failure(check: &'static str, what: impl Into<String>, error: &gitlab::Error) -> Finding {
    let finding = Finding::error(check, what).because(chain(error));
    match error.hint() {
        Some(hint) => finding.then(hint),
        None => finding,
    }
}

/// A failure that would meet every further request ends the visit.
fn failed(check: &'static str, what: &str, error: &gitlab::Error) -> Seen {
    let ends = error.verdict() == Verdict::Abort || error.is_unanswered();
    Seen { findings: vec![failure(check, what, error)], ends }
}

async fn token(visit: &Visit<'_>) -> Seen {
    const CHECK: &str = "token";
    let check = match visit.client.check_token().await {
        Ok(check) => check,
        Err(error @ gitlab::Error::Token { .. }) => {
            let finding = failure(CHECK, "the token cannot be read", &error);
            return Seen { findings: vec![finding], ends: true };
        }
        Err(error @ gitlab::Error::Unauthorized { .. }) => {
            let finding = failure(CHECK, "GitLab refuses the token", &error);
            return Seen { findings: vec![finding], ends: true };
        }
        Err(error) if error.is_unanswered() || error.verdict() == Verdict::Abort => {
            return failed("reach", "GitLab cannot be reached", &error);
        }
        Err(error) => {
            let finding = failure(CHECK, "GitLab does not tell about the token", &error);
            return vec![Finding { severity: Severity::Warning, ..finding }].into();
        }
    };
    if visit.source.auth == Auth::None {
        let what = "no token is used: only what is public is read, and no comments";
        return vec![Finding::ok(CHECK, what)].into();
    }
    let now = visit.clock.now();
    let mut findings: Vec<Finding> =
        check.warnings(now).into_iter().map(|warning| Finding::warning(CHECK, warning)).collect();
    if let Some(sentence) = visit.client.keyring().stand_in().await {
        let step = "put a token that GitLab takes into the first place";
        findings.push(Finding::warning(CHECK, sentence).then(step));
    }
    findings.extend(check.remarks().into_iter().map(|remark| Finding::ok(CHECK, remark)));
    if findings.iter().all(|finding| finding.severity == Severity::Ok) {
        let expiry = match check.expires_on {
            Some(date) => format!(", and expires on {date}"),
            None => String::new(),
        };
        findings.insert(0, Finding::ok(CHECK, format!("the token works{expiry}")));
    }
    findings.into()
}

async fn roots(visit: &Visit<'_>) -> Seen {
    const CHECK: &str = "roots";
    let (client, mut findings) = (&visit.client, Vec::new());
    for group in &visit.source.groups {
        match client.group(group).await {
            Ok(found) => {
                findings.push(Finding::ok(CHECK, format!("the group {} is there", found.path)));
            }
            Err(error) => {
                let what = format!("the group {group} cannot be read");
                if let Some(lack) = client.refused(gitlab::Feature::Groups, group, &error) {
                    findings.push(Finding::error(CHECK, what).because(lack.reason));
                    continue;
                }
                let mut seen = failed(CHECK, &what, &error);
                findings.append(&mut seen.findings);
                if seen.ends {
                    return Seen { findings, ends: true };
                }
            }
        }
    }
    for project in &visit.source.projects {
        let found = match (client.project(project).await, &visit.source.auth) {
            (Err(error), Auth::JobToken(_)) if error.verdict() != Verdict::Abort => {
                client.sketch(project).await.and_then(|found| found.ok_or(error))
            }
            (found, _) => found,
        };
        match found {
            Ok(found) => {
                let path = &found.project.path;
                findings.push(Finding::ok(CHECK, format!("the project {path} is there")));
                visit.remember(found.project.id);
            }
            Err(error) => {
                let what = format!("the project {project} cannot be read");
                let mut seen = failed(CHECK, &what, &error);
                findings.append(&mut seen.findings);
                if seen.ends {
                    return Seen { findings, ends: true };
                }
            }
        }
    }
    if visit.source.is_rootless() {
        findings.push(match &visit.source.auth {
            Auth::None => Finding::error(CHECK, "no group and no project is named")
                .because("without a token there is nothing that one is a member of")
                .then("name `groups` or `projects`, or configure a token"),
            Auth::PrivateToken(_) | Auth::Bearer(_) | Auth::JobToken(_) => {
                Finding::ok(CHECK, "all that the token's user is a member of is read")
            }
        });
    }
    findings.into()
}

async fn instance(visit: &Visit<'_>) -> Seen {
    const CHECK: &str = "gitlab";
    let projects = visit.projects.lock().expect("no check panics with it").clone();
    let known = match visit.client.probe_features(&projects).await {
        Ok(known) => known,
        Err(error) => return failed(CHECK, "what this GitLab is could not be found out", &error),
    };
    let origin = visit.source.url.host_str().unwrap_or_default();
    let mut findings = vec![match &known.version {
        Some(version) => {
            let edition = match version.enterprise {
                Some(true) => ", Enterprise Edition",
                Some(false) => ", Community Edition",
                None => "",
            };
            let tier = known.tier.map(|tier| format!(", tier {}", tier.as_str()));
            let tier = tier.unwrap_or_default();
            Finding::ok(
                CHECK,
                format!("{origin} answers: GitLab {}{edition}{tier}", version.version),
            )
        }
        None => {
            Finding::ok(CHECK, format!("{origin} answers, and does not tell its version to us"))
        }
    }];
    for part in known.unavailable {
        let what = format!("{} are not to be had", part.feature);
        findings.push(match part.lack {
            Lack::Instance | Lack::Configuration => Finding::ok(CHECK, what).because(part.reason),
            Lack::Credential => Finding::warning(CHECK, what).because(part.reason),
        });
    }
    findings.into()
}

async fn graphql(visit: &Visit<'_>) -> Seen {
    const CHECK: &str = "graphql";
    if visit.source.transport == Transport::Rest {
        return vec![Finding::ok(CHECK, "GraphQL is switched off by `transport = \"rest\"`")]
            .into();
    }
    match visit.client.answers_graphql().await {
        Ok(true) => vec![Finding::ok(CHECK, "GraphQL answers")].into(),
        Ok(false) => vec![
            Finding::ok(CHECK, "GraphQL does not answer this credential, so REST is used")
                .because("it is off, or the token has no scope for it, or is a job's"),
        ]
        .into(),
        Err(error) => {
            let seen = failed(CHECK, "GraphQL does not answer, so REST is used", &error);
            let warn = |finding| Finding { severity: Severity::Warning, ..finding };
            let findings = seen.findings.into_iter().map(warn).collect();
            Seen { findings, ends: seen.ends }
        }
    }
}

fn limits(visit: &Visit<'_>) -> Vec<Finding> {
    const CHECK: &str = "limits";
    let windows = visit.client.budget().windows;
    if windows.is_empty() {
        let pace = visit.source.requests_per_minute;
        return vec![Finding::ok(
            CHECK,
            format!(
                "GitLab states no limit: `requests_per_minute` holds, which is {pace}, and a limit \
                 that shows later is learnt"
            ),
        )];
    }
    let shown = windows.into_iter().map(|window| {
        let what = format!(
            "{} permits {} requests until {}; {} are used, and we stop at {}",
            window.name, window.limit, window.resets_at, window.used, window.allowed
        );
        Finding::ok(CHECK, what)
    });
    shown.collect()
}

fn time(visit: &Visit<'_>) -> Vec<Finding> {
    const CHECK: &str = "clock";
    let Some(skew) = visit.client.skew() else { return Vec::new() };
    let seconds = skew.as_secs();
    vec![if skew.abs() > MUCH_SKEW {
        Finding::warning(CHECK, format!("GitLab's clock and this one differ by {seconds} s"))
            .then("set the clock of this machine, or of GitLab's, by NTP")
    } else {
        Finding::ok(CHECK, "GitLab's clock and this one agree")
    }]
}

impl Visit<'_> {
    fn remember(&self, project: ProjectId) {
        self.projects.lock().expect("no check panics with it").push(project);
    }
}
