//! Rows of projects are kept between requests: they must show every change, and to everybody what
//! is theirs.

use gitlab_sim::world::{AccessLevel, ItemRef, NewIssue, NewProject, World};
use gitlab_sim::{Generator, GitLab, Options};
use serde_json::Value;

use crate::client::{get, get_anonymously, get_as, serve};

async fn row(gitlab: &GitLab) -> Value {
    get(gitlab, "/projects").await.json()[0].clone()
}

#[tokio::test]
async fn a_list_of_projects_shows_every_change_at_once() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/a").topics(["one"]));
    let iid = world.add_issue(project, NewIssue::new("x"));
    let gitlab = serve(world).await;
    let before = row(&gitlab).await;
    assert_eq!((&before["open_issues_count"], &before["topics"][0]), (&1.into(), &"one".into()));
    assert_eq!(row(&gitlab).await, before);
    let bot = gitlab.world().bot();
    gitlab.world().close(ItemRef::issue(project, iid), bot);
    assert_eq!(row(&gitlab).await["open_issues_count"], 0);
    gitlab.world().set_topics(project, ["two"]);
    assert_eq!(row(&gitlab).await["topics"][0], "two");
    let group = gitlab.world().find_group("acme").unwrap().id;
    gitlab.world().rename_group(group, "other");
    assert_eq!(row(&gitlab).await["path_with_namespace"], "other/a");
    gitlab.world().project_mut(project).unwrap().description = "by hand".to_owned();
    assert_eq!(row(&gitlab).await["description"], "by hand");
}

#[tokio::test]
async fn everybody_gets_their_own_rows_of_projects() {
    let generator = Generator { projects: 8, issues_per_project: 3, ..Generator::default() };
    let (mut world, _) = generator.generate();
    let ids: Vec<_> = world.projects().map(|row| row.id).collect();
    let ann = world.add_user("ann");
    for id in &ids[..3] {
        world.add_project_member(*id, ann, AccessLevel::Guest);
    }
    let token = world.add_token(ann, &["read_api"], None);
    let gitlab = GitLab::start(world.clone(), Options::default()).await.unwrap();
    for path in ["/projects?per_page=100", "/projects?simple=true&per_page=100"] {
        let asked = [
            get(&gitlab, path).await,
            get_as(&gitlab, Some(&token), path).await,
            get_anonymously(&gitlab, path).await,
        ];
        // Whoever asks first gets nothing that was written for others.
        for (reply, known) in asked.iter().zip([true, true, false]) {
            let short = path.contains("simple") || !known;
            for row in reply.json().as_array().unwrap() {
                assert_eq!(row.get("permissions").is_none(), short, "{row}");
            }
        }
        let fresh = GitLab::start(
            world.clone(),
            Options { external_url: Some(gitlab.url()), ..Options::default() },
        );
        let fresh = fresh.await.unwrap();
        assert_eq!(get_as(&fresh, Some(&token), path).await.text, asked[1].text);
        assert_ne!(asked[0].text, asked[1].text);
    }
}
