//! Services, teams, and the names of any other key.

use std::collections::{BTreeMap, BTreeSet};

use super::hydrate::pipelines;
use super::{
    Counts, Cursor, Error, Item, Lookup, MAX_LIMIT, NameDetail, NameOwner, NameSummary, Owner,
    OwnerKind, Page, Project, ProjectPipeline, ReferenceSummary, Viewer,
};
use crate::codeowners::CodeOwners;
use crate::correlate::match_key;
use crate::model::ItemKind;
use crate::store::read::{
    Filter, ItemCursor, ItemRow, Listing, ReferenceCount, Sort, TagCounts, TagRow, Visibility,
};

/// Items shown of each kind on the page of a name.
const SHOWN_ITEMS: i64 = 10;

/// Projects looked into for owners and teams of a name; a name on more is no service any more.
const SHOWN_PROJECTS: i64 = 50;

/// Which items of a list are wanted, and in which order.
#[derive(Debug, Clone, Default)]
pub struct ItemQuery {
    /// Filters; tags are named in [`ItemQuery::tags`].
    pub filter: Filter,
    /// Tags that items must carry, as key and name.
    pub tags: Vec<(String, String)>,
    /// The order.
    pub sort: Sort,
    /// Where the page begins.
    pub cursor: Option<ItemCursor>,
    /// Rows at most.
    pub limit: usize,
}

impl From<TagCounts> for Counts {
    fn from(counts: TagCounts) -> Self {
        Self {
            projects: counts.projects,
            issues: counts.issues,
            open_issues: counts.open_issues,
            merge_requests: counts.merge_requests,
            open_merge_requests: counts.open_merge_requests,
        }
    }
}

impl From<ReferenceCount> for ReferenceSummary {
    fn from(count: ReferenceCount) -> Self {
        Self {
            kind: count.kind,
            id: count.id,
            issues: count.issues,
            merge_requests: count.merge_requests,
            updated_at: count.updated_at,
        }
    }
}

/// Asks for one row more than a page holds, to know whether there is a next page.
pub(super) fn with_next<T>(
    mut rows: Vec<T>,
    limit: usize,
    cursor: impl Fn(&T) -> Cursor,
) -> (Vec<T>, Option<Cursor>) {
    let limit = limit.clamp(1, MAX_LIMIT);
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let next = rows.last().map(cursor);
    (rows, next)
}

/// Returns an owner's place among others: names before roles before addresses.
fn place(owner: &NameOwner) -> String {
    let kind = match owner.kind {
        OwnerKind::Name => 'a',
        OwnerKind::Role => 'b',
        OwnerKind::Email => 'c',
    };
    format!("{kind}{}", owner.name)
}

/// Takes the cursor of a list of projects apart.
fn path_and_key(after: &str) -> (&str, i64) {
    let parts = after.rsplit_once('\n');
    let found = parts.and_then(|(path, key)| Some((path, key.parse().ok()?)));
    found.unwrap_or((after, i64::MAX))
}

pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, MAX_LIMIT)).unwrap_or(1) + 1
}

impl Lookup {
    /// Lists the names of a key, with counts.
    pub async fn names(
        &self,
        key: &str,
        cursor: Option<&Cursor>,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Page<NameSummary>, Error> {
        let visibility = self.visibility(viewer).await?;
        let after = match cursor {
            Some(Cursor::After(after)) => after.as_str(),
            Some(Cursor::At(..)) | None => "",
        };
        let rows = self.store.list_tags(key, after, one_more(limit), &visibility).await?;
        let (rows, next) = with_next(rows, limit, |row| Cursor::After(row.match_key.clone()));
        let mut data = Vec::with_capacity(rows.len());
        for row in rows {
            data.push(self.summary(&row, &visibility).await?);
        }
        Ok(Page { data, next })
    }

    /// Finds all about one name, in any spelling or by an alias.
    pub async fn name(
        &self,
        key: &str,
        name: &str,
        viewer: &Viewer,
    ) -> Result<Option<NameDetail>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(tag) = self.visible_tag(key, name, &visibility).await? else { return Ok(None) };
        let NameSummary { name, aliases, counts } = self.summary(&tag, &visibility).await?;
        let with_keys = self.projects_of(&tag, None, SHOWN_PROJECTS, &visibility).await?;
        let owners = self.owners_of(&with_keys).await?;
        let projects: Vec<Project> = with_keys.into_iter().map(|(_, project)| project).collect();
        let others = |wanted: &str| {
            let values = projects.iter().flat_map(|project| &project.tags);
            values
                .filter(|other| other.key == wanted && !(wanted == key && other.value == name))
                .map(|other| other.value.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        };
        let open = Filter { state: Some("opened".to_owned()), ..Filter::default() };
        let merged = Filter { state: Some("merged".to_owned()), ..Filter::default() };
        let list = async |kind, filter: &Filter, sort| {
            let listing = Listing::Tag(tag.id, kind);
            let rows = self
                .store
                .list_items(listing, filter, sort, None, SHOWN_ITEMS, &visibility)
                .await?;
            self.items(rows, &visibility).await
        };
        let references = self
            .store
            .list_references_of_tag(tag.id, None, SHOWN_ITEMS, &visibility)
            .await?
            .into_iter()
            .map(|(count, _)| count.into())
            .collect();
        Ok(Some(NameDetail {
            aliases,
            counts,
            teams: others("team"),
            services: others("service"),
            owners,
            open_issues: list(ItemKind::Issue, &open, Sort::UpdatedDesc).await?,
            open_merge_requests: list(ItemKind::MergeRequest, &open, Sort::UpdatedDesc).await?,
            recently_merged: list(ItemKind::MergeRequest, &merged, Sort::MergedDesc).await?,
            references,
            pipelines: pipelines(&projects),
            projects,
            name,
        }))
    }

    /// Lists the projects of a name by path; `None` when nobody carries the name.
    pub async fn name_projects(
        &self,
        key: &str,
        name: &str,
        cursor: Option<&Cursor>,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Option<Page<Project>>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(tag) = self.visible_tag(key, name, &visibility).await? else { return Ok(None) };
        let after = match cursor {
            Some(Cursor::After(after)) => Some(path_and_key(after)),
            Some(Cursor::At(..)) | None => None,
        };
        let projects = self.projects_of(&tag, after, one_more(limit), &visibility).await?;
        let (rows, next) = with_next(projects, limit, |(key, project)| {
            Cursor::After(format!("{}\n{key}", project.path))
        });
        Ok(Some(Page { data: rows.into_iter().map(|(_, project)| project).collect(), next }))
    }

    /// Lists the issues or merge requests of a name; `None` when nobody carries the name.
    pub async fn name_items(
        &self,
        key: &str,
        name: &str,
        kind: ItemKind,
        query: &ItemQuery,
        viewer: &Viewer,
    ) -> Result<Option<Page<Item>>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(tag) = self.visible_tag(key, name, &visibility).await? else { return Ok(None) };
        self.page(Listing::Tag(tag.id, kind), query, &visibility).await.map(Some)
    }

    /// Lists what the items of a name mention; `None` when nobody carries the name.
    pub async fn name_references(
        &self,
        key: &str,
        name: &str,
        cursor: Option<&Cursor>,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Option<Page<ReferenceSummary>>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(tag) = self.visible_tag(key, name, &visibility).await? else { return Ok(None) };
        let cursor = match cursor {
            Some(&Cursor::At(at, key)) => Some((at, key)),
            Some(Cursor::After(_)) | None => None,
        };
        let rows =
            self.store.list_references_of_tag(tag.id, cursor, one_more(limit), &visibility).await?;
        let (rows, next) = with_next(rows, limit, |(_, (at, key))| Cursor::At(*at, *key));
        let data = rows.into_iter().map(|(count, _)| count.into()).collect();
        Ok(Some(Page { data, next }))
    }

    /// Lists whom the CODEOWNERS files of a name's projects name, by kind and name.
    pub async fn name_owners(
        &self,
        key: &str,
        name: &str,
        cursor: Option<&Cursor>,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Option<Page<NameOwner>>, Error> {
        let visibility = self.visibility(viewer).await?;
        let Some(tag) = self.visible_tag(key, name, &visibility).await? else { return Ok(None) };
        let projects = self.projects_of(&tag, None, SHOWN_PROJECTS, &visibility).await?;
        let mut owners = self.owners_of(&projects).await?;
        if let Some(Cursor::After(after)) = cursor {
            owners.retain(|owner| place(owner) > *after);
        }
        let (data, next) = with_next(owners, limit, |owner| Cursor::After(place(owner)));
        Ok(Some(Page { data, next }))
    }

    /// Lists the latest pipelines of a name's projects, by path.
    pub async fn name_pipelines(
        &self,
        key: &str,
        name: &str,
        cursor: Option<&Cursor>,
        limit: usize,
        viewer: &Viewer,
    ) -> Result<Option<Page<ProjectPipeline>>, Error> {
        let page = self.name_projects(key, name, cursor, limit, viewer).await?;
        Ok(page.map(|page| Page { data: pipelines(&page.data), next: page.next }))
    }

    /// Reads a page of items.
    pub(super) async fn page(
        &self,
        listing: Listing,
        query: &ItemQuery,
        visibility: &Visibility,
    ) -> Result<Page<Item>, Error> {
        let mut filter = query.filter.clone();
        for (key, name) in &query.tags {
            // A name that nobody carries admits nothing; no row has the key 0.
            let tag = self.tag(key, name).await?.map_or(0, |tag| tag.id);
            filter.tags.push(tag);
        }
        let limit = query.limit.clamp(1, MAX_LIMIT);
        let rows = self
            .store
            .list_items(listing, &filter, query.sort, query.cursor, one_more(limit), visibility)
            .await?;
        let (rows, next): (Vec<ItemRow>, _) = with_next(rows, limit, |row| {
            let ItemCursor { at, key } = row.cursor(query.sort);
            Cursor::At(at, key)
        });
        Ok(Page { data: self.items(rows, visibility).await?, next })
    }

    /// Finds a name's row by any spelling or alias.
    pub(super) async fn tag(&self, key: &str, name: &str) -> Result<Option<TagRow>, Error> {
        for meant in self.reader.names().meant(key, name) {
            if let Some(folded) = match_key(&meant)
                && let Some(tag) = self.store.find_tag(key, &folded).await?
            {
                return Ok(Some(tag));
            }
        }
        Ok(None)
    }

    /// Finds a name's row when something visible carries it.
    pub(super) async fn visible_tag(
        &self,
        key: &str,
        name: &str,
        visibility: &Visibility,
    ) -> Result<Option<TagRow>, Error> {
        let Some(tag) = self.tag(key, name).await? else { return Ok(None) };
        let counts = self.store.count_tag(tag.id, visibility).await?;
        let carried = counts.projects + counts.issues + counts.merge_requests > 0;
        Ok(carried.then_some(tag))
    }

    pub(super) async fn summary(
        &self,
        tag: &TagRow,
        visibility: &Visibility,
    ) -> Result<NameSummary, Error> {
        Ok(NameSummary {
            name: tag.value.clone(),
            aliases: self.reader.names().aliases_of(&tag.key, &tag.value),
            counts: self.store.count_tag(tag.id, visibility).await?.into(),
        })
    }

    /// Lists the projects of a name, each with its key.
    pub(super) async fn projects_of(
        &self,
        tag: &TagRow,
        after: Option<(&str, i64)>,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<(i64, Project)>, Error> {
        let rows = self.store.list_projects_of_tag(tag.id, after, limit, visibility).await?;
        let keys: Vec<i64> = rows.iter().map(|row| row.key).collect();
        Ok(keys.into_iter().zip(self.projects(rows).await?).collect())
    }

    /// Lists whom the CODEOWNERS files of projects name.
    pub(super) async fn owners_of(
        &self,
        projects: &[(i64, Project)],
    ) -> Result<Vec<NameOwner>, Error> {
        let mut named: BTreeMap<Owner, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for (key, project) in projects {
            let Some((_, text)) = self.store.find_code_owners(*key).await? else { continue };
            for entry in CodeOwners::parse(&text).entries().filter(|entry| !entry.exclusion) {
                for owner in entry.owners {
                    let owner = Owner { kind: owner.kind.into(), name: owner.name.clone() };
                    let (paths, sections) = named.entry(owner).or_default();
                    paths.insert(project.path.clone());
                    sections.insert(entry.section.to_owned());
                }
            }
        }
        Ok(named
            .into_iter()
            .map(|(owner, (projects, sections))| NameOwner {
                kind: owner.kind,
                name: owner.name,
                projects: projects.into_iter().collect(),
                sections: sections.into_iter().collect(),
            })
            .collect())
    }
}
