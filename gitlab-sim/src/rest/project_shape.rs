//! The shape of a project, short and full.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::Call;
use super::shape::Stamp;
use crate::world::{AccessLevel, GroupId, Project, ProjectId, UserId, Visibility};

#[derive(Debug, Serialize)]
struct Namespace<'w> {
    id: GroupId,
    name: &'w str,
    path: &'w str,
    kind: &'static str,
    full_path: &'w str,
    parent_id: Option<GroupId>,
    avatar_url: Option<&'static str>,
    web_url: String,
}

/// A project, in the short form of `simple=true` or in full.
#[derive(Debug, Serialize)]
pub(super) struct ProjectShape<'w> {
    id: ProjectId,
    description: &'w str,
    name: &'w str,
    name_with_namespace: String,
    path: &'w str,
    path_with_namespace: &'w str,
    created_at: Stamp,
    default_branch: Option<&'w str>,
    tag_list: Vec<&'w str>,
    topics: Vec<&'w str>,
    ssh_url_to_repo: String,
    http_url_to_repo: String,
    web_url: String,
    readme_url: Option<String>,
    forks_count: u64,
    avatar_url: Option<&'static str>,
    star_count: u64,
    last_activity_at: Stamp,
    visibility: Visibility,
    namespace: Option<Namespace<'w>>,
    #[serde(flatten)]
    full: Option<Full<'w>>,
}

/// What the full form of a project adds.
#[derive(Debug, Serialize)]
#[expect(clippy::option_option, reason = "a field may be absent, null or there")]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct Full<'w> {
    container_registry_image_prefix: String,
    _links: Value,
    marked_for_deletion_at: Option<Date>,
    marked_for_deletion_on: Option<Date>,
    packages_enabled: bool,
    empty_repo: bool,
    archived: bool,
    resolve_outdated_diff_discussions: bool,
    repository_object_format: &'static str,
    issues_enabled: bool,
    merge_requests_enabled: bool,
    wiki_enabled: bool,
    jobs_enabled: bool,
    snippets_enabled: bool,
    container_registry_enabled: bool,
    service_desk_enabled: bool,
    can_create_merge_request_in: bool,
    issues_access_level: &'static str,
    repository_access_level: &'static str,
    merge_requests_access_level: &'static str,
    forking_access_level: &'static str,
    wiki_access_level: &'static str,
    builds_access_level: &'static str,
    snippets_access_level: &'static str,
    releases_access_level: &'static str,
    environments_access_level: &'static str,
    emails_disabled: bool,
    emails_enabled: bool,
    shared_runners_enabled: bool,
    lfs_enabled: bool,
    creator_id: UserId,
    import_status: &'static str,
    open_issues_count: usize,
    description_html: &'w str,
    updated_at: Stamp,
    ci_config_path: Option<&'static str>,
    public_jobs: bool,
    shared_with_groups: Vec<Value>,
    only_allow_merge_if_pipeline_succeeds: bool,
    allow_merge_on_skipped_pipeline: Option<bool>,
    request_access_enabled: bool,
    only_allow_merge_if_all_discussions_are_resolved: bool,
    remove_source_branch_after_merge: bool,
    printing_merge_request_link_enabled: bool,
    merge_method: &'static str,
    squash_option: &'static str,
    suggestion_commit_message: Option<&'static str>,
    merge_commit_template: Option<&'static str>,
    squash_commit_template: Option<&'static str>,
    issue_branch_template: Option<&'static str>,
    autoclose_referenced_issues: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    issues_template: Option<Option<&'w str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_requests_template: Option<Option<&'w str>>,
    permissions: Value,
    #[serde(flatten)]
    settings: Settings,
}

/// Settings of features that are not simulated, as a project of gitlab.com has them.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct Settings {
    pages_access_level: &'static str,
    analytics_access_level: &'static str,
    container_registry_access_level: &'static str,
    security_and_compliance_access_level: &'static str,
    feature_flags_access_level: &'static str,
    infrastructure_access_level: &'static str,
    monitor_access_level: &'static str,
    model_experiments_access_level: &'static str,
    model_registry_access_level: &'static str,
    package_registry_access_level: &'static str,
    show_diff_preview_in_email: bool,
    enforce_auth_checks_on_uploads: bool,
    warn_about_potentially_unwanted_characters: bool,
    max_artifacts_size: Option<u64>,
    external_authorization_classification_label: &'static str,
    requirements_enabled: bool,
    requirements_access_level: &'static str,
    security_and_compliance_enabled: bool,
    compliance_frameworks: [(); 0],
}

const SETTINGS: Settings = Settings {
    pages_access_level: "enabled",
    analytics_access_level: "enabled",
    container_registry_access_level: "enabled",
    security_and_compliance_access_level: "private",
    feature_flags_access_level: "enabled",
    infrastructure_access_level: "enabled",
    monitor_access_level: "enabled",
    model_experiments_access_level: "enabled",
    model_registry_access_level: "enabled",
    package_registry_access_level: "enabled",
    show_diff_preview_in_email: true,
    enforce_auth_checks_on_uploads: true,
    warn_about_potentially_unwanted_characters: true,
    max_artifacts_size: None,
    external_authorization_classification_label: "",
    requirements_enabled: false,
    requirements_access_level: "enabled",
    security_and_compliance_enabled: false,
    compliance_frameworks: [],
};

impl<'w> ProjectShape<'w> {
    pub(super) fn simple(call: &Call<'w>, project: &'w Project) -> Self {
        let url = &call.site.url;
        let web_url = format!("{url}/{}", project.full_path);
        let topics: Vec<&str> = project.topics.iter().map(String::as_str).collect();
        let group = call.world.group(project.group);
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        let host = host.split([':', '/']).next().unwrap_or(host);
        let branch = (!project.files.is_empty()).then_some(project.default_branch.as_str());
        Self {
            id: project.id,
            description: &project.description,
            name: &project.name,
            name_with_namespace: group.map_or_else(
                || project.name.clone(),
                |group| format!("{} / {}", group.full_name, project.name),
            ),
            path: &project.path,
            path_with_namespace: &project.full_path,
            created_at: Stamp(project.created_at),
            default_branch: branch.filter(|_| call.world.reads_code(call.caller, project)),
            tag_list: topics.clone(),
            topics,
            ssh_url_to_repo: format!("git@{host}:{}.git", project.full_path),
            http_url_to_repo: format!("{web_url}.git"),
            readme_url: project
                .files
                .contains_key("README.md")
                .then(|| format!("{web_url}/-/blob/{}/README.md", project.default_branch)),
            web_url,
            forks_count: 0,
            avatar_url: None,
            star_count: 0,
            last_activity_at: Stamp(project.last_activity_at),
            visibility: project.visibility,
            namespace: group.map(|group| Namespace {
                id: group.id,
                name: &group.name,
                path: &group.path,
                kind: "group",
                full_path: &group.full_path,
                parent_id: group.parent,
                avatar_url: None,
                web_url: format!("{url}/groups/{}", group.full_path),
            }),
            full: None,
        }
    }

    pub(super) fn full(call: &Call<'w>, project: &'w Project) -> Self {
        Self { full: Some(Full::new(call, project)), ..Self::simple(call, project) }
    }
}

impl<'w> Full<'w> {
    fn new(call: &Call<'w>, project: &'w Project) -> Self {
        let member = call.world.access(call.caller, project);
        let template = |text: &'w Option<String>| member.is_some().then_some(text.as_deref());
        Self {
            container_registry_image_prefix: format!("registry.example/{}", project.full_path),
            _links: links(call, project),
            marked_for_deletion_at: project.marked_for_deletion_on,
            marked_for_deletion_on: project.marked_for_deletion_on,
            packages_enabled: true,
            empty_repo: project.files.is_empty(),
            archived: project.archived,
            resolve_outdated_diff_discussions: false,
            repository_object_format: "sha1",
            issues_enabled: true,
            merge_requests_enabled: true,
            wiki_enabled: true,
            jobs_enabled: true,
            snippets_enabled: true,
            container_registry_enabled: true,
            service_desk_enabled: false,
            can_create_merge_request_in: call.caller.user().is_some() && !project.archived,
            issues_access_level: "enabled",
            repository_access_level: "enabled",
            merge_requests_access_level: "enabled",
            forking_access_level: "enabled",
            wiki_access_level: "enabled",
            builds_access_level: "enabled",
            snippets_access_level: "enabled",
            releases_access_level: "enabled",
            environments_access_level: "enabled",
            emails_disabled: false,
            emails_enabled: true,
            shared_runners_enabled: true,
            lfs_enabled: true,
            creator_id: project.creator,
            import_status: "none",
            open_issues_count: project
                .issues
                .values()
                // Nobody in particular is asked for, so the confidential ones are left out.
                .filter(|issue| issue.item.closed_at.is_none() && !issue.confidential)
                .count(),
            description_html: &project.description,
            updated_at: Stamp(project.updated_at),
            ci_config_path: None,
            public_jobs: true,
            shared_with_groups: super::groups::shares(
                call,
                call.world.shares_of_project(project.id),
            ),
            only_allow_merge_if_pipeline_succeeds: false,
            allow_merge_on_skipped_pipeline: None,
            request_access_enabled: true,
            only_allow_merge_if_all_discussions_are_resolved: false,
            remove_source_branch_after_merge: true,
            printing_merge_request_link_enabled: true,
            merge_method: "merge",
            squash_option: "default_off",
            suggestion_commit_message: None,
            merge_commit_template: None,
            squash_commit_template: None,
            issue_branch_template: None,
            autoclose_referenced_issues: true,
            issues_template: template(&project.issues_template),
            merge_requests_template: template(&project.merge_requests_template),
            permissions: permissions(call, project),
            settings: SETTINGS,
        }
    }
}

fn links(call: &Call<'_>, project: &Project) -> Value {
    let base = format!("{}/api/v4/projects/{}", call.site.url, project.id);
    json!({
        "self": base,
        "issues": format!("{base}/issues"),
        "merge_requests": format!("{base}/merge_requests"),
        "repo_branches": format!("{base}/repository/branches"),
        "labels": format!("{base}/labels"),
        "events": format!("{base}/events"),
        "members": format!("{base}/members"),
        "cluster_agents": format!("{base}/cluster_agents"),
    })
}

fn permissions(call: &Call<'_>, project: &Project) -> Value {
    let access = |level: Option<AccessLevel>| {
        level.map(|level| json!({"access_level": level.number(), "notification_level": 3}))
    };
    let user = call.caller.user();
    let direct = user.and_then(|user| project.members.get(&user.id).copied());
    let inherited = call
        .world
        .group(project.group)
        .filter(|_| user.is_some_and(|user| !user.admin))
        .and_then(|group| call.world.group_access(call.caller, group));
    json!({"project_access": access(direct), "group_access": access(inherited)})
}

/// Returns the word of a visibility.
pub(super) fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Internal => "internal",
        Visibility::Public => "public",
    }
}
