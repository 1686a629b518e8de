//! What the simulator's answers and recorded ones do not have in common, and why.

/// Headers that a network, a cache, HTTP itself or a recorder adds: their names begin so.
pub const OF_THE_NETWORK: [&str; 10] = [
    "cf-",
    "gitlab-lb",
    "gitlab-sv",
    "server",
    "status",
    "date",
    "content-length",
    "strict-transport-security",
    "accept-ranges",
    "connection",
];

/// Parts of addresses that are not served.
pub const NOT_SERVED: [(&str, &str); 3] = [
    ("/-/", "web pages are no API"),
    ("/merge_ref", "the simulator merges nothing"),
    ("/discussions/", "there are no discussions of commits"),
];

const ALL_OLD: &[&str] = &["ogr", "danger"];
const OGR: &[&str] = &["ogr"];
const DANGER: &[&str] = &["danger"];
const GITEA: &[&str] = &["gitea-2026"];

/// Headers: in which records, what, why.
pub const HEADERS: [(&[&str], &str, &str); 9] = [
    (GITEA, "+x-request-id", "the recorder dropped it"),
    (ALL_OLD, "+content-security-policy +ratelimit-name +x-gitlab-meta", "newer than the record"),
    (ALL_OLD, "+referrer-policy", "newer than some of the records"),
    (ALL_OLD, "-ratelimit-resettime", "sent on refusals only since 2025"),
    (ALL_OLD, "+x-frame-options", "not on every recorded answer"),
    (
        ALL_OLD,
        "+ratelimit-limit +ratelimit-observed +ratelimit-remaining +ratelimit-reset",
        "sent on refusals only before 2018, and on some answers ever since",
    ),
    (DANGER, "+link +x-content-type-options", "not on every recorded answer"),
    (OGR, "+x-gitlab-execute-filemode", "newer than the record"),
    (OGR, "-x-gitlab-feature-category", "sent for a time in 2021 only"),
];

/// Fields: in which records, what, why.
pub const BODIES: [(&[&str], &str, &str); 21] = [
    (OGR, "+file_template_project_id", "said of groups with a licence for it"),
    (GITEA, "-allow_collaboration -allow_maintainer_to_push", "only on merge requests from forks"),
    (GITEA, "+issues_template +merge_requests_template", "for members; a stranger recorded it"),
    (
        ALL_OLD,
        "+bot +commit_email +created_at +detailed_merge_status +discord +draft \
         +extended_trailers +followers +following +imported +imported_from \
         +internal +local_time +locked +merge_after +merge_user +prepared_at \
         +project_id +pronouns +public_email +reviewers +scim_identities \
         +squash_on_merge +trailers +type +updated_at",
        "newer than the record, or there by tier",
    ),
    (ALL_OLD, "-attachment", "notes had attachments until 2024"),
    (
        DANGER,
        "+approvals_before_merge +assignee +assignees +author \
         +blocking_discussions_resolved +closed_at +closed_by +collapsed \
         +commands_changes +confidential +description +discussion_locked +downvotes \
         +first_contribution +force_remove_source_branch +generated_file +has_conflicts \
         +head_pipeline +id +invalid_approvers_rules +job_title +labels \
         +merge_commit_sha +merge_status +merge_when_pipeline_succeeds +merged_at \
         +merged_by +message +milestone +noteable_iid +overflow +reference +references \
         +resolvable +should_remove_source_branch +source_branch +source_project_id \
         +squash +squash_commit_sha +state +target_branch +target_project_id \
         +task_completion_status +time_stats +title +too_large +upvotes +user \
         +user_notes_count +web_url +work_in_progress +work_information",
        "newer than the record, or there by tier",
    ),
    (DANGER, "-downvote? -upvote?", "notes of API version 3"),
    (DANGER, "-position -resolved -resolved_by", "the recorded note stands on a line of the diff"),
    (DANGER, "+pipeline", "the recorder dropped it"),
    (OGR, "+*", "a recorded project had no code"),
    (
        OGR,
        "+issues_template +merge_requests_template +permissions",
        "for members; strangers recorded it",
    ),
    (OGR, "-bio_html", "gone since 2024"),
    (
        OGR,
        "+analytics_access_level +archived +closed_as_duplicate_of +cluster_agents \
         +container_registry_access_level +container_registry_image_prefix \
         +default_branch +description_html +emails_enabled \
         +enforce_auth_checks_on_uploads +environments_access_level +epic +epic_iid \
         +execute_filemode +feature_flags_access_level +health_status +iid \
         +infrastructure_access_level +issue_branch_template +issue_type +iteration \
         +marked_for_deletion_at +marked_for_deletion_on +max_artifacts_size \
         +membership_state +merge_commit_template +model_experiments_access_level \
         +model_registry_access_level +monitor_access_level +name +organization_id \
         +package_registry_access_level +prevent_sharing_groups_outside_hierarchy \
         +releases_access_level +repository_object_format +requirements_access_level \
         +requirements_enabled +security_and_compliance_access_level \
         +security_and_compliance_enabled +service_desk_reply_to +severity \
         +shared_runners_setting +show_diff_preview_in_email +source \
         +squash_commit_template +squash_option +start_date +task_status +topics \
         +warn_about_potentially_unwanted_characters +weight",
        "newer than the record, or there by tier",
    ),
    (OGR, "-edit_url", "only for who may edit the release"),
    (OGR, "-forked_from_project", "only forks have it; there are none"),
    (OGR, "-created_by", "only on members whom somebody added by hand"),
    (OGR, "-allow_collaboration -allow_maintainer_to_push", "only on merge requests from forks"),
    (OGR, "-owner", "only personal projects have it"),
    (OGR, "-ldap_access -ldap_cn", "only with LDAP"),
    (OGR, "-description_html", "only with include_html_description since 15.0"),
    (
        OGR,
        "-approvals_before_merge -auto_cancel_pending_pipelines \
         -auto_devops_deploy_strategy -auto_devops_enabled -build_coverage_regex \
         -build_git_strategy -build_timeout -ci_default_git_depth \
         -ci_forward_deployment_enabled -ci_job_token_scope_enabled \
         -container_expiration_policy -import_error -keep_latest_artifact \
         -merge_pipelines_enabled -merge_trains_enabled -mirror \
         -operations_access_level -restrict_user_defined_variables -runners_token \
         -service_desk_address",
        "settings that only maintainers see, of features that are not simulated",
    ),
];
