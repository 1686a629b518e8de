//! Files of projects under each of GitLab's regimes.

use std::collections::BTreeMap;

use gitlab_sim::world::{AccessLevel, NewProject, Visibility};
use gitlab_sim::{BlobRegime, GitLab, Options, World};
use secrecy::SecretString;

use super::super::standing::Kind;
use super::{client, client_with, serve};
use crate::codeowners::PLACES;
use crate::gitlab::stub::{Stub, json};
use crate::gitlab::{Client, Credential, Fetched, ProjectFiles, Want};
use crate::model::ProjectId;

type Answers = BTreeMap<ProjectId, Fetched<ProjectFiles>>;

/// Makes so many projects, each with a file in another of the places, or in none.
fn projects(count: usize) -> (World, Vec<ProjectId>) {
    let mut world = World::new();
    let ids = (0..count).map(|number| {
        let project = world.add_project(NewProject::at(&format!("acme/project-{number}")));
        world.add_file(project, "README.md", "hello\n");
        if let Some(place) = PLACES.get(number % (PLACES.len() + 1)) {
            world.add_file(project, place, format!("* @user-{number}\n"));
        }
        id(project)
    });
    let ids = ids.collect();
    (world, ids)
}

fn id(project: gitlab_sim::world::ProjectId) -> ProjectId {
    ProjectId::new(i64::try_from(project.get()).expect("a small number"))
}

async fn ask(client: &Client, ids: &[ProjectId]) -> Answers {
    let answer = client.project_files(ids, &PLACES, Want::First).await;
    assert!(answer.failure.is_none(), "{:?}", answer.failure);
    answer.projects
}

/// Requires what [`projects`] made.
fn check(ids: &[ProjectId], answers: &Answers) {
    assert_eq!(answers.len(), ids.len());
    for (number, id) in ids.iter().enumerate() {
        let Fetched::Whole(files) = &answers[id] else { panic!("{id}: {:?}", answers[id]) };
        assert_eq!(files.root_ref.as_deref(), Some("main"));
        match PLACES.get(number % (PLACES.len() + 1)) {
            Some(place) => {
                let file = files.file(place).expect("the file");
                assert_eq!(file.text.as_deref(), Some(format!("* @user-{number}\n").as_str()));
                assert!(file.oid.is_some());
                assert_eq!(files.files.len(), 1);
            }
            None => assert_eq!(files.files, []),
        }
    }
}

fn queries(gitlab: &GitLab) -> usize {
    gitlab.requests_for("/api/graphql")
}

#[tokio::test]
async fn a_query_names_many_projects() {
    let (world, ids) = projects(130);
    for blobs in [BlobRegime::Old, BlobRegime::New] {
        let gitlab = serve(world.clone(), Options { blobs, ..Options::default() }).await;
        let client = client(&gitlab);
        check(&ids, &ask(&client, &ids).await);
        assert_eq!(queries(&gitlab), 3, "{blobs:?}: fifty, fifty and thirty");
        assert_eq!(gitlab.requests().len(), 3);
        gitlab.stop().await;
    }
}

#[tokio::test]
async fn dear_contents_are_asked_for_path_by_path() {
    let (world, ids) = projects(100);
    let gitlab = serve(world, Options { blobs: BlobRegime::Costly, ..Options::default() }).await;
    let client = client(&gitlab);
    check(&ids, &ask(&client, &ids).await);
    // One is refused. Then a hundred projects are asked for the first place, 75 for the second,
    // and 50 for the third.
    assert_eq!(queries(&gitlab), 1 + 2 + 2 + 1);
    gitlab.forget_requests();
    check(&ids, &ask(&client, &ids).await);
    assert!(queries(&gitlab) <= 5, "what never fits is remembered: {}", queries(&gitlab));
    let all = client.project_files(&ids, &PLACES, Want::All).await;
    check(&ids, &all.projects);
    gitlab.stop().await;
}

#[tokio::test]
async fn contents_beyond_the_cap_of_a_request_are_asked_for_again() {
    let mut world = World::new();
    let ids: Vec<ProjectId> = (0..6)
        .map(|number| {
            let project = world.add_project(NewProject::at(&format!("acme/large-{number}")));
            // Two fit into 20 MB, and the last one alone is larger than that.
            let megabytes = if number == 5 { 21 } else { 9 };
            let line = format!("{number}\n");
            world.add_file(project, "CODEOWNERS", line.repeat((megabytes << 20) / line.len()));
            id(project)
        })
        .collect();
    let gitlab = serve(world, Options::default()).await;
    let client = client(&gitlab);
    let answers = ask(&client, &ids).await;
    for (number, id) in ids.iter().enumerate() {
        let Fetched::Whole(files) = &answers[id] else { panic!("{number}: {:?}", answers[id]) };
        let text = files.files[0].text.as_ref().expect("a text");
        assert!(text.starts_with(&format!("{number}\n")) && text.len() >= 9 << 20, "{number}");
    }
    assert!(queries(&gitlab) <= 12, "{}", queries(&gitlab));
    assert!(client.graphql().size(Kind::Files) < 50);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_made_smaller_and_nothing_in_it_counts_as_absent() {
    let (world, ids) = projects(40);
    let options = Options { graphql_fields: Some(200), ..Options::default() };
    let gitlab = serve(world, options).await;
    let client = client(&gitlab);
    check(&ids, &ask(&client, &ids).await);
    assert!(client.graphql().size(Kind::Files) < 40);
    let first = queries(&gitlab);
    check(&ids, &ask(&client, &ids).await);
    assert!(queries(&gitlab) - first <= 12, "{}", queries(&gitlab) - first);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_query_that_is_too_much_for_one_project_fails_for_that_project() {
    let (world, ids) = projects(2);
    let options = Options { graphql_fields: Some(6), ..Options::default() };
    let gitlab = serve(world, options).await;
    let answer = client(&gitlab).project_files(&ids, &PLACES, Want::First).await;
    for fetched in answer.projects.values() {
        assert!(matches!(fetched, Fetched::Failed(_)), "{fetched:?}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn only_exact_texts_are_given() {
    let mut world = World::new();
    let mut add = |path: &str, content: &[u8]| {
        let project = world.add_project(NewProject::at(path));
        world.add_file(project, "CODEOWNERS", content);
        id(project)
    };
    let cases: Vec<(ProjectId, Option<&str>)> = vec![
        (add("acme/text", "* @änn\r\n".as_bytes()), Some("* @änn\r\n")),
        (add("acme/empty-file", b""), Some("")),
        (add("acme/latin", b"* @\xe4nn\n"), None),
        (add("acme/binary", b"* @a\0b\n"), None),
    ];
    let empty = id(world.add_project(NewProject::at("acme/empty")));
    let gitlab = serve(world, Options::default()).await;
    let client = client(&gitlab);
    let ids: Vec<ProjectId> = cases.iter().map(|(id, _)| *id).chain([empty]).collect();
    let answers = ask(&client, &ids).await;
    for (id, text) in cases {
        let Fetched::Whole(files) = &answers[&id] else { panic!("{:?}", answers[&id]) };
        let file = files.file("CODEOWNERS").expect("the file");
        assert_eq!(file.text.as_deref(), text, "{id}");
    }
    assert_eq!(answers[&empty], Fetched::Whole(ProjectFiles::default()));
    gitlab.stop().await;
}

#[tokio::test]
async fn what_is_not_shown_is_absent_and_not_without_files() {
    let mut world = World::new();
    let guest = world.add_user("guest");
    let token = world.add_token(guest, &["read_api"], None);
    let mut add = |path: &str, visibility: Visibility| {
        let project = world.add_project(NewProject::at(path).visibility(visibility));
        world.add_file(project, "CODEOWNERS", "* @a\n");
        project
    };
    let open = add("acme/open", Visibility::Public);
    let hidden = add("acme/hidden", Visibility::Private);
    let without_code = add("acme/guests", Visibility::Private);
    world.add_project_member(without_code, guest, AccessLevel::Guest);
    let gitlab = serve(world, Options::default()).await;
    let client = client_with(&gitlab, Credential::PrivateToken(SecretString::from(token)));
    let missing = ProjectId::new(4_711);
    let ids = [id(open), id(hidden), id(without_code), missing];
    let answers = ask(&client, &ids).await;
    assert!(matches!(answers[&id(open)], Fetched::Whole(_)));
    for id in &ids[1..] {
        assert_eq!(answers[id], Fetched::Absent);
    }
    let anonymous = client_with(&gitlab, Credential::None);
    let answers = ask(&anonymous, &ids).await;
    assert!(matches!(answers[&id(open)], Fetched::Whole(_)), "public data needs no token");
    gitlab.stop().await;
}

#[tokio::test]
async fn server_that_shows_other_projects_and_says_there_are_more_is_not_asked_without_end() {
    let body = r#"{"data":{"projects":{"nodes":[{"id":"gid://gitlab/Project/999","repository":null}],
        "pageInfo":{"hasNextPage":true,"endCursor":"x"}}}}"#;
    let stub = Stub::start(move |_, turn| match turn {
        0..20 => json(200, body),
        _ => json(400, "{}"),
    })
    .await;
    let ids = [1, 2, 3].map(ProjectId::new);
    let answers = ask(&stub.client(), &ids).await;
    assert!(stub.asked().len() <= 4, "{}", stub.asked().len());
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), ids.map(|id| (id, Fetched::Absent)));
}
