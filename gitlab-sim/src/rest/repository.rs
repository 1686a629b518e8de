//! Files and trees of the default branch.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, CONSTANT_ETAG, Failure};
use super::git::Commit;
use super::query::Query;
use super::{Call, paging};
use crate::hash::hex64;
use crate::world::{Project, SELF_URL};

/// A file with what GitLab tells about it.
struct File<'w> {
    path: &'w str,
    name: &'w str,
    content: Vec<u8>,
    branch: String,
    blob: String,
    sha256: String,
    head: String,
}

impl<'w> File<'w> {
    fn find(
        call: &Call<'_>,
        project: &'w Project,
        path: &str,
        branch: &str,
    ) -> Result<Self, Failure> {
        if !call.world.reads_code(call.caller, project) {
            return Err(Failure::Forbidden);
        }
        if !knows(project, branch) {
            return Err(Failure::NotFound("Commit"));
        }
        let (path, content) = project
            .files
            .get_key_value(path.trim_start_matches('/'))
            .ok_or(Failure::NotFound("File"))?;
        let content = with_address(call, content);
        Ok(Self {
            path,
            name: path.rsplit('/').next().unwrap_or(path),
            branch: branch.to_owned(),
            blob: blob_id(&content),
            sha256: hex64(&content),
            head: project.head(),
            content,
        })
    }

    fn headers(&self, answer: Answer) -> Answer {
        answer
            .header("x-gitlab-blob-id", &self.blob)
            .header("x-gitlab-commit-id", &self.head)
            .header("x-gitlab-content-sha256", &self.sha256)
            .header("x-gitlab-encoding", "base64")
            .header("x-gitlab-execute-filemode", "false")
            .header("x-gitlab-file-name", self.name)
            .header("x-gitlab-file-path", self.path)
            .header("x-gitlab-last-commit-id", &self.head)
            .header("x-gitlab-ref", &self.branch)
            .header("x-gitlab-size", self.content.len().to_string())
    }
}

/// Puts the address of the instance into a file, if it is text.
fn with_address(call: &Call<'_>, content: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) if text.contains(SELF_URL) => text.replace(SELF_URL, &call.site.url).into_bytes(),
        _ => content.to_vec(),
    }
}

pub(crate) fn blob_id(content: &[u8]) -> String {
    let mut blob = format!("blob {}\0", content.len()).into_bytes();
    blob.extend_from_slice(content);
    let mut digits = hex64(&blob);
    digits.truncate(40);
    digits
}

/// Tells whether a branch, tag or commit is one that the project has files of.
pub(crate) fn knows(project: &Project, branch: &str) -> bool {
    Commit::find(project, branch).is_some()
}

/// `GET /projects/:id/repository/files/:path`
pub(super) fn file(call: &Call<'_>, project: &Project, path: &str) -> Result<Answer, Failure> {
    let branch = match call.query.text("ref") {
        None => return Err(Failure::Invalid("ref is missing".to_owned())),
        Some("") => return Err(Failure::Invalid("ref is empty".to_owned())),
        Some(branch) => branch,
    };
    let file = File::find(call, project, path, branch)?;
    let answer = Answer::json(&json!({
        "file_name": file.name,
        "file_path": file.path,
        "size": file.content.len(),
        "encoding": "base64",
        "content_sha256": file.sha256,
        "ref": file.branch,
        "blob_id": file.blob,
        "commit_id": file.head,
        "last_commit_id": file.head,
        "execute_filemode": false,
        "content": STANDARD.encode(&file.content),
    }));
    Ok(file.headers(answer))
}

/// `GET /projects/:id/repository/files/:path/raw`
pub(super) fn raw(call: &Call<'_>, project: &Project, path: &str) -> Result<Answer, Failure> {
    let branch = call.query.filled("ref").unwrap_or(&project.default_branch);
    let file = File::find(call, project, path, branch)?;
    let answer = Answer {
        status: StatusCode::OK,
        headers: vec![
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (header::CACHE_CONTROL, "no-store, no-cache".to_owned()),
            (header::CONTENT_DISPOSITION, format!("inline; filename=\"{}\"", file.name)),
        ],
        body: file.content.clone(),
    };
    Ok(file.headers(answer))
}

#[derive(Serialize)]
struct Entry {
    id: String,
    name: String,
    r#type: &'static str,
    path: String,
    mode: &'static str,
}

/// `GET /projects/:id/repository/tree`
pub(super) fn tree(call: &Call<'_>, project: &Project, id: &str) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    let query = &call.query;
    let branch = query.filled("ref").unwrap_or(&project.default_branch);
    if !knows(project, branch) {
        return Err(Failure::NotFound("Tree"));
    }
    let recursive = query.flag("recursive")?.unwrap_or(false);
    let folder = query.filled("path").unwrap_or("").trim_matches('/');
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut entries: BTreeMap<(bool, &str), Entry> = BTreeMap::new();
    for (path, content) in &project.files {
        let Some(rest) = path.strip_prefix(&prefix) else {
            continue;
        };
        let slashes = rest.match_indices('/').map(|(at, _)| prefix.len() + at);
        for end in slashes.take(if recursive { usize::MAX } else { 1 }) {
            let path = &path[..end];
            entries.entry((false, path)).or_insert_with(|| Entry {
                id: crate::hash::hex40(&format!("tree {path} {}", project.head())),
                name: path.rsplit('/').next().unwrap_or(path).to_owned(),
                r#type: "tree",
                path: path.to_owned(),
                mode: "040000",
            });
        }
        if recursive || !rest.contains('/') {
            entries.insert(
                (!recursive, path),
                Entry {
                    id: blob_id(&with_address(call, content)),
                    name: path.rsplit('/').next().unwrap_or(path).to_owned(),
                    r#type: "blob",
                    path: path.clone(),
                    mode: "100644",
                },
            );
        }
    }
    if entries.is_empty() {
        return Err(Failure::NotFound("invalid revision or path"));
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let echo = call.echo(&[("recursive", "false")], id);
    match query.one_of("pagination", &["keyset", "legacy", "none"])? {
        Some("keyset") => from_token(call, echo, &entries),
        Some("none") if !recursive => Err(Failure::BadRequest(
            "pagination=none is only allowed with recursive=true".to_owned(),
        )),
        Some("none") => Ok(Answer::json(&entries)),
        _ => paging::list(call, echo, &entries, |entry| json!(entry)),
    }
}

/// Answers with the entries behind a page token, which stands for the last path before them.
fn from_token(call: &Call<'_>, mut echo: Query, entries: &[Entry]) -> Result<Answer, Failure> {
    let start = match call.query.filled("page_token") {
        None => 0,
        Some(token) => {
            let token = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
            let last = entries.iter().position(|entry| entry.path.as_bytes() == token);
            last.ok_or(Failure::Unprocessable("Invalid page token"))? + 1
        }
    };
    let size = paging::size(&call.query)?;
    let page = entries.iter().skip(start).take(size).collect::<Vec<_>>();
    let answer = Answer::json(&page);
    match page.last() {
        Some(last) if start + page.len() < entries.len() => {
            echo.set("page_token", URL_SAFE_NO_PAD.encode(&last.path));
            let link = format!("<{}?{}>; rel=\"next\"", call.address(), echo.render());
            Ok(answer.header("link", link))
        }
        Some(_) | None => Ok(answer),
    }
}

/// `GET /projects/:id/repository/blobs/:sha` and `…/raw`
pub(super) fn blob(
    call: &Call<'_>,
    project: &Project,
    sha: &str,
    raw: bool,
) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::Forbidden);
    }
    let content = project
        .files
        .values()
        .map(|content| with_address(call, content))
        .find(|content| blob_id(content) == sha)
        .ok_or(Failure::NotFound("Blob"))?;
    if raw {
        return Ok(Answer {
            status: StatusCode::OK,
            headers: vec![
                (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
                (header::CACHE_CONTROL, "no-store, no-cache".to_owned()),
            ],
            body: content,
        });
    }
    Ok(Answer::json(&json!({
        "size": content.len(),
        "encoding": "base64",
        "content": STANDARD.encode(&content),
        "sha": sha,
    })))
}

/// `GET /projects/:id/repository/archive`: an archive without a file in it, which is enough to
/// show what endpoints behind Workhorse do to conditional requests.
pub(super) fn archive(call: &Call<'_>, project: &Project) -> Result<Answer, Failure> {
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::NotFound("File"));
    }
    let name = call.query.filled("sha").unwrap_or(&project.default_branch);
    let commit = Commit::find(project, name).ok_or(Failure::NotFound("File"))?;
    let answer = Answer {
        status: StatusCode::OK,
        headers: vec![
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}-{}.tar\"", project.path, commit.sha),
            ),
            (header::CACHE_CONTROL, "max-age=0, private, must-revalidate".to_owned()),
        ],
        // Two empty blocks end a tar archive.
        body: vec![0; 1024],
    };
    Ok(if call.site.constant_etag { answer.header("etag", CONSTANT_ETAG) } else { answer })
}
