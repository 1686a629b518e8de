//! Branches and commits.
//!
//! The simulator keeps the files of the default branch and counts their changes: each change is one
//! commit. The source branch of an open merge request is a branch with one commit of its own.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::{Call, paging};
use crate::clock::later;
use crate::hash::hex40;
use crate::world::{MergeRequest, Project};

/// Who makes the commits.
const AUTHOR: (&str, &str) = ("Release Bot", "release-bot@acme.example");

/// A time as git keeps it: with an offset in digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct GitStamp(pub(super) Timestamp);

impl Serialize for GitStamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{:.3}", self.0);
        serializer.collect_str(&format_args!("{}+00:00", text.trim_end_matches('Z')))
    }
}

/// One commit.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) parents: Vec<String>,
    pub(super) title: String,
    pub(super) at: Timestamp,
}

/// Returns the hash of the commit that a branch, a tag or a hash names.
pub(crate) fn sha_of(project: &Project, name: &str) -> Option<String> {
    Commit::find(project, name).map(|commit| commit.sha)
}

impl Commit {
    /// Describes the change of that number.
    fn of_revision(project: &Project, revision: u64) -> Self {
        let sha = |revision: u64| hex40(&format!("{}:{revision}", project.id));
        let seconds = i64::try_from(revision).unwrap_or(i64::MAX);
        Self {
            sha: sha(revision),
            parents: (revision > 1).then(|| sha(revision - 1)).into_iter().collect(),
            title: format!("Change {revision}"),
            at: later(project.created_at, SignedDuration::from_secs(seconds)),
        }
    }

    /// Describes the one commit of a merge request.
    pub(super) fn of_merge_request(project: &Project, row: &MergeRequest) -> Self {
        Self {
            sha: row.head(project.id),
            parents: vec![project.head()],
            title: row.item.title.clone(),
            at: row.item.created_at,
        }
    }

    /// Finds a commit by branch, git tag, or the beginning of its name.
    pub(super) fn find(project: &Project, name: &str) -> Option<Self> {
        if project.files.is_empty() {
            return None;
        }
        let short = name.strip_prefix("refs/heads/").unwrap_or(name);
        let tag = project.tags.iter().find(|tag| tag.name == name).map(|tag| tag.sha.as_str());
        if short == project.default_branch || name == "HEAD" {
            return Some(Self::of_revision(project, project.revision));
        }
        if let Some(row) = branches_of(project).get(short).copied().flatten() {
            return Some(Self::of_merge_request(project, row));
        }
        let sha = tag.unwrap_or(name);
        let hexadecimal = sha.len() >= 7 && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        let named = |commit: &Self| hexadecimal && commit.sha.starts_with(sha);
        (1..=project.revision)
            .rev()
            .map(|revision| Self::of_revision(project, revision))
            .chain(open(project).map(|row| Self::of_merge_request(project, row)))
            .find(named)
    }

    /// Renders it as lists do.
    pub(super) fn shape(&self, call: &Call<'_>, project: &Project) -> Value {
        let at = GitStamp(self.at);
        json!({
            "id": self.sha,
            "short_id": self.sha.get(..8),
            "created_at": at,
            "parent_ids": self.parents,
            "title": self.title,
            "message": self.title,
            "author_name": AUTHOR.0,
            "author_email": AUTHOR.1,
            "authored_date": at,
            "committer_name": AUTHOR.0,
            "committer_email": AUTHOR.1,
            "committed_date": at,
            "trailers": {},
            "extended_trailers": {},
            "web_url": format!(
                "{}/{}/-/commit/{}", call.site.url, project.full_path, self.sha
            ),
        })
    }
}

fn open(project: &Project) -> impl Iterator<Item = &MergeRequest> {
    project.merge_requests.values().filter(|row| row.state() == "opened")
}

/// Lists the branches by name: the default branch, and the source branches of what is open.
fn branches_of(project: &Project) -> BTreeMap<&str, Option<&MergeRequest>> {
    let mut branches = BTreeMap::new();
    if !project.files.is_empty() {
        branches.extend(open(project).map(|row| (row.source_branch.as_str(), Some(row))));
        branches.insert(project.default_branch.as_str(), None);
    }
    branches
}

fn readable(call: &Call<'_>, project: &Project) -> Result<(), Failure> {
    if call.world.reads_code(call.caller, project) { Ok(()) } else { Err(Failure::Forbidden) }
}

fn branch_shape(
    call: &Call<'_>,
    project: &Project,
    (name, row): (&str, Option<&MergeRequest>),
) -> Value {
    let commit = match row {
        Some(row) => Commit::of_merge_request(project, row),
        None => Commit::of_revision(project, project.revision),
    };
    let default = row.is_none();
    json!({
        "name": name,
        "commit": commit.shape(call, project),
        "merged": false,
        "protected": default,
        "developers_can_push": false,
        "developers_can_merge": false,
        "can_push": false,
        "default": default,
        "web_url": format!("{}/{}/-/tree/{name}", call.site.url, project.full_path),
    })
}

/// `GET /projects/:id/repository/branches`
pub(super) fn branches(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let words = call.query.filled("search").map(str::to_lowercase);
    let fits = |name: &str| {
        let name = name.to_lowercase();
        words.as_ref().is_none_or(|words| match words.strip_prefix('^') {
            Some(start) => name.starts_with(start),
            None => name.contains(words),
        })
    };
    let rows: Vec<(&str, Option<&MergeRequest>)> =
        branches_of(project).into_iter().filter(|(name, _)| fits(name)).collect();
    paging::list(call, call.echo(&[], id), &rows, |row| branch_shape(call, project, *row))
}

/// `GET /projects/:id/repository/branches/:branch`
pub(super) fn branch(call: &Call<'_>, project: &Project, name: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let branches = branches_of(project);
    let row = branches.get_key_value(name).ok_or(Failure::NotFound("Branch"))?;
    Ok(Answer::json(&branch_shape(call, project, (row.0, *row.1))))
}

/// `GET /projects/:id/repository/commits`
///
/// There are no totals: GitLab does not count commits.
pub(super) fn commits(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let query = &call.query;
    let name = query.filled("ref_name").unwrap_or(&project.default_branch);
    let head = Commit::find(project, name).ok_or(Failure::NotFound("Commit"))?;
    let (since, until) = (query.time("since")?, query.time("until")?);
    let history = (1..=project.revision)
        .rev()
        .map(|revision| Commit::of_revision(project, revision))
        .skip_while(|commit| commit.sha != head.sha && !head.parents.contains(&commit.sha));
    let own = head.parents.contains(&project.head()).then(|| head.clone());
    let rows: Vec<Commit> = own
        .into_iter()
        .chain(history)
        .filter(|commit| since.is_none_or(|since| commit.at >= since))
        .filter(|commit| until.is_none_or(|until| commit.at <= until))
        .collect();
    let echo = call.echo(
        &[
            ("all", "false"),
            ("first_parent", "false"),
            ("order", "default"),
            ("trailers", "false"),
            ("with_stats", "false"),
        ],
        id,
    );
    let mut answer = paging::list(call, echo, &rows, |commit| commit.shape(call, project))?;
    answer.headers.retain(|(name, _)| !["x-total", "x-total-pages"].contains(&name.as_str()));
    Ok(answer)
}

/// `GET /projects/:id/repository/commits/:sha`
pub(super) fn commit(call: &Call<'_>, project: &Project, sha: &str) -> Result<Answer, Failure> {
    readable(call, project)?;
    let commit = Commit::find(project, sha).ok_or(Failure::NotFound("Commit"))?;
    let pipeline = project.pipelines.iter().rev().find(|row| row.sha == commit.sha);
    let mut shape = commit.shape(call, project);
    shape["stats"] = json!({"additions": 1, "deletions": 0, "total": 1});
    shape["status"] = json!(pipeline.map(|row| &row.status));
    shape["project_id"] = json!(project.id);
    shape["last_pipeline"] = json!(pipeline.map(|row| super::pipelines::shape(call, project, row)));
    Ok(Answer::json(&shape))
}

/// `GET …/commits/:sha/merge_requests`
pub(super) fn merge_requests_of(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    sha: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    let commit = Commit::find(project, sha).ok_or(Failure::NotFound("Commit"))?;
    let rows: Vec<&MergeRequest> = project
        .merge_requests
        .values()
        .filter(|row| Commit::of_merge_request(project, row).sha == commit.sha)
        .collect();
    let echo = call.echo(&[("state", "all")], id);
    paging::list(call, echo, &rows, |row| super::merge_requests::shape(call, project, row))
}

/// `GET …/commits/:sha/{statuses,comments,discussions,refs}`, of which there are none.
pub(super) fn of_commit(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    sha: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    Commit::find(project, sha).ok_or(Failure::NotFound("Commit"))?;
    super::tour::empty(call, id)
}

/// `GET /projects/:id/repository/contributors`
pub(super) fn contributors(
    call: &Call<'_>,
    project: &Project,
    id: &str,
) -> Result<Answer, Failure> {
    readable(call, project)?;
    let rows: Vec<u64> = (project.revision > 0).then_some(project.revision).into_iter().collect();
    let echo = call.echo(&[("order_by", "commits"), ("sort", "asc")], id);
    paging::list(call, echo, &rows, |commits| {
        json!({
            "name": AUTHOR.0,
            "email": AUTHOR.1,
            "commits": commits,
            "additions": 0,
            "deletions": 0,
        })
    })
}

/// `GET /projects/:id/repository/compare`: commits and one diff between two points of the history.
pub(super) fn compare(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    readable(call, project)?;
    let end = |name: &str| match call.query.filled(name) {
        None => Err(Failure::Invalid(format!("{name} is missing"))),
        Some(end) => Commit::find(project, end).ok_or(Failure::NotFound("Ref")),
    };
    let (from, to) = (end("from")?, end("to")?);
    let same = from.sha == to.sha;
    let commits: Vec<Value> = (!same).then(|| to.shape(call, project)).into_iter().collect();
    let diffs: Vec<Value> = (!same)
        .then(|| {
            json!({
                "diff": "@@ -0,0 +1 @@\n+changed\n",
                "collapsed": false,
                "too_large": false,
                "new_path": "README.md",
                "old_path": "README.md",
                "a_mode": "100644",
                "b_mode": "100644",
                "new_file": false,
                "renamed_file": false,
                "deleted_file": false,
                "generated_file": null,
            })
        })
        .into_iter()
        .collect();
    Ok(Answer::json(&json!({
        "commit": commits.first(),
        "commits": commits,
        "diffs": diffs,
        "compare_timeout": false,
        "compare_same_ref": same,
        "web_url": format!(
            "{}/{}/-/compare/{}...{}", call.site.url, project.full_path, from.sha, to.sha
        ),
    })))
}
