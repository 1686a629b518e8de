//! What this GitLab has, and what this credential may do there: found out, never assumed.
//!
//! Version, edition and tier decide which lists exist; the kind of credential decides which of
//! them answer. What is not to be had is remembered with its reason, reported once, and not asked
//! for again until it is probed anew: daily, and when the key changes. It never decides that
//! something is gone: a feature that is not to be had leaves what is stored of it alone.
//!
//! One refusal of one project proves nothing: its members, its settings and its allow-list of job
//! tokens are its own. So a refusal counts for all only when it follows from the kind of
//! credential or from the instance, or when [`ENOUGH`] projects refused and none ever answered.
//! GitLab is asked in `probe.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use super::credential::Credential;
use super::error::{CredentialFault, Missing};
use super::wire::Version;

/// How many different projects must refuse before a refusal counts for all.
const ENOUGH: usize = 2;

/// Something that a GitLab, a tier or a credential may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// GraphQL.
    Graphql,
    /// Lists of groups.
    Groups,
    /// Lists of issues.
    Issues,
    /// Lists of merge requests.
    MergeRequests,
    /// Labels.
    Labels,
    /// Description templates.
    Templates,
    /// Comments.
    Comments,
    /// Comments on issues: job tokens read those on merge requests alone.
    IssueComments,
    /// Files of repositories.
    Files,
    /// Pipelines.
    Pipelines,
    /// Approval rules of projects.
    ApprovalRules,
}

impl Feature {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graphql => "graphql",
            Self::Groups => "groups",
            Self::Issues => "issues",
            Self::MergeRequests => "merge_requests",
            Self::Labels => "labels",
            Self::Templates => "templates",
            Self::Comments => "comments",
            Self::IssueComments => "issue_comments",
            Self::Files => "files",
            Self::Pipelines => "pipelines",
            Self::ApprovalRules => "approval_rules",
        }
    }

    /// Returns what it is called in a sentence.
    const fn in_words(self) -> &'static str {
        match self {
            Self::Graphql => "GraphQL",
            Self::Groups => "groups",
            Self::Issues => "issues",
            Self::MergeRequests => "merge requests",
            Self::Labels => "labels",
            Self::Templates => "description templates",
            Self::Comments => "comments",
            Self::IssueComments => "comments on issues",
            Self::Files => "files",
            Self::Pipelines => "pipelines",
            Self::ApprovalRules => "approval rules",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// The instance has no such thing, in its version or tier: nothing is missed.
    Instance,
    /// The credential does not reach it: something is there that is not read.
    Credential,
    /// The configuration leaves it out.
    Configuration,
}

impl Lack {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Credential => "credential",
            Self::Configuration => "configuration",
        }
    }
}

/// Something that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What.
    pub feature: Feature,
    /// Why, as a word.
    pub lack: Lack,
    /// Why, as a sentence.
    pub reason: String,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What is paid for, as far as answers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Community Edition, or Enterprise Edition without a licence.
    Free,
    /// Premium or Ultimate, which these answers do not tell apart.
    Paid,
}

impl Tier {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
        }
    }
}

/// What is known of a GitLab and a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Version and edition, where GitLab says them.
    pub version: Option<Version>,
    /// The tier, as far as answers tell.
    pub tier: Option<Tier>,
    /// When GitLab was asked for them last.
    pub probed_at: Option<Timestamp>,
    /// What is not to be had.
    pub unavailable: Vec<Unavailable>,
}

/// Remembers what is not to be had.
#[derive(Debug, Default)]
pub(super) struct Features {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The key that all this is known of.
    generation: Option<u64>,
    /// What kind of credential that key is.
    kind: Kind,
    version: Option<Version>,
    tier: Option<Tier>,
    probed_at: Option<Timestamp>,
    unavailable: BTreeMap<Feature, Unavailable>,
    /// Which projects refused a feature.
    refused: BTreeMap<Feature, BTreeSet<String>>,
    /// What was answered for at least one project.
    answered: BTreeSet<Feature>,
}

impl Features {
    /// Notes that something is not to be had. Returns true the first time, when it is worth a line
    /// in the log.
    pub(super) fn lacks(&self, unavailable: Unavailable) -> bool {
        let mut known = self.known();
        let is_new = !known.unavailable.contains_key(&unavailable.feature);
        known.unavailable.entry(unavailable.feature).or_insert(unavailable);
        is_new
    }

    /// Finds why something may not be asked for.
    pub(super) fn find(&self, feature: Feature) -> Option<Unavailable> {
        let known = self.known();
        let wider = matches!(feature, Feature::IssueComments)
            .then(|| known.unavailable.get(&Feature::Comments))
            .flatten();
        known.unavailable.get(&feature).or(wider).cloned()
    }

    /// Says whether something may be asked for.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.find(feature).is_none()
    }

    /// Notes version and edition.
    pub(super) fn is_version(&self, version: Version) {
        self.known().version = Some(version);
    }

    /// Notes the tier.
    pub(super) fn is_tier(&self, tier: Tier) {
        self.known().tier = Some(tier);
    }

    /// Notes that something was answered: no refusal is a matter of the credential or the
    /// instance any more.
    pub(super) fn answered(&self, feature: Feature) {
        self.known().answered.insert(feature);
    }

    /// Notes that a project refused something, and says how many have when none ever answered.
    fn refused(&self, feature: Feature, project: &str) -> usize {
        let mut known = self.known();
        if known.answered.contains(&feature) {
            return 0;
        }
        let projects = known.refused.entry(feature).or_default();
        // Beyond the number that decides, none more needs to be known by name.
        if projects.len() < ENOUGH {
            projects.insert(project.to_owned());
        }
        projects.len()
    }

    /// Returns the projects that refused something.
    pub(super) fn refusers(&self, feature: Feature) -> BTreeSet<String> {
        self.known().refused.get(&feature).cloned().unwrap_or_default()
    }

    /// Forgets everything when a newer key is in force than the one that it is known of. Requests
    /// with an older one may still be on their way.
    pub(super) fn is_key(&self, generation: u64, kind: Kind) {
        let mut known = self.known();
        match known.generation {
            Some(seen) if seen > generation => return,
            Some(seen) if seen < generation => *known = Known::default(),
            Some(_) | None => {}
        }
        known.generation = Some(generation);
        known.kind = kind;
    }

    /// Returns the kind of the credential in force.
    pub(super) fn kind(&self) -> Kind {
        self.known().kind
    }

    /// Forgets what is not to be had, to find it out anew.
    pub(super) fn begin_probe(&self, now: Timestamp) {
        let mut known = self.known();
        *known = Known {
            generation: known.generation,
            kind: known.kind,
            version: known.version.take(),
            tier: known.tier,
            probed_at: Some(now),
            ..Known::default()
        };
    }

    /// Returns what is known.
    pub(super) fn read(&self) -> Capabilities {
        let known = self.known();
        Capabilities {
            version: known.version.clone(),
            tier: known.tier,
            probed_at: known.probed_at,
            unavailable: known.unavailable.values().cloned().collect(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change is one assignment: a panic elsewhere leaves nothing half-done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides whether a refusal means that a feature is not to be had at all.
pub(super) fn judge(
    features: &Features,
    feature: Feature,
    project: &str,
    error: &Error,
) -> Option<(Lack, String)> {
    let credential = features.kind();
    if let Some(verdict) = by_kind(feature, credential, error) {
        return Some(verdict);
    }
    let lack = match (error, feature) {
        // No such route: the version, or the edition, does not have it.
        (Error::NotFound { what: Missing::Route, .. }, Feature::ApprovalRules) => {
            return Some((Lack::Instance, "this GitLab has no approval rules".to_owned()));
        }
        // GitLab says 403 or 404 where the licence does not hold them.
        (Error::Forbidden { .. } | Error::NotFound { .. }, Feature::ApprovalRules) => {
            Lack::Instance
        }
        (Error::Forbidden { .. } | Error::Unauthorized { is_final: false, .. }, _) => {
            Lack::Credential
        }
        _ => return None,
    };
    (features.refused(feature, project) >= ENOUGH).then(|| (lack, sentence(feature, lack)))
}

/// Judges by the kind of credential alone.
fn by_kind(feature: Feature, credential: Kind, error: &Error) -> Option<(Lack, String)> {
    let unauthorized = matches!(error, Error::Unauthorized { is_final: false, .. });
    let hidden = matches!(error, Error::NotFound { what: Missing::Named(_) | Missing::Record, .. });
    let forbidden = matches!(error, Error::Forbidden { .. });
    let reason = match (credential, feature) {
        (Kind::None, Feature::Comments | Feature::IssueComments)
            if matches!(error, Error::Unauthorized { reason: CredentialFault::Missing, .. }) =>
        {
            // `auth = "none"` asks for public data, and comments are none: nothing is missed.
            return Some((
                Lack::Configuration,
                "GitLab shows comments only to callers with a token: configure one, or set \
                 `comments = false`"
                    .to_owned(),
            ));
        }
        (Kind::JobToken, Feature::IssueComments) if unauthorized || hidden => {
            "GitLab does not open comments on issues to job tokens: use an access token with the \
             scope read_api to have them"
        }
        (Kind::JobToken, Feature::Groups) if unauthorized || hidden || forbidden => {
            "GitLab does not open groups to job tokens: list the projects under `projects`, or use \
             an access token with the scope read_api"
        }
        // Where a job token is passed over, a project that is there and not public is hidden.
        (
            Kind::JobToken,
            Feature::Labels | Feature::Templates | Feature::Pipelines | Feature::ApprovalRules,
        ) if unauthorized || hidden => {
            return Some((
                Lack::Credential,
                format!(
                    "GitLab does not open {} of projects that are not public to job tokens: use an \
                     access token with the scope read_api to have them",
                    feature.in_words()
                ),
            ));
        }
        _ => return None,
    };
    Some((Lack::Credential, reason.to_owned()))
}

fn sentence(feature: Feature, lack: Lack) -> String {
    let what = feature.in_words();
    match lack {
        Lack::Instance => format!("every project refused its {what}: the tier does not have them"),
        Lack::Credential => format!(
            "every project refused its {what} to this credential: use an access token with the \
             scope read_api of a user who may see them"
        ),
        Lack::Configuration => format!("the configuration leaves {what} out"),
    }
}

/// The kinds of credentials, without their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Of a user: what it does not reach, the user may not see.
    #[default]
    User,
    /// Of a CI job: many routes pass it over.
    JobToken,
    /// None: public data alone.
    None,
}

impl From<&Credential> for Kind {
    fn from(credential: &Credential) -> Self {
        match credential {
            Credential::PrivateToken(_) | Credential::Bearer(_) => Self::User,
            Credential::JobToken(_) => Self::JobToken,
            Credential::None => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden() -> Error {
        let reason = "403 Forbidden".to_owned();
        Error::Forbidden { path: "/projects/7".to_owned(), reason, missing_scope: None }
    }

    fn not_found(what: Missing) -> Error {
        Error::NotFound { path: "/projects/7".to_owned(), what }
    }

    fn unauthorized(reason: CredentialFault) -> Error {
        Error::Unauthorized { path: "/projects/7".to_owned(), reason, is_final: false }
    }

    fn unavailable(feature: Feature) -> Unavailable {
        let reason = "for this test".to_owned();
        Unavailable { feature, lack: Lack::Credential, reason, since: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn one_project_that_refuses_proves_nothing_and_two_do() {
        let features = Features::default();
        let ask = |project: &str| judge(&features, Feature::Pipelines, project, &forbidden());
        assert_eq!(ask("shop/a"), None);
        assert_eq!(ask("shop/a"), None, "the same one again is no other");
        let (lack, reason) = ask("shop/b").expect("two are enough");
        assert_eq!(lack, Lack::Credential);
        assert!(reason.contains("pipelines") && !reason.contains("shop/"), "{reason}");
    }

    #[test]
    fn what_was_answered_once_is_refused_by_single_projects_only() {
        let features = Features::default();
        features.answered(Feature::Pipelines);
        for project in ["shop/a", "shop/b", "shop/c"] {
            let verdict = judge(&features, Feature::Pipelines, project, &forbidden());
            assert_eq!(verdict, None);
        }
    }

    #[test]
    fn approval_rules_that_the_edition_or_the_tier_does_not_have_are_nothing_missed() {
        let features = Features::default();
        let no_route = not_found(Missing::Route);
        let verdict = judge(&features, Feature::ApprovalRules, "7", &no_route);
        assert_eq!(verdict.expect("there is no such route").0, Lack::Instance);

        assert_eq!(judge(&features, Feature::ApprovalRules, "7", &forbidden()), None);
        let verdict = judge(&features, Feature::ApprovalRules, "8", &forbidden());
        assert_eq!(verdict.expect("both refused").0, Lack::Instance);
    }

    #[test]
    fn what_follows_from_the_kind_of_credential_needs_one_refusal() {
        let missing = unauthorized(CredentialFault::Missing);
        let invalid = unauthorized(CredentialFault::Invalid);
        let hidden = not_found(Missing::Named("Group".to_owned()));
        for (kind, feature, error, decided) in [
            (Kind::None, Feature::Comments, &missing, true),
            (Kind::JobToken, Feature::IssueComments, &invalid, true),
            (Kind::JobToken, Feature::IssueComments, &hidden, true),
            (Kind::JobToken, Feature::Groups, &hidden, true),
            (Kind::JobToken, Feature::Labels, &hidden, true),
            (Kind::User, Feature::Groups, &hidden, false),
            // The job may have ended, or the allow-list of this project may lack it.
            (Kind::JobToken, Feature::MergeRequests, &invalid, false),
            (Kind::JobToken, Feature::Files, &forbidden(), false),
        ] {
            let features = Features::default();
            features.is_key(1, kind);
            let verdict = judge(&features, feature, "7", error);
            assert_eq!(verdict.is_some(), decided, "{kind:?} {feature}");
        }
    }

    #[test]
    fn failures_that_pass_say_nothing_about_a_feature() {
        let features = Features::default();
        features.is_key(1, Kind::JobToken);
        let throttled = Error::Throttled { path: "/".to_owned(), retry_after: None };
        for project in ["shop/a", "shop/b", "shop/c"] {
            let verdict = judge(&features, Feature::Labels, project, &throttled);
            assert_eq!(verdict, None);
        }
    }

    #[test]
    fn another_key_and_a_new_probe_begin_anew() {
        let features = Features::default();
        features.is_key(1, Kind::User);
        assert!(features.lacks(unavailable(Feature::Labels)));
        assert!(!features.lacks(unavailable(Feature::Labels)), "it is worth one line");
        features.is_key(1, Kind::User);
        assert!(!features.has(Feature::Labels));
        features.is_key(2, Kind::User);
        assert!(features.has(Feature::Labels));

        assert!(features.lacks(unavailable(Feature::Labels)));
        features.is_tier(Tier::Paid);
        features.begin_probe(Timestamp::UNIX_EPOCH);
        assert!(features.has(Feature::Labels));
        assert_eq!(features.read().tier, Some(Tier::Paid));
    }

    #[test]
    fn without_comments_there_are_none_on_issues() {
        let features = Features::default();
        features.lacks(unavailable(Feature::IssueComments));
        assert!(features.has(Feature::Comments) && !features.has(Feature::IssueComments));
        let features = Features::default();
        features.lacks(unavailable(Feature::Comments));
        assert!(!features.has(Feature::Comments) && !features.has(Feature::IssueComments));
    }
}
