//! In a CI job: what its token reads, what it says that it could not, and the end of the job. And
//! what `doctor` says there and elsewhere.

use std::time::Duration;

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId, Visibility,
    World,
};
use gitlab_sim::{Delay, GitLab, Latency, Options};
use serde_json::Value;

use crate::shop_bench;
use crate::support::Bench;
use crate::support::daemon::{self, Output};

/// A job in `acme/ci`, whose user sees all of `acme`. `acme/friend` lets it in, `acme/other` does
/// not, and `open/source` is public.
fn world() -> (World, String) {
    let mut world = World::new();
    let own = project(&mut world, "acme/ci", Visibility::Private);
    let friend = project(&mut world, "acme/friend", Visibility::Private);
    project(&mut world, "acme/other", Visibility::Private);
    project(&mut world, "open/source", Visibility::Public);
    let ann = world.add_user("ann");
    let acme = world.find_group("acme").expect("the group of its projects").id;
    world.add_group_member(acme, ann, AccessLevel::Developer);
    let token = world.add_job_token(own, ann);
    assert!(world.allow_job_tokens_from(friend, own));
    (world, token)
}

fn project(world: &mut World, path: &str, visibility: Visibility) -> ProjectId {
    let project = world.add_project(NewProject::at(path).visibility(visibility));
    world.add_file(project, "CODEOWNERS", "* @acme/front\n");
    let issue = world.add_issue(project, NewIssue::new("Slow").description("See WEB-1"));
    world.add_note(ItemRef::issue(project, issue), NewNote::new("See WEB-2").author("bob"));
    let change = world.add_merge_request(project, NewMergeRequest::new("Faster: WEB-3"));
    world.add_note(ItemRef::merge_request(project, change), NewNote::new("As WEB-4").author("bob"));
    project
}

/// A configuration of a source without address and roots: the job tells them.
fn bench(gitlab: &GitLab, source: &str) -> Bench {
    let bench = Bench::new(gitlab, "acme", "", "");
    bench.write_config(&format!(
        "[database]\nurl = \"sqlite://{}\"\n[rules.prefixes]\njira = [\"WEB\"]\n\
         [[gitlab]]\nname = \"ci\"\nauth = \"job-token\"\nrequests_per_minute = 600000\n{source}\n",
        bench.database().display()
    ));
    bench
}

async fn in_job(bench: &Bench, gitlab: &GitLab, token: &str, arguments: &[&str]) -> Output {
    let mut command = daemon::command(bench, arguments);
    command
        .env("CI_API_V4_URL", format!("{}/api/v4", gitlab.url()))
        .env("CI_SERVER_URL", gitlab.url())
        .env("CI_JOB_TOKEN", token)
        .env("CI_PROJECT_PATH", "acme/ci");
    daemon::finish(command).await
}

fn errors(summary: &Value) -> Vec<(&str, &str)> {
    let errors = summary["errors"].as_array().expect("a list");
    let text = |error: &'_ Value, key: &str| error[key].as_str().expect("a text").to_owned();
    let mut found: Vec<(&str, &str)> = errors
        .iter()
        .map(|e| (e["subject"].as_str().expect("a text"), e["stream"].as_str().expect("a text")))
        .collect();
    found.sort_unstable();
    assert!(errors.iter().all(|error| !text(error, "reason").is_empty()));
    found
}

fn parsed(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:#?}"))
}

const ALL: &str = "projects = [\"acme/ci\", \"acme/friend\", \"acme/other\", \"open/source\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_reads_what_it_is_let_into_and_says_what_it_could_not() {
    let (world, token) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = bench(&gitlab, ALL);
    let output = in_job(&bench, &gitlab, &token, &["sync", "--format", "json"]).await;
    assert_eq!(output.code, Some(4), "{output:#?}");
    let summary = parsed(&output);
    assert_eq!(summary["projects"], 3, "{summary:#}");
    assert_eq!((&summary["issues"], &summary["merge_requests"]), (&3.into(), &3.into()));
    // One line for each kind of thing, and one for the project that keeps it out.
    assert_eq!(
        errors(&summary),
        [
            ("project:acme/other", "projects"),
            ("source", "issue_comments"),
            ("source", "labels"),
            ("source", "templates"),
        ],
        "{summary:#}"
    );
    let said = summary["errors"].to_string();
    assert!(said.contains("not allowed from acme/ci"), "{said}");
    assert!(!said.contains(&token) && !output.stderr.contains(&token));

    for (key, code) in [("WEB-1", 0), ("WEB-2", 3), ("WEB-3", 0), ("WEB-4", 0)] {
        let output = in_job(&bench, &gitlab, &token, &["ref", key, "--format", "json"]).await;
        assert_eq!(output.code, Some(code), "{key}: {output:#?}");
    }
    let owners = ["owners", "acme/friend", "src/main.rs", "--format", "json"];
    let output = in_job(&bench, &gitlab, &token, &owners).await;
    assert!(output.stdout.contains("@acme/front"), "{output:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_roots_a_job_reads_its_own_project() {
    let (world, token) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = bench(&gitlab, "");
    let output = in_job(&bench, &gitlab, &token, &["sync", "--format", "json"]).await;
    assert_eq!(output.code, Some(4), "{output:#?}");
    let summary = parsed(&output);
    assert_eq!((&summary["projects"], &summary["issues"]), (&1.into(), &1.into()));

    let output = in_job(&bench, &gitlab, &token, &["doctor", "--format", "json"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(output.stdout.contains("the project acme/ci is there"), "{output:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_refused_to_a_job_with_one_problem_that_names_the_way_out() {
    let (world, token) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = bench(&gitlab, "groups = [\"acme\", \"acme/sub\"]");
    let output = in_job(&bench, &gitlab, &token, &["sync", "--format", "json"]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stderr.contains("list the projects under `projects`"), "{output:#?}");
    assert_eq!(gitlab.requests_for("/groups/"), 1, "the second is not asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_while_it_reads_keeps_what_was_read() {
    let (world, token) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = bench(&gitlab, ALL);
    let whole = in_job(&bench, &gitlab, &token, &["sync", "--format", "json"]).await;
    assert_eq!(whole.code, Some(4), "{whole:#?}");

    gitlab.forget_requests();
    let slow = Delay::fixed(Duration::from_millis(50));
    gitlab.set_latency(Latency { list: slow, single: slow, ..Latency::default() });
    let end = async {
        // Lists of items are asked for after the roots and the token.
        daemon::wait_for("the first list", async || {
            (gitlab.requests_for("/issues") > 0).then_some(())
        })
        .await;
        assert!(gitlab.world().finish_job(&token));
    };
    let sync = ["sync", "--format", "json"];
    let (ended, ()) = tokio::join!(in_job(&bench, &gitlab, &token, &sync), end);
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    let (before, after) = (parsed(&whole), parsed(&ended));
    for kind in ["projects", "issues", "merge_requests", "references"] {
        assert_eq!(before[kind], after[kind], "{kind} are kept: {after:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_healthy_source_healthy_and_names_what_is_wrong() {
    let (gitlab, bench) = shop_bench("").await;
    gitlab.forget_requests();
    let output = daemon::run(&bench, &["doctor", "--format", "json"]).await;
    assert_eq!(output.code, Some(0), "{output:#?}");
    let findings = parsed(&output);
    let findings = findings.as_array().expect("a list");
    let named = |check: &str| findings.iter().filter(|f| f["check"] == check).count();
    for check in ["configuration", "database", "token", "roots", "gitlab", "graphql", "limits"] {
        assert!(named(check) > 0, "{check}: {findings:#?}");
    }
    assert!(findings.iter().all(|finding| finding["severity"] != "error"), "{findings:#?}");
    assert!(!bench.database().exists(), "it changes nothing");
    assert!(gitlab.requests().len() <= 6, "{:#?}", gitlab.requests());
    assert!(!output.stdout.contains(bench.token()));

    let refused = bench.with_token("glpat-unknown");
    let output = daemon::run(&refused, &["doctor", "--format", "json"]).await;
    assert_eq!(output.code, Some(1), "{output:#?}");
    let findings = parsed(&output);
    let wrong = findings.as_array().expect("a list").iter().find(|f| f["severity"] == "error");
    let wrong = wrong.expect("the token is refused");
    assert_eq!((&wrong["check"], &wrong["source"]), (&"token".into(), &"sim".into()));
    assert!(wrong["next_step"].as_str().is_some_and(|step| step.contains("token")), "{wrong}");
}
