//! What carries which tag, and why.
//!
//! Rules read tags out of topics, labels and fields; names make `Web-Shop`, `webshop` and a
//! configured alias one service; items inherit from their projects. Everything here is a pure
//! function from what GitLab shows to tags and references with evidence: no IO, no clock. Reading
//! texts is [`crate::extract`]'s; keeping the result is the store's.
//!
//! - [`Names`]: match keys and aliases.
//! - [`Rules`]: topics and labels to tags.
//! - [`Reader`]: everything about one project, item or comment.
//! - [`links`]: how items stand to each other, by their texts.
//! - [`inherited`]: what a project hands down.

mod inherit;
pub mod links;
mod name;
mod reader;
mod rules;

pub use inherit::inherited;
pub use name::{Names, match_key};
pub use reader::{ItemReading, ProjectContext, Reader, ReaderSettings, TagReading};
pub use rules::{KeyRule, Rules};
