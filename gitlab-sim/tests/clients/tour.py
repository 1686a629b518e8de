"""A tour of gitlab-sim with python-gitlab, unchanged and as its users call it.

SIM_URL, SIM_TOKEN and SIM_GROUP say where. Each test asks for one corner of the API and checks what
came against another way to the same thing: a list against single reads, one way of paging against
another, GraphQL against REST. Nothing is skipped: what the client can read must be served.
"""

import os
import unittest
import warnings

import gitlab
import gitlab.exceptions
from gitlab.v4.objects import Project

URL = os.environ["SIM_URL"]
TOKEN = os.environ["SIM_TOKEN"]
GROUP = os.environ["SIM_GROUP"]

ALL = {"get_all": True, "per_page": 100}


def ids(rows):
    return [row.id for row in rows]


class Tour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)
        cls.gl = gitlab.Gitlab(URL, private_token=TOKEN)
        cls.group = cls.gl.groups.get(GROUP)
        projects = cls.group.projects.list(include_subgroups=True, order_by="id", sort="asc", **ALL)
        cls.projects = [cls.gl.projects.get(row.id) for row in projects]
        cls.project: Project = next(
            row for row in cls.projects if not row.empty_repo and not row.archived
        )
        cls.issue = cls.busiest(cls.project.issues)
        cls.mr = cls.busiest(cls.project.mergerequests)

    @staticmethod
    def busiest(manager):
        rows = manager.list(order_by="created_at", sort="asc", **ALL)
        return max(rows, key=lambda row: row.user_notes_count)

    def assert_walks_alike(self, manager, **query):
        """The same list in pages of 3, of 100, and by page number, has the same rows once."""
        whole = ids(manager.list(**ALL, **query))
        small = ids(manager.list(iterator=True, per_page=3, **query))
        self.assertEqual(small, whole)
        self.assertEqual(len(set(whole)), len(whole))
        second = ids(manager.list(page=2, per_page=3, **query))
        self.assertEqual(second, whole[3:6])
        return whole

    # Who one is

    def test_the_caller_is_known(self):
        self.gl.auth()
        token = self.gl.personal_access_tokens.get("self")
        self.assertEqual(token.user_id, self.gl.user.id)
        self.assertTrue(token.active)
        self.assertIn("read_api", token.scopes)
        user = self.gl.users.list(username=self.gl.user.username)[0]
        self.assertEqual(user.id, self.gl.user.id)
        self.assertEqual(self.gl.users.get(user.id).username, user.username)

    def test_the_version_is_told(self):
        version, revision = self.gl.version()
        self.assertRegex(version, r"^\d+\.\d+\.\d+")
        self.assertEqual(self.gl.http_get("/metadata")["revision"], revision)

    def test_a_wrong_token_is_refused(self):
        stranger = gitlab.Gitlab(URL, private_token="glpat-nobody-has-this-one")
        with self.assertRaises(gitlab.exceptions.GitlabAuthenticationError):
            stranger.projects.get(self.project.id)

    def test_what_is_not_there_is_a_404_that_names_it(self):
        with self.assertRaises(gitlab.exceptions.GitlabGetError) as caught:
            self.gl.projects.get(f"{GROUP}/no-such-project")
        self.assertEqual(caught.exception.response_code, 404)
        self.assertIn("Project Not Found", str(caught.exception))

    # Groups

    def test_groups_and_subgroups(self):
        self.assertIn(self.group.id, ids(self.gl.groups.list(top_level_only=True, **ALL)))
        below = self.group.descendant_groups.list(**ALL)
        direct = self.group.subgroups.list(**ALL)
        self.assertTrue(direct)
        self.assertEqual(set(ids(direct)), {row.id for row in below if row.parent_id == self.group.id})
        for row in below:
            self.assertTrue(row.full_path.startswith(f"{GROUP}/"))
            self.assertEqual(self.gl.groups.get(row.full_path).id, row.id)

    def test_members(self):
        direct = self.group.members.list(**ALL)
        self.assertTrue(direct)
        member = self.group.members.get(direct[0].id)
        self.assertEqual(member.access_level, direct[0].access_level)
        inherited = ids(self.project.members_all.list(**ALL))
        self.assertLessEqual(set(ids(direct)), set(inherited))
        self.project.members.list(**ALL)

    def test_labels(self):
        labels = self.group.labels.list(**ALL)
        self.assertTrue(labels)
        label = labels[0]
        self.assertEqual(self.group.labels.get(label.id).name, label.name)
        here = {row.name for row in self.project.labels.list(include_ancestor_groups=True, **ALL)}
        self.assertIn(label.name, here)
        for row in self.project.issues.list(**ALL):
            self.assertLessEqual(set(row.labels), here)

    def test_milestones_are_listed(self):
        self.assertIsInstance(self.project.milestones.list(**ALL), list)
        self.assertIsInstance(self.group.milestones.list(**ALL), list)

    # Projects

    def test_a_project_by_number_and_by_path(self):
        again = self.gl.projects.get(self.project.path_with_namespace)
        self.assertEqual(again.attributes, self.project.attributes)
        self.assertEqual(sorted(again.topics), again.topics)

    def test_projects_by_keyset_and_by_offset(self):
        by_offset = ids(self.gl.projects.list(order_by="id", sort="asc", **ALL))
        by_keyset = ids(
            self.gl.projects.list(
                pagination="keyset", order_by="id", sort="asc", per_page=3, iterator=True
            )
        )
        self.assertEqual(by_keyset, by_offset)
        self.assertLessEqual({row.id for row in self.projects}, set(by_offset))
        with self.assertRaises(gitlab.exceptions.GitlabHttpError) as caught:
            self.gl.http_list("/projects", {"pagination": "keyset", "order_by": "name"}, get_all=True)
        self.assertEqual(caught.exception.response_code, 405)

    def test_projects_of_a_group_are_walked_by_pages(self):
        self.assert_walks_alike(self.group.projects, include_subgroups=True, order_by="id", sort="asc")
        pages = self.group.projects.list(iterator=True, per_page=3, include_subgroups=True)
        self.assertEqual(pages.total, len(self.projects))
        self.assertEqual(pages.total_pages, -(-len(self.projects) // 3))

    def test_languages_users_and_forks_are_asked_for(self):
        self.assertIsInstance(self.project.languages(), dict)
        self.assertTrue(self.project.users.list(**ALL))
        self.assertIsInstance(self.project.forks.list(**ALL), list)

    # Issues

    def test_issues_of_project_group_and_instance(self):
        here = self.assert_walks_alike(self.project.issues, order_by="created_at", sort="asc")
        of_group = set(ids(self.group.issues.list(non_archived=False, **ALL)))
        self.assertLessEqual(set(here), of_group)
        everywhere = set(ids(self.gl.issues.list(scope="all", non_archived=False, **ALL)))
        self.assertLessEqual(of_group, everywhere)
        mine = self.gl.issues.list(**ALL)
        self.assertTrue(all(row.author["id"] == self.gl_user_id() for row in mine))

    def gl_user_id(self):
        if self.gl.user is None:
            self.gl.auth()
        return self.gl.user.id

    def test_issues_are_filtered_and_ordered(self):
        issues = self.project.issues
        rows = issues.list(order_by="updated_at", sort="asc", **ALL)
        self.assertEqual(
            [(row.updated_at, -row.id) for row in rows],
            sorted((row.updated_at, -row.id) for row in rows),
        )
        later = issues.list(updated_after=rows[5].updated_at, order_by="updated_at", sort="asc", **ALL)
        self.assertIn(rows[5].id, ids(later), "the filter includes its bound")
        opened, closed = issues.list(state="opened", **ALL), issues.list(state="closed", **ALL)
        self.assertEqual(len(opened) + len(closed), len(rows))
        counts = self.project.issues_statistics.get().statistics["counts"]
        self.assertEqual(counts, {"all": len(rows), "opened": len(opened), "closed": len(closed)})
        some = [row.iid for row in rows[:3]]
        self.assertEqual({row.iid for row in issues.list(iids=some, **ALL)}, set(some))

    def test_project_issues_by_keyset(self):
        whole = ids(self.project.issues.list(order_by="updated_at", sort="asc", **ALL))
        keyset = ids(
            self.project.issues.list(
                pagination="keyset", order_by="updated_at", sort="asc", per_page=4, iterator=True
            )
        )
        self.assertEqual(keyset, whole)

    def test_an_issue_and_all_around_it(self):
        issue = self.project.issues.get(self.issue.iid)
        row = dict(self.issue.attributes)
        shared = {key: issue.attributes[key] for key in row if key in issue.attributes}
        self.assertEqual(shared, row)
        self.assertEqual(issue.references["full"], f"{self.project.path_with_namespace}#{issue.iid}")
        self.assertIsInstance(issue.links.list(**ALL), list)
        self.assertIsInstance(issue.related_merge_requests(get_all=True), list)
        self.assertIsInstance(issue.closed_by(get_all=True), list)
        self.assertIn(issue.author["id"], [row["id"] for row in issue.participants(get_all=True)])
        self.assertIsInstance(issue.resourcelabelevents.list(**ALL), list)
        self.assertIsInstance(issue.resourcestateevents.list(**ALL), list)

    def test_notes_of_an_issue(self):
        notes = self.issue.notes.list(sort="asc", **ALL)
        people = [row for row in notes if not row.system]
        self.assertEqual(len(people), self.issue.user_notes_count)
        self.assertEqual(ids(notes), sorted(ids(notes)))
        single = self.issue.notes.get(notes[0].id)
        self.assertEqual(single.body, notes[0].body)
        in_discussions = [
            note["id"]
            for discussion in self.issue.discussions.list(**ALL)
            for note in discussion.attributes["notes"]
        ]
        self.assertEqual(sorted(in_discussions), ids(notes))

    # Merge requests

    def test_merge_requests_of_project_group_and_instance(self):
        here = self.assert_walks_alike(self.project.mergerequests, order_by="created_at", sort="asc")
        of_group = set(ids(self.group.mergerequests.list(non_archived=False, **ALL)))
        self.assertLessEqual(set(here), of_group)
        everywhere = set(ids(self.gl.mergerequests.list(scope="all", **ALL)))
        self.assertLessEqual(of_group, everywhere)

    def test_merge_requests_by_state_and_branch(self):
        rows = self.project.mergerequests.list(**ALL)
        by_state = [
            self.project.mergerequests.list(state=state, **ALL)
            for state in ("opened", "closed", "locked", "merged")
        ]
        self.assertEqual(sum(map(len, by_state)), len(rows))
        branch = rows[0].source_branch
        found = self.project.mergerequests.list(source_branch=branch, **ALL)
        self.assertIn(rows[0].id, ids(found))
        self.assertTrue(all(row.source_branch == branch for row in found))

    def test_a_merge_request_and_all_around_it(self):
        mr = self.project.mergerequests.get(self.mr.iid)
        self.assertEqual(mr.title, self.mr.title)
        self.assertIsInstance(mr.changes_count, (str, type(None)))
        self.assertIn("diff_refs", mr.attributes)
        related = {row.id for row in mr.related_issues(get_all=True)}
        self.assertLessEqual({row.id for row in mr.closes_issues(get_all=True)}, related)
        self.assertTrue(mr.commits(get_all=True))
        self.assertEqual(mr.changes()["iid"], mr.iid)
        self.assertIsInstance(mr.diffs.list(**ALL), list)
        self.assertIsInstance(mr.pipelines.list(**ALL), list)
        self.assertIn(mr.author["id"], [row["id"] for row in mr.participants(get_all=True)])
        notes = mr.notes.list(**ALL)
        self.assertEqual(len([row for row in notes if not row.system]), mr.user_notes_count)
        discussions = mr.discussions.list(**ALL)
        self.assertEqual(sum(len(row.attributes["notes"]) for row in discussions), len(notes))

    def test_approvals(self):
        rules = self.project.approvalrules.list(**ALL)
        self.assertTrue(rules)
        self.assertGreaterEqual(rules[0].approvals_required, 0)
        self.assertIsInstance(self.project.approvals.get().attributes, dict)
        mr = self.project.mergerequests.get(self.mr.iid)
        self.assertIn("approved_by", mr.approvals.get().attributes)
        self.assertIsInstance(mr.approval_rules.list(**ALL), list)

    # The repository

    def test_tree_and_files(self):
        tree = self.project.repository_tree(recursive=True, get_all=True, per_page=3)
        files = [row for row in tree if row["type"] == "blob"]
        whole = self.project.repository_tree(
            recursive=True, pagination="keyset", per_page=2, iterator=True
        )
        self.assertEqual([row["path"] for row in whole], [row["path"] for row in tree])
        for row in files:
            file = self.project.files.get(row["path"], ref=self.project.default_branch)
            raw = self.project.files.raw(row["path"], ref=self.project.default_branch)
            self.assertEqual(file.decode(), raw)
            self.assertEqual(file.blob_id, row["id"])
            self.assertEqual(self.project.repository_raw_blob(row["id"]), raw)
            head = self.project.files.head(row["path"], ref=self.project.default_branch)
            self.assertEqual(head["X-Gitlab-Blob-Id"], row["id"])

    def test_a_missing_file_is_told_from_a_missing_commit(self):
        for path, ref, words in (
            ("no/such", self.project.default_branch, "404 File Not Found"),
            ("README.md", "no-such-branch", "404 Commit Not Found"),
        ):
            with self.assertRaises(gitlab.exceptions.GitlabGetError) as caught:
                self.project.files.get(path, ref=ref)
            self.assertIn(words, str(caught.exception))

    def test_branches_commits_and_tags(self):
        branches = self.project.branches.list(**ALL)
        default = next(row for row in branches if row.default)
        self.assertEqual(default.name, self.project.default_branch)
        head = default.commit["id"]
        self.assertEqual(self.project.branches.get(default.name).commit["id"], head)
        commits = self.project.commits.list(ref_name=default.name, **ALL)
        self.assertEqual(commits[0].id, head)
        self.assertEqual(self.project.commits.get(head).id, head)
        for tag in self.project.tags.list(**ALL):
            self.assertEqual(self.project.tags.get(tag.name).target, tag.target)

    # Delivery

    def test_pipelines(self):
        pipelines = self.project.pipelines.list(**ALL)
        self.assertEqual(ids(pipelines), sorted(ids(pipelines), reverse=True))
        first = self.project.pipelines.get(pipelines[0].id)
        self.assertEqual(first.status, pipelines[0].status)
        latest = self.project.pipelines.latest(ref=self.project.default_branch)
        of_branch = [row for row in pipelines if row.ref == self.project.default_branch]
        self.assertEqual(latest.id, of_branch[0].id)
        self.assertIsInstance(first.jobs.list(**ALL), list)

    def test_releases(self):
        found = 0
        for project in self.projects:
            for release in project.releases.list(**ALL):
                single = project.releases.get(release.tag_name)
                self.assertEqual(single.name, release.name)
                found += 1
        self.assertGreater(found, 0)

    def test_environments_and_deployments_are_listed(self):
        self.assertIsInstance(self.project.environments.list(**ALL), list)
        self.assertIsInstance(self.project.deployments.list(**ALL), list)

    def test_events_are_listed(self):
        self.assertIsInstance(self.project.events.list(**ALL), list)

    # GraphQL

    def test_graphql_gives_what_rest_gives(self):
        query = """
            query($path: ID!, $after: String) {
              project(fullPath: $path) {
                issues(first: 7, after: $after, sort: CREATED_ASC) {
                  nodes { iid title labels { nodes { title } } notes { nodes { body system } } }
                  pageInfo { hasNextPage endCursor }
                }
              }
            }
        """
        found, after = [], None
        with gitlab.GraphQL(URL, token=TOKEN) as graphql:
            while True:
                variables = {"path": self.project.path_with_namespace, "after": after}
                page = graphql.execute(query, variable_values=variables)["project"]["issues"]
                found += page["nodes"]
                if not page["pageInfo"]["hasNextPage"]:
                    break
                after = page["pageInfo"]["endCursor"]
        rest = self.project.issues.list(order_by="created_at", sort="asc", **ALL)
        self.assertEqual(
            {row["iid"]: row["title"] for row in found},
            {str(row.iid): row.title for row in rest},
        )
        self.assertEqual(len(found), len(rest))
        for row in found:
            if row["iid"] == str(self.issue.iid):
                bodies = [note["body"] for note in row["notes"]["nodes"]]
                notes = [note.body for note in self.issue.notes.list(**ALL)]
                self.assertEqual(sorted(bodies), sorted(notes))
                titles = [label["title"] for label in row["labels"]["nodes"]]
                self.assertEqual(sorted(titles), sorted(self.issue.labels))


if __name__ == "__main__":
    unittest.main()
