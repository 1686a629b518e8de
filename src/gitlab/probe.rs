//! Asks a GitLab what it is, and what it has for this credential.
//!
//! Three requests at most: one for version and edition, and up to two that tell the tier, for
//! which GitLab has no list. Everything else comes to light with the answers of a crawl. What
//! follows from them: `features.rs`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Error;
use super::client::{Answer, Client};
use super::error::Missing;
use super::features::{Capabilities, Feature, Kind, Lack, Tier, Unavailable, judge};
use super::query::PER_PAGE;
use super::wire::{ApprovalRule, ApprovalRuleBody, Version};
use crate::model::ProjectId;

/// How many projects are asked for their approval rules, to learn the tier.
const TIER_PROJECTS: usize = 2;

impl Client {
    /// Finds out anew what this GitLab is and has. `projects` are some that the credential reads;
    /// with none, the tier stays unknown.
    ///
    /// # Errors
    ///
    /// When GitLab cannot be reached, or refuses the credential altogether. That it does not tell
    /// a version, as without a token, is no error.
    pub async fn probe_features(&self, projects: &[ProjectId]) -> Result<Capabilities, Error> {
        let version = self.metadata().await?;
        self.features().begin_probe(self.now());
        if let Some(version) = version {
            if version.enterprise == Some(false) {
                self.features().is_tier(Tier::Free);
                let reason = "the Community Edition has no approval rules".to_owned();
                self.lacks(Feature::ApprovalRules, Lack::Instance, reason);
            }
            self.features().is_version(version);
        }
        // Others than users are refused whatever the tier.
        if self.features().kind() == Kind::User && self.has(Feature::ApprovalRules) {
            self.probe_tier(projects).await?;
        }
        Ok(self.capabilities())
    }

    async fn probe_tier(&self, projects: &[ProjectId]) -> Result<(), Error> {
        for project in projects.iter().take(TIER_PROJECTS) {
            match self.approval_rules(*project).await {
                Ok(_) => {
                    self.features().is_tier(Tier::Paid);
                    self.answered(Feature::ApprovalRules);
                    return Ok(());
                }
                Err(error) => {
                    let lack = self.refused(Feature::ApprovalRules, &project.to_string(), &error);
                    if lack.is_some_and(|lack| lack.lack == Lack::Instance) {
                        self.features().is_tier(Tier::Free);
                        return Ok(());
                    }
                    if error.verdict() == super::Verdict::Abort {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Says whether the first few of some projects have what only a licence gives: approval rules.
    /// `None` where that could not be told, as for credentials that are refused them anyway.
    pub async fn are_licensed(&self, projects: &[ProjectId]) -> Option<bool> {
        if self.features().kind() != Kind::User {
            return None;
        }
        let mut licensed = None;
        for project in projects.iter().take(TIER_PROJECTS) {
            match self.approval_rules(*project).await {
                Ok(_) => return Some(true),
                Err(Error::Forbidden { .. } | Error::NotFound { what: Missing::Route, .. }) => {
                    licensed = Some(false);
                }
                Err(_) => return None,
            }
        }
        licensed
    }

    /// Asks GraphQL for nothing, to see whether it answers. False where it is refused or off.
    ///
    /// # Errors
    ///
    /// When GitLab cannot be reached, or refuses the credential altogether.
    pub async fn answers_graphql(&self) -> Result<bool, Error> {
        let read = |answer: Answer| {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            Ok(body.pointer("/data/__typename").is_some_and(Value::is_string))
        };
        let body = br#"{"query":"{ __typename }"}"#;
        match self.ask_with(&self.base().graphql(), Some(body), read).await {
            Ok(answers) => Ok(answers),
            Err(
                Error::Unauthorized { is_final: false, .. }
                | Error::Forbidden { .. }
                | Error::NotFound { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks for version and edition. `None` where GitLab does not tell them to this credential.
    async fn metadata(&self) -> Result<Option<Version>, Error> {
        let found = match self.get::<Version>(&["metadata"], &[]).await {
            // Before 15.2 there is the version alone.
            Err(Error::NotFound { what: Missing::Route | Missing::Record, .. }) => {
                self.version().await
            }
            found => found,
        };
        match found {
            Ok(version) => Ok(Some(version)),
            Err(
                Error::Unauthorized { is_final: false, .. }
                | Error::Forbidden { .. }
                | Error::NotFound { what: Missing::Route | Missing::Record, .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the approval rules of a project.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; 403 or 404 where the tier has none.
    pub async fn approval_rules(&self, project: ProjectId) -> Result<Vec<ApprovalRule>, Error> {
        let query = [("per_page", PER_PAGE.to_string())];
        let path = ["projects", &project.to_string(), "approval_rules"];
        self.list_all::<ApprovalRuleBody>(&path, &query).await
    }

    /// Says whether something may be asked for: nothing showed so far that it is not to be had.
    pub fn has(&self, feature: Feature) -> bool {
        self.features().has(feature)
    }

    /// Finds why something may not be asked for.
    pub fn find_lack(&self, feature: Feature) -> Option<Unavailable> {
        self.features().find(feature)
    }

    /// Notes that something was answered for a project.
    pub fn answered(&self, feature: Feature) {
        self.features().answered(feature);
    }

    /// Notes that something was refused for a project, and returns what follows when that means
    /// that it is not to be had at all.
    pub fn refused(&self, feature: Feature, project: &str, error: &Error) -> Option<Unavailable> {
        let feature = match (self.features().kind(), feature) {
            // Without a token there are none at all.
            (Kind::None, Feature::IssueComments) => Feature::Comments,
            (Kind::None | Kind::User | Kind::JobToken, feature) => feature,
        };
        let (lack, reason) = judge(self.features(), feature, project, error)?;
        self.lacks(feature, lack, reason);
        self.find_lack(feature)
    }

    /// Returns the projects whose refusals decided that something is not to be had.
    pub fn refusers(&self, feature: Feature) -> BTreeSet<String> {
        self.features().refusers(feature)
    }

    /// Notes that something is not to be had, with one line in the log.
    pub(super) fn lacks(&self, feature: Feature, lack: Lack, reason: String) {
        let since = self.now();
        let unavailable = Unavailable { feature, lack, reason, since };
        if !self.features().lacks(unavailable.clone()) {
            return;
        }
        let reason = unavailable.reason;
        match lack {
            Lack::Credential => {
                tracing::warn!(feature = %feature, "{feature} cannot be read: {reason}");
            }
            Lack::Instance | Lack::Configuration => {
                tracing::info!(feature = %feature, "{feature} is left out: {reason}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stub::{Stub, answer, client, json, settings};
    use super::super::{Credential, Keyring};
    use super::*;

    const METADATA: &str = r#"{"version":"18.5.0-ee","revision":"a1b2","enterprise":true}"#;
    const FORBIDDEN: &str = r#"{"message":"403 Forbidden"}"#;

    fn projects() -> [ProjectId; 3] {
        [7, 8, 9].map(ProjectId::new)
    }

    #[tokio::test]
    async fn an_instance_that_shows_its_approval_rules_is_paid_for() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/metadata" => json(200, METADATA),
            _ => json(200, "[]"),
        })
        .await;
        let client = stub.client();
        let found = client.probe_features(&projects()).await.expect("it answers");
        assert_eq!(found.version.expect("it tells it").version, "18.5.0-ee");
        assert_eq!((found.tier, found.unavailable.as_slice()), (Some(Tier::Paid), &[][..]));
        assert!(found.probed_at.is_some());
        assert_eq!(stub.uris().len(), 2, "one answer is enough: {:?}", stub.uris());
    }

    #[tokio::test]
    async fn an_instance_that_refuses_them_everywhere_is_free_and_is_not_asked_again() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/metadata" => json(200, METADATA),
            _ => json(403, FORBIDDEN),
        })
        .await;
        let client = stub.client();
        let found = client.probe_features(&projects()).await.expect("it answers");
        assert_eq!(found.tier, Some(Tier::Free));
        assert_eq!(found.unavailable.len(), 1);
        assert_eq!(found.unavailable[0].feature, Feature::ApprovalRules);
        assert_eq!(found.unavailable[0].lack, Lack::Instance);
        assert!(!client.has(Feature::ApprovalRules));
        assert_eq!(stub.uris().len(), 3, "two refusals are enough: {:?}", stub.uris());
    }

    #[tokio::test]
    async fn the_community_edition_is_known_without_asking_a_project() {
        let stub = Stub::start(|_, _| {
            json(200, r#"{"version":"18.5.0","revision":"a1b2","enterprise":false}"#)
        })
        .await;
        let client = stub.client();
        let found = client.probe_features(&projects()).await.expect("it answers");
        assert_eq!(found.tier, Some(Tier::Free));
        assert_eq!(found.unavailable[0].lack, Lack::Instance);
        assert_eq!(stub.uris(), ["/api/v4/metadata"]);
    }

    #[tokio::test]
    async fn an_old_version_is_asked_for_its_version_alone() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/metadata" => json(404, r#"{"error":"404 Not Found"}"#),
            _ => json(200, r#"{"version":"14.10.5","revision":"c3d4"}"#),
        })
        .await;
        let found = stub.client().probe_features(&[]).await.expect("it answers");
        assert_eq!(found.version.expect("it tells it").version, "14.10.5");
        assert_eq!(found.tier, None);
        assert_eq!(stub.uris(), ["/api/v4/metadata", "/api/v4/version"]);
    }

    #[tokio::test]
    async fn without_a_token_no_version_is_told_and_that_says_nothing() {
        let stub = Stub::start(|_, _| json(401, r#"{"message":"401 Unauthorized"}"#)).await;
        for credential in [Credential::None, Credential::JobToken("glcbt-x".into())] {
            let mut settings = settings(&stub.url);
            settings.keyring = Keyring::fixed(credential);
            let found =
                client(settings).probe_features(&projects()).await.expect("that is no failure");
            assert_eq!((found.version, found.tier, found.unavailable.len()), (None, None, 0));
        }
        assert_eq!(stub.uris(), ["/api/v4/metadata", "/api/v4/metadata"]);
    }

    #[tokio::test]
    async fn a_token_that_is_refused_fails_the_probe_and_forgets_nothing() {
        let stub = Stub::start(|_, _| json(401, r#"{"message":"401 Unauthorized"}"#)).await;
        let client = stub.client();
        client.lacks(Feature::Graphql, Lack::Instance, "it is switched off".to_owned());
        let error = client.probe_features(&[]).await.expect_err("the token is not valid");
        assert!(matches!(error, Error::Unauthorized { is_final: true, .. }), "{error:?}");
        assert!(!client.has(Feature::Graphql));
    }

    #[tokio::test]
    async fn approval_rules_are_read_page_by_page() {
        let stub = Stub::start(|asked, _| {
            if asked.uri.contains("page=2") {
                return json(200, r#"[{"id":2,"name":"b"}]"#);
            }
            let next = "</api/v4/projects/7/approval_rules?page=2&per_page=100>; rel=\"next\"";
            let headers =
                [("content-type", "application/json"), ("x-next-page", "2"), ("link", next)];
            answer(200, &headers, r#"[{"id":1,"name":"a"}]"#)
        })
        .await;
        let rules = stub.client().approval_rules(ProjectId::new(7)).await.expect("it answers");
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
