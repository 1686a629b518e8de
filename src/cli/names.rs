//! `xrefd service [NAME]` and `xrefd team [NAME]`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::ask::{Asked, Options};
use super::output::{self, Format, plain, short};
use crate::config::Environment;
use crate::lookup::{MAX_LIMIT, NameDetail, NameSummary};
use crate::serve::{List, Single};

/// Arguments of `service` and `team`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name in any spelling, or an alias; without it, all are listed
    name: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// Runs the command for a key.
pub async fn run(
    key: &str,
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    let asked = arguments.options.ask(config, environment).await?;
    let format = arguments.options.format();
    match &arguments.name {
        None => all(key, &asked, format).await,
        Some(name) => one(key, name, &asked, format).await,
    }
}

async fn all(key: &str, asked: &Asked, format: Format) -> anyhow::Result<Outcome> {
    let list: List<NameSummary> = match asked {
        Asked::Index(lookup, viewer) => {
            let fresh = lookup.freshness().await?;
            let (mut data, mut cursor) = (Vec::new(), None);
            loop {
                let page = lookup.names(key, cursor.as_ref(), MAX_LIMIT, viewer).await?;
                data.extend(page.data);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            List::new(data, None, fresh)
        }
        Asked::Daemon(remote) => {
            let path = ["v1", &format!("{key}s")];
            let limit = MAX_LIMIT.to_string();
            let mut all: Option<List<NameSummary>> = None;
            let mut cursor: Option<String> = None;
            loop {
                let mut query = vec![("limit", limit.as_str())];
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let page: Option<List<NameSummary>> = remote.get(&path, &query).await?;
                let Some(page) = page else { break };
                cursor.clone_from(&page.next_cursor);
                let so_far = all.take().map(|all| all.data).unwrap_or_default();
                let data = so_far.into_iter().chain(page.data).collect();
                all = Some(List { data, next_cursor: None, ..page });
                if cursor.is_none() {
                    break;
                }
            }
            all.ok_or_else(|| anyhow::anyhow!("the daemon has no list of {key}s"))?
        }
    };
    match format {
        Format::Json => output::json(&list),
        Format::Table => {
            let mut table =
                output::table(&[key, "projects", "open issues", "open MRs", "issues", "MRs"]);
            for row in &list.data {
                table.add_row([
                    plain(&row.name),
                    row.counts.projects.to_string(),
                    row.counts.open_issues.to_string(),
                    row.counts.open_merge_requests.to_string(),
                    row.counts.issues.to_string(),
                    row.counts.merge_requests.to_string(),
                ]);
            }
            output::data(&table.to_string());
            output::age(list.as_of, list.complete);
        }
    }
    Ok(if list.data.is_empty() { Outcome::NothingFound } else { Outcome::Done })
}

async fn one(key: &str, name: &str, asked: &Asked, format: Format) -> anyhow::Result<Outcome> {
    let found: Option<Single<NameDetail>> = match asked {
        Asked::Index(lookup, viewer) => {
            let fresh = lookup.freshness().await?;
            let detail = lookup.name(key, name, viewer).await?;
            detail.map(|detail| Single::new(detail, fresh))
        }
        Asked::Daemon(remote) => remote.get(&["v1", &format!("{key}s"), name], &[]).await?,
    };
    let Some(found) = found else {
        output::note(&format!(
            "nothing in the index carries the {key} `{}`; `xrefd {key}` lists those there are",
            plain(name)
        ));
        return Ok(Outcome::NothingFound);
    };
    match format {
        Format::Json => output::json(&found),
        Format::Table => {
            output::data(&detail(key, &found.data));
            output::age(found.as_of, found.complete);
        }
    }
    Ok(Outcome::Done)
}

/// Shows all about one name.
pub fn detail(key: &str, detail: &NameDetail) -> String {
    let mut lines = vec![format!("{key} {}", plain(&detail.name))];
    let mut add = |title: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("{title}: {text}"));
        }
    };
    let join =
        |names: &[String]| names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    add("  also called", join(&detail.aliases));
    add("  teams", join(&detail.teams));
    add(
        "  shares projects with",
        if key == "service" { join(&detail.services) } else { String::new() },
    );
    add("  services", if key == "service" { String::new() } else { join(&detail.services) });
    let owners: Vec<String> = detail.owners.iter().map(|owner| owner.name.clone()).collect();
    add("  owners", join(&owners));
    add(
        "  counts",
        format!(
            "{} projects, {} issues ({} open), {} merge requests ({} open)",
            detail.counts.projects,
            detail.counts.issues,
            detail.counts.open_issues,
            detail.counts.merge_requests,
            detail.counts.open_merge_requests
        ),
    );
    if !detail.projects.is_empty() {
        let mut table = output::table(&["project", "pipeline", "why"]);
        for project in &detail.projects {
            let wanted = format!("{key}:{}", detail.name);
            let why: Vec<String> = project
                .evidence
                .iter()
                .filter(|piece| piece.subject == wanted)
                .map(|piece| format!("{} {}", piece.via, plain(&piece.text)))
                .collect();
            let pipeline = project.pipeline.as_ref().map_or("", |pipeline| &pipeline.status);
            table.add_row([plain(&project.path), plain(pipeline), short(&why.join(", "), 50)]);
        }
        lines.push(format!("\n{table}"));
    }
    for (title, items) in [
        ("Open merge requests", &detail.open_merge_requests),
        ("Open issues", &detail.open_issues),
        ("Merged last", &detail.recently_merged),
    ] {
        if !items.is_empty() {
            lines.push(format!("\n{title}\n{}", output::items(items)));
        }
    }
    if !detail.references.is_empty() {
        let mut table = output::table(&["mentioned", "id", "issues", "MRs"]);
        for reference in &detail.references {
            table.add_row([
                plain(&reference.kind),
                short(&reference.id, 70),
                reference.issues.to_string(),
                reference.merge_requests.to_string(),
            ]);
        }
        lines.push(format!("\n{table}"));
    }
    lines.join("\n")
}
