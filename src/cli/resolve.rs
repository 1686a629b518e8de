//! `xrefd resolve TEXT`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::ask::{Asked, Options};
use super::output::{self, Format, plain, short};
use crate::config::Environment;
use crate::lookup::{Input, Resolved};
use crate::serve::Single;

/// Arguments of `resolve`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A URL, ARN, project path, id or name
    #[arg(required = true, num_args = 1.., value_name = "TEXT")]
    text: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Runs the command.
pub async fn run(
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    let asked = arguments.options.ask(config, environment).await?;
    let text = arguments.text.join(" ");
    let resolved: Single<Resolved> = match &asked {
        Asked::Index(lookup, viewer) => {
            let fresh = lookup.freshness().await?;
            let resolved = lookup.resolve(Input::Text(text.clone()), viewer).await?;
            Single::new(resolved, fresh)
        }
        Asked::Daemon(remote) => remote
            .get(&["v1", "resolve"], &[("text", &text)])
            .await?
            .ok_or_else(|| anyhow::anyhow!("the daemon resolves nothing"))?,
    };
    match arguments.options.format() {
        Format::Json => output::json(&resolved),
        Format::Table => {
            output::data(&shown(&resolved.data));
            output::age(resolved.as_of, resolved.complete);
        }
    }
    let answer = &resolved.data;
    let nothing = answer.gone.is_none() && answer.services.is_empty();
    if nothing && answer.projects.is_empty() && answer.items.is_empty() {
        output::note(&format!("nothing in the index is or mentions `{}`", plain(&text)));
        return Ok(Outcome::NothingFound);
    }
    Ok(Outcome::Done)
}

/// Shows what an input is and belongs to.
pub fn shown(answer: &Resolved) -> String {
    let id = answer.input.id.as_deref().unwrap_or_default();
    let mut lines = vec![format!("{} {}", plain(&answer.input.kind), plain(id))];
    if let Some(gone) = &answer.gone {
        lines.push(format!(
            "{} {} is gone, noticed {}: {}",
            plain(&gone.kind.replace('_', " ")),
            plain(&gone.reference),
            gone.gone_at,
            plain(&gone.explanation)
        ));
    }
    for service in &answer.services {
        lines.push(format!(
            "\nservice {}: {} projects, {} open issues, {} open merge requests",
            plain(&service.name),
            service.counts.projects,
            service.counts.open_issues,
            service.counts.open_merge_requests
        ));
        for piece in &service.evidence {
            lines.push(format!("  because of {}: {}", plain(&piece.via), short(&piece.text, 100)));
        }
        if !service.teams.is_empty() {
            lines.push(format!("  teams: {}", plain(&service.teams.join(", "))));
        }
        for project in &service.projects {
            lines.push(format!("  {}", plain(&project.web_url)));
        }
    }
    if !answer.items.is_empty() {
        lines.push(format!("\n{}", output::items(&answer.items)));
    }
    lines.join("\n")
}
