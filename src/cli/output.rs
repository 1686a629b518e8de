//! What a command prints: tables for people, JSON for programs.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::lookup::{Evidence, Item, ItemKind};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs: the bodies of the HTTP API.
    Json,
}

impl Format {
    /// Returns the format asked for: without one, a table on a terminal, else JSON.
    pub fn settle(asked: Option<Self>) -> Self {
        let people = || std::io::stdout().is_terminal();
        asked.unwrap_or_else(|| if people() { Self::Table } else { Self::Json })
    }
}

/// Wrong usage that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Writes data to stdout. A reader that has gone away ends the command quietly.
pub fn data(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Writes data as JSON to stdout.
pub fn json(value: &impl Serialize) {
    data(&serde_json::to_string_pretty(value).expect("answers serialise"));
}

/// Says something to the person at the terminal.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Tells an error and what can be done about it. A list of problems keeps its lines.
pub fn error(text: &str, hint: Option<String>) {
    let lines: Vec<String> = text.lines().map(plain).collect();
    note(&format!("error: {}", lines.join("\n")));
    if let Some(hint) = hint {
        note(&format!("help: {}", plain(&hint)));
    }
}

/// Makes a table with a header.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    table
}

/// Takes from a text what could move the cursor, change colours or turn the reading direction:
/// titles come from anybody.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

/// Cuts a text for a cell.
pub fn short(text: &str, chars: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= chars {
        return text;
    }
    let cut: String = text.chars().take(chars.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Shows items as a table.
pub fn items(items: &[Item]) -> String {
    let mut table = table(&["item", "state", "updated", "title"]);
    for item in items {
        let state = match (item.kind, item.draft, item.confidential) {
            (ItemKind::MergeRequest, true, _) => format!("{} draft", item.state),
            (ItemKind::Issue, _, true) => format!("{} confidential", item.state),
            _ => item.state.clone(),
        };
        table.add_row([
            plain(&item.reference),
            plain(&state),
            day(item.updated_at),
            short(&item.title, 60),
        ]);
    }
    table.to_string()
}

/// Shows evidence, a line for each piece.
pub fn evidence(pieces: &[&Evidence]) -> String {
    let mut lines = Vec::new();
    for piece in pieces {
        let from = if piece.inherited { "from its project, " } else { "" };
        lines.push(format!(
            "      {} ({from}{} in {}): {}",
            plain(&piece.subject),
            plain(&piece.via),
            plain(&piece.location),
            short(&piece.text, 100)
        ));
    }
    lines.join("\n")
}

/// Says how old an answer is, and warns when it is not whole.
pub fn age(as_of: Option<Timestamp>, complete: bool) {
    match as_of {
        Some(at) if complete => note(&format!("as of {at}")),
        Some(at) => note(&format!(
            "as of {at}; incomplete: a part could not be read, /v1/crawls and the summary of \
             `xrefd sync` say why"
        )),
        None => note("incomplete: the first sync has not ended"),
    }
}

/// Shows the day of an instant.
pub fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c\nd\u{7}"), "a [31mb c d ");
    }

    #[test]
    fn long_texts_are_cut_at_whole_characters() {
        assert_eq!(short("äöüß", 3), "äö…");
        assert_eq!(short("äöü", 3), "äöü");
    }
}
