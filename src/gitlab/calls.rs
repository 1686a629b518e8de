//! What GitLab can be asked.
//!
//! One method per question. What a call returns is `model`, or a plain struct beside it. What part
//! of a list is asked for: `query.rs`. How it is asked, and how often: `client/`.

use super::Error;
use super::address::Target;
use super::client::{Answer, Client};
use super::error::Missing;
use super::paging::{self, NextPage, Page, Trail};
use super::query::{ItemQuery, PER_PAGE, ProjectQuery, Scope, item_parameters};
use super::wire::{
    self, FetchedProject, Group, RawFile, Undecodable, Version, Wire, decode, decode_list,
};
use crate::model::{GroupId, Iid, Item, ItemKind, Label, Note, Pipeline, ProjectId, Template};

/// How many pages a list may have that is read as a whole: comments of one item (5,000 at most),
/// labels, templates. A list of 100,000 is none of these.
const SHORT_LIST_PAGES: usize = 1_000;

impl Client {
    /// Asks for one object.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn get<W: Wire>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<W::Model, Error> {
        let target = self.base().target(path, query)?;
        self.ask(&target, |answer| {
            decode::<W>(&answer.body).map_err(|error| undecodable(&answer, error))
        })
        .await
    }

    /// Asks for the first page of a list; each segment of the path is sent as one segment.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn list<W: Wire>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Page<W::Model>, Error> {
        self.page::<W>(&self.base().target(path, query)?).await
    }

    /// Asks for a further page of a list.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn follow<W: Wire>(&self, next: &NextPage) -> Result<Page<W::Model>, Error> {
        self.page::<W>(&self.base().resolve(next.as_str())?).await
    }

    /// Asks for one page. A list that has no keyset paging is asked for by offsets.
    async fn page<W: Wire>(&self, target: &Target) -> Result<Page<W::Model>, Error> {
        match self.ask(target, |answer| self.read_page::<W>(&answer)).await {
            Err(error) if paging::lacks_keyset(&error) => {
                match paging::by_offset(self.base(), target) {
                    Some(target) => self.ask(&target, |answer| self.read_page::<W>(&answer)).await,
                    None => Err(error),
                }
            }
            page => page,
        }
    }

    async fn page_or_less<W: Wire>(&self, target: &Target) -> Result<Page<W::Model>, Error> {
        self.ask_or_less(target, |answer| self.read_page::<W>(&answer)).await
    }

    fn read_page<W: Wire>(&self, answer: &Answer) -> Result<Page<W::Model>, Error> {
        let items = decode_list::<W>(&answer.body).map_err(|error| undecodable(answer, error))?;
        Ok(Page {
            items,
            next: paging::find_next(self.base(), &answer.target, &answer.headers)?,
            total: paging::number(&answer.headers, "x-total"),
            server_date: answer.date,
        })
    }

    /// Asks for all pages of a list that is known to be short.
    pub(super) async fn list_all<W: Wire>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Vec<W::Model>, Error> {
        let mut page = self.list::<W>(path, query).await?;
        let mut trail = Trail::of_pages(SHORT_LIST_PAGES);
        let mut items = Vec::new();
        loop {
            let news = !page.items.is_empty();
            items.append(&mut page.items);
            let Some(next) = page.next else { return Ok(items) };
            trail.follow(&next, news)?;
            page = self.follow::<W>(&next).await?;
        }
    }

    /// Asks for GitLab's version; a token is needed.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn version(&self) -> Result<Version, Error> {
        self.get::<Version>(&["version"], &[]).await
    }

    /// Asks for a group by id or full path.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn group(&self, group: &str) -> Result<Group, Error> {
        // With its projects, which is the default, the answer is heavy and has a limit of its own.
        let query = [("with_projects", "false".to_owned())];
        self.get::<wire::GroupBody>(&["groups", group], &query).await
    }

    /// Lists the groups below a group that the credential sees.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn groups_below(&self, group: GroupId) -> Result<Vec<Group>, Error> {
        let query = [("order_by", "id".to_owned()), ("per_page", PER_PAGE.to_string())];
        let path = ["groups", &group.to_string(), "descendant_groups"];
        self.list_all::<wire::GroupBody>(&path, &query).await
    }

    /// Asks for a project by id or full path. A former path leads to the project as well.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn project(&self, project: &str) -> Result<FetchedProject, Error> {
        self.get::<wire::Project>(&["projects", project], &[]).await
    }

    /// Lists the projects of a group and its subgroups, by id.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn group_projects(
        &self,
        group: GroupId,
        query: ProjectQuery,
    ) -> Result<Page<FetchedProject>, Error> {
        let mut parameters = query.parameters();
        parameters.push(("include_subgroups", "true".to_owned()));
        // Shared projects live elsewhere.
        parameters.push(("with_shared", "false".to_owned()));
        self.list::<wire::Project>(&["groups", &group.to_string(), "projects"], &parameters).await
    }

    /// Lists the projects that the token's user is a member of, by id.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn projects_member(
        &self,
        query: ProjectQuery,
    ) -> Result<Page<FetchedProject>, Error> {
        let mut parameters = query.parameters();
        parameters.push(("membership", "true".to_owned()));
        // By cursor, nothing is skipped when a project goes while the list is walked.
        parameters.push(("pagination", "keyset".to_owned()));
        self.list::<wire::Project>(&["projects"], &parameters).await.map(know_last_project)
    }

    /// Lists the projects of a group and its subgroups, or those that the token's user is a member
    /// of, the last changed first. That list moves while it is walked, and may be cut by GitLab: it
    /// is for those who need its beginning only.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn changed_projects(
        &self,
        group: Option<GroupId>,
        query: ProjectQuery,
    ) -> Result<Page<FetchedProject>, Error> {
        let mut parameters = query.by_change();
        let Some(group) = group else {
            parameters.push(("membership", "true".to_owned()));
            return self.list::<wire::Project>(&["projects"], &parameters).await;
        };
        parameters.push(("include_subgroups", "true".to_owned()));
        parameters.push(("with_shared", "false".to_owned()));
        let path = ["groups", &group.to_string(), "projects"];
        self.list::<wire::Project>(&path, &parameters).await
    }

    /// Asks for a further page of the projects that changed last.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn follow_changed_projects(
        &self,
        next: &NextPage,
    ) -> Result<Page<FetchedProject>, Error> {
        self.follow::<wire::Project>(next).await
    }

    /// Asks for a further page of projects.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn follow_projects(&self, next: &NextPage) -> Result<Page<FetchedProject>, Error> {
        let page = match (self.follow::<wire::Project>(next).await, next.by_keyset()) {
            (Err(error), Some(by_keyset)) if paging::is_ceiling(&error) => {
                self.follow::<wire::Project>(&by_keyset).await
            }
            (page, _) => page,
        };
        page.map(know_last_project)
    }

    /// Lists the labels that a project's items may carry, those of its groups included.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn project_labels(&self, project: ProjectId) -> Result<Vec<Label>, Error> {
        let query =
            [("include_ancestor_groups", "true".to_owned()), ("per_page", PER_PAGE.to_string())];
        let path = ["projects", &project.to_string(), "labels"];
        self.list_all::<wire::Label>(&path, &query).await
    }

    /// Lists issues.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn issues(&self, scope: Scope, query: &ItemQuery) -> Result<Page<Item>, Error> {
        self.items(ItemKind::Issue, scope, query).await
    }

    /// Lists merge requests.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn merge_requests(
        &self,
        scope: Scope,
        query: &ItemQuery,
    ) -> Result<Page<Item>, Error> {
        self.items(ItemKind::MergeRequest, scope, query).await
    }

    /// Lists items of one kind.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn items(
        &self,
        kind: ItemKind,
        scope: Scope,
        query: &ItemQuery,
    ) -> Result<Page<Item>, Error> {
        let target = self.items_target(kind, scope, query)?;
        match kind {
            ItemKind::Issue => self.page::<wire::Issue>(&target).await,
            ItemKind::MergeRequest => self.page::<wire::MergeRequest>(&target).await,
        }
    }

    /// Lists items of one kind for somebody who can ask for less: where GitLab runs out of time,
    /// the same question is not repeated ([`Error::asks_for_less`]).
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn items_or_less(
        &self,
        kind: ItemKind,
        scope: Scope,
        query: &ItemQuery,
    ) -> Result<Page<Item>, Error> {
        let target = self.items_target(kind, scope, query)?;
        self.items_page_or_less(kind, &target).await
    }

    fn items_target(
        &self,
        kind: ItemKind,
        scope: Scope,
        query: &ItemQuery,
    ) -> Result<Target, Error> {
        let (parent, id) = match scope {
            Scope::Group(id) => ("groups", id.to_string()),
            Scope::Project(id) => ("projects", id.to_string()),
        };
        self.base().target(&[parent, &id, plural(kind)], &item_parameters(kind, scope, query))
    }

    async fn items_page_or_less(
        &self,
        kind: ItemKind,
        target: &Target,
    ) -> Result<Page<Item>, Error> {
        match kind {
            ItemKind::Issue => self.page_or_less::<wire::Issue>(target).await,
            ItemKind::MergeRequest => self.page_or_less::<wire::MergeRequest>(target).await,
        }
    }

    /// Asks for a further page as [`Client::items_or_less`] does for the first.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn follow_items_or_less(
        &self,
        kind: ItemKind,
        next: &NextPage,
    ) -> Result<Page<Item>, Error> {
        self.items_page_or_less(kind, &self.base().resolve(next.as_str())?).await
    }

    /// Asks for a further page of items.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn follow_items(&self, kind: ItemKind, next: &NextPage) -> Result<Page<Item>, Error> {
        match kind {
            ItemKind::Issue => self.follow::<wire::Issue>(next).await,
            ItemKind::MergeRequest => self.follow::<wire::MergeRequest>(next).await,
        }
    }

    /// Lists all comments on an item, oldest first; system notes are among them.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; 401 without a token, even where the item is public.
    pub async fn notes(
        &self,
        project: ProjectId,
        kind: ItemKind,
        iid: Iid,
    ) -> Result<Vec<Note>, Error> {
        let query = [
            ("order_by", "created_at".to_owned()),
            ("sort", "asc".to_owned()),
            ("per_page", PER_PAGE.to_string()),
        ];
        let (project, iid) = (project.to_string(), iid.to_string());
        let path = ["projects", &project, plural(kind), &iid, "notes"];
        self.list_all::<wire::Note>(&path, &query).await
    }

    /// Reads a file, from the default branch when no ref is given.
    ///
    /// Returns `None` when the file is not there, or when the repository has no such ref or no
    /// commit at all. A project that is not there is an error.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn raw_file(
        &self,
        project: ProjectId,
        path: &str,
        git_ref: Option<&str>,
    ) -> Result<Option<RawFile>, Error> {
        let project = project.to_string();
        let segments = ["projects", &project, "repository", "files", path, "raw"];
        let query: Vec<_> =
            git_ref.map(|git_ref| ("ref", git_ref.to_owned())).into_iter().collect();
        let target = self.base().target(&segments, &query)?;
        let read = |answer: Answer| {
            let header = answer.headers.get("x-gitlab-blob-id");
            let blob_id = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
            // GitLab serves files, HTML files too, as plain text: a page is someone else's.
            if blob_id.is_none() && answer.content_type().starts_with("text/html") {
                return Err(answer.not_gitlab());
            }
            // A cut text is still a text: only its length tells.
            let (bytes, size) = (answer.body.len() as u64, "x-gitlab-size");
            match paging::number(&answer.headers, size) {
                Some(expected_bytes) if expected_bytes != bytes => {
                    let path = answer.target.path;
                    Err(Error::Garbled { path, expected_bytes, bytes })
                }
                Some(_) | None => Ok(RawFile { blob_id, bytes: answer.body }),
            }
        };
        match self.ask(&target, read).await {
            Ok(file) => Ok(Some(file)),
            Err(Error::NotFound { what: Missing::Named(name), .. })
                if ["file", "commit"].iter().any(|word| name.eq_ignore_ascii_case(word)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the description templates that a project offers for a kind of item, inherited ones
    /// included. One that goes while the list is walked is left out.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn templates(
        &self,
        project: ProjectId,
        kind: ItemKind,
    ) -> Result<Vec<Template>, Error> {
        let mut templates = Vec::new();
        for key in self.template_names(project, kind).await? {
            templates.extend(self.template(project, kind, &key).await?);
        }
        Ok(templates)
    }

    /// Lists the names of the description templates that a project offers, inherited ones included.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn template_names(
        &self,
        project: ProjectId,
        kind: ItemKind,
    ) -> Result<Vec<String>, Error> {
        let path = ["projects", &project.to_string(), "templates", plural(kind)];
        self.list_all::<wire::TemplateName>(&path, &[("per_page", PER_PAGE.to_string())]).await
    }

    /// Reads one description template; `None` when it went since it was listed.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn template(
        &self,
        project: ProjectId,
        kind: ItemKind,
        key: &str,
    ) -> Result<Option<Template>, Error> {
        let path = ["projects", &project.to_string(), "templates", plural(kind), key];
        match self.get::<wire::TemplateBody>(&path, &[]).await {
            Ok((name, content)) => {
                let name = if name.is_empty() { key.to_owned() } else { name };
                Ok(Some(Template { project, kind, name, content }))
            }
            Err(Error::NotFound { what: Missing::Named(_) | Missing::Record, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds the latest pipeline of a branch or tag.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; 403 where the token may not see pipelines.
    pub async fn latest_pipeline(
        &self,
        project: ProjectId,
        git_ref: &str,
    ) -> Result<Option<Pipeline>, Error> {
        let query = [
            ("ref", git_ref.to_owned()),
            ("order_by", "id".to_owned()),
            ("sort", "desc".to_owned()),
            ("per_page", "1".to_owned()),
        ];
        let path = ["projects", &project.to_string(), "pipelines"];
        let page = self.list::<wire::Pipeline>(&path, &query).await?;
        Ok(page.items.into_iter().next())
    }
}

/// Notes where a list of projects is gone on with by keyset, should its offsets end.
fn know_last_project(mut page: Page<FetchedProject>) -> Page<FetchedProject> {
    if let Some(last) = page.items.iter().map(|found| found.project.id).max() {
        page.next = page.next.map(|next| next.after_project(last));
    }
    page
}

/// The word for a kind in GitLab's paths.
fn plural(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Issue => "issues",
        ItemKind::MergeRequest => "merge_requests",
    }
}

/// Makes the error for a body that cannot be decoded: JSON of another shape, or no JSON at all.
pub(super) fn undecodable(answer: &Answer, Undecodable { index, source }: Undecodable) -> Error {
    let begins = answer.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let says_json = answer.content_type().to_ascii_lowercase().contains("json");
    if says_json || matches!(begins, Some(b'[' | b'{')) {
        Error::Decode { path: answer.target.path.clone(), index, source }
    } else {
        answer.not_gitlab()
    }
}

#[cfg(test)]
mod tests;
