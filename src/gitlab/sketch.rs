//! A project that only its items tell of.
//!
//! A job token is let into the lists of items of a project, into its raw files and releases, and
//! not into the project itself (reference, section 1.5): where the project is not public, GitLab
//! says that there is none. Its number then stands in its items, or in the job, and that is enough
//! to read what may be read. Topics, description, settings and the default branch stay unknown. It
//! never guesses a number.

use serde::Deserialize;
use serde_json::Value;

use super::Error;
use super::client::Client;
use super::error::Missing;
use super::wire::{self, FetchedProject, Wire};
use crate::model::ProjectFeatures;
use crate::model::{Item, Project, ProjectId};

/// Where a job runs.
#[derive(Debug, Deserialize)]
struct JobPlace {
    #[serde(default)]
    pipeline: Value,
    #[serde(default)]
    web_url: Option<String>,
}

impl Wire for JobPlace {
    type Model = Option<(ProjectId, String)>;

    fn into_model(self) -> Result<Self::Model, serde_json::Error> {
        let id = self.pipeline.get("project_id").and_then(Value::as_i64);
        let url = self.web_url.as_deref().and_then(home);
        Ok(id.zip(url).map(|(id, url)| (ProjectId::new(id), url.to_owned())))
    }
}

impl Client {
    /// Finds a project by its items, or by the job that the token is of. `None` when GitLab lets
    /// the token in and nothing there names the project.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; 403 with the reason where the project does not let the job's in.
    pub async fn sketch(&self, project: &str) -> Result<Option<FetchedProject>, Error> {
        if let Some(found) = self.own_project(project).await? {
            return Ok(Some(found));
        }
        let query = || {
            ["state", "scope"]
                .into_iter()
                .map(|name| (name, "all".to_owned()))
                .chain([("per_page", "1".to_owned())])
                .collect::<Vec<_>>()
        };
        let path = ["projects", project, "merge_requests"];
        let refused = match self.list::<wire::MergeRequest>(&path, &query()).await {
            Ok(page) => match page.items.first() {
                Some(item) => return Ok(of_item(item, project)),
                None => None,
            },
            // Merge requests may be switched off, or not be among what the job is let into.
            Err(error @ (Error::Forbidden { .. } | Error::NotFound { .. })) => Some(error),
            Err(error) => return Err(error),
        };
        let path = ["projects", project, "issues"];
        match (self.list::<wire::Issue>(&path, &query()).await, refused) {
            (Ok(page), _) => Ok(page.items.first().and_then(|item| of_item(item, project))),
            (Err(_), Some(first)) => Err(first),
            // Older versions do not open issues to job tokens.
            (Err(Error::Forbidden { .. } | Error::NotFound { .. }), None) => Ok(None),
            (Err(error), None) => Err(error),
        }
    }

    /// Finds the project of the job, when that is the one looked for.
    async fn own_project(&self, project: &str) -> Result<Option<FetchedProject>, Error> {
        let place = match self.get::<JobPlace>(&["job"], &[]).await {
            Ok(place) => place,
            Err(
                Error::Forbidden { .. }
                | Error::NotFound {
                    what: Missing::Named(_) | Missing::Record | Missing::Route, ..
                },
            ) => None,
            Err(error) => return Err(error),
        };
        let found = place.and_then(|(id, url)| drawn(id, &url, project));
        Ok(found.filter(|found| {
            let found = &found.project;
            found.path.eq_ignore_ascii_case(project) || found.id.to_string() == project
        }))
    }
}

fn of_item(item: &Item, asked: &str) -> Option<FetchedProject> {
    drawn(item.project, home(&item.web_url)?, asked)
}

/// Returns the address of a project out of one below it.
fn home(url: &str) -> Option<&str> {
    // Before 12.9 there was no dash, and no job token either that read lists.
    url.split_once("/-/").map(|(home, _)| home)
}

/// Draws a project from its number and address. GitLab may live below a path of its own, which is
/// no part of the project's: what was asked for tells where it ends.
fn drawn(id: ProjectId, url: &str, asked: &str) -> Option<FetchedProject> {
    let address = reqwest::Url::parse(url).ok()?;
    let whole = address.path().trim_matches('/');
    let cut = whole.len().checked_sub(asked.len()).filter(|cut| whole.is_char_boundary(*cut));
    let path = match cut.map(|cut| whole.split_at(cut)) {
        Some((before, path)) if before.ends_with('/') && path.eq_ignore_ascii_case(asked) => path,
        Some(_) | None => whole,
    };
    let path = path.to_owned();
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
    let project = Project {
        id,
        name,
        path,
        description: String::new(),
        web_url: url.to_owned(),
        default_branch: None,
        topics: Vec::new(),
        visibility: String::new(),
        archived: false,
        last_activity_at: None,
    };
    let features = ProjectFeatures {
        issues_enabled: true,
        merge_requests_enabled: true,
        builds_enabled: true,
        empty_repo: false,
        repository_readable: true,
        is_sketch: true,
        issues_template: String::new(),
        merge_requests_template: String::new(),
    };
    Some(FetchedProject { project, features, updated_at: None })
}

#[cfg(test)]
mod tests {
    use super::super::stub::{Stub, client, json, settings};
    use super::super::{Credential, Keyring};
    use super::*;

    const JOB: &str = r#"{"id":1,"pipeline":{"project_id":3},
        "web_url":"https://gitlab.example.com/shop/web/-/jobs/1"}"#;
    const FOREIGN: &str = r#"{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from shop/web to project #9."}"#;

    fn item(list: &str) -> String {
        format!(
            r#"[{{"id":40,"iid":4,"project_id":9,"title":"x","state":"opened",
            "created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z",
            "web_url":"https://gitlab.example.com/shop/pay/-/{list}/4"}}]"#
        )
    }

    fn job_client(url: &str) -> Client {
        let mut settings = settings(url);
        settings.keyring = Keyring::fixed(Credential::JobToken("glcbt-x".into()));
        client(settings)
    }

    #[tokio::test]
    async fn the_project_of_the_job_is_named_by_the_job() {
        let stub = Stub::start(|_, _| json(200, JOB)).await;
        let found = job_client(&stub.url).sketch("Shop/Web").await.expect("it answers");
        let FetchedProject { project, features, .. } = found.expect("it is named");
        assert_eq!((project.id, project.path.as_str()), (ProjectId::new(3), "shop/web"));
        assert_eq!(project.web_url, "https://gitlab.example.com/shop/web");
        assert!(features.is_sketch);
        assert_eq!(stub.uris(), ["/api/v4/job"]);
    }

    #[tokio::test]
    async fn another_project_is_named_by_an_item_of_it() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/job" => json(200, JOB),
            uri if uri.contains("/merge_requests") => json(200, "[]"),
            _ => json(200, &item("issues")),
        })
        .await;
        let found = job_client(&stub.url).sketch("shop/pay").await.expect("it answers");
        let project = found.expect("it is named").project;
        assert_eq!((project.id, project.path.as_str()), (ProjectId::new(9), "shop/pay"));
    }

    #[test]
    fn a_path_that_gitlab_lives_below_is_no_part_of_the_project() {
        let path = |url: &str, asked: &str| {
            let found = drawn(ProjectId::new(1), url, asked).expect("it has a path");
            found.project.path
        };
        assert_eq!(path("https://example.com/gitlab/shop/web", "shop/web"), "shop/web");
        assert_eq!(path("https://example.com/shop/web", "shop/web"), "shop/web");
        assert_eq!(path("https://example.com/shop/web", "17"), "shop/web");
        // It was renamed.
        assert_eq!(path("https://example.com/shop/site", "shop/web"), "shop/site");
    }

    #[tokio::test]
    async fn a_project_that_does_not_let_the_job_in_says_so() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/job" => json(200, JOB),
            _ => json(403, FOREIGN),
        })
        .await;
        let error = job_client(&stub.url).sketch("shop/pay").await.expect_err("it is refused");
        assert!(error.to_string().contains("not allowed from shop/web"), "{error}");
    }

    #[tokio::test]
    async fn a_project_without_items_cannot_be_named() {
        let stub = Stub::start(|asked, _| match asked.uri.as_str() {
            "/api/v4/job" => json(200, JOB),
            _ => json(200, "[]"),
        })
        .await;
        assert_eq!(job_client(&stub.url).sketch("shop/pay").await.expect("it answers"), None);
    }
}
