//! Which samples of published clients our webhooks are compared with, and every known difference.

/// Our bodies, by the words that identify them, and the samples of each.
pub const COMPARED: [(&str, &[&str]); 27] = [
    (
        "issue",
        &[
            "go-gitlab/webhooks__issue",
            "gitlab4j/models__issue-event",
            "jenkins-x-go-scm/webhooks__issue_create",
            "jenkins-x-go-scm/webhooks__issue_edited",
            "jenkins-x-go-scm/webhooks__issue_labeled",
            "jenkins-x-go-scm/webhooks__issue_closed",
            "jenkins-x-go-scm/webhooks__issue_reopen",
        ],
    ),
    ("work_item", &["gitlab4j/models__workitem-event", "go-gitlab/webhooks__issue"]),
    (
        "merge_request",
        &[
            "go-gitlab/webhooks__merge_request",
            "go-gitlab/webhooks__group_merge_request",
            "gitlab4j/models__merge-request-event",
            "jenkins-x-go-scm/webhooks__pull_request_create",
            "jenkins-x-go-scm/webhooks__pull_request_edited",
            "jenkins-x-go-scm/webhooks__pull_request_merge",
            "jenkins-x-go-scm/webhooks__pull_request_close",
            "jenkins-x-go-scm/webhooks__pull_request_reopen",
        ],
    ),
    (
        "note on Issue",
        &[
            "go-gitlab/webhooks__note_issue",
            "gitlab4j/models__note-issue-event",
            "jenkins-x-go-scm/webhooks__issue_comment_create",
        ],
    ),
    (
        "note on MergeRequest",
        &[
            "go-gitlab/webhooks__note_merge_request",
            "gitlab4j/models__note-merge-request-event",
            "jenkins-x-go-scm/webhooks__pull_request_comment_create",
            "jenkins-x-go-scm/webhooks__review_comment_create",
        ],
    ),
    (
        "push",
        &[
            "go-gitlab/webhooks__push",
            "gitlab4j/models__push-event",
            "jenkins-x-go-scm/webhooks__push",
            "jenkins-x-go-scm/webhooks__push2",
            "jenkins-x-go-scm/webhooks__branch_create",
            "jenkins-x-go-scm/webhooks__branch_delete",
        ],
    ),
    (
        "tag_push",
        &[
            "go-gitlab/webhooks__tag_push",
            "gitlab4j/models__tag-push-event",
            "jenkins-x-go-scm/webhooks__tag_create",
            "jenkins-x-go-scm/webhooks__tag_delete",
        ],
    ),
    ("pipeline", &["go-gitlab/webhooks__pipeline", "gitlab4j/models__pipeline-event"]),
    ("release", &["go-gitlab/webhooks__release", "jenkins-x-go-scm/webhooks__release"]),
    ("user_add_to_group", &["go-gitlab/webhooks__member"]),
    ("project_create", &["go-gitlab/webhooks__project"]),
    ("subgroup_create", &["go-gitlab/webhooks__subgroup"]),
    (
        "system push",
        &[
            "go-gitlab/systemhooks__push",
            "gitlab4j/models__push-system-hook-event",
            "go-gitlab/webhooks__push",
            "jenkins-x-go-scm/webhooks__push",
            "jenkins-x-go-scm/webhooks__branch_delete",
        ],
    ),
    (
        "system tag_push",
        &[
            "go-gitlab/systemhooks__tag_push",
            "gitlab4j/models__tag-push-system-hook-event",
            "go-gitlab/webhooks__push",
            "jenkins-x-go-scm/webhooks__tag_create",
            "jenkins-x-go-scm/webhooks__tag_delete",
        ],
    ),
    (
        "system merge_request",
        &[
            "go-gitlab/systemhooks__merge_request",
            "gitlab4j/models__merge-request-system-hook-event",
            "go-gitlab/webhooks__merge_request",
        ],
    ),
    (
        "system repository_update",
        &[
            "go-gitlab/systemhooks__repository_update",
            "gitlab4j/models__repository-system-hook-event",
        ],
    ),
    (
        "system project_create",
        &["go-gitlab/systemhooks__project_create", "go-gitlab/webhooks__project"],
    ),
    (
        "system project_update",
        &["go-gitlab/systemhooks__project_update", "go-gitlab/webhooks__project"],
    ),
    (
        "system project_rename",
        &["go-gitlab/systemhooks__project_rename", "go-gitlab/webhooks__project"],
    ),
    (
        "system project_transfer",
        &["go-gitlab/systemhooks__project_transfer", "go-gitlab/webhooks__project"],
    ),
    (
        "system project_destroy",
        &["go-gitlab/systemhooks__project_destroy", "go-gitlab/webhooks__project"],
    ),
    ("system group_create", &["go-gitlab/systemhooks__group_create"]),
    (
        "system group_rename",
        &["go-gitlab/systemhooks__group_rename", "gitlab4j/models__group-system-hook-event"],
    ),
    ("system user_create", &["go-gitlab/systemhooks__user_create"]),
    (
        "system user_add_to_team",
        &[
            "go-gitlab/systemhooks__user_add_to_team",
            "gitlab4j/models__team-member-system-hook-event",
        ],
    ),
    ("system user_remove_from_team", &["go-gitlab/systemhooks__user_remove_from_team"]),
    ("system user_update_for_group", &["go-gitlab/systemhooks__user_update_for_group"]),
];

/// Fields at the ends of paths, with the reason why they differ.
pub type Differences = &'static [(&'static [&'static str], &'static str)];

/// Fields of the samples that our bodies lack.
pub const LEFT_OUT: Differences = &[
    (
        &[
            "approvals_before_merge",
            "branch_name",
            "deleted_at",
            "in_progress_merge_commit_sha",
            "jobs",
            "lock_version",
            "merge_jid",
            "merge_when_build_succeeds",
            "object_attributes.position",
            "issue.position",
            "merge_request.position",
            "rebase_commit_sha",
            "ref_fetched",
            "visibility",
        ],
        "columns of old versions, gone since",
    ),
    (
        &["merge_request.assignee", "merge_request .assignee"],
        "on old versions, and in samples that still show them",
    ),
    (&["escalation_policy", "escalation_status"], "on-call rotas are not simulated"),
    (&["reviewers", "reviewer_ids[]", "reviewers[]"], "the world has no reviewers"),
    (
        &["tag_push .commits[].added[]", "tag_push .commits[].modified[]"],
        "the commit of a tag is told without files",
    ),
    (
        &["system tag_push .commits[].added[]", "system tag_push .commits[].modified[]"],
        "the commit of a tag is told without files",
    ),
    (&["oldrev"], "the commits of a merge request do not move"),
    (&["system", "system_action"], "only where GitLab itself undoes approvals"),
    (
        &[
            "auto_merge_strategy",
            "commit_message",
            "merge_params.sha",
            "should_remove_source_branch",
            "squash_commit_message",
            "train_ref",
        ],
        "only while a merge is awaited",
    ),
    (&["builds[]", "stages[]", "variables[]", "jobs[]"], "the world has no jobs"),
    (&["source_pipeline"], "only where one pipeline starts another"),
    (&["links[]"], "releases have no links"),
    (&["project_namespace_id"], "namespaces of projects have no number"),
    (&["system merge_request .event_name"], "gitlab4j puts it there while parsing"),
];

/// Fields of our bodies that the samples lack.
pub const ADDED: Differences = &[
    (&["assignee.email", "assignee.id", "assignees[].email", "assignees[].id"], "since 13"),
    (
        &[
            "blocking_discussions_resolved",
            "ci_config_path",
            "commit.title",
            "discussion_locked",
            "draft",
            "duplicated_to_id",
            "first_contribution",
            "full_path",
            "health_status",
            "human_time_change",
            "internal",
            "object_attributes.description",
            "prepared_at",
            "project.id",
            "protected_ref",
            "push_options",
            "severity",
            "source.id",
            "state_id",
            "target.id",
            "time_change",
            "type",
            "user_username",
            "weight",
        ],
        "newer than the samples of this event; samples of others have most of them",
    ),
    (&["removed[]"], "no file is removed in the samples"),
    (&["issue.assignee_ids[]"], "nobody is assigned in the samples"),
    (&["owner_email", "owner_name"], "in the system form of the same event"),
    (&["expires_at", "group_plan"], "in the form for groups of the same event"),
];

/// Fields that are null in our bodies and never in the samples, or the reverse.
pub const OTHER_TYPE: Differences = &[
    (
        &[
            "discussion_locked",
            "head_pipeline_id",
            "human_time_change",
            "last_edited_at",
            "last_edited_by_id",
            "object_attributes.name",
            "pipeline .merge_request",
            "relative_position",
            "updated_by_id",
        ],
        "the world does not keep it",
    ),
    (&["health_status", "weight"], "Premium has it, nobody has set it"),
    (&["labels[].description"], "labels without a description have none"),
    (&["ci_config_path"], "the default is in use"),
    (&["issue.closed_at"], "the issue of the sample is closed"),
    (&["commit_id"], "not a comment on a commit; older versions said it with an empty text"),
    (&["expires_at"], "memberships do not expire"),
];
