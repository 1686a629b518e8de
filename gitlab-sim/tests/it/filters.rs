//! Filters that are declared filter: none of them returns everything in silence.

use gitlab_sim::world::{NewPipeline, NewProject, World};

use crate::client::{get, serve};

#[tokio::test]
async fn projects_and_groups_are_found_by_the_day_of_their_mark() {
    let mut world = World::new();
    let marked = world.add_project(NewProject::at("acme/marked"));
    world.add_project(NewProject::at("other/kept"));
    let group = world.find_group("acme").unwrap().id;
    world.mark_for_deletion(marked);
    world.mark_group_for_deletion(group, true);
    let day = world.project(marked).unwrap().marked_for_deletion_on.unwrap();
    let gitlab = serve(world).await;
    for (list, found) in [("/projects", "acme/marked"), ("/groups", "acme")] {
        let column = if list == "/groups" { "full_path" } else { "path_with_namespace" };
        let ask =
            async |day: &str| get(&gitlab, &format!("{list}?marked_for_deletion_on={day}")).await;
        assert_eq!(ask(&day.to_string()).await.texts(column), [found]);
        assert_eq!(ask("2001-01-01").await.text, "[]");
        assert_eq!(ask("soon").await.status, 400);
    }
}

#[tokio::test]
async fn projects_are_found_by_language_and_topic_number() {
    let mut world = World::new();
    let rust = world.add_project(NewProject::at("acme/rust").topics(["beta"]));
    let ruby = world.add_project(NewProject::at("acme/ruby").topics(["alpha"]));
    world.add_file(rust, "main.rs", "fn main() {}");
    world.add_file(ruby, "main.rb", "puts 1");
    let gitlab = serve(world).await;
    let ask = async |query: &str| get(&gitlab, &format!("/projects?{query}")).await.texts("path");
    assert_eq!(ask("with_programming_language=rust").await, ["rust"]);
    let topic = get(&gitlab, "/topics?search=alpha").await.numbers("id")[0];
    assert_eq!(ask(&format!("topic_id={topic}")).await, ["ruby"]);
    assert_eq!(ask("topic_id=99").await, [""; 0]);
}

#[tokio::test]
async fn pipelines_are_found_by_scope() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_file(project, "README.md", "hello");
    for status in ["success", "running", "pending"] {
        world.add_pipeline(project, NewPipeline::new(status));
    }
    let gitlab = serve(world).await;
    let ask = async |query: &str| {
        get(&gitlab, &format!("/projects/1/pipelines?{query}")).await.texts("status")
    };
    for (scope, status) in [("finished", "success"), ("running", "running"), ("pending", "pending")]
    {
        assert_eq!(ask(&format!("scope={scope}")).await, [status]);
    }
    assert_eq!(ask("scope=branches").await.len(), 3);
    for none in ["scope=tags", "username=nobody", "name=nightly", "yaml_errors=true"] {
        assert_eq!(ask(none).await, [""; 0], "{none}");
    }
    assert_eq!(get(&gitlab, "/projects/1/pipelines?scope=all").await.status, 400);
}
