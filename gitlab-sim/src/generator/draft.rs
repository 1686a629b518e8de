//! An item on the writer's desk: its texts, and what they mean.
//!
//! Whoever adds a text that means something says so in the same call, so that text and truth cannot
//! drift apart.

use std::collections::BTreeSet;

use super::mention::Mention;
use crate::truth::{ItemKind, ItemMeaning, Place, Said};

/// A comment of a draft.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) body: String,
    pub(crate) author: &'static str,
    pub(crate) internal: bool,
    pub(crate) system: bool,
    /// What it mentions.
    pub(crate) said: BTreeSet<Said>,
}

/// An item that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) kind: ItemKind,
    /// The full path of the project.
    pub(crate) project: String,
    pub(crate) iid: u64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) branch: String,
    pub(crate) author: &'static str,
    pub(crate) confidential: bool,
    pub(crate) labels: Vec<String>,
    /// What the labels mean, by title.
    pub(crate) label_tags: Vec<(String, &'static str, String)>,
    pub(crate) comments: Vec<Comment>,
    /// What title, description and branch say.
    pub(crate) meaning: ItemMeaning,
}

impl Draft {
    pub(crate) fn new(
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
            label_tags: Vec::new(),
            comments: Vec::new(),
            meaning: ItemMeaning::default(),
        }
    }

    /// Adds a paragraph that mentions nothing.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.description.is_empty() {
            self.description.push_str("\n\n");
        }
        self.description.push_str(text);
    }

    /// Adds a paragraph in which `{}` stands for a thing that is mentioned.
    pub(crate) fn say_of(&mut self, text: &str, mention: &Mention) {
        self.say(&text.replace("{}", &mention.text));
        self.record(mention, Place::Description);
    }

    /// Adds a comment in which `{}` stands for a thing that is mentioned.
    pub(crate) fn comment(
        &mut self,
        author: &'static str,
        internal: bool,
        text: &str,
        mention: Option<&Mention>,
    ) {
        let body =
            mention.map_or_else(|| text.to_owned(), |mention| text.replace("{}", &mention.text));
        let said = mention.iter().map(|mention| mention.said.clone()).collect();
        self.comments.push(Comment { body, author, internal, system: false, said });
    }

    /// Adds one of GitLab's own remarks, which mention nothing that counts.
    pub(crate) fn system_note(&mut self, author: &'static str, body: String) {
        let said = BTreeSet::new();
        self.comments.push(Comment { body, author, internal: false, system: true, said });
    }

    /// Adds a label that gives a tag.
    pub(crate) fn label(&mut self, title: String, key: &'static str, value: &str) {
        self.labels.push(title.clone());
        self.label_tags.push((title, key, value.to_owned()));
    }

    /// Notes that a filled field gives a tag.
    pub(crate) fn tag(&mut self, key: &'static str, value: &str) {
        self.meaning.description.tags.insert((key, value.to_owned()));
    }

    /// Notes a mention in title, description or branch.
    pub(crate) fn record(&mut self, mention: &Mention, place: Place) {
        self.record_said(mention.said_in(place).clone(), place);
    }

    /// Notes what a text says in title, description or branch.
    pub(crate) fn record_said(&mut self, said: Said, place: Place) {
        if let Some(meaning) = self.meaning.text_mut(place) {
            meaning.mentions.insert(said);
        }
    }
}
