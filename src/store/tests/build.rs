//! Builders: an index in a temporary directory, and rows to put into it.

use jiff::Timestamp;
use tempfile::TempDir;

use crate::correlate::{ItemReading, TagReading, match_key};
use crate::model::{
    Evidence, Iid, Item, ItemId, ItemKind, ItemState, Location, Note, NoteId, Project,
    ProjectFeatures, ProjectId, Reference, ShownLinks, Tag, Via,
};
use crate::store::read::{Filter, ItemRow, Listing, Sort, TagCounts, Visibility};
use crate::store::{
    ItemKey, ItemWrite, Moves, NoteWrite, Origin, Outcome, ProjectKey, ProjectWrite, RootKey,
    RootWrite, Run, Store,
};

/// Everything may be seen.
pub(crate) const ALL: Visibility = Visibility { confidential: true, projects: None };

/// Everything but confidential issues and internal comments may be seen.
pub(crate) const PUBLIC: Visibility = Visibility { confidential: false, projects: None };

/// Returns an instant of the tests' calendar.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

/// An index in a temporary directory, with a sync of one source under way.
pub(crate) struct Index {
    pub directory: TempDir,
    pub store: Store,
    pub run: Run,
}

impl Index {
    /// Makes an empty index and begins a sync of the source `main`.
    pub async fn new() -> Self {
        Self::of("main", "https://gitlab.example.com").await
    }

    /// Makes an empty index and begins a sync of a source.
    pub async fn of(name: &str, url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&url_in(&directory)).await.unwrap();
        let run = store.begin_sync(name, url, at(0)).await.unwrap();
        Self { directory, store, run }
    }

    /// Ends the sync under way and begins the next.
    pub async fn next_run(&mut self) {
        self.store.finish_run(&self.run, Outcome::Complete, &[], at(50)).await.unwrap();
        self.run =
            self.store.begin_sync("main", "https://gitlab.example.com", at(100)).await.unwrap();
    }

    /// Stores projects.
    pub async fn projects(&self, projects: &[ProjectBuilder]) {
        let page: Vec<ProjectWrite> = projects.iter().map(ProjectBuilder::write).collect();
        self.store.apply_projects(&self.run, &page).await.unwrap();
    }

    /// Stores one project and returns its key.
    pub async fn project(&self, project: &ProjectBuilder) -> ProjectKey {
        self.projects(std::slice::from_ref(project)).await;
        self.key_of(project.0.id).await
    }

    /// Returns the key of a project that this run has seen.
    pub async fn key_of(&self, id: ProjectId) -> ProjectKey {
        self.store.stored_projects(&self.run).await.unwrap()[&id].key
    }

    /// Stores the root `group:shop`, and returns its key.
    pub async fn root(&self) -> RootKey {
        let root = RootWrite {
            name: "group:shop".to_owned(),
            origin: Origin::Configured,
            gitlab_id: Some(3),
            path: "shop".to_owned(),
            found_at: Some(at(0)),
        };
        self.store.put_roots(self.run.source, &[root]).await.unwrap()[0].key
    }

    /// Stores items of a project.
    pub async fn items(&self, project: ProjectKey, items: &[ItemBuilder]) {
        let page: Vec<ItemWrite> = items.iter().map(|item| item.write(project)).collect();
        self.store.apply_items(&self.run, &page, &Moves::Nothing).await.unwrap();
    }

    /// Returns the key of a stored item.
    pub async fn item_key(&self, item: &ItemBuilder) -> ItemKey {
        let kind = if item.item.kind == ItemKind::Issue { 1 } else { 2 };
        let key = self
            .number(&format!(
                "select id from item where kind = {kind} and gitlab_id = {}",
                item.item.id
            ))
            .await;
        ItemKey(key)
    }

    /// Stores the comments of an item, read at an instant.
    pub async fn notes(&self, item: &ItemBuilder, notes: &[NoteWrite], read_at: Timestamp) {
        let key = self.item_key(item).await;
        self.store.apply_notes(key, notes, read_at).await.unwrap();
    }

    /// Returns the number that a statement gives; 0 when it gives none.
    pub async fn number(&self, statement: &str) -> i64 {
        sqlx::query_scalar::<_, Option<i64>>(sqlx::AssertSqlSafe(statement.to_owned()))
            .fetch_optional(&self.store.writer)
            .await
            .unwrap()
            .flatten()
            .unwrap_or_default()
    }

    /// Returns the texts that a statement gives.
    pub async fn texts(&self, statement: &str) -> Vec<String> {
        sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(statement.to_owned()))
            .fetch_all(&self.store.writer)
            .await
            .unwrap()
    }

    /// Returns the generation.
    pub async fn generation(&self) -> i64 {
        self.store.generation().await.unwrap()
    }

    /// Returns how much carries a name; nothing when nobody does.
    pub async fn counts(&self, key: &str, name: &str, visibility: &Visibility) -> TagCounts {
        let folded = match_key(name).unwrap();
        match self.store.find_tag(key, &folded).await.unwrap() {
            Some(tag) => self.store.count_tag(tag.id, visibility).await.unwrap(),
            None => TagCounts::default(),
        }
    }

    /// Lists the numbers of the items that carry a service, last changed first.
    pub async fn listed(&self, name: &str, kind: ItemKind, visibility: &Visibility) -> Vec<i64> {
        let folded = match_key(name).unwrap();
        let Some(tag) = self.store.find_tag("service", &folded).await.unwrap() else {
            return Vec::new();
        };
        let listing = Listing::Tag(tag.id, kind);
        let rows = self.list(listing, &Filter::default(), visibility).await;
        rows.iter().map(|row| row.iid).collect()
    }

    /// Lists the numbers of the items that mention something, last changed first.
    pub async fn mentioning(&self, kind: &str, id: &str, visibility: &Visibility) -> Vec<i64> {
        let Some(row) = self.store.find_reference(kind, id).await.unwrap() else {
            return Vec::new();
        };
        let listing = Listing::Reference(row.key, None);
        let rows = self.list(listing, &Filter::default(), visibility).await;
        rows.iter().map(|row| row.iid).collect()
    }

    /// Lists items, last changed first.
    pub async fn list(
        &self,
        listing: Listing,
        filter: &Filter,
        visibility: &Visibility,
    ) -> Vec<ItemRow> {
        self.store
            .list_items(listing, filter, Sort::UpdatedDesc, None, 1000, visibility)
            .await
            .unwrap()
    }

    /// Lists the tags of a project as `key:value by via`.
    pub async fn tags_of(&self, project: ProjectKey) -> Vec<String> {
        let rows = self.store.list_project_tags(&format!("[{}]", project.0)).await.unwrap();
        rows.iter().map(|row| format!("{}:{} by {}", row.key, row.value, row.via)).collect()
    }

    /// Lists the tags of an item as `key:value`, with `(inherited)` behind those handed down.
    pub async fn tags_on(&self, item: &ItemBuilder) -> Vec<String> {
        let key = self.item_key(item).await;
        let rows = self.store.list_item_tags(&format!("[{}]", key.0)).await.unwrap();
        rows.iter()
            .map(|row| {
                let inherited = if row.inherited { " (inherited)" } else { "" };
                format!("{}:{}{inherited}", row.key, row.value)
            })
            .collect()
    }

    /// Lists why an item mentions what it does, as `kind:id in location`.
    pub async fn mentions_of(&self, item: &ItemBuilder, visibility: &Visibility) -> Vec<String> {
        let key = self.item_key(item).await;
        let rows = self.store.list_reference_evidence(&format!("[{}]", key.0), visibility).await;
        let rows = rows.unwrap();
        rows.iter().map(|row| format!("{}:{} in {}", row.kind, row.id, row.location)).collect()
    }
}

/// Returns the URL of the database in a directory.
pub(crate) fn url_in(directory: &TempDir) -> String {
    format!("sqlite://{}", directory.path().join("xrefd.db").display())
}

fn evidence(via: Via, location: Location, text: String) -> Evidence {
    Evidence { via, location, text, rule: format!("{}:test", via.as_str()), note: None }
}

fn tag(key: &str, value: &str, via: Via, location: Location, text: &str) -> TagReading {
    TagReading {
        tag: Tag::new(key, value),
        match_key: match_key(value).unwrap(),
        evidence: evidence(via, location, text.to_owned()),
    }
}

/// A project to store.
#[derive(Debug, Clone)]
pub(crate) struct ProjectBuilder(pub Project, Vec<TagReading>);

/// Begins a project that is named as the last part of its path.
pub(crate) fn project(id: i64, path: &str) -> ProjectBuilder {
    let project = Project {
        id: ProjectId::new(id),
        path: path.to_owned(),
        name: path.rsplit('/').next().unwrap().to_owned(),
        description: format!("About {path}"),
        web_url: format!("https://gitlab.example.com/{path}"),
        default_branch: Some("main".to_owned()),
        topics: Vec::new(),
        visibility: "private".to_owned(),
        archived: false,
        last_activity_at: Some(at(0)),
    };
    ProjectBuilder(project, Vec::new())
}

impl ProjectBuilder {
    /// Gives it another display name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.0.name);
        self
    }

    /// Adds a topic that was read as a tag.
    pub fn topic(mut self, key: &str, value: &str) -> Self {
        let topic = format!("{key}-{value}");
        self.1.push(tag(key, value, Via::Topic, Location::Topics, &topic));
        self.0.topics.push(topic);
        self
    }

    /// Gives it another address.
    pub fn at(mut self, web_url: &str) -> Self {
        web_url.clone_into(&mut self.0.web_url);
        self
    }

    /// Returns what the store takes.
    pub fn write(&self) -> ProjectWrite {
        let last = self.0.path.rsplit('/').next().unwrap();
        ProjectWrite {
            project: self.0.clone(),
            features: ProjectFeatures {
                issues_enabled: true,
                merge_requests_enabled: true,
                builds_enabled: true,
                empty_repo: false,
                repository_readable: true,
                is_sketch: false,
                issues_template: String::new(),
                merge_requests_template: String::new(),
            },
            name_keys: (
                match_key(last).unwrap_or_default(),
                match_key(&self.0.name).unwrap_or_default(),
            ),
            tags: self.1.clone(),
            fingerprint: format!("{self:?}").into_bytes(),
        }
    }
}

/// An item to store.
#[derive(Debug, Clone)]
pub(crate) struct ItemBuilder {
    pub item: Item,
    pub reading: ItemReading,
}

/// Begins an open issue; its number is its id.
pub(crate) fn issue(id: i64) -> ItemBuilder {
    item(ItemKind::Issue, id)
}

/// Begins an open merge request; its number is its id.
pub(crate) fn merge_request(id: i64) -> ItemBuilder {
    item(ItemKind::MergeRequest, id)
}

fn item(kind: ItemKind, id: i64) -> ItemBuilder {
    let issue = kind == ItemKind::Issue;
    let item = Item {
        kind,
        id: ItemId::new(id),
        iid: Iid::new(id),
        project: ProjectId::new(1),
        title: format!("Item {id}"),
        description: String::new(),
        state: ItemState::new("opened"),
        draft: false,
        confidential: false,
        issue_type: if issue { "issue".to_owned() } else { String::new() },
        author: "ann".to_owned(),
        labels: Vec::new(),
        source_branch: String::new(),
        web_url: format!("https://gitlab.example.com/shop/webshop/-/{}/{id}", kind.as_str()),
        created_at: at(id),
        updated_at: at(id),
        closed_at: None,
        merged_at: None,
        notes_count: 0,
        links: ShownLinks::default(),
    };
    ItemBuilder { item, reading: ItemReading::default() }
}

impl ItemBuilder {
    /// Gives it another title.
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.item.title);
        self
    }

    /// Gives it a description.
    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.item.description);
        self
    }

    /// Lets it have been created and changed at other times.
    pub fn times(mut self, created: i64, updated: i64) -> Self {
        self.item.created_at = at(created);
        self.item.updated_at = at(updated);
        self
    }

    /// Gives it another state.
    pub fn state(mut self, state: &str) -> Self {
        self.item.state = ItemState::new(state);
        self
    }

    /// Lets it be merged.
    pub fn merged(mut self, second: i64) -> Self {
        self.item.merged_at = Some(at(second));
        self.state("merged")
    }

    /// Lets somebody else have written it.
    pub fn by(mut self, author: &str) -> Self {
        author.clone_into(&mut self.item.author);
        self
    }

    /// Hides it from those who may not see confidential issues.
    pub fn confidential(mut self) -> Self {
        self.item.confidential = true;
        self
    }

    /// Lets GitLab count comments on it.
    pub fn notes(mut self, count: i64) -> Self {
        self.item.notes_count = count;
        self
    }

    /// Adds a label that was read as a tag.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        let label = format!("{key}::{value}");
        self.reading.tags.push(tag(key, value, Via::Label, Location::Labels, &label));
        self.item.labels.push(label);
        self
    }

    /// Adds a mention in the description.
    pub fn mentions(mut self, kind: &str, id: &str) -> Self {
        let why = evidence(Via::Reference, Location::Description, format!("see {id}"));
        self.reading.references.push((Reference::new(kind, id), why));
        self
    }

    /// Replaces what was read out of it.
    pub fn reading(mut self, reading: ItemReading) -> Self {
        self.reading = reading;
        self
    }

    /// Returns what the store takes.
    pub fn write(&self, project: ProjectKey) -> ItemWrite {
        ItemWrite {
            item: self.item.clone(),
            project,
            reading: self.reading.clone(),
            fingerprint: format!("{self:?} {project:?}").into_bytes(),
            read_at: at(0),
            notes: None,
        }
    }
}

/// Makes a comment that mentions some Jira issues.
pub(crate) fn note(id: i64, internal: bool, jira: &[&str]) -> NoteWrite {
    let references = jira
        .iter()
        .map(|key| {
            let mut why = evidence(Via::Reference, Location::Comment, format!("see {key}"));
            why.note = Some(NoteId::new(id));
            (Reference::new("jira", *key), why)
        })
        .collect();
    let note = Note {
        id: NoteId::new(id),
        author: "bob".to_owned(),
        body: format!("see {}", jira.join(", ")),
        system: false,
        internal,
        created_at: at(id),
        updated_at: at(id),
    };
    NoteWrite { note, references, links: Vec::new() }
}
