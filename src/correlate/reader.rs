//! The reader: from what GitLab shows to tags and references with evidence.
//!
//! One reader is built from the configuration and shared by everything that reads. It keeps no
//! state, so the same text always gives the same result, in a sync as in a re-read.

use crate::extract::{self, Context, Fields, Mention, References, Template, TextKind};
use crate::model::{
    Evidence, Iid, Item, ItemKind, LinkTarget, Location, Note, Project, Reference, Tag, Via,
};

use super::links::{LinkReading, of_description, of_system_note};
use super::name::{Names, match_key};
use super::rules::{Rules, canonical_value};

/// What a reader is made of.
#[derive(Debug)]
pub struct ReaderSettings {
    /// Topics and labels to tags.
    pub rules: Rules,
    /// Aliases.
    pub names: Names,
    /// Texts to references.
    pub references: References,
    /// Descriptions to fields.
    pub fields: Fields,
    /// Changes whenever any of the above would read differently. Stored with what was read, so
    /// that a change of rules is noticed.
    pub revision: String,
}

/// What must be known of a project to read its items.
#[derive(Debug, Clone)]
pub struct ProjectContext {
    path: String,
    issue_templates: Vec<Template>,
    merge_request_templates: Vec<Template>,
    revision: String,
}

impl ProjectContext {
    /// Prepares a project's path and its templates, as `(kind, text)`.
    pub fn new<'a>(
        path: impl Into<String>,
        templates: impl IntoIterator<Item = (ItemKind, &'a str)>,
    ) -> Self {
        let path = path.into();
        let mut revision = path.clone();
        let (mut issue_templates, mut merge_request_templates) = (Vec::new(), Vec::new());
        for (kind, content) in templates {
            revision.push('\0');
            revision.push_str(kind.as_str());
            revision.push('\0');
            revision.push_str(content);
            match kind {
                ItemKind::Issue => issue_templates.push(Template::new(content)),
                ItemKind::MergeRequest => merge_request_templates.push(Template::new(content)),
            }
        }
        Self { path, issue_templates, merge_request_templates, revision }
    }

    /// Returns the project's full path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns a text that changes whenever items of the project would read differently.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    fn templates(&self, kind: ItemKind) -> &[Template] {
        match kind {
            ItemKind::Issue => &self.issue_templates,
            ItemKind::MergeRequest => &self.merge_request_templates,
        }
    }
}

/// A tag that was read, under the name it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagReading {
    /// Key and the name that is meant.
    pub tag: Tag,
    /// The key under which the name is compared.
    pub match_key: String,
    /// Why.
    pub evidence: Evidence,
}

/// What was read out of an item or a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemReading {
    /// Tags of the item's own, not those it inherits.
    pub tags: Vec<TagReading>,
    /// References, each with one piece of evidence; a reference found twice stands twice.
    pub references: Vec<(Reference, Evidence)>,
    /// How it stands to other items, by its own texts.
    pub links: Vec<LinkReading>,
}

/// Reads tags and references out of projects, items and comments.
#[derive(Debug)]
pub struct Reader {
    settings: ReaderSettings,
}

impl Reader {
    /// Makes a reader.
    pub fn new(settings: ReaderSettings) -> Self {
        Self { settings }
    }

    /// Returns a text that changes whenever the rules would read differently.
    pub fn revision(&self) -> &str {
        &self.settings.revision
    }

    /// Returns the names and aliases.
    pub fn names(&self) -> &Names {
        &self.settings.names
    }

    /// Returns the catalogue of references.
    pub fn references(&self) -> &References {
        &self.settings.references
    }

    /// Reads the tags of a project out of its topics.
    pub fn read_project(&self, project: &Project) -> Vec<TagReading> {
        let mut tags = Vec::new();
        for topic in &project.topics {
            for (tag, rule) in self.settings.rules.read_topic(topic) {
                self.push_tag(&mut tags, &tag, Via::Topic, Location::Topics, topic, &rule);
            }
        }
        tags
    }

    /// Returns the match keys under which a project's own path and name may name a service.
    pub fn project_name_keys(&self, project: &Project) -> (String, String) {
        let last = project.path.rsplit('/').next().unwrap_or_default();
        let key = |spelling: &str| {
            let meant = self.settings.names.meant("service", spelling);
            // An ambiguous alias is no name for a project.
            match meant.as_slice() {
                [one] => match_key(one).unwrap_or_default(),
                _ => String::new(),
            }
        };
        (key(last), key(&project.name))
    }

    /// Reads an item: labels, fields of the description, and references in title, description and
    /// source branch.
    pub fn read_item(&self, project: &ProjectContext, item: &Item) -> ItemReading {
        let mut reading = ItemReading::default();
        for label in &item.labels {
            for (tag, rule) in self.settings.rules.read_label(label) {
                self.push_tag(&mut reading.tags, &tag, Via::Label, Location::Labels, label, &rule);
            }
        }
        let context = Context { project: &project.path };
        let (mentions, fields) = extract::read_description(
            &self.settings.references,
            &self.settings.fields,
            project.templates(item.kind),
            &item.description,
            &context,
        );
        for field in fields {
            let value = canonical_value(&field.key, &field.value);
            let tag = Tag::new(&field.key, value);
            let rule = format!("field:{}", field.key);
            let tags = &mut reading.tags;
            self.push_tag(tags, &tag, Via::Field, Location::Description, &field.text, &rule);
        }

        let own = own_references(&project.path, item.kind, item.iid);
        let mut push = |mentions: Vec<Mention>, location: Location, text: &str| {
            push_mentions(&mut reading.references, mentions, location, None, text, &own);
        };
        let catalogue = &self.settings.references;
        let title = catalogue.read(&item.title, TextKind::Title, &context);
        let near = place(&project.path, item.kind, item.iid);
        reading.links = of_description(&near, item.kind, &mentions);
        // A title closes nothing.
        reading.links.extend(of_description(&near, ItemKind::Issue, &title));
        push(title, Location::Title, &item.title);
        push(mentions, Location::Description, &item.description);
        if !item.source_branch.is_empty() {
            let branch = catalogue.read(&item.source_branch, TextKind::Branch, &context);
            push(branch, Location::Branch, &item.source_branch);
        }
        reading
    }

    /// Reads the references in a comment. Notes that GitLab writes itself are about links, which
    /// are read elsewhere, and give none.
    pub fn read_note(
        &self,
        project: &ProjectContext,
        kind: ItemKind,
        iid: Iid,
        note: &Note,
    ) -> Vec<(Reference, Evidence)> {
        let mut references = Vec::new();
        if note.system {
            return references;
        }
        let context = Context { project: &project.path };
        let mentions = self.settings.references.read(&note.body, TextKind::Markdown, &context);
        let own = own_references(&project.path, kind, iid);
        let location = Location::Comment;
        push_mentions(&mut references, mentions, location, Some(note), &note.body, &own);
        references
    }

    /// Reads how an item stands to others by a comment on it, or by what GitLab wrote there.
    pub fn read_note_links(
        &self,
        project: &ProjectContext,
        kind: ItemKind,
        iid: Iid,
        note: &Note,
    ) -> Vec<LinkReading> {
        let context = Context { project: &project.path };
        let mentions = self.settings.references.read(&note.body, TextKind::Markdown, &context);
        let near = place(&project.path, kind, iid);
        if note.system {
            of_system_note(&near, &note.body, &mentions)
        } else {
            // A comment closes nothing.
            of_description(&near, ItemKind::Issue, &mentions)
        }
    }

    fn push_tag(
        &self,
        tags: &mut Vec<TagReading>,
        tag: &Tag,
        via: Via,
        location: Location,
        text: &str,
        rule: &str,
    ) {
        for name in self.settings.names.meant(&tag.key, &tag.value) {
            let Some(match_key) = match_key(&name) else { continue };
            let evidence = Evidence {
                via,
                location,
                text: text.to_owned(),
                rule: rule.to_owned(),
                note: None,
            };
            let reading = TagReading { tag: Tag::new(&tag.key, name), match_key, evidence };
            if !tags.contains(&reading) {
                tags.push(reading);
            }
        }
    }
}

fn place(project: &str, kind: ItemKind, iid: Iid) -> LinkTarget {
    LinkTarget::Place { project: project.to_owned(), kind, iid }
}

/// Returns the references by which a text may name the very item it stands in.
fn own_references(project: &str, kind: ItemKind, iid: Iid) -> [Reference; 2] {
    let id = format!("{project}{}{iid}", kind.sigil());
    match kind {
        ItemKind::Issue => {
            [Reference::new("gitlab_issue", &id), Reference::new("gitlab_work_item", &id)]
        }
        ItemKind::MergeRequest => {
            let own = Reference::new("gitlab_merge_request", &id);
            [own.clone(), own]
        }
    }
}

fn push_mentions(
    references: &mut Vec<(Reference, Evidence)>,
    mentions: Vec<Mention>,
    location: Location,
    note: Option<&Note>,
    text: &str,
    own: &[Reference],
) {
    for mention in mentions {
        if !mention.certain || own.contains(&mention.reference) {
            continue;
        }
        let quote = mention.quote(text);
        let evidence = Evidence {
            via: Via::Reference,
            location,
            text: quote,
            rule: mention.rule,
            note: note.map(|note| note.id),
        };
        references.push((mention.reference, evidence));
    }
}
