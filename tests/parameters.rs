//! Every query parameter that xrefd sends is one that GitLab knows: it is declared in GitLab's own
//! `OpenAPI` document, or, where that leaves an endpoint out, in the behavioural reference. GitLab
//! ignores what it does not know, so that a typo in `updated_after` would return everything and
//! look right.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gitlab_sim::world::{ItemRef, NewNote, World};
use gitlab_sim::{Generator, GitLab, Options, Request, Tier};
use serde_json::Value;
use support::shop::Shop;
use support::{Bench, Index};

const OPENAPI: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/gitlab/openapi/gitlab_v4_get_subset.json");
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/gitlab-api.md");

/// What the document leaves out, with the line of the reference that says it. `{}` is any segment.
const IN_THE_REFERENCE: &[(&str, &[&str], &str)] = &[
    // The first is ours; the second comes with the `Link` of the server.
    (
        "/projects/{}/labels",
        &["include_ancestor_groups", "with_counts"],
        "`with_counts`, `include_ancestor_groups`",
    ),
    ("/projects/{}/issues/{}/notes", &["order_by", "sort"], "`order_by` (created_at default"),
    (
        "/projects/{}/merge_requests/{}/notes",
        &["order_by", "sort"],
        "`order_by` (created_at default",
    ),
    ("/projects", &["pagination"], "Request: `pagination=keyset&order_by="),
    // The document writes `iids` for what is sent as `iids[]`.
    ("/projects/{}/issues", &["iids[]"], "`iids[]`"),
    ("/projects/{}/merge_requests", &["iids[]"], "`iids[]`"),
];

/// What a client sends only because a `Link` of the server said so, and what pages every list.
const EVERYWHERE: &[(&str, &str)] = &[
    ("page", "Parameters `page` (default 1) and `per_page`"),
    ("per_page", "Parameters `page` (default 1) and `per_page`"),
    ("id", "They also repeat the path's `id` as a query parameter."),
];

/// Endpoints that the document leaves out, with the line of the reference that names them.
const ENDPOINTS: &[(&str, &str)] = &[
    ("/projects/{}/labels", "`GET /projects/:id/labels`"),
    ("/projects/{}/issues/{}/notes", "/:iid/notes`"),
    ("/projects/{}/merge_requests/{}/notes", "/:iid/notes`"),
    // The reference names it among those of Premium.
    ("/projects/{}/approval_rules", "`GET /projects/:id/approval_rules`"),
    ("/personal_access_tokens/self", "`GET /personal_access_tokens/self`"),
    ("/projects/{}/templates/issues", "`GET /projects/:id/templates/issues`"),
    ("/projects/{}/templates/issues/{}", "`GET …/templates/issues/:key`"),
    ("/projects/{}/templates/merge_requests", "and `/merge_requests`"),
    ("/projects/{}/templates/merge_requests/{}", "`GET …/templates/issues/:key`"),
];

/// What GitLab knows of one endpoint: its parameters, with the allowed words where there are any.
type Declared = BTreeMap<String, Option<BTreeSet<String>>>;

/// Reads the document: the segments of each path, and its parameters.
fn read_document(text: &str) -> Vec<(Vec<String>, Declared)> {
    let document: Value = serde_json::from_str(text).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("it has paths");
    let row = |(path, verbs): (&String, &Value)| {
        let path = path.strip_prefix("/api/v4/")?;
        let segments = path.split('/').map(str::to_owned).collect();
        let parameters = verbs["get"]["parameters"].as_array()?.iter();
        let declared = parameters.filter(|row| row["in"] == "query").map(|row| {
            let words = row["enum"]
                .as_array()
                .map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            (row["name"].as_str().unwrap_or_default().to_owned(), words)
        });
        Some((segments, declared.collect()))
    };
    paths.iter().filter_map(row).collect()
}

/// Tells whether the segments of a path are those of an endpoint.
fn is_at(path: &[&str], endpoint: &[String]) -> bool {
    path.len() == endpoint.len()
        && path.iter().zip(endpoint).all(|(part, name)| name.starts_with('{') || part == name)
}

/// The rules against which requests are held.
struct Rules {
    document: Vec<(Vec<String>, Declared)>,
}

impl Rules {
    /// Reads them, or says that they are not there.
    #[expect(clippy::print_stderr, reason = "the test's reader must know")]
    fn read() -> Option<Self> {
        if !Path::new(OPENAPI).exists() {
            eprintln!("skipped: ../shared is not beside this checkout");
            return None;
        }
        let reference = std::fs::read_to_string(REFERENCE).expect("the reference can be read");
        let quoted = IN_THE_REFERENCE
            .iter()
            .map(|(.., quote)| *quote)
            .chain(EVERYWHERE.iter().map(|(_, quote)| *quote))
            .chain(ENDPOINTS.iter().map(|(_, quote)| *quote));
        for quote in quoted {
            assert!(reference.contains(quote), "the reference does not say: {quote}");
        }
        let document = std::fs::read_to_string(OPENAPI).expect("the document can be read");
        Some(Self { document: read_document(&document) })
    }

    /// Returns what is wrong with a request.
    fn complaints(&self, request: &Request) -> Vec<String> {
        // What is asked there is in the body, which the client's own tests hold against the schema.
        if request.path == "/api/graphql" && request.method == "POST" && request.query.is_empty() {
            return Vec::new();
        }
        let Some(path) = request.path.strip_prefix("/api/v4/") else {
            return vec![format!("{} is no address of the API", request.path)];
        };
        let path: Vec<&str> = path.split('/').collect();
        let matching = |pattern: &str| {
            let pattern: Vec<String> =
                pattern.trim_start_matches('/').split('/').map(str::to_owned).collect();
            is_at(&path, &pattern)
        };
        // `/projects/1/pipelines/latest` is both a word and a number: the most literal one counts.
        let declared = self
            .document
            .iter()
            .filter(|(endpoint, _)| is_at(&path, endpoint))
            .max_by_key(|(endpoint, _)| {
                endpoint.iter().filter(|part| !part.starts_with('{')).count()
            })
            .map(|(_, declared)| declared);
        if declared.is_none() && !ENDPOINTS.iter().any(|(pattern, _)| matching(pattern)) {
            return vec![format!("{} is an endpoint that nothing declares", request.path)];
        }
        let address = format!("http://gitlab.invalid/?{}", request.query);
        let address = reqwest::Url::parse(&address).expect("the query is one");
        let mut complaints = Vec::new();
        for (name, value) in address.query_pairs() {
            let words = declared.and_then(|declared| declared.get(name.as_ref()));
            let known = words.is_some()
                || EVERYWHERE.iter().any(|(known, _)| *known == name)
                || IN_THE_REFERENCE
                    .iter()
                    .any(|(pattern, names, _)| matching(pattern) && names.contains(&name.as_ref()));
            if !known {
                complaints.push(format!("{}: nobody declares `{name}`", request.path));
            }
            if let Some(Some(words)) = words
                && !words.contains(value.as_ref())
            {
                complaints
                    .push(format!("{}: `{name}` is not one of {words:?}: {value}", request.path));
            }
        }
        complaints
    }

    /// Requires that all requests so far are known, and that there are some of each kind.
    fn check(&self, what: &str, gitlab: &GitLab, endpoints: &[&str]) {
        let requests = gitlab.requests();
        let complaints: BTreeSet<String> =
            requests.iter().flat_map(|request| self.complaints(request)).collect();
        assert!(complaints.is_empty(), "{what}: {complaints:#?}");
        for part in endpoints {
            assert!(
                requests.iter().any(|request| request.path.contains(part)),
                "{what}: no request to {part} among {}",
                requests.len()
            );
        }
        gitlab.forget_requests();
    }
}

/// Syncs in full, then after changes of every kind.
async fn sync_twice(
    rules: &Rules,
    what: &str,
    gitlab: &GitLab,
    index: &Index,
    everywhere: &[&str],
    changed: &[&str],
) {
    index.sync().await;
    rules.check(&format!("{what}, in full"), gitlab, everywhere);
    change(&mut gitlab.world());
    index.sync().await;
    rules.check(&format!("{what}, incremental"), gitlab, changed);
}

/// Changes one item of each kind, comments, renames, and writes a file.
fn change(world: &mut World) {
    let project = world
        .projects()
        .find(|row| !row.archived && !row.issues.is_empty() && !row.merge_requests.is_empty())
        .map(|row| row.id)
        .expect("some project has items");
    let issue = *world.project(project).expect("it was found").issues.keys().next().expect("one");
    let issue = ItemRef::issue(project, issue);
    world.edit(issue, |row| "Another title".clone_into(&mut row.title));
    world.add_note(issue, NewNote::new("one more thing"));
    world.add_file(project, "CODEOWNERS", "* @acme/platform\n");
    let path = world.project(project).expect("it was found").path.clone();
    assert!(world.rename_project(project, &format!("{path}-renamed")));
}

/// What is asked for where GraphQL is not.
const ALL: &[&str] = &[
    "/groups/",
    "/issues",
    "/merge_requests",
    "/notes",
    "/labels",
    "/templates/",
    "/pipelines",
    "/files/",
];

const CHANGED: &[&str] = &["/issues", "/merge_requests", "/notes"];

const GRAPHQL: &[&str] = &["/projects", "/api/graphql"];

#[tokio::test]
async fn every_parameter_of_a_group_sync_is_declared() {
    let Some(rules) = Rules::read() else { return };
    let (world, _) = Generator {
        projects: 8,
        issues_per_project: 12,
        merge_requests_per_project: 12,
        ..Generator::default()
    }
    .generate();
    for (transport, all, changed) in [("auto", GRAPHQL, GRAPHQL), ("rest", ALL, CHANGED)] {
        let tier = if transport == "auto" { Tier::Premium } else { Tier::Free };
        let options = Options { tier, ..Options::default() };
        let gitlab = GitLab::start(world.clone(), options).await.expect("a free port");
        let source = format!("transport = \"{transport}\"");
        let bench = Bench::new(&gitlab, "acme", &source, "");
        let index = bench.open().await;
        sync_twice(&rules, transport, &gitlab, &index, all, changed).await;
        index.close().await;
    }
}

#[tokio::test]
async fn every_parameter_of_a_sync_of_single_projects_and_memberships_is_declared() {
    let Some(rules) = Rules::read() else { return };
    let shop = Shop::open().await;
    let bench = Bench::new(&shop.gitlab, "acme", "transport = \"rest\"", "");
    let text = bench.config_text();
    shop.gitlab.forget_requests();
    for (what, roots) in [
        ("single projects", "projects = [\"acme/shop/webshop\", \"acme/pay/ledger\"]"),
        ("memberships", "groups = []"),
    ] {
        bench.write_config(&text.replace("groups = [\"acme\"]", roots));
        let index = bench.open().await;
        sync_twice(&rules, what, &shop.gitlab, &index, &["/projects", "/issues"], CHANGED).await;
        index.close().await;
    }
}

#[test]
fn a_parameter_that_gitlab_does_not_know_is_found() {
    let Some(rules) = Rules::read() else { return };
    let request = |path: &str, query: &str| Request {
        method: "GET".to_owned(),
        path: format!("/api/v4/{path}"),
        query: query.to_owned(),
        ..Request::default()
    };
    let wrong = [
        request("groups/1/issues", "updated_aftr=2026-11-22"),
        request("groups/1/issues", "order_by=changed_at"),
        request("groups/1/merge_requests", "iids[]=1"),
        request("projects/1/notes", "per_page=100"),
    ];
    for request in &wrong {
        assert_eq!(rules.complaints(request).len(), 1, "{request:?}");
    }
    let right = request("groups/1/issues", "updated_after=2026-11-22&order_by=updated_at&page=2");
    assert_eq!(rules.complaints(&right), Vec::<String>::new());
}
