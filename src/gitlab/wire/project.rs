//! Projects, and what they have switched on.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{flag, moment, some_flag, some_names, some_number, some_text, text};
use super::{Wire, absent};
use crate::model::{self, ProjectFeatures, ProjectId};

/// A project together with what it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedProject {
    /// The project.
    pub project: model::Project,
    /// What it offers.
    pub features: ProjectFeatures,
    /// When it last changed, where GitLab says so; what is below it does not count.
    pub updated_at: Option<Timestamp>,
}

/// A project as GitLab answers it.
#[derive(Debug, Deserialize)]
pub struct Project {
    #[serde(default, deserialize_with = "some_number")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "some_text")]
    path_with_namespace: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    path: Option<String>,
    #[serde(default)]
    namespace: Option<Namespace>,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default, deserialize_with = "text")]
    web_url: String,
    #[serde(default, deserialize_with = "some_text")]
    default_branch: Option<String>,
    #[serde(default, deserialize_with = "some_names")]
    topics: Option<Vec<String>>,
    /// The old name of `topics`.
    #[serde(default, deserialize_with = "some_names")]
    tag_list: Option<Vec<String>>,
    #[serde(default, deserialize_with = "some_text")]
    visibility: Option<String>,
    #[serde(default, deserialize_with = "some_number")]
    visibility_level: Option<i64>,
    #[serde(default, deserialize_with = "flag")]
    archived: bool,
    #[serde(default, deserialize_with = "moment")]
    last_activity_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    updated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "flag")]
    empty_repo: bool,
    #[serde(default, deserialize_with = "some_text")]
    issues_access_level: Option<String>,
    #[serde(default, deserialize_with = "some_flag")]
    issues_enabled: Option<bool>,
    #[serde(default, deserialize_with = "some_text")]
    merge_requests_access_level: Option<String>,
    #[serde(default, deserialize_with = "some_flag")]
    merge_requests_enabled: Option<bool>,
    #[serde(default, deserialize_with = "some_text")]
    builds_access_level: Option<String>,
    #[serde(default, deserialize_with = "some_flag")]
    jobs_enabled: Option<bool>,
    /// The old name of `jobs_enabled`.
    #[serde(default, deserialize_with = "some_flag")]
    builds_enabled: Option<bool>,
    #[serde(default, deserialize_with = "some_text")]
    repository_access_level: Option<String>,
    #[serde(default, deserialize_with = "text")]
    issues_template: String,
    #[serde(default, deserialize_with = "text")]
    merge_requests_template: String,
}

/// The group or user that a project lives under.
#[derive(Debug, Deserialize)]
struct Namespace {
    #[serde(default, deserialize_with = "some_text")]
    full_path: Option<String>,
    #[serde(default, deserialize_with = "some_text")]
    path: Option<String>,
}

/// Says whether a feature is offered, from its level and from its switch of older versions,
/// which newer ones compute for the caller. Either may be absent.
fn offered(level: Option<&str>, switch: Option<bool>) -> bool {
    level != Some("disabled") && switch != Some(false)
}

impl Wire for Project {
    type Model = FetchedProject;

    fn into_model(self) -> Result<FetchedProject, serde_json::Error> {
        let features = ProjectFeatures {
            issues_enabled: offered(self.issues_access_level.as_deref(), self.issues_enabled),
            merge_requests_enabled: offered(
                self.merge_requests_access_level.as_deref(),
                self.merge_requests_enabled,
            ),
            builds_enabled: offered(
                self.builds_access_level.as_deref(),
                self.jobs_enabled.or(self.builds_enabled),
            ),
            empty_repo: self.empty_repo,
            repository_readable: offered(self.repository_access_level.as_deref(), None),
            is_sketch: false,
            issues_template: self.issues_template,
            merge_requests_template: self.merge_requests_template,
        };
        let path = match (self.path_with_namespace, self.path) {
            (Some(full), _) => full,
            (None, Some(last)) => {
                match self.namespace.and_then(|parent| parent.full_path.or(parent.path)) {
                    Some(parent) => format!("{parent}/{last}"),
                    None => last,
                }
            }
            (None, None) => return Err(absent("path_with_namespace")),
        };
        let visibility = self.visibility.or_else(|| {
            // Before the words, the levels.
            let word = match self.visibility_level? {
                0 => "private",
                10 => "internal",
                20 => "public",
                _ => return None,
            };
            Some(word.to_owned())
        });
        let project = model::Project {
            id: ProjectId::new(self.id.ok_or_else(|| absent("id"))?),
            path,
            name: self.name,
            description: self.description,
            web_url: self.web_url,
            default_branch: self.default_branch,
            topics: self.topics.or(self.tag_list).unwrap_or_default(),
            visibility: visibility.unwrap_or_default(),
            archived: self.archived,
            last_activity_at: self.last_activity_at,
        };
        Ok(FetchedProject { project, features, updated_at: self.updated_at })
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;
    use crate::model::ItemKind;

    #[test]
    fn short_form_counts_every_feature_as_offered() {
        let fetched = decode::<Project>(
            br#"{"id":7,"path_with_namespace":"shop/webshop","tag_list":["service-webshop"]}"#,
        )
        .expect("a project");
        assert_eq!(fetched.project.topics, ["service-webshop"]);
        assert_eq!(fetched.project.default_branch, None);
        let features = fetched.features;
        assert!(features.issues_enabled && features.merge_requests_enabled);
        assert!(features.builds_enabled && features.repository_readable && !features.empty_repo);
    }

    #[test]
    fn switched_off_features_are_known_by_level_and_by_switch() {
        let features = decode::<Project>(
            br#"{"id":7,"path_with_namespace":"a/b","issues_access_level":"disabled",
                "merge_requests_enabled":false,"jobs_enabled":false,"builds_access_level":"private",
                "repository_access_level":"disabled","empty_repo":true,"topics":null,
                "archived":null,"issues_template":null,"merge_requests_template":"Service:"}"#,
        )
        .expect("a project")
        .features;
        assert!(!features.issues_enabled && !features.merge_requests_enabled);
        assert!(!features.offers(ItemKind::Issue) && !features.offers(ItemKind::MergeRequest));
        assert!(!features.builds_enabled && !features.repository_readable && features.empty_repo);
        assert_eq!((features.issues_template.as_str()), "");
        assert_eq!(features.merge_requests_template, "Service:");
    }

    #[test]
    fn project_of_an_old_version_is_named_by_its_parts() {
        for (body, path, visibility) in [
            (
                r#"{"id":3,"path":"b","namespace":{"path":"a"},"visibility_level":10}"#,
                "a/b",
                "internal",
            ),
            (r#"{"id":3,"path":"b","namespace":{"full_path":"x/a","path":"a"}}"#, "x/a/b", ""),
            (r#"{"id":3,"path":"b","namespace":null,"visibility":"private"}"#, "b", "private"),
        ] {
            let project = decode::<Project>(body.as_bytes()).expect("a project").project;
            assert_eq!((project.path.as_str(), project.visibility.as_str()), (path, visibility));
        }
        assert!(decode::<Project>(br#"{"id":3}"#).is_err());
    }
}
