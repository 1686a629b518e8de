//! What a sync would cost, before one is run.
//!
//! A handful of requests for each root: where it is, a page of its projects with their number, the
//! numbers of its items, and a page of each kind, which also tells what a query costs here. The rest
//! is arithmetic ([`price`]). What cannot be counted is said with the reason, and is not priced; it
//! is never guessed. Nothing is stored, and no index is needed: the price is that of the first sync,
//! and of one in which nothing changed.

mod details;
mod price;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use self::price::{Items, Price, Queries};
use super::details::units;
use super::roots::{MEMBERSHIP, is_below};
use super::{Error, settings};
use crate::clock::Clock;
use crate::config::{Auth, Environment, Source};
use crate::gitlab::{
    self, Client, Fetched, FetchedProject, GroupCounts, ItemCounts, ItemOrder, ItemQuery,
    ItemsQuery, Place, ProjectQuery, Rows, Scope, Verdict,
};
use crate::model::{GroupId, ItemKind, ProjectId};
use crate::telemetry::chain;

/// Both kinds of item.
const KINDS: [ItemKind; 2] = [ItemKind::Issue, ItemKind::MergeRequest];

/// What is read for all roots together.
const ALL_ROOTS: &str = "all";

/// What the syncs of one source would cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The source.
    pub source: String,
    /// Requests that GitLab permits in a minute, or the configured pace where it states none.
    pub limit_per_minute: u64,
    /// How many of them may be used.
    pub permitted_per_minute: u64,
    /// Requests that it took to find this out.
    pub asked: u64,
    /// What each list costs.
    pub roots: Vec<PlannedList>,
    /// The first sync, which reads everything.
    pub full: Cost,
    /// A sync in which nothing changed.
    pub idle: Cost,
    /// What could not be counted, and is not in the sums.
    pub uncounted: Vec<Uncounted>,
    /// How far the sums may be wrong, in sentences.
    pub margins: Vec<String>,
}

/// What one list of a root costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedList {
    /// The root, or `all` for what is read for all of them together.
    pub root: String,
    /// `root` (looking it up), `projects`, `issues`, `merge_requests`, `comments` (those that do not
    /// come with the items), `files` (with labels, templates and pipelines) or `token`.
    pub kind: &'static str,
    /// How much there is.
    pub count: Option<u64>,
    /// In the first sync.
    pub full: Requests,
    /// In one in which nothing changed.
    pub idle: Requests,
}

/// Requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// How many.
    pub requests: u64,
}

/// What a sync costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Requests.
    pub requests: u64,
    /// Minutes at the permitted pace.
    pub minutes: f64,
    /// The part of GitLab's limit that it uses while it runs: 0 to 1.
    pub share: f64,
}

/// A part that could not be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Uncounted {
    /// The root.
    pub root: String,
    /// Which of its lists.
    pub kind: &'static str,
    /// Why.
    pub reason: String,
}

/// Finds out what the syncs of a source would cost.
///
/// # Errors
///
/// When the token cannot be read, GitLab refuses it or does not answer, or no root is found.
pub async fn plan(
    source: &Source,
    environment: &Environment,
    clock: Arc<dyn Clock>,
) -> Result<Plan, Error> {
    let unreadable = |error| unreadable(source, error);
    let client = Client::new(settings(source, environment), clock).map_err(unreadable)?;
    client.keyring().open().await.map_err(unreadable)?;
    let mut planner = Planner {
        source,
        client,
        lists: Vec::new(),
        uncounted: Vec::new(),
        margins: BTreeSet::new(),
        projects: Vec::new(),
        counted: 0,
        groups: Vec::new(),
        price: Price {
            graphql: false,
            comments: source.comments,
            readers: units(source.concurrency),
        },
    };
    planner.look().await?;
    Ok(planner.sum())
}

fn unreadable(source: &Source, error: gitlab::Error) -> Error {
    match error {
        gitlab::Error::Token { source: cause } => {
            Error::Token { name: source.name.clone(), source: cause }
        }
        error => Error::GitLab { url: source.url.to_string(), source: Box::new(error) },
    }
}

struct Planner<'a> {
    source: &'a Source,
    client: Client,
    lists: Vec<PlannedList>,
    uncounted: Vec<Uncounted>,
    margins: BTreeSet<String>,
    /// Projects that were shown, and how many there are.
    projects: Vec<FetchedProject>,
    counted: u64,
    /// The groups that are walked: their paths, and whether GitLab says who lends templates there.
    groups: Vec<(String, bool)>,
    price: Price,
}

impl Queries for Client {
    fn queries_for(&self, rows: Rows, lists: &[u64]) -> u64 {
        Self::queries_for(self, rows, lists.iter().copied())
    }
}

impl Planner<'_> {
    async fn look(&mut self) -> Result<(), Error> {
        let before = self.client.stats().requests;
        match self.client.check_token().await {
            Ok(_) => {}
            Err(error) if error.is_unanswered() || error.verdict() == Verdict::Abort => {
                return Err(unreadable(self.source, error));
            }
            Err(error) => self.miss(ALL_ROOTS, "token", chain(&error)),
        }
        self.put(ALL_ROOTS, "token", None, self.client.stats().requests - before, 0);
        self.price.graphql = self.client.graphql_instance().await.is_ok();
        if self.source.is_rootless() {
            self.look_at_membership().await?;
        } else {
            let groups = self.look_at_groups().await?;
            self.look_at_projects(&groups).await?;
        }
        if self.lists.iter().all(|list| list.root == ALL_ROOTS) {
            let reasons: Vec<&str> =
                self.uncounted.iter().map(|part| part.reason.as_str()).collect();
            let reason = reasons.join("; ");
            return Err(Error::NoRoot { url: self.source.url.to_string(), reason });
        }
        self.price_details().await
    }

    /// Prices the groups, and returns their paths.
    async fn look_at_groups(&mut self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for group in &self.source.groups {
            let name = format!("group:{group}");
            match self.client.group(group).await {
                Ok(group) => {
                    // One of a day ago is not looked up again.
                    self.put(&name, "root", None, 1, 0);
                    found.push((name, group));
                }
                Err(error) => self.survive(&name, "root", error)?,
            }
        }
        let paths: Vec<String> = found.iter().map(|(_, group)| group.path.to_lowercase()).collect();
        let mut read: BTreeSet<GroupId> = BTreeSet::new();
        for (name, group) in found {
            // Those below another are read with it.
            if !is_held(&group.path, &paths) && read.insert(group.id) {
                self.look_at_group(&name, group.id, &group.path).await?;
                self.groups.push((group.path.to_lowercase(), group.lends_templates.is_some()));
            }
        }
        Ok(paths)
    }

    async fn look_at_group(&mut self, name: &str, id: GroupId, path: &str) -> Result<(), Error> {
        let archived = self.source.archived;
        let mut counts = GroupCounts::default();
        if self.price.graphql
            && let Ok(Fetched::Whole(found)) = self.client.group_counts(path, archived).await
        {
            counts = found;
        }
        let query = ProjectQuery { archived, ..ProjectQuery::default() };
        match self.client.changed_projects(Some(id), query).await {
            Ok(page) => {
                // GitLab's own count has those that wait for their deletion, too.
                let number = page.total.or(counts.projects);
                match number {
                    Some(number) => {
                        self.put(name, "projects", Some(number), price::pages(number), 1);
                    }
                    None => self.miss(name, "projects", UNCOUNTED.to_owned()),
                }
                let number = number.unwrap_or(page.items.len() as u64);
                self.take_projects(page.items, number);
            }
            Err(error) => self.survive(name, "projects", error)?,
        }
        for kind in KINDS {
            let scope = Scope::Group(id);
            let number = match counts.items.of(kind) {
                Some(number) => Some(number),
                None => self.count_by_rest(name, kind, scope).await?,
            };
            if let Some(number) = number {
                self.price_list(name, kind, Place::Group(path), number).await?;
            }
        }
        Ok(())
    }

    async fn look_at_projects(&mut self, groups: &[String]) -> Result<(), Error> {
        let mut read: BTreeSet<ProjectId> = BTreeSet::new();
        for path in &self.source.projects {
            let name = format!("project:{path}");
            let found = match self.client.project(path).await {
                Err(error)
                    if matches!(self.source.auth, Auth::JobToken(_)) && error.is_absence() =>
                {
                    match self.client.sketch(path).await {
                        Ok(found) => found.ok_or(error),
                        Err(error) => Err(error),
                    }
                }
                found => found,
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    self.survive(&name, "root", error)?;
                    continue;
                }
            };
            let is_held = is_held(&found.project.path, groups);
            // Its settings are looked at by each sync, unless a group's list shows them.
            self.put(&name, "root", None, 1, u64::from(!is_held));
            if is_held || !read.insert(found.project.id) {
                continue;
            }
            let (id, path) = (found.project.id, found.project.path.clone());
            let counts = self.item_counts(&[id]).await;
            for kind in KINDS {
                if !found.features.offers(kind) {
                    continue;
                }
                let number = match counts.get(&id).and_then(|counts| counts.of(kind)) {
                    Some(number) => Some(number),
                    None => self.count_by_rest(&name, kind, Scope::Project(id)).await?,
                };
                if let Some(number) = number {
                    self.price_list(&name, kind, Place::Project(&path), number).await?;
                }
            }
            self.take_projects(vec![found], 1);
        }
        Ok(())
    }

    /// Prices everything that the token is a member of: each project is a list of its own.
    async fn look_at_membership(&mut self) -> Result<(), Error> {
        if self.source.auth == Auth::None {
            let reason = "without a token there is no membership to read".to_owned();
            self.miss(MEMBERSHIP, "projects", reason);
            return Ok(());
        }
        let query = ProjectQuery { archived: self.source.archived, ..ProjectQuery::default() };
        let page = match self.client.changed_projects(None, query).await {
            Ok(page) => page,
            Err(error) => return self.survive(MEMBERSHIP, "projects", error),
        };
        let number = page.total.unwrap_or(page.items.len() as u64);
        match page.total {
            Some(number) => self.put(MEMBERSHIP, "projects", Some(number), price::pages(number), 1),
            None => self.miss(MEMBERSHIP, "projects", UNCOUNTED.to_owned()),
        }
        let ids: Vec<ProjectId> = page.items.iter().map(|found| found.project.id).collect();
        let counts = self.item_counts(&ids).await;
        let sample = (page.items.len() as u64).max(1);
        for kind in KINDS {
            let offering = page.items.iter().filter(|found| found.features.offers(kind));
            let offering: Vec<ProjectId> = offering.map(|found| found.project.id).collect();
            let known: Vec<Items> = offering
                .iter()
                .filter_map(|id| counts.get(id)?.of(kind))
                .map(|count| Items { kind, count, long: 0.0 })
                .collect();
            if known.len() < offering.len() {
                let missing = offering.len() - known.len();
                let reason = format!("GitLab does not count those of {missing} projects at once");
                self.miss(MEMBERSHIP, name_of(kind), reason);
            }
            let all = |of_sample: u64| (of_sample * number).div_ceil(sample);
            let count = all(known.iter().map(|items| items.count).sum());
            let full = all(self.price.lists(&known, &self.client));
            let idle = all(offering.len() as u64);
            self.put(MEMBERSHIP, name_of(kind), Some(count), full, idle);
            let comments = known.iter().map(|items| self.price.comments(items)).sum();
            if comments > 0 {
                self.put(MEMBERSHIP, "comments", Some(count), all(comments), 0);
            }
        }
        if self.source.comments && self.price.graphql {
            self.margins.insert(
                "comments beyond the first 20 of an item cost a request each 100; for membership \
                 they are not known"
                    .to_owned(),
            );
        }
        self.take_projects(page.items, number);
        Ok(())
    }

    async fn item_counts(&self, ids: &[ProjectId]) -> BTreeMap<ProjectId, ItemCounts> {
        if !self.price.graphql {
            return BTreeMap::new();
        }
        self.client.item_counts(ids).await.unwrap_or_default()
    }

    async fn count_by_rest(
        &mut self,
        root: &str,
        kind: ItemKind,
        scope: Scope,
    ) -> Result<Option<u64>, Error> {
        let archived = self.source.archived;
        let query = ItemQuery { archived, per_page: 1, ..ItemQuery::default() };
        match self.client.items(kind, scope, &query).await {
            Ok(page) => {
                if page.total.is_none() {
                    self.miss(root, name_of(kind), UNCOUNTED.to_owned());
                }
                Ok(page.total)
            }
            Err(error) => self.survive(root, name_of(kind), error).map(|()| None),
        }
    }

    /// Prices a list of items. A page of it shows what a query costs, and how many items have more
    /// comments than come with them.
    async fn price_list(
        &mut self,
        root: &str,
        kind: ItemKind,
        place: Place<'_>,
        count: u64,
    ) -> Result<(), Error> {
        let mut items = Items { kind, count, long: 0.0 };
        let mut price = self.price;
        if price.graphql && price.comments && count > 0 {
            let archived = self.source.archived;
            let query = ItemsQuery { archived, ..ItemsQuery::all(kind, place, ItemOrder::Created) };
            match self.client.items_page(&query).await {
                Ok(Fetched::Whole(page)) => {
                    let whole = page.items.iter().filter_map(|fetched| match fetched {
                        Fetched::Whole(item) => Some(item.more_notes.is_some()),
                        Fetched::Failed(_) | Fetched::Absent => None,
                    });
                    let long: Vec<bool> = whole.collect();
                    items.long = ratio(long.iter().filter(|long| **long).count(), long.len());
                    if page.next.is_some() {
                        self.margins.insert(format!(
                            "how many {} have more comments than come with them is that of the \
                             oldest {}",
                            name_of(kind),
                            long.len()
                        ));
                    }
                }
                Ok(Fetched::Absent | Fetched::Failed(_)) => price.graphql = false,
                Err(failure) => {
                    price.graphql = false;
                    if let Some(error) = failure.client_error()
                        && error.verdict() == Verdict::Abort
                    {
                        return Err(unreadable(self.source, error));
                    }
                }
            }
        }
        let full = price.lists(&[items], &self.client);
        self.put(root, name_of(kind), Some(count), full, 1);
        let comments = price.comments(&items);
        if comments > 0 {
            self.put(root, "comments", Some(count), comments, 0);
        }
        Ok(())
    }

    fn take_projects(&mut self, found: Vec<FetchedProject>, number: u64) {
        let shown = found.len();
        let wanted = found.into_iter().filter(|found| {
            !self.source.excludes(&found.project.path)
                && (self.source.archived || !found.project.archived)
        });
        let wanted: Vec<FetchedProject> = wanted.collect();
        let number = if shown == 0 { 0 } else { number * wanted.len() as u64 / shown as u64 };
        self.counted += number;
        self.projects.extend(wanted);
    }

    fn put(&mut self, root: &str, kind: &'static str, count: Option<u64>, full: u64, idle: u64) {
        let (full, idle) = (Requests { requests: full }, Requests { requests: idle });
        let same = |list: &&mut PlannedList| list.root == root && list.kind == kind;
        match self.lists.iter_mut().find(same) {
            // Comments of both kinds stand together.
            Some(list) => {
                list.count = list.count.zip(count).map(|(a, b)| a + b);
                list.full.requests += full.requests;
                list.idle.requests += idle.requests;
            }
            None => self.lists.push(PlannedList { root: root.to_owned(), kind, count, full, idle }),
        }
    }

    fn miss(&mut self, root: &str, kind: &'static str, reason: String) {
        self.uncounted.push(Uncounted { root: root.to_owned(), kind, reason });
    }

    /// Notes what cannot be counted, or ends when nothing can.
    fn survive(
        &mut self,
        root: &str,
        kind: &'static str,
        error: gitlab::Error,
    ) -> Result<(), Error> {
        match error.verdict() {
            Verdict::Abort => Err(unreadable(self.source, error)),
            Verdict::Retry { .. } if error.is_unanswered() => Err(unreadable(self.source, error)),
            Verdict::Retry { .. } | Verdict::Skip => {
                self.miss(root, kind, chain(&error));
                Ok(())
            }
        }
    }

    fn sum(self) -> Plan {
        let windows = self.client.budget().windows;
        let configured = u64::from(self.source.requests_per_minute);
        let tightest = windows.iter().min_by_key(|window| window.allowed);
        let limit = tightest.map_or(configured, |window| window.limit).max(1);
        let permitted = tightest.map_or(configured, |window| window.allowed).clamp(1, limit);
        let of = |requests: fn(&PlannedList) -> u64| {
            let requests = self.lists.iter().map(requests).sum();
            cost(requests, limit, permitted)
        };
        Plan {
            source: self.source.name.clone(),
            limit_per_minute: limit,
            permitted_per_minute: permitted,
            asked: self.client.stats().requests,
            full: of(|list| list.full.requests),
            idle: of(|list| list.idle.requests),
            roots: self.lists,
            uncounted: self.uncounted,
            margins: self.margins.into_iter().collect(),
        }
    }
}

/// Why GitLab does not say a number.
const UNCOUNTED: &str = "GitLab does not count lists of more than 10,000 by REST, and GraphQL does \
                         not tell either";

fn name_of(kind: ItemKind) -> &'static str {
    super::items::stream_of(kind).as_str()
}

/// True when one of the groups holds a path.
fn is_held(path: &str, groups: &[String]) -> bool {
    groups.iter().any(|group| is_below(&path.to_lowercase(), group))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a page")]
fn ratio(some: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { some as f64 / of as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "no number of requests comes near 2^53")]
fn cost(requests: u64, limit: u64, permitted: u64) -> Cost {
    Cost {
        requests,
        minutes: requests as f64 / permitted as f64,
        share: requests.min(permitted) as f64 / limit as f64,
    }
}
