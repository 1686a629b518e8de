//! The index is the same by GraphQL and by REST, whatever GraphQL refuses.

use gitlab_sim::faults::{Fault, FaultKind, Requests};
use gitlab_sim::world::{AccessLevel, NewProject, Visibility};
use gitlab_sim::{BlobRegime, Generator, GitLab, Options, World};

use crate::support::facts::{Facts, assert_same};
use crate::support::{Bench, content};

const PLACES: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// An organisation with files of every odd kind, and the token of a guest who sees a part of it.
fn world() -> (World, String) {
    let generator = Generator {
        projects: 40,
        issues_per_project: 1,
        merge_requests_per_project: 1,
        ..Generator::default()
    };
    let (mut world, _) = generator.generate();
    for (number, place) in PLACES.into_iter().enumerate() {
        let project = world.add_project(NewProject::at(&format!("acme/odd/place-{number}")));
        world.add_file(project, place, format!("* @place-{number}\n"));
        // The places behind it do not count, whatever stands in them.
        for later in &PLACES[number + 1..] {
            world.add_file(project, later, "* @nobody\n");
        }
    }
    let contents: [(&str, Vec<u8>); 6] = [
        ("latin", b"* @j\xfcrgen @kim\n".to_vec()),
        ("binary", b"* @kim\0\n".to_vec()),
        ("mark", "\u{feff}* @kim\r\n".as_bytes().to_vec()),
        ("empty-file", Vec::new()),
        ("replaced", "* @k\u{fffd}m\n".as_bytes().to_vec()),
        ("large", "/src/ @kim\n".repeat(2 << 16).into_bytes()),
    ];
    for (name, content) in contents {
        let project = world.add_project(NewProject::at(&format!("acme/odd/{name}")));
        world.add_file(project, "CODEOWNERS", content);
    }
    world.add_project(NewProject::at("acme/odd/empty"));
    let guest = world.add_user("guest");
    let token = world.add_token(guest, &["read_api"], None);
    let hidden = NewProject::at("acme/odd/without-code").visibility(Visibility::Private);
    let hidden = world.add_project(hidden);
    world.add_file(hidden, "CODEOWNERS", "* @kim\n");
    world.add_project_member(hidden, guest, AccessLevel::Guest);
    (world, token)
}

/// What a sync leaves behind, and how many requests for files it took by either interface.
struct Read {
    facts: Facts,
    graphql: usize,
    files: usize,
    all: usize,
    projects: usize,
}

async fn read(gitlab: &GitLab, token: &str, source: &str) -> Read {
    gitlab.forget_requests();
    let bench = Bench::new(gitlab, "acme", source, "").with_token(token);
    let index = bench.open().await;
    // The guest's sync is incomplete, by either interface.
    let summary = index.try_sync().await;
    let facts = content::of(&index).await;
    index.close().await;
    Read {
        facts,
        graphql: gitlab.requests_for("/api/graphql"),
        files: gitlab.requests_for("/repository/files/"),
        all: gitlab.requests().len(),
        projects: usize::try_from(summary.projects).expect("few"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_the_same_by_either_interface_and_graphql_is_cheaper() {
    let (world, guest) = world();
    for blobs in [BlobRegime::Old, BlobRegime::Costly, BlobRegime::New] {
        let options = Options { blobs, ..Options::default() };
        let gitlab = GitLab::start(world.clone(), options).await.expect("a free port");
        for (token, inexact) in [(gitlab.token().to_owned(), 2), (guest.clone(), 0)] {
            let rest = read(&gitlab, &token, "transport = \"rest\"").await;
            let auto = read(&gitlab, &token, "").await;
            assert_same(&format!("{blobs:?}"), &rest.facts, &auto.facts);
            assert_eq!(rest.graphql, 0);
            let bound =
                auto.projects.div_ceil(25) + if blobs == BlobRegime::Costly { 40 } else { 3 };
            assert!(auto.graphql <= bound, "{blobs:?}: {} for {}", auto.graphql, auto.projects);
            // What is no exact text, and nothing else, is read by REST.
            assert_eq!(auto.files, inexact, "{blobs:?}");
            assert!(auto.all + auto.projects < rest.all, "{} and {}", auto.all, rest.all);
        }
        gitlab.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_the_same_where_graphql_fails() {
    let (world, _) = world();
    let at_graphql = || Requests::path("/api/graphql");
    let faults: [(&str, Fault, usize); 6] = [
        ("a blocked address", Fault::new(FaultKind::Blocked).on(at_graphql()), 3),
        ("a sign-in page", Fault::new(FaultKind::Login).on(at_graphql()), 3),
        ("a refused token", Fault::new(FaultKind::ExpiredToken).on(at_graphql()), 3),
        ("cut answers", Fault::new(FaultKind::CutChunked).on(at_graphql()).first(2), 7),
        ("a restart", Fault::new(FaultKind::Html { status: 502 }).on(at_graphql()).first(2), 7),
        ("an empty answer", Fault::new(FaultKind::Empty { status: 200 }).on(at_graphql()), 12),
    ];
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let token = gitlab.token().to_owned();
    let rest = read(&gitlab, &token, "transport = \"rest\"").await;
    for (what, fault, most) in faults {
        let id = gitlab.faults().add(fault);
        let found = read(&gitlab, &token, "").await;
        assert!(gitlab.faults().remove(id));
        assert_same(what, &rest.facts, &found.facts);
        assert!((1..=most).contains(&found.graphql), "{what}: {}", found.graphql);
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_graphql_changes_nothing() {
    let (world, _) = world();
    let options = Options { graphql_fields: Some(1_500), ..Options::default() };
    let gitlab = GitLab::start(world, options).await.expect("a free port");
    let token = gitlab.token().to_owned();
    let rest = read(&gitlab, &token, "transport = \"rest\"").await;
    let slow = read(&gitlab, &token, "").await;
    assert_same("slow", &rest.facts, &slow.facts);
    assert!(slow.graphql + slow.files < rest.files / 2, "{} and {}", slow.graphql, slow.files);
    gitlab.stop().await;
}
