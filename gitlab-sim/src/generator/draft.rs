//! An item on the writer's desk: its texts, and what they mean.
//!
//! Whoever adds a text that means something says so in the same call, so that text and truth cannot
//! drift apart.

use std::collections::BTreeSet;

use super::mention::Mention;
use crate::truth::{ItemKind, Place, Reference};

/// A comment of a draft.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) body: String,
    pub(super) author: &'static str,
    pub(super) internal: bool,
    pub(super) system: bool,
}

/// An item that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: ItemKind,
    /// The full path of the project.
    pub(super) project: String,
    pub(super) iid: u64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) branch: String,
    pub(super) author: &'static str,
    pub(super) confidential: bool,
    pub(super) labels: Vec<String>,
    pub(super) comments: Vec<Comment>,
    /// Tags that labels and filled fields give it.
    pub(super) tags: BTreeSet<(&'static str, String)>,
    /// What it mentions, and where.
    pub(super) mentions: BTreeSet<(Reference, Place)>,
}

impl Draft {
    pub(super) fn new(
        kind: ItemKind,
        project: &str,
        iid: u64,
        author: &'static str,
        title: String,
    ) -> Self {
        Self {
            kind,
            project: project.to_owned(),
            iid,
            title,
            description: String::new(),
            branch: String::new(),
            author,
            confidential: false,
            labels: Vec::new(),
            comments: Vec::new(),
            tags: BTreeSet::new(),
            mentions: BTreeSet::new(),
        }
    }

    /// Returns the full reference of the item.
    pub(super) fn reference(&self) -> String {
        format!("{}{}{}", self.project, self.kind.sigil(), self.iid)
    }

    /// Adds a paragraph that mentions nothing.
    pub(super) fn say(&mut self, text: &str) {
        if !self.description.is_empty() {
            self.description.push_str("\n\n");
        }
        self.description.push_str(text);
    }

    /// Adds a paragraph in which `{}` stands for a thing that is mentioned.
    pub(super) fn say_of(&mut self, text: &str, mention: &Mention) {
        self.say(&text.replace("{}", &mention.text));
        self.record(mention, Place::Description);
    }

    /// Adds a comment in which `{}` stands for a thing that is mentioned.
    pub(super) fn comment(
        &mut self,
        author: &'static str,
        internal: bool,
        text: &str,
        mention: Option<&Mention>,
    ) {
        let body =
            mention.map_or_else(|| text.to_owned(), |mention| text.replace("{}", &mention.text));
        if let Some(mention) = mention {
            self.record(mention, if internal { Place::InternalComment } else { Place::Comment });
        }
        self.comments.push(Comment { body, author, internal, system: false });
    }

    /// Adds one of GitLab's own remarks, which mention nothing that counts.
    pub(super) fn system_note(&mut self, author: &'static str, body: String) {
        self.comments.push(Comment { body, author, internal: false, system: true });
    }

    /// Adds a label that gives a tag.
    pub(super) fn label(&mut self, title: String, key: &'static str, value: &str) {
        self.labels.push(title);
        self.tag(key, value);
    }

    /// Notes that a filled field gives a tag.
    pub(super) fn tag(&mut self, key: &'static str, value: &str) {
        self.tags.insert((key, value.to_owned()));
    }

    /// Notes a mention. An item's mention of itself means nothing.
    pub(super) fn record(&mut self, mention: &Mention, place: Place) {
        let kind = match self.kind {
            ItemKind::Issue => "gitlab_issue",
            ItemKind::MergeRequest => "gitlab_merge_request",
        };
        let itself = mention.reference.kind == kind && mention.reference.id == self.reference();
        if !itself {
            self.mentions.insert((mention.reference.clone(), place));
        }
    }
}
