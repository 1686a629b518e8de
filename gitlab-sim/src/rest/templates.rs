//! Description templates: the Markdown files of two folders on the default branch, and those that
//! the groups above lend.

use serde_json::json;

use super::answer::{Answer, Failure};
use super::shape::text;
use super::{Call, paging};
use crate::server::Tier;
use crate::world::{Project, ProjectId};

/// A template, and the project that it comes from.
struct Template<'w> {
    name: &'w str,
    content: &'w [u8],
    source: ProjectId,
}

/// Lists the templates of a kind, the project's own first, then inherited ones by nearness.
fn of_kind<'w>(
    call: &Call<'w>,
    project: &'w Project,
    kind: &str,
) -> Result<Vec<Template<'w>>, Failure> {
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
    let mut found: Vec<Template<'w>> = Vec::new();
    // What groups lend needs a licence.
    let is_licensed = call.site.tier == Tier::Premium;
    let lent = call.world.template_projects(project).filter(|_| is_licensed);
    for source in std::iter::once(project).chain(lent) {
        for (path, content) in source.files.range(folder.to_owned()..) {
            let Some(rest) = path.strip_prefix(folder) else {
                break;
            };
            let Some(name) = rest.strip_suffix(".md").filter(|name| !name.contains('/')) else {
                continue;
            };
            found.push(Template { name, content, source: source.id });
        }
    }
    Ok(found)
}

/// Keeps of templates of one name the nearest: the project's own, then that of its closest group.
fn nearest(mut templates: Vec<Template<'_>>) -> Vec<Template<'_>> {
    // The sort is stable, so the nearest comes first among equals.
    templates.sort_by_key(|template| template.name);
    templates.dedup_by_key(|template| template.name);
    templates
}

/// `GET /projects/:id/templates/:type`
pub(super) fn list(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: &str,
) -> Result<Answer, Failure> {
    let templates = nearest(of_kind(call, project, kind)?);
    let mut echo = call.echo(&[], id);
    echo.set("type", kind);
    paging::list(call, echo, &templates, |row| json!({"key": row.name, "name": row.name}))
}

/// `GET /projects/:id/templates/:type/:name`
pub(super) fn one(
    call: &Call<'_>,
    project: &Project,
    kind: &str,
    name: &str,
) -> Result<Answer, Failure> {
    let templates = of_kind(call, project, kind)?;
    let source = call.query.number("source_template_project_id")?;
    let template = templates
        .iter()
        .filter(|row| row.name == name)
        .find(|row| source.is_none_or(|source| i64::try_from(row.source.get()) == Ok(source)))
        .ok_or(Failure::NotFound("Template"))?;
    let content = String::from_utf8_lossy(template.content);
    Ok(Answer::json(&json!({"name": template.name, "content": text(call, &content)})))
}
