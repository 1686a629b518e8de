//! The simulator's truth and an index, written in the same words, one line for each fact.
//!
//! Two sets of lines are easy to compare both ways, and a difference reads as a sentence. Names are
//! written by their match keys, because spellings differ.

use std::collections::{BTreeMap, BTreeSet};

use gitlab_sim::Truth;
use gitlab_sim::truth::{self, Carried, Place};
use serde_json::Value;
use sqlx::Row;
use xrefd::lookup::{Cursor, ItemQuery};
use xrefd::model::ItemKind;
use xrefd::store::read::{Filter, ItemCursor};

use super::{Api, Index, MEMBER, address, escaped};

/// What is known, one line for each fact.
pub type Facts = BTreeSet<String>;

/// A key of which the truth does not speak: the generator's topic `tier-1` is noise to it, but a
/// convention to the rules.
const UNTOLD: &str = "tier";

/// How many differences a failure shows of each side.
const SHOWN: usize = 20;

/// Requires that two sets of facts are the same.
pub fn assert_same(what: &str, wanted: &Facts, found: &Facts) {
    let missing: Vec<&String> = wanted.difference(found).collect();
    let extra: Vec<&String> = found.difference(wanted).collect();
    if missing.is_empty() && extra.is_empty() {
        return;
    }
    let show = |lines: &[&String]| {
        let shown: Vec<String> = lines.iter().take(SHOWN).map(|line| format!("  {line}")).collect();
        shown.join("\n")
    };
    panic!(
        "{what}: of {} facts {} are missing\n{}\nand {} are too many\n{}",
        wanted.len(),
        missing.len(),
        show(&missing),
        extra.len(),
        show(&extra)
    );
}

/// Writes the truth down. `members` says whether it is told to one who sees everything.
pub fn of_truth(truth: &Truth, members: bool) -> Facts {
    let truth = if members { truth.clone() } else { truth.clone().without_confidential() };
    let mut facts = Facts::new();
    for (key, values) in &truth.tags {
        let mut names: BTreeMap<String, truth::Tagged> = BTreeMap::new();
        for (name, tagged) in values {
            let all = names.entry(truth::match_key(name)).or_default();
            all.projects.extend(tagged.projects.clone());
            all.items.extend(tagged.items.clone());
            all.inherited.extend(tagged.inherited.clone());
        }
        for (name, tagged) in names {
            add_tagged(&mut facts, key, &name, &tagged);
        }
    }
    for (reference, items) in &truth.references {
        let name = format!("{} {}", reference.kind, reference.id);
        add_mention_counts(&mut facts, &name, items.keys());
        for (item, places) in items {
            for place in places {
                facts.insert(format!("{name} is mentioned by {item} in its {}", word(*place)));
            }
        }
    }
    for (path, project) in &truth.projects {
        let pipeline = project.latest_pipeline.as_ref();
        let pipeline = pipeline.map(|row| format!("{} {} {}", row.id, row.status, row.branch));
        facts.insert(project_line(
            path,
            project.id,
            project.archived,
            project.codeowners,
            pipeline.as_deref(),
        ));
        for owned in &project.owners {
            let sections: Vec<String> = owned
                .sections
                .iter()
                .map(|row| {
                    let owners = row.owners.iter().map(|owner| (owner.kind, owner.name.as_str()));
                    section_words(row.section, row.optional, row.approvals, owners)
                })
                .collect();
            facts.insert(owners_line(path, owned.path, &sections));
        }
    }
    if members {
        for (reference, item) in &truth.items {
            facts.insert(item_line(reference, &item.title, item.confidential));
        }
    }
    facts
}

fn add_tagged(facts: &mut Facts, key: &str, name: &str, tagged: &truth::Tagged) {
    let all: BTreeSet<&String> = tagged.items.union(&tagged.inherited).collect();
    let issues = all.iter().filter(|item| item.contains('#')).count();
    let counts = [tagged.projects.len(), issues, all.len() - issues];
    facts.insert(counts_line(key, name, counts));
    for (path, carried) in &tagged.projects {
        let via = match carried {
            Carried::Topic => "topic",
            Carried::Name => "name",
        };
        facts.insert(format!("{key} {name} is carried by the project {path} by {via}"));
    }
    for item in all {
        facts.insert(format!("{key} {name} lists {item}"));
    }
    for item in &tagged.items {
        facts.insert(format!("{key} {name} is carried by {item} itself"));
    }
    for item in &tagged.inherited {
        facts.insert(format!("{key} {name} is inherited by {item}"));
    }
}

/// Reads an index whole, as the holder of a key sees it, and writes it down. The owners are read
/// for the paths that the truth speaks of.
pub async fn of_index(index: &Index, key: &str, truth: &Truth) -> Facts {
    let api = index.api(Some(key));
    let mut facts = Facts::new();
    let keys = index.rows("select distinct key from tag order by key").await;
    for row in keys {
        let tag_key: String = row.get(0);
        let reading = Reading { index, api: &api, viewer: key, key: &tag_key };
        reading.add_names(&mut facts).await;
    }
    let references = "select distinct r.kind, r.ref from item_reference as m
        join reference as r on r.id = m.reference_id order by r.kind, r.ref";
    for row in index.rows(references).await {
        add_mentions(&mut facts, &api, row.get(0), row.get(1)).await;
    }
    let projects = "select path from project order by path";
    for row in index.rows(projects).await {
        add_project(&mut facts, &api, row.get(0), truth).await;
    }
    if key == MEMBER {
        let items = "select p.path, i.kind, i.iid, i.title, i.confidential from item as i
            join project as p on p.id = i.project_id";
        for row in index.rows(items).await {
            let (path, kind): (String, i64) = (row.get(0), row.get(1));
            let (iid, title): (i64, String) = (row.get(2), row.get(3));
            let sigil = if kind == 1 { '#' } else { '!' };
            facts.insert(item_line(&format!("{path}{sigil}{iid}"), &title, row.get(4)));
        }
    }
    if !truth.tags.contains_key(UNTOLD) {
        facts.retain(|line| !line.starts_with(&format!("{UNTOLD} ")));
    }
    facts
}

/// The names of one key, asked over HTTP where they have addresses of their own.
struct Reading<'a> {
    index: &'a Index,
    api: &'a Api,
    viewer: &'a str,
    key: &'a str,
}

impl Reading<'_> {
    fn has_addresses(&self) -> bool {
        matches!(self.key, "service" | "team")
    }

    fn base(&self) -> String {
        format!("{}s", self.key)
    }

    async fn add_names(&self, facts: &mut Facts) {
        for summary in self.names().await {
            let (shown, key) = (text(&summary, "name"), self.key);
            let name = xrefd::correlate::match_key(&shown).expect("a name has a match key");
            let count = |what: &str| count(&summary["counts"], what);
            let counts = [count("projects"), count("issues"), count("merge_requests")];
            facts.insert(counts_line(key, &name, counts));
            for project in self.projects(&shown).await {
                let (path, via) = (text(&project, "path"), strongest(&project, key, &shown));
                facts.insert(format!("{key} {name} is carried by the project {path} by {via}"));
            }
            for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                for item in self.items(&shown, kind, true).await {
                    let reference = text(&item, "reference");
                    facts.insert(format!("{key} {name} lists {reference}"));
                    add_item(facts, &item);
                }
                for item in self.items(&shown, kind, false).await {
                    let reference = text(&item, "reference");
                    facts.insert(format!("{key} {name} is carried by {reference} itself"));
                }
            }
        }
    }

    async fn names(&self) -> Vec<Value> {
        if self.has_addresses() {
            return self.api.list(&format!("{}?limit=7", address(&["v1", &self.base()]))).await;
        }
        let (mut rows, mut cursor) = (Vec::new(), None);
        loop {
            let (lookup, viewer) = (&self.index.lookup, Index::viewer(self.viewer));
            let page = lookup.names(self.key, cursor.as_ref(), 3, &viewer).await;
            let page = page.expect("the index can be read");
            rows.extend(page.data.iter().map(value));
            cursor = page.next;
            if cursor.is_none() {
                return rows;
            }
        }
    }

    async fn projects(&self, name: &str) -> Vec<Value> {
        if self.has_addresses() {
            let base = address(&["v1", &self.base(), name, "projects"]);
            return self.api.list(&format!("{base}?limit=2")).await;
        }
        let (lookup, viewer) = (&self.index.lookup, Index::viewer(self.viewer));
        let page = lookup.name_projects(self.key, name, None, 200, &viewer).await;
        let page = page.expect("the index can be read").expect("the name was listed");
        page.data.iter().map(value).collect()
    }

    async fn items(&self, name: &str, kind: ItemKind, inherited: bool) -> Vec<Value> {
        if self.has_addresses() {
            let list = format!("{}s", kind.as_str());
            let base = address(&["v1", &self.base(), name, &list]);
            return self.api.list(&format!("{base}?limit=100&inherited={inherited}")).await;
        }
        let (lookup, viewer) = (&self.index.lookup, Index::viewer(self.viewer));
        let filter = Filter { own_only: !inherited, ..Filter::default() };
        let mut query = ItemQuery { filter, limit: 100, ..ItemQuery::default() };
        let mut rows = Vec::new();
        loop {
            let page = lookup.name_items(self.key, name, kind, &query, &viewer).await;
            let page = page.expect("the index can be read").expect("the name was listed");
            rows.extend(page.data.iter().map(value));
            match page.next {
                Some(Cursor::At(at, key)) => query.cursor = Some(ItemCursor { at, key }),
                Some(Cursor::After(_)) | None => return rows,
            }
        }
    }
}

/// Returns why a project carries a name: every reason is kept, and the truth tells the strongest.
/// The weakest must be true even beside a stronger one.
fn strongest(project: &Value, key: &str, name: &str) -> String {
    let (path, shown) = (text(project, "path"), text(project, "name"));
    let pieces = evidence_for(project, &format!("{key}:{name}"));
    let mut ways: Vec<String> = pieces.iter().map(|piece| text(piece, "via")).collect();
    assert!(!ways.is_empty(), "{path} carries {key}:{name} without evidence");
    if ways.iter().any(|way| way == "name") {
        let last = path.rsplit('/').next().unwrap_or_default();
        let same = |own: &str| truth::match_key(own) == truth::match_key(name);
        assert!(same(last) || same(&shown), "{path} is not called {name}");
    }
    ways.sort_by_key(|way| way == "name");
    ways.swap_remove(0)
}

/// Writes down what an item says of itself.
fn add_item(facts: &mut Facts, item: &Value) {
    let reference = text(item, "reference");
    for tag in list(item, "tags") {
        let (key, value) = (text(tag, "key"), text(tag, "value"));
        let name = xrefd::correlate::match_key(&value).expect("a name has a match key");
        let pieces = evidence_for(item, &format!("{key}:{value}"));
        assert!(!pieces.is_empty(), "{reference} carries {key}:{value} without evidence");
        for piece in pieces {
            let inherited = piece["inherited"] == true;
            let how = if inherited { "inherited by" } else { "carried by" };
            let end = if inherited { "" } else { " itself" };
            facts.insert(format!("{key} {name} is {how} {reference}{end}"));
        }
    }
    for piece in list(item, "evidence").iter().filter(|piece| piece["via"] == "reference") {
        let (subject, place) = (text(piece, "for"), text(piece, "where"));
        let (kind, id) = subject.split_once(':').expect("a reference has a kind");
        facts.insert(format!("{kind} {id} is mentioned by {reference} in its {place}"));
    }
}

async fn add_mentions(facts: &mut Facts, api: &Api, kind: &str, id: &str) {
    let base = address(&["v1", "references", kind, id]);
    let items = api.list(&format!("{base}?limit=200")).await;
    let references: Vec<String> = items.iter().map(|item| text(item, "reference")).collect();
    if !items.is_empty() {
        add_mention_counts(facts, &format!("{kind} {id}"), references.iter());
    }
    for item in &items {
        add_item(facts, item);
    }
}

async fn add_project(facts: &mut Facts, api: &Api, path: &str, truth: &Truth) {
    let project = api.single(&address(&["v1", "projects", path])).await;
    let pipeline = &project["pipeline"];
    let pipeline = (!pipeline.is_null()).then(|| {
        format!("{} {} {}", pipeline["id"], text(pipeline, "status"), text(pipeline, "ref"))
    });
    facts.insert(project_line(
        path,
        project["id"].as_u64().expect("a project has an id"),
        project["archived"] == true,
        project["codeowners"].as_str(),
        pipeline.as_deref(),
    ));
    let owned = truth.projects.get(path).map(|project| project.owners.as_slice());
    for owned in owned.unwrap_or_default() {
        let base = address(&["v1", "projects", path, "owners"]);
        let found = api.single(&format!("{base}?path={}", escaped(owned.path))).await;
        let sections: Vec<String> = list(&found, "sections")
            .iter()
            .map(|row| {
                let owners: Vec<(String, String)> = list(row, "owners")
                    .iter()
                    .map(|owner| (text(owner, "kind"), text(owner, "name")))
                    .collect();
                let owners = owners.iter().map(|(kind, name)| (kind.as_str(), name.as_str()));
                let approvals = row["approvals"].as_u64().expect("a number");
                section_words(&text(row, "section"), row["optional"] == true, approvals, owners)
            })
            .collect();
        facts.insert(owners_line(path, owned.path, &sections));
    }
}

fn counts_line(key: &str, name: &str, [projects, issues, merge_requests]: [usize; 3]) -> String {
    format!("{key} {name} counts {projects} projects, {issues} issues, {merge_requests} MRs")
}

fn add_mention_counts<'a>(facts: &mut Facts, name: &str, items: impl Iterator<Item = &'a String>) {
    let (mut issues, mut merge_requests) = (0, 0);
    for item in items {
        if item.contains('#') { issues += 1 } else { merge_requests += 1 }
    }
    facts.insert(format!("{name} is mentioned by {issues} issues, {merge_requests} MRs"));
}

fn item_line(reference: &str, title: &str, confidential: bool) -> String {
    format!("{reference} is called `{title}`, confidential: {confidential}")
}

fn project_line(
    path: &str,
    id: u64,
    archived: bool,
    file: Option<&str>,
    pipeline: Option<&str>,
) -> String {
    let (file, pipeline) = (file.unwrap_or("no file"), pipeline.unwrap_or("no pipeline"));
    format!("project {path} is {id}, archived: {archived}, owned by {file}, ran {pipeline}")
}

fn section_words<'a>(
    section: &str,
    optional: bool,
    approvals: u64,
    owners: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let owners: Vec<String> = owners.map(|(kind, name)| format!("{kind} {name}")).collect();
    let optional = if optional { "optional " } else { "" };
    format!("{optional}[{section}][{approvals}] {}", owners.join(" "))
}

fn owners_line(project: &str, path: &str, sections: &[String]) -> String {
    format!("{path} of {project} is owned by {}", sections.join(" | "))
}

const fn word(place: Place) -> &'static str {
    match place {
        Place::Title => "title",
        Place::Description => "description",
        Place::Branch => "branch",
        Place::Comment | Place::InternalComment => "comment",
    }
}

fn evidence_for<'a>(row: &'a Value, subject: &str) -> Vec<&'a Value> {
    list(row, "evidence").iter().filter(|piece| piece["for"] == subject).collect()
}

fn value(row: &impl serde::Serialize) -> Value {
    serde_json::to_value(row).expect("answers serialise")
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_else(|| panic!("`{name}` is a text in {row}")).to_owned()
}

fn count(row: &Value, name: &str) -> usize {
    let number = row[name].as_u64().and_then(|number| usize::try_from(number).ok());
    number.unwrap_or_else(|| panic!("`{name}` is a count in {row}"))
}

fn list<'a>(row: &'a Value, name: &str) -> &'a [Value] {
    row[name].as_array().unwrap_or_else(|| panic!("`{name}` is a list in {row}"))
}
