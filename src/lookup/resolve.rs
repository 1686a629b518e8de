//! Anything a person may paste, to the services it belongs to.

use std::collections::BTreeMap;

use super::crawls::may_know;
use super::hydrate::{link, pipelines};
use super::input::{Place, arn_name, place, repository_host, repository_path};
use super::{
    Error, Evidence, GoneThing, Input, Item, ItemLink, ItemQuery, Lookup, NameSummary, Owner,
    Project, Resolved, ResolvedInput, ServiceLinks, Viewer,
};
use crate::model::ItemKind;
use crate::store::Tombstone;
use crate::store::read::{Filter, Listing, ProjectRow, Sort, TagRow, Visibility};

/// Mentioning items looked at, and shown.
const MENTIONS: usize = 20;

/// Items shown, whatever their number.
const MAX_ITEMS: usize = 100;

/// Services shown with their resources.
const SHOWN_SERVICES: usize = 5;

/// Items of each kind, and projects, shown of a service.
const SHOWN_ITEMS: i64 = 5;
const SHOWN_PROJECTS: i64 = 10;

/// Services that were found, in the order found, each with why.
#[derive(Debug, Default)]
struct Found(Vec<(String, Vec<Evidence>)>);

impl Found {
    fn add(&mut self, service: &str, evidence: impl IntoIterator<Item = Evidence>) {
        let at = self.0.iter().position(|(name, _)| name == service).unwrap_or_else(|| {
            self.0.push((service.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        for piece in evidence {
            if !self.0[at].1.contains(&piece) {
                self.0[at].1.push(piece);
            }
        }
    }

    fn add_of(&mut self, tags: &[super::Tag], evidence: &[Evidence]) {
        for tag in tags.iter().filter(|tag| tag.key == "service") {
            let subject = format!("service:{}", tag.value);
            let pieces = evidence.iter().filter(|piece| piece.subject == subject).cloned();
            self.add(&tag.value, pieces);
        }
    }
}

/// What was found so far.
struct Answer {
    kind: String,
    id: Option<String>,
    found: Found,
    projects: Vec<Project>,
    items: Vec<Item>,
    gone: Option<GoneThing>,
}

impl Lookup {
    /// Says what an input is, which services it belongs to, and what those have.
    pub async fn resolve(&self, input: Input, viewer: &Viewer) -> Result<Resolved, Error> {
        let visibility = self.visibility(viewer).await?;
        let text = input.text().to_owned();
        if text.is_empty() {
            return Err(Error::Question("nothing to resolve was given".to_owned()));
        }
        let mut answer = Answer {
            kind: "unknown".to_owned(),
            id: None,
            found: Found::default(),
            projects: Vec::new(),
            items: Vec::new(),
            gone: None,
        };
        let input = input.settle();
        match &input {
            Input::Url(url) => self.resolve_url(url, viewer, &visibility, &mut answer).await?,
            Input::Repository(repository) => {
                // An address may hold the path under which its GitLab lives.
                self.resolve_url(repository, viewer, &visibility, &mut answer).await?;
                if answer.kind == "unknown" {
                    self.resolve_project(repository, viewer, &visibility, &mut answer).await?;
                }
            }
            Input::Service(name) => {
                self.resolve_name("service", name, &visibility, &mut answer).await?;
            }
            Input::Arn(_) | Input::Text(_) => {
                self.resolve_words(&text, viewer, &visibility, &mut answer).await?;
            }
        }

        let references = match &input {
            Input::Service(_) | Input::Repository(_) => Vec::new(),
            Input::Url(_) | Input::Arn(_) | Input::Text(_) => {
                self.read_references(&text, &visibility).await?
            }
        };
        for reference in &references {
            if answer.kind == "unknown" {
                answer.kind.clone_from(&reference.kind);
                answer.id = Some(reference.id.clone());
            }
            if answer.items.len() >= MAX_ITEMS {
                break;
            }
            self.add_mentions(&reference.kind, &reference.id, &visibility, &mut answer).await?;
        }
        if let Input::Arn(arn) = &input
            && let Some(name) = arn_name(arn)
        {
            self.add_by_name(name, &visibility, &mut answer.found).await?;
        }

        let mut services = Vec::new();
        for (name, evidence) in answer.found.0.into_iter().take(SHOWN_SERVICES) {
            if let Some(tag) = self.visible_tag("service", &name, &visibility).await? {
                services.push(self.service_links(&tag, evidence, &visibility).await?);
            }
        }
        Ok(Resolved {
            input: ResolvedInput { text, kind: answer.kind, id: answer.id },
            services,
            projects: answer.projects,
            items: answer.items,
            references,
            gone: answer.gone,
        })
    }

    async fn resolve_url(
        &self,
        url: &str,
        viewer: &Viewer,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let sources = self.store.list_sources().await?;
        let mut bases = vec![String::new()];
        bases.extend(sources.iter().filter_map(|source| {
            let base = reqwest::Url::parse(&source.url).ok()?;
            Some(base.path().trim_matches('/').to_owned()).filter(|path| !path.is_empty())
        }));
        let Some(Place { host, paths, item }) = place(url, &bases) else { return Ok(()) };
        let hosts: BTreeMap<&str, String> = sources
            .iter()
            .filter_map(|source| Some((source.name.as_str(), host_of(&source.url)?)))
            .collect();
        for path in &paths {
            let rows = self.store.list_projects_at(path, visibility).await?;
            let here = rows.into_iter().find(|row| {
                hosts.get(row.source.as_str()).is_some_and(|source| *source == host)
                    || host_of(&row.web_url).is_some_and(|web| web == host)
            });
            let Some(row) = here else { continue };
            return self.add_project(row, item, visibility, answer).await;
        }
        for path in &paths {
            let here = |gone: &Tombstone| {
                hosts.get(gone.source.as_str()).is_some_and(|source| *source == host)
                    || host_of(&gone.web_url).is_some_and(|web| web == host)
            };
            if self.add_gone_project(path, viewer, here, answer).await? {
                break;
            }
        }
        Ok(())
    }

    /// Says that the project at a path is gone, if it is, and may be known of.
    async fn add_gone_project(
        &self,
        path: &str,
        viewer: &Viewer,
        is_meant: impl Fn(&Tombstone) -> bool,
        answer: &mut Answer,
    ) -> Result<bool, Error> {
        let gone = self.store.list_gone_projects(path).await?;
        let gone = gone.into_iter().find(|gone| is_meant(gone) && may_know(viewer, &gone.path));
        let Some(gone) = gone else { return Ok(false) };
        "gitlab_project".clone_into(&mut answer.kind);
        answer.id = Some(gone.path.clone());
        answer.gone = Some(thing(gone));
        Ok(true)
    }

    async fn resolve_project(
        &self,
        repository: &str,
        viewer: &Viewer,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let path = repository_path(repository);
        let mut rows = self.store.list_projects_at(&path, visibility).await?;
        // Sources may share paths; the host says which is meant, where one is written. Its port is
        // that of SSH, and says nothing.
        let host = repository_host(repository);
        rows.sort_by_key(|row| {
            let url = reqwest::Url::parse(&row.web_url).ok();
            host.is_some() && url.as_ref().and_then(reqwest::Url::host_str) != host.as_deref()
        });
        if let Some(row) = rows.into_iter().next() {
            return self.add_project(row, None, visibility, answer).await;
        }
        self.add_gone_project(&path, viewer, |_| true, answer).await?;
        Ok(())
    }

    async fn add_project(
        &self,
        row: ProjectRow,
        item: Option<(ItemKind, i64)>,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let (key, path) = (row.key, row.path.clone());
        let Some(project) = self.projects(vec![row]).await?.pop() else { return Ok(()) };
        "gitlab_project".clone_into(&mut answer.kind);
        answer.id = Some(path.clone());
        if let Some((kind, iid)) = item {
            let row = self.store.find_item(key, kind, iid, visibility).await?;
            let gone = match &row {
                Some(_) => None,
                None => self.store.find_gone_item(key, kind, iid).await?,
            };
            let gone = gone.filter(|gone| visibility.confidential || !gone.confidential);
            if row.is_some() || gone.is_some() {
                answer.kind = match kind {
                    ItemKind::Issue => "gitlab_issue".to_owned(),
                    ItemKind::MergeRequest => "gitlab_merge_request".to_owned(),
                };
                answer.id = Some(format!("{path}{}{iid}", kind.sigil()));
            }
            answer.gone = gone.map(thing);
            let items = self.items(row.into_iter().collect(), visibility).await?;
            for item in &items {
                answer.found.add_of(&item.tags, &item.evidence);
            }
            answer.items.extend(items);
        }
        answer.found.add_of(&project.tags, &project.evidence);
        answer.projects.push(project);
        Ok(())
    }

    async fn resolve_name(
        &self,
        key: &str,
        name: &str,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        for meant in self.reader.names().meant(key, name) {
            let Some(tag) = self.visible_tag(key, &meant, visibility).await? else { continue };
            if answer.kind == "unknown" {
                key.clone_into(&mut answer.kind);
                answer.id = Some(tag.value.clone());
            }
            let projects = self.projects_of(&tag, None, SHOWN_PROJECTS, visibility).await?;
            if key == "service" {
                answer.found.add(&tag.value, []);
            } else {
                for (_, project) in &projects {
                    answer.found.add_of(&project.tags, &project.evidence);
                }
            }
            answer.projects.extend(projects.into_iter().map(|(_, project)| project));
        }
        Ok(())
    }

    /// Resolves a text that is no address: an item, a project, a name.
    async fn resolve_words(
        &self,
        text: &str,
        viewer: &Viewer,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        if let Some((path, kind, iid)) = item_reference(text) {
            let rows = self.store.list_projects_at(path, visibility).await?;
            if let Some(row) = rows.into_iter().next() {
                return self.add_project(row, Some((kind, iid)), visibility, answer).await;
            }
            if self.add_gone_project(path, viewer, |_| true, answer).await? {
                return Ok(());
            }
        }
        if text.contains('/') {
            self.resolve_project(text, viewer, visibility, answer).await?;
        }
        for key in ["service", "team"] {
            if answer.kind == "unknown" {
                self.resolve_name(key, text, visibility, answer).await?;
            }
        }
        Ok(())
    }

    /// Adds the items that mention a reference, and their services, the most named first.
    async fn add_mentions(
        &self,
        kind: &str,
        id: &str,
        visibility: &Visibility,
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let Some(row) = self.known(kind, id).await? else { return Ok(()) };
        let query = ItemQuery { limit: MENTIONS, ..ItemQuery::default() };
        let page = self.page(Listing::Reference(row.key, None), &query, visibility).await?;
        let mentioned = format!("{kind}:{}", row.id);
        let mut uses: BTreeMap<String, Vec<Evidence>> = BTreeMap::new();
        for item in &page.data {
            // The item's service, because of what the item says.
            let Some(why) = item.evidence.iter().find(|piece| piece.subject == mentioned) else {
                continue;
            };
            for tag in item.tags.iter().filter(|tag| tag.key == "service") {
                let url = why.url.clone().unwrap_or_else(|| item.web_url.clone());
                uses.entry(tag.value.clone()).or_default().push(Evidence {
                    subject: format!("service:{}", tag.value),
                    url: Some(url),
                    ..why.clone()
                });
            }
        }
        let mut uses: Vec<(String, Vec<Evidence>)> = uses.into_iter().collect();
        uses.sort_by_key(|(_, evidence)| std::cmp::Reverse(evidence.len()));
        for (service, evidence) in uses {
            answer.found.add(&service, evidence.into_iter().take(3));
        }
        for item in page.data {
            if !answer.items.iter().any(|other| other.web_url == item.web_url) {
                answer.items.push(item);
            }
        }
        Ok(())
    }

    /// Adds the service that has the name of a cloud resource.
    async fn add_by_name(
        &self,
        name: &str,
        visibility: &Visibility,
        found: &mut Found,
    ) -> Result<(), Error> {
        if let Some(tag) = self.visible_tag("service", name, visibility).await? {
            found.add(
                &tag.value,
                [Evidence {
                    subject: format!("service:{}", tag.value),
                    via: "name".to_owned(),
                    location: "title".to_owned(),
                    text: name.to_owned(),
                    inherited: false,
                    rule: "name:service".to_owned(),
                    url: None,
                }],
            );
        }
        Ok(())
    }

    async fn service_links(
        &self,
        tag: &TagRow,
        evidence: Vec<Evidence>,
        visibility: &Visibility,
    ) -> Result<ServiceLinks, Error> {
        let NameSummary { name, aliases, counts } = self.summary(tag, visibility).await?;
        let with_keys = self.projects_of(tag, None, SHOWN_PROJECTS, visibility).await?;
        let owners = self
            .owners_of(&with_keys)
            .await?
            .into_iter()
            .map(|owner| Owner { kind: owner.kind, name: owner.name })
            .collect();
        let projects: Vec<Project> = with_keys.into_iter().map(|(_, project)| project).collect();
        let mut teams: Vec<String> = projects
            .iter()
            .flat_map(|project| &project.tags)
            .filter(|tag| tag.key == "team")
            .map(|tag| tag.value.clone())
            .collect();
        teams.sort();
        teams.dedup();
        let open = Filter { state: Some("opened".to_owned()), ..Filter::default() };
        let list = async |kind| {
            let listing = Listing::Tag(tag.id, kind);
            let rows = self
                .store
                .list_items(listing, &open, Sort::UpdatedDesc, None, SHOWN_ITEMS, visibility)
                .await?;
            let items = self.items(rows, visibility).await?;
            Ok::<_, Error>(items.iter().map(ItemLink::from).collect())
        };
        Ok(ServiceLinks {
            name,
            evidence,
            aliases,
            counts,
            teams,
            open_issues: list(ItemKind::Issue).await?,
            open_merge_requests: list(ItemKind::MergeRequest).await?,
            owners,
            pipelines: pipelines(&projects),
            projects: projects.iter().map(link).collect(),
        })
    }
}

/// Shows what is gone.
fn thing(gone: Tombstone) -> GoneThing {
    let (kind, number) = match gone.item {
        Some((kind, iid)) => (kind.as_str(), format!("{}{iid}", kind.sigil())),
        None => ("project", String::new()),
    };
    GoneThing {
        kind: kind.to_owned(),
        reference: format!("{}{number}", gone.path),
        web_url: gone.web_url,
        gone_at: gone.gone_at,
        reason: gone.reason.as_str().to_owned(),
        explanation: gone.reason.sentence().to_owned(),
    }
}

/// Reads `shop/webshop#12` and `shop/webshop!12`.
fn item_reference(text: &str) -> Option<(&str, ItemKind, i64)> {
    let at = text.find(['#', '!'])?;
    let kind = if text[at..].starts_with('#') { ItemKind::Issue } else { ItemKind::MergeRequest };
    let iid = text[at + 1..].parse().ok().filter(|iid| *iid > 0)?;
    text[..at].contains('/').then_some((&text[..at], kind, iid))
}

/// Returns the host of an address, with its port where one is written.
fn host_of(address: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
