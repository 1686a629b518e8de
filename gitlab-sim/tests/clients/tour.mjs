// A tour of gitlab-sim with @gitbeaker/rest, unchanged and as its users call it. SIM_URL, SIM_TOKEN
// and SIM_GROUP say where. What came is checked against another way to the same thing.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { Gitlab } from "@gitbeaker/rest";

const { SIM_URL: host, SIM_TOKEN: token, SIM_GROUP: top } = process.env;
const api = new Gitlab({ host, token });
const ids = (rows) => rows.map((row) => row.id);
const byNumber = (a, b) => a - b;

let group;
let projects;
let project;
let issue;
let mergeRequest;

const busiest = (rows) => rows.reduce((a, b) => (b.user_notes_count > a.user_notes_count ? b : a));

before(async () => {
  group = await api.Groups.show(top);
  projects = await api.Groups.allProjects(top, { includeSubgroups: true, orderBy: "id", sort: "asc" });
  const rows = await Promise.all(projects.map((row) => api.Projects.show(row.id)));
  project = rows.find((row) => !row.empty_repo && !row.archived);
  issue = busiest(await api.Issues.all({ projectId: project.id }));
  mergeRequest = busiest(await api.MergeRequests.all({ projectId: project.id }));
});

test("the instance says its version", async () => {
  const metadata = await api.Metadata.show();
  assert.match(metadata.version, /^\d+\.\d+\.\d+/);
});

test("the token describes itself", async () => {
  const self = await api.PersonalAccessTokens.show();
  assert.ok(self.scopes.includes("read_api"));
});

test("groups, subgroups and descendants", async () => {
  const below = await api.Groups.allDescendantGroups(group.id);
  const direct = await api.Groups.allSubgroups(group.id);
  assert.ok(direct.length > 0);
  const wanted = below.filter((row) => row.parent_id === group.id);
  assert.deepEqual(ids(direct).sort(byNumber), ids(wanted).sort(byNumber));
  const all = await api.Groups.all({ topLevelOnly: true });
  assert.ok(ids(all).includes(group.id));
});

test("a project by number and by path", async () => {
  const again = await api.Projects.show(project.path_with_namespace);
  assert.deepEqual(again, await api.Projects.show(project.id));
});

test("projects by keyset and by offset", async () => {
  const byOffset = await api.Projects.all({ orderBy: "id", sort: "asc", perPage: 3 });
  const byKeyset = await api.Projects.all({
    pagination: "keyset", orderBy: "id", sort: "asc", perPage: 3,
  });
  assert.deepEqual(ids(byKeyset), ids(byOffset));
  assert.ok(byOffset.length >= projects.length);
});

test("offset pages come with their numbers", async () => {
  const { data, paginationInfo } = await api.Issues.all({
    projectId: project.id, page: 2, perPage: 5, maxPages: 1, showExpanded: true, orderBy: "created_at", sort: "asc",
  });
  const whole = await api.Issues.all({ projectId: project.id, orderBy: "created_at", sort: "asc" });
  assert.deepEqual(ids(data), ids(whole).slice(5, 10));
  assert.equal(paginationInfo.total, whole.length);
  assert.equal(paginationInfo.current, 2);
});

test("labels of group and project", async () => {
  const labels = await api.GroupLabels.all(group.id);
  assert.ok(labels.length > 0);
  const here = await api.ProjectLabels.all(project.id);
  const names = new Set(here.map((row) => row.name));
  assert.ok(labels.every((row) => names.has(row.name)));
});

test("members", async () => {
  const members = await api.GroupMembers.all(group.id);
  assert.ok(members.length > 0);
  const inherited = await api.ProjectMembers.all(project.id, { includeInherited: true });
  assert.ok(members.every((row) => ids(inherited).includes(row.id)));
});

test("issues of project and group", async () => {
  const here = await api.Issues.all({ projectId: project.id });
  const there = await api.Issues.all({ groupId: group.id, nonArchived: false });
  const known = new Set(ids(there));
  assert.equal(known.size, there.length);
  assert.ok(here.every((row) => known.has(row.id)));
});

test("an issue, its notes, discussions and links", async () => {
  const single = await api.Issues.show(issue.iid, { projectId: project.id });
  assert.equal(single.title, issue.title);
  const notes = await api.IssueNotes.all(project.id, issue.iid);
  assert.equal(notes.filter((row) => !row.system).length, issue.user_notes_count);
  const discussions = await api.IssueDiscussions.all(project.id, issue.iid);
  const inside = discussions.flatMap((row) => ids(row.notes));
  assert.deepEqual(inside.sort(byNumber), ids(notes).sort(byNumber));
  assert.ok(Array.isArray(await api.IssueLinks.all(project.id, issue.iid)));
  assert.ok(Array.isArray(await api.Issues.allRelatedMergeRequests(project.id, issue.iid)));
  assert.ok((await api.Issues.allParticipants(project.id, issue.iid)).length > 0);
});

test("statistics count what the list holds", async () => {
  const rows = await api.Issues.all({ projectId: project.id });
  const { statistics } = await api.IssuesStatistics.all({ projectId: project.id });
  assert.equal(statistics.counts.all, rows.length);
});

test("merge requests of project and group", async () => {
  const here = await api.MergeRequests.all({ projectId: project.id });
  const there = await api.MergeRequests.all({ groupId: group.id, nonArchived: false });
  const known = new Set(ids(there));
  assert.ok(here.every((row) => known.has(row.id)));
});

test("a merge request and all around it", async () => {
  const single = await api.MergeRequests.show(project.id, mergeRequest.iid);
  assert.equal(single.title, mergeRequest.title);
  const notes = await api.MergeRequestNotes.all(project.id, mergeRequest.iid);
  assert.equal(notes.filter((row) => !row.system).length, mergeRequest.user_notes_count);
  assert.ok((await api.MergeRequests.allCommits(project.id, mergeRequest.iid)).length > 0);
  assert.ok(Array.isArray(await api.MergeRequests.allDiffs(project.id, mergeRequest.iid)));
  assert.ok(Array.isArray(await api.MergeRequests.allIssuesClosed(project.id, mergeRequest.iid)));
  assert.ok(Array.isArray(await api.MergeRequests.allPipelines(project.id, mergeRequest.iid)));
});

test("approvals", async () => {
  const rules = await api.MergeRequestApprovals.allApprovalRules(project.id);
  assert.ok(rules.length > 0);
  const configuration = await api.MergeRequestApprovals.showConfiguration(project.id, {
    mergerequestIId: mergeRequest.iid,
  });
  assert.ok(Array.isArray(configuration.approved_by));
});

test("tree, files and blobs", async () => {
  const tree = await api.Repositories.allRepositoryTrees(project.id, { recursive: true });
  const files = tree.filter((row) => row.type === "blob");
  assert.ok(files.length > 0);
  for (const row of files) {
    const file = await api.RepositoryFiles.show(project.id, row.path, project.default_branch);
    const raw = await api.RepositoryFiles.showRaw(project.id, row.path, project.default_branch);
    const text = typeof raw === "string" ? raw : await raw.text();
    assert.equal(Buffer.from(file.content, "base64").toString(), text);
    assert.equal(file.blob_id, row.id);
  }
});

test("description templates", async () => {
  const templates = await api.ProjectTemplates.all(project.id, "issues");
  assert.ok(templates.length > 0);
  const one = await api.ProjectTemplates.show(project.id, "issues", templates[0].key);
  assert.ok(one.content.length > 0);
});

test("branches, commits and tags", async () => {
  const branches = await api.Branches.all(project.id);
  const main = branches.find((row) => row.default);
  assert.equal(main.name, project.default_branch);
  const commits = await api.Commits.all(project.id, { refName: main.name });
  assert.equal(commits[0].id, main.commit.id);
  assert.ok(Array.isArray(await api.Tags.all(project.id)));
});

test("pipelines and releases", async () => {
  const pipelines = await api.Pipelines.all(project.id);
  const latest = await api.Pipelines.showLatest(project.id, { ref: project.default_branch });
  const wanted = pipelines.find((row) => row.ref === project.default_branch);
  assert.equal(latest.id, wanted.id);
  assert.ok(Array.isArray(await api.ProjectReleases.all(project.id)));
});

test("what is not there is a 404", async () => {
  await assert.rejects(api.Projects.show(`${top}/no-such-project`), (error) => {
    assert.equal(error.cause.response.status, 404);
    return true;
  });
});
