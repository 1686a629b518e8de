// A reading tour of the simulated GitLab with @gitbeaker/rest, unchanged.
//
// Usage: node tour.mjs URL TOKEN GROUP. Ends with a line that counts what was read, or with an error.

import assert from "node:assert/strict";
import { Gitlab } from "@gitbeaker/rest";

const [host, token, groupPath] = process.argv.slice(2);
const api = new Gitlab({ host, token });
let read = 0;

/** Counts rows, and fails when there are too few. */
async function seen(promise, least = 1) {
  const rows = await promise;
  assert(Array.isArray(rows), `a list, not ${JSON.stringify(rows).slice(0, 80)}`);
  assert(rows.length >= least, `${rows.length} rows, not ${least}`);
  read += rows.length;
  return rows;
}

const me = await api.Users.showCurrentUser();
assert(me.username);
assert.match((await api.Metadata.show()).version, /^\d/);

const group = await api.Groups.show(groupPath);
await seen(api.Groups.all({ topLevelOnly: true }));
await seen(api.Groups.allSubgroups(group.id), 0);
await seen(api.Groups.allDescendantGroups(group.id), 0);
await seen(api.GroupLabels.all(group.id));
await seen(api.GroupMembers.all(group.id, { includeInherited: true }));

// Offset and keyset paging find the same projects.
const projects = await seen(
  api.Groups.allProjects(group.id, { includeSubgroups: true, withShared: false, perPage: 3 }),
);
const byKey = await seen(
  api.Projects.all({ pagination: "keyset", orderBy: "id", sort: "asc", perPage: 3 }),
);
const known = new Set(byKey.map((row) => row.id));
assert(projects.every((row) => known.has(row.id)));

await seen(api.Issues.all({ groupId: group.id, state: "all", orderBy: "updated_at" }));
await seen(api.MergeRequests.all({ groupId: group.id, state: "all" }));

let notes = 0;
let files = 0;
for (const { id } of projects) {
  const project = await api.Projects.show(id);
  await seen(api.ProjectLabels.all(id), 0);
  await seen(api.ProjectMembers.all(id, { includeInherited: true }));
  const issues = await seen(api.Issues.all({ projectId: id, perPage: 20 }), 0);
  for (const { iid } of issues.slice(0, 3)) {
    notes += (await seen(api.IssueNotes.all(id, iid), 0)).length;
    await seen(api.IssueDiscussions.all(id, iid), 0);
    await seen(api.IssueLinks.all(id, iid), 0);
    await seen(api.Issues.allRelatedMergeRequests(id, iid), 0);
    await seen(api.Issues.allParticipants(id, iid));
  }
  const changes = await seen(api.MergeRequests.all({ projectId: id, perPage: 20 }), 0);
  for (const { iid } of changes.slice(0, 3)) {
    assert((await api.MergeRequests.show(id, iid)).diff_refs.head_sha);
    notes += (await seen(api.MergeRequestNotes.all(id, iid), 0)).length;
    await seen(api.MergeRequests.allCommits(id, iid));
    await seen(api.MergeRequests.allDiffs(id, iid));
    await seen(api.MergeRequests.allIssuesClosed(id, iid), 0);
    await seen(api.MergeRequests.allPipelines(id, iid), 0);
  }
  if (project.empty_repo) continue;
  const tree = await seen(api.Repositories.allRepositoryTrees(id, { recursive: true }));
  const entry = tree.find((row) => row.type === "blob");
  const file = await api.RepositoryFiles.show(id, entry.path, project.default_branch);
  assert.equal(file.blob_id, entry.id);
  await api.RepositoryFiles.showRaw(id, entry.path, { ref: project.default_branch });
  files += 1;
  await seen(api.Branches.all(id));
  await seen(api.Commits.all(id));
  await seen(api.Pipelines.all(id), 0);
  await seen(api.ProjectReleases.all(id), 0);
  await seen(api.Tags.all(id), 0);
  await seen(api.Environments.all(id), 0);
}
assert(notes > 0 && files > 0, `${notes} notes, ${files} files`);

await assert.rejects(api.Projects.show("no/such"), (error) => {
  assert.equal(error.cause.response.status, 404);
  return true;
});
console.log(`@gitbeaker/rest: ${read} rows read, ${files} files`);
