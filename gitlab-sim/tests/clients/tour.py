"""A reading tour of the simulated GitLab with python-gitlab, unchanged.

Usage: tour.py URL TOKEN GROUP. Ends with a line that counts what was read, or with an error.
"""

import sys

import gitlab

url, token, group_path = sys.argv[1:4]
gl = gitlab.Gitlab(url, private_token=token)
read = 0


def seen(rows, least=1):
    """Counts rows, and fails when there are too few."""
    global read
    rows = list(rows)
    assert len(rows) >= least, f"{len(rows)} rows, not {least}"
    read += len(rows)
    return rows


gl.auth()
assert gl.user.username
version, _ = gl.version()
assert version[0].isdigit(), version
assert gl.personal_access_tokens.get("self").scopes

group = gl.groups.get(group_path, with_projects=False)
seen(gl.groups.list(iterator=True, top_level_only=True))
seen(group.subgroups.list(iterator=True), 0)
seen(group.descendant_groups.list(iterator=True), 0)
seen(group.members.list(iterator=True))
seen(group.members_all.list(iterator=True))
seen(group.labels.list(iterator=True))
seen(group.milestones.list(iterator=True), 0)
seen(gl.users.list(iterator=True))
seen(gl.topics.list(iterator=True))

# Offset and keyset paging find the same projects.
everything = {"include_subgroups": True, "with_shared": False, "order_by": "id", "sort": "asc"}
projects = seen(group.projects.list(iterator=True, per_page=3, **everything))
by_key = seen(gl.projects.list(iterator=True, pagination="keyset", order_by="id", per_page=3))
assert {row.id for row in projects} <= {row.id for row in by_key}
listed = gl.projects.list(per_page=2, order_by="id", sort="asc", iterator=True)
assert listed.per_page == 2 and listed.total >= len(projects) and listed.next_page == 2

issues = seen(group.issues.list(iterator=True, state="all", order_by="updated_at", sort="asc"))
merge_requests = seen(group.mergerequests.list(iterator=True, state="all", scope="all"))
assert all(row.references["full"] for row in issues)

with_notes = files = pipelines = 0
for row in projects:
    project = gl.projects.get(row.id)
    assert project.path_with_namespace == row.path_with_namespace
    seen(project.labels.list(iterator=True), 0)
    seen(project.members_all.list(iterator=True))
    seen(project.milestones.list(iterator=True), 0)
    seen(project.forks.list(iterator=True), 0)
    seen(project.events.list(iterator=True), 0)
    for issue in seen(project.issues.list(iterator=True, per_page=20), 0)[:3]:
        issue = project.issues.get(issue.iid)
        with_notes += len(seen(issue.notes.list(iterator=True), 0))
        seen(issue.discussions.list(iterator=True), 0)
        seen(issue.links.list(iterator=True), 0)
        seen(issue.related_merge_requests(), 0)
        seen(issue.closed_by(), 0)
        seen(issue.participants(), 0)
        seen(issue.resourcestateevents.list(iterator=True), 0)
    for change in seen(project.mergerequests.list(iterator=True, per_page=20), 0)[:3]:
        change = project.mergerequests.get(change.iid)
        with_notes += len(seen(change.notes.list(iterator=True), 0))
        seen(change.discussions.list(iterator=True), 0)
        seen(change.commits(), 1)
        assert change.changes()["changes"]
        seen(change.closes_issues(), 0)
        seen(change.pipelines.list(iterator=True), 0)
        assert change.approvals.get().approved in (True, False)
    if project.empty_repo:
        continue
    for entry in seen(project.repository_tree(recursive=True, iterator=True)):
        if entry["type"] == "blob" and files < 20:
            file = project.files.get(entry["path"], ref=project.default_branch)
            assert file.blob_id == entry["id"] == project.repository_blob(entry["id"])["sha"]
            assert file.decode() == project.files.raw(entry["path"], ref="HEAD")
            files += 1
    seen(project.repository_tree(pagination="keyset", per_page=2, iterator=True))
    seen(project.branches.list(iterator=True))
    seen(project.commits.list(iterator=True))
    assert project.languages() is not None
    pipelines += len(seen(project.pipelines.list(iterator=True), 0))
    for release in seen(project.releases.list(iterator=True), 0):
        assert project.releases.get(release.tag_name).name
    seen(project.tags.list(iterator=True), 0)
    seen(project.environments.list(iterator=True), 0)
    try:
        seen(project.approvalrules.list(iterator=True), 0)
    except gitlab.GitlabListError as refused:
        assert refused.response_code in (403, 404), refused

for missing in (lambda: gl.projects.get("no/such"), lambda: gl.groups.get("none")):
    try:
        missing()
    except gitlab.GitlabGetError as refused:
        assert refused.response_code == 404 and "Not Found" in refused.error_message
    else:
        raise AssertionError("what does not exist was found")

assert with_notes and files and pipelines, (with_notes, files, pipelines)
print(f"python-gitlab {gitlab.__version__}: {read} rows read, {files} files")
