//! Merge requests.

use std::sync::Arc;

use async_graphql::Error;

use super::args::Args;
use super::issue::{people, shared_field};
use super::item::{MergeFilter, Order};
use super::node::{Look, Node, Out};
use super::page::{Place, connect};
use super::walk::walk;
use super::{pipeline, project};
use crate::world::{ItemKind, ItemRef, MergeRequest, Pipeline, Project, ProjectId};

/// A merge request as it was when it was found.
#[derive(Debug)]
pub(super) struct MergeRow {
    pub(super) project: ProjectId,
    pub(super) row: MergeRequest,
}

impl MergeRow {
    /// Finds a merge request, if the caller sees it.
    pub(super) fn find(look: &Look<'_>, item: ItemRef) -> Option<Arc<Self>> {
        let project = look.world.project(item.project)?;
        let row = look.world.merge_request(item.project, item.iid)?;
        let seen =
            item.kind == ItemKind::MergeRequest && look.world.reads_code(look.caller, project);
        seen.then(|| Arc::new(Self { project: item.project, row: row.clone() }))
    }

    /// Names the merge request.
    pub(super) fn named(&self) -> ItemRef {
        ItemRef::merge_request(self.project, self.row.item.iid)
    }

    /// Returns the name of the last commit of the source branch.
    fn head(&self) -> String {
        self.row.head(self.project)
    }

    /// Finds the latest pipeline of the source branch.
    fn head_pipeline(&self, look: &Look<'_>) -> Option<Pipeline> {
        let project = look.world.project(self.project)?;
        let mut newest = project.pipelines.iter().rev();
        let branch = &self.row.source_branch;
        // Those of the default branch are its own.
        newest.find(|row| row.branch == *branch && project.default_branch != *branch).cloned()
    }
}

/// Makes a connection of the merge requests of some projects.
pub(super) fn list(look: &Look<'_>, args: Args<'_>, projects: Vec<&Project>) -> Result<Out, Error> {
    let filter = MergeFilter::read(look, args)?;
    let order = Order::read(args);
    let node = |item| MergeRow::find(look, item).map(Node::MergeRequest);
    let passes = |project: &Project, iid: u64| {
        look.world.reads_code(look.caller, project)
            && look.world.merge_request(project.id, iid).is_some_and(|row| filter.passes(look, row))
    };
    let by = (&order, filter.span(&order));
    if let Some(page) = walk(look, args, ItemKind::MergeRequest, by, &projects, passes, node)? {
        return Ok(page);
    }
    let mut rows = Vec::new();
    for project in projects {
        if !look.world.reads_code(look.caller, project) {
            continue;
        }
        for row in project.merge_requests.values().filter(|row| filter.passes(look, row)) {
            let key = order.key(&row.item, row.merged_at, "");
            let item = ItemRef::merge_request(project.id, row.item.iid);
            rows.push((Place::new(key, row.item.id), item));
        }
    }
    connect(args, order.direction, rows, node)
}

/// Answers a field of a merge request.
pub(super) fn field(
    look: &Look<'_>,
    found: &Arc<MergeRow>,
    name: &str,
    args: Args<'_>,
) -> Result<Out, Error> {
    let MergeRow { project, row } = &**found;
    let world = look.world;
    let own = |look: &Look<'_>| Out::node(project::node(look, *project));
    let open = row.state() == "opened";
    Ok(match name {
        "id" => format!("gid://gitlab/MergeRequest/{}", row.item.id).into(),
        "state" => row.state().into(),
        "draft" => row.draft().into(),
        "sourceBranch" => row.source_branch.clone().into(),
        "targetBranch" => row.target_branch.clone().into(),
        "targetBranchPath" => {
            let path = world.project(*project).map(|row| row.full_path.as_str());
            Out::maybe(path.map(|path| format!("/{path}/-/tree/{}", row.target_branch)))
        }
        "project" | "targetProject" => own(look),
        // A fork that the caller does not see, or that is gone, is not told.
        "sourceProject" => match row.source_project {
            None => own(look),
            Some(fork) => Out::node(project::node(look, fork)),
        },
        "projectId" | "targetProjectId" => project.get().into(),
        "sourceProjectId" => row.source_project.unwrap_or(*project).get().into(),
        "mergedAt" => Out::maybe_time(row.merged_at),
        "mergeUser" => {
            Out::node(row.merge_user.and_then(|id| world.user(id)).map(|user| Node::User(user.id)))
        }
        "mergeCommitSha" => Out::maybe(row.merge_commit(*project)),
        "diffHeadSha" => found.head().into(),
        "diffRefs" => {
            let base = || Out::maybe(world.project(*project).map(Project::head));
            Out::facts([
                ("baseSha", base()),
                ("headSha", found.head().into()),
                ("startSha", base()),
            ])
        }
        // A merge request has one commit here, which adds a file of one line.
        "diffStats" => {
            let path = format!("changes/{}.md", row.item.iid);
            let asked = args.text("path").is_none_or(|asked| asked == path);
            let facts = [("path", path.into()), ("additions", 1.into()), ("deletions", 0.into())];
            let file = Node::Facts(Arc::new(facts.into_iter().collect()));
            Out::Nodes(asked.then_some(file).into_iter().collect())
        }
        "diffStatsSummary" => Out::facts([
            ("additions", 1.into()),
            ("changes", 1.into()),
            ("deletions", 0.into()),
            ("fileCount", 1.into()),
        ]),
        "headPipeline" => {
            let reads =
                world.project(*project).is_some_and(|row| world.reads_code(look.caller, row));
            let latest = if reads { found.head_pipeline(look) } else { None };
            Out::node(latest.map(|row| Node::Pipeline(*project, Arc::new(row))))
        }
        "pipelines" => {
            return pipeline::list(look, args, *project, Some(&row.source_branch));
        }
        "hasCi" => found.head_pipeline(look).is_some().into(),
        "assignees" => return people(args, &row.item.assignees),
        "reviewers" => return people(args, &row.reviewers),
        "detailedMergeStatus" => match (open, row.draft()) {
            (false, _) => "NOT_OPEN",
            (true, true) => "DRAFT_STATUS",
            (true, false) => "MERGEABLE",
        }
        .into(),
        "mergeStatusEnum" => "CAN_BE_MERGED".into(),
        "mergeable" => (open && !row.draft()).into(),
        "sourceBranchExists" => open.into(),
        "targetBranchExists" => true.into(),
        // What GraphQL says of a request that needs no approval, against the REST interface.
        "approved"
        | "autoMergeEnabled"
        | "conflicts"
        | "divergedFromTargetBranch"
        | "rebaseInProgress"
        | "shouldBeRebased"
        | "sourceBranchProtected"
        | "squash"
        | "squashOnMerge" => false.into(),
        "mergeError" => Out::NULL,
        "preparedAt" => Out::time(row.item.created_at),
        _ => return shared_field(look, found.named(), &row.item, name, args),
    })
}
