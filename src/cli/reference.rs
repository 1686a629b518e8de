//! `xrefd ref TEXT`.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::ask::{Asked, Options};
use super::output::{self, Format, plain};
use crate::config::Environment;
use crate::lookup::{Cursor, Item, ItemCursor, ItemQuery, MAX_LIMIT, ReadReference};
use crate::serve::List;

/// Arguments of `ref`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// An incident or ticket, its key, its URL, or a sentence with any of these
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
    let (read, items) = mentions(&text, &asked).await?;
    if read.is_empty() {
        output::note(&format!("no id, key or known address stands in `{}`", plain(&text)));
    }
    match arguments.options.format() {
        Format::Json => output::json(&items),
        Format::Table => {
            for reference in &read {
                output::note(&format!("{} {}", plain(&reference.kind), plain(&reference.id)));
            }
            if !items.data.is_empty() {
                output::data(&listed(&read, &items.data));
            }
            output::age(items.as_of, items.complete);
        }
    }
    if items.data.is_empty() {
        for reference in &read {
            output::note(&format!(
                "nothing in the index mentions {} {}",
                plain(&reference.kind),
                plain(&reference.id)
            ));
        }
        return Ok(Outcome::NothingFound);
    }
    Ok(Outcome::Done)
}

/// Shows items that mention something, each with the evidence for it.
pub fn listed(read: &[ReadReference], items: &[Item]) -> String {
    let wanted: Vec<String> =
        read.iter().map(|reference| format!("{}:{}", reference.kind, reference.id)).collect();
    let mut blocks = Vec::new();
    for item in items {
        let pieces: Vec<_> =
            item.evidence.iter().filter(|piece| wanted.contains(&piece.subject)).collect();
        blocks.push(format!(
            "{:<10} {}  {}\n           {}\n{}",
            item.state,
            plain(&item.reference),
            output::short(&item.title, 80),
            plain(&item.web_url),
            output::evidence(&pieces)
        ));
    }
    blocks.join("\n")
}

/// Reads the ids out of a text, and lists every item that mentions one, last changed first.
async fn mentions(text: &str, asked: &Asked) -> anyhow::Result<(Vec<ReadReference>, List<Item>)> {
    let (read, mut items, as_of, complete) = match asked {
        Asked::Index(lookup, viewer) => {
            let fresh = lookup.freshness().await?;
            let read = lookup.mentions_in(text, viewer).await?;
            let mut items = Vec::new();
            for reference in &read {
                let mut query = ItemQuery { limit: MAX_LIMIT, ..ItemQuery::default() };
                loop {
                    let (kind, id) = (&reference.kind, &reference.id);
                    let page = lookup.mentions_of(kind, id, None, &query, viewer).await?;
                    let Some(page) = page else { break };
                    items.extend(page.data);
                    let Some(Cursor::At(at, key)) = page.next else { break };
                    query.cursor = Some(ItemCursor { at, key });
                }
            }
            (read, items, fresh.as_of, fresh.complete)
        }
        Asked::Daemon(remote) => {
            let list: Option<List<ReadReference>> =
                remote.get(&["v1", "references"], &[("q", text)]).await?;
            let Some(list) = list else { anyhow::bail!("the daemon has no references") };
            let mut items = Vec::new();
            let limit = MAX_LIMIT.to_string();
            for reference in &list.data {
                let path = ["v1", "references", &reference.kind, &reference.id];
                let mut cursor: Option<String> = None;
                loop {
                    let mut query = vec![("limit", limit.as_str())];
                    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                    let page: Option<List<Item>> = remote.get(&path, &query).await?;
                    let Some(page) = page else { break };
                    items.extend(page.data);
                    cursor = page.next_cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
            }
            (list.data, items, list.as_of, list.complete)
        }
    };
    items.sort_by(|a, b| (b.updated_at, &b.reference).cmp(&(a.updated_at, &a.reference)));
    items.dedup_by(|a, b| a.reference == b.reference && a.id == b.id);
    Ok((read, List { data: items, next_cursor: None, as_of, complete }))
}
