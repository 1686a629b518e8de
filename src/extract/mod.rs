//! What a text says: references, and the fields that its author filled in.
//!
//! Everything here is a function from text to data. It does no IO, reads no clock and never
//! panics, whatever the text; it refuses to look anything up, so what only an index can tell is
//! marked as uncertain. `markdown` says what is prose, `references` what is mentioned,
//! `fields` what is filled in, and `template` what of both came with the template.

pub mod fields;
pub mod markdown;
pub mod references;
pub mod template;

pub use fields::{Field, Fields};
pub use references::{
    Context, CustomReference, Error, Mention, References, Settings, TextKind, learned_prefix,
};
pub use template::{Template, read_description};
