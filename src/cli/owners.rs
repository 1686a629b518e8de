//! `xrefd owners PROJECT [PATH]`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::ask::{Asked, Options};
use super::output::{self, Format, plain};
use crate::config::Environment;
use crate::lookup::PathOwners;
use crate::serve::Single;

/// Arguments of `owners`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's path, one it had before, or its id
    project: String,
    /// A file's path from the root of the repository; without it, all entries are listed
    path: Option<String>,
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
    let (project, path) = (arguments.project.as_str(), arguments.path.as_deref());
    let found: Option<Single<PathOwners>> = match &asked {
        Asked::Index(lookup, viewer) => {
            let fresh = lookup.freshness().await?;
            let owners = lookup.owners(project, path, viewer).await?;
            owners.map(|owners| Single::new(owners, fresh))
        }
        Asked::Daemon(remote) => {
            let query: Vec<(&str, &str)> = path.map(|path| ("path", path)).into_iter().collect();
            remote.get(&["v1", "projects", project, "owners"], &query).await?
        }
    };
    let Some(found) = found else {
        output::note(&format!("no project in the index is or was `{}`", plain(project)));
        return Ok(Outcome::NothingFound);
    };
    match arguments.options.format() {
        Format::Json => output::json(&found),
        Format::Table => {
            if let Some(file) = &found.data.file {
                output::note(&format!("by {}", plain(file)));
            }
            output::data(&shown(&found.data));
            output::age(found.as_of, found.complete);
        }
    }
    if found.data.sections.is_empty() {
        let why = match found.data.file {
            None => "the project has no CODEOWNERS file",
            Some(_) => "no entry of the CODEOWNERS file covers it",
        };
        output::note(why);
        return Ok(Outcome::NothingFound);
    }
    Ok(Outcome::Done)
}

/// Shows entries as a table.
pub fn shown(owners: &PathOwners) -> String {
    let mut table = output::table(&["section", "line", "pattern", "approvals", "owners"]);
    for entry in &owners.sections {
        let approvals = match (entry.optional, entry.approvals) {
            (true, _) => "optional".to_owned(),
            (false, 0) => String::new(),
            (false, number) => number.to_string(),
        };
        let names: Vec<String> = entry.owners.iter().map(|owner| plain(&owner.name)).collect();
        table.add_row([
            plain(&entry.section),
            entry.line.to_string(),
            plain(&entry.pattern),
            approvals,
            names.join(" "),
        ]);
    }
    table.to_string()
}
