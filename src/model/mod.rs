//! What xrefd knows, as plain data: projects, items, links, tags, references, owners,
//! evidence.
//!
//! Every other part speaks in these types. They refuse to do anything: no IO, no clock, no
//! parsing of texts. An id is never a bare integer, so a project id cannot be passed where an
//! item id is meant.

mod evidence;
mod id;
mod item;
mod link;
mod owner;
mod project;
mod reference;
mod tag;

pub use evidence::{Evidence, Location, Via};
pub use id::{GroupId, Iid, ItemId, LabelId, NoteId, PipelineId, ProjectId};
pub use item::{Item, ItemKind, ItemState, Note};
pub use link::{Link, LinkKind, LinkTarget, ShownLinks};
pub use owner::{Owner, OwnerKind};
pub use project::{Label, Pipeline, Project, ProjectFeatures, Template};
pub use reference::Reference;
pub use tag::Tag;
