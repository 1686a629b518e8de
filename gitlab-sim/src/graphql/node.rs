//! What a query can hold, and who answers for it.
//!
//! A [`Node`] is what stands between a field and the fields below it. Most nodes are ids, and are
//! looked up anew for each field; items, notes and files are copies, so that what is told of one
//! belongs together. A node exists only when its caller may see it: whoever makes one has asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::dynamic::{FieldValue, ResolverContext};
use async_graphql::{Error, ServerError, Value};
use jiff::Timestamp;

use super::args::Args;
use super::issue::IssueRow;
use super::merge_request::MergeRow;
use super::note::NoteRow;
use super::page::Page;
use super::repository::{Entry, File, TreeAt};
use super::work_item::Widget;
use super::{BlobRegime, schema, work_item};
use super::{group, issue, merge_request, note, pipeline, project, repository, root, user};
use crate::server::{Shared, Site};
use crate::world::{
    Caller, GroupId, LabelId, Pipeline, ProjectId, Release, SELF_URL, Text, UserId, World,
};

/// GitLab's words for what is not there or not for this caller, where it is not simply null.
pub(super) const NOT_AVAILABLE: &str = "The resource that you are attempting to access does not \
    exist or you don't have permission to perform this action";

/// Something that has fields.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Root,
    User(UserId),
    Group(GroupId),
    Namespace(GroupId),
    /// What a project is to its work items.
    ProjectNamespace(ProjectId),
    Project(ProjectId),
    Repository(ProjectId),
    File(Arc<File>),
    Tree(Arc<TreeAt>),
    Entry(Arc<Entry>),
    Issue(Arc<IssueRow>),
    WorkItem(Arc<IssueRow>),
    Widget(Arc<IssueRow>, Widget),
    MergeRequest(Arc<MergeRow>),
    Note(Arc<NoteRow>),
    Discussion(Arc<NoteRow>),
    Label(LabelId),
    Pipeline(ProjectId, Arc<Pipeline>),
    Release(ProjectId, Arc<Release>),
    Page(Arc<Page>),
    PageInfo(Arc<Page>),
    Edge(Arc<Page>, usize),
    /// A small object without a life of its own: fields and their values.
    Facts(Arc<Facts>),
}

/// The fields of a small object.
pub(super) type Facts = BTreeMap<&'static str, Out>;

/// The value of a field.
#[derive(Debug, Clone)]
pub(super) enum Out {
    Value(Value),
    Node(Node),
    Nodes(Vec<Node>),
    /// The resolver does not know the field. A test asks for every field, so no client sees this.
    Unknown,
}

impl Out {
    pub(super) const NULL: Self = Self::Value(Value::Null);

    /// Makes a value of something that may be missing.
    pub(super) fn maybe(value: Option<impl Into<Value>>) -> Self {
        Self::Value(value.map_or(Value::Null, Into::into))
    }

    /// Makes a node of something that may be missing.
    pub(super) fn node(node: Option<Node>) -> Self {
        node.map_or(Self::NULL, Self::Node)
    }

    /// Makes a small object.
    pub(super) fn facts<const N: usize>(facts: [(&'static str, Out); N]) -> Self {
        Self::Node(Node::Facts(Arc::new(facts.into_iter().collect())))
    }

    /// Prints a time as GraphQL does: whole seconds, cut.
    pub(super) fn time(time: Timestamp) -> Self {
        format!("{time:.0}").into()
    }

    /// Prints a time that may be missing.
    pub(super) fn maybe_time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::NULL, Self::time)
    }
}

impl<T: Into<Value>> From<T> for Out {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

/// One query with everything that outlives its fields.
pub(super) struct Asking {
    pub(super) shared: Arc<Shared>,
    /// The user and the secret of the token.
    pub(super) identity: Option<(UserId, String)>,
    pub(super) complexity: u64,
    pub(super) limit: u64,
    /// What is wrong with the query that the engine does not see.
    pub(super) complaints: Vec<ServerError>,
    /// Why the query is not executed although it is valid.
    pub(super) refusals: Vec<String>,
    /// How often a field was asked that may be asked only for one object.
    pub(super) calls: Mutex<BTreeMap<&'static str, u64>>,
    /// Bytes of blobs returned so far.
    pub(super) blob_bytes: AtomicU64,
    /// Fields that may still be resolved before the time is up.
    pub(super) patience: Option<AtomicU64>,
}

/// A look at the world on behalf of a caller.
pub(super) struct Look<'w> {
    pub(super) world: &'w World,
    pub(super) site: &'w Site,
    pub(super) caller: Caller<'w>,
    pub(super) asking: &'w Asking,
    /// True when the field below is asked how many rows it has.
    pub(super) counts: bool,
}

impl Look<'_> {
    /// Puts the address of the instance into a text.
    pub(super) fn text(&self, text: &str) -> String {
        text.replace(SELF_URL, &self.site.url)
    }

    /// Reads a long text.
    pub(super) fn long_text(&self, text: Option<&Text>) -> Option<String> {
        text.map(|text| self.text(&text.read()))
    }

    /// Makes an address of a path that starts with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site.url)
    }

    /// Counts a call of a field that may be asked for one object of a query only.
    pub(super) fn once(&self, field: &'static str, object: &str) -> Result<(), Error> {
        let mut calls = self.asking.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let count = calls.entry(field).or_default();
        *count += 1;
        if *count > 1 {
            return Err(Error::new(format!(
                "\"{field}\" field can be requested only for 1 {object}(s) at a time."
            )));
        }
        Ok(())
    }

    /// Returns the regime of blobs.
    pub(super) fn regime(&self) -> BlobRegime {
        self.site.blobs
    }
}

/// Answers a field for the engine.
pub(super) fn resolve<'a>(
    context: &ResolverContext<'a>,
    owner: &str,
    name: &str,
    open: bool,
) -> Result<Option<FieldValue<'a>>, Error> {
    let asking: &Arc<Asking> = context.data()?;
    if let Some(patience) = &asking.patience {
        let left =
            patience.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return Err(Error::new(format!("Timeout on {owner}.{name}")));
        }
    }
    let out = {
        let world = asking.shared.read();
        let known = asking.identity.as_ref().and_then(|(user, secret)| {
            Some(Caller::User { user: world.user(*user)?, token: world.token(secret)? })
        });
        let look = Look {
            world: &world,
            site: asking.shared.site(),
            caller: known.unwrap_or(Caller::Anonymous),
            asking,
            counts: context.field().selection_set().any(|field| field.name() == "count"),
        };
        let arguments = Args(context.args.as_index_map());
        let wants_content = || asks_for_content(context);
        field(&look, schema::parent(context), name, arguments, &wants_content)?
    };
    let wrap = |node: Node| {
        let kind = node.kind();
        let value = FieldValue::owned_any(node);
        if open { value.with_type(kind) } else { value }
    };
    Ok(match out {
        Out::Value(Value::Null) => None,
        Out::Value(value) => Some(FieldValue::value(value)),
        Out::Node(node) => Some(wrap(node)),
        Out::Nodes(nodes) => Some(FieldValue::list(nodes.into_iter().map(wrap))),
        Out::Unknown => {
            return Err(Error::new(format!("{owner}.{name} is not known to the simulator")));
        }
    })
}

/// Tells whether a field selects the content of files.
fn asks_for_content(context: &ResolverContext<'_>) -> bool {
    let mut fields: Vec<_> = context.field().selection_set().collect();
    while let Some(field) = fields.pop() {
        if super::cost::CONTENT.contains(&field.name()) {
            return true;
        }
        fields.extend(field.selection_set());
    }
    false
}

fn field(
    look: &Look<'_>,
    node: &Node,
    name: &str,
    args: Args<'_>,
    wants_content: &dyn Fn() -> bool,
) -> Result<Out, Error> {
    match node {
        Node::Root => root::field(look, name, args),
        Node::User(id) => Ok(user::field(look, *id, name)),
        Node::Group(id) | Node::Namespace(id) => group::field(look, *id, name, args),
        Node::ProjectNamespace(id) => project::namespace_field(look, *id, name, args),
        Node::Project(id) => project::field(look, *id, name, args),
        Node::Repository(id) => repository::field(look, *id, name, args, wants_content),
        Node::File(file) => Ok(file.field(look, name)),
        Node::Tree(tree) => tree.field(look, name, args),
        Node::Entry(entry) => Ok(entry.field(look, name)),
        Node::Issue(row) => issue::field(look, row, name, args),
        Node::WorkItem(row) => work_item::field(look, row, name, args),
        Node::Widget(row, widget) => work_item::widget_field(look, row, *widget, name, args),
        Node::MergeRequest(row) => merge_request::field(look, row, name, args),
        Node::Note(row) => Ok(note::field(look, row, name)),
        Node::Discussion(row) => note::discussion_field(look, row, name, args),
        Node::Label(id) => Ok(project::label_field(look, *id, name)),
        Node::Pipeline(project, row) => Ok(pipeline::field(look, *project, row, name)),
        Node::Release(project, row) => Ok(pipeline::release_field(look, *project, row, name)),
        Node::Page(page) => Ok(page.field(name)),
        Node::PageInfo(page) => Ok(page.info(name)),
        Node::Edge(page, index) => Ok(page.edge(*index, name)),
        Node::Facts(facts) => Ok(facts.get(name).cloned().unwrap_or(Out::Unknown)),
    }
}

impl Node {
    /// Returns the name of the type, for fields whose type stands for several.
    fn kind(&self) -> &'static str {
        match self {
            Self::Issue(_) => "Issue",
            Self::MergeRequest(_) => "MergeRequest",
            Self::Widget(_, widget) => widget.kind(),
            Self::User(_) => "UserCore",
            Self::Root
            | Self::Group(_)
            | Self::Namespace(_)
            | Self::ProjectNamespace(_)
            | Self::Project(_)
            | Self::Repository(_)
            | Self::File(_)
            | Self::Tree(_)
            | Self::Entry(_)
            | Self::WorkItem(_)
            | Self::Note(_)
            | Self::Discussion(_)
            | Self::Label(_)
            | Self::Pipeline(..)
            | Self::Release(..)
            | Self::Page(_)
            | Self::PageInfo(_)
            | Self::Edge(..)
            | Self::Facts(_) => "",
        }
    }
}
