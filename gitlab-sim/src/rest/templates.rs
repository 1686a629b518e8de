//! Description templates: the Markdown files of two folders on the default branch.

use serde_json::json;

use super::answer::{Answer, Failure};
use super::shape::text;
use super::{Call, paging};
use crate::world::Project;

/// Lists name and text of the templates of a kind, by name.
fn of_kind<'w>(
    call: &Call<'_>,
    project: &'w Project,
    kind: &str,
) -> Result<Vec<(&'w str, &'w [u8])>, Failure> {
    let folder = match kind {
        "issues" => ".gitlab/issue_templates/",
        "merge_requests" => ".gitlab/merge_request_templates/",
        // The others hold nothing here.
        "dockerfiles" | "gitignores" | "gitlab_ci_ymls" | "licenses" => return Ok(Vec::new()),
        _ => {
            return Err(Failure::Invalid("type does not have a valid value".to_owned()));
        }
    };
    if !call.world.reads_code(call.caller, project) {
        return Err(Failure::NotFound("Project"));
    }
    Ok(project
        .files
        .range(folder.to_owned()..)
        .take_while(|(path, _)| path.starts_with(folder))
        .filter_map(|(path, content)| {
            let name = path.strip_prefix(folder)?.strip_suffix(".md")?;
            (!name.contains('/')).then_some((name, content.as_slice()))
        })
        .collect())
}

/// `GET /projects/:id/templates/:type`
pub(super) fn list(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: &str,
) -> Result<Answer, Failure> {
    let templates = of_kind(call, project, kind)?;
    let mut echo = call.echo(&[], id);
    echo.set("type", kind);
    paging::list(call, echo, &templates, |(name, _)| json!({"key": name, "name": name}))
}

/// `GET /projects/:id/templates/:type/:name`
pub(super) fn one(
    call: &Call<'_>,
    project: &Project,
    kind: &str,
    name: &str,
) -> Result<Answer, Failure> {
    let templates = of_kind(call, project, kind)?;
    let (name, content) =
        templates.iter().find(|(known, _)| *known == name).ok_or(Failure::NotFound("Template"))?;
    let content = String::from_utf8_lossy(content);
    Ok(Answer::json(&json!({"name": name, "content": text(call, &content)})))
}
