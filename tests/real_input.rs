//! Real input: recorded answers of gitlab.com are served from a small replaying server, the real
//! binary syncs them, and what comes out is compared with what the records say.
//!
//! Every object that the replay lists must be in the index as recorded; beside that, items were
//! picked by hand from the records and are checked word for word. The records are parts of
//! projects: what was never recorded is answered with 404, and must be named as missing.

#![allow(missing_docs)]

#[path = "support/command.rs"]
mod command;
#[path = "support/recorded.rs"]
mod recorded;
#[path = "support/replay.rs"]
mod replay;

use std::collections::BTreeSet;

use recorded::{
    DANGER, GITEA, LISTED, OGR, TOKEN, compare, item, listed, mentions, missing, never_recorded,
    quoted, sandbox, set, synced_lists,
};
use replay::{Record, Replay, records};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_listed_item_of_gitlab_com_comes_out_as_it_was_recorded() {
    let Some((replaying, sandbox, summary)) = synced_lists().await else { return };
    assert_eq!(summary["projects"], 7);
    let daemon = sandbox.serve().await;
    let (mut issues, mut merge_requests) = (0, 0);
    for project in LISTED {
        let list = |kind: &str| format!("projects/{}/{kind}", project.replace('/', "%2F"));
        let (visible, confidential): (Vec<_>, Vec<_>) = replaying
            .listed(&list("issues"))
            .into_iter()
            .partition(|issue| issue["confidential"] != json!(true));
        compare(&daemon, project, '#', &visible).await;
        for issue in &confidential {
            let reference = format!("{project}#{}", issue["iid"]);
            assert_eq!(item(&daemon, &reference).await, Value::Null, "{reference} is confidential");
        }
        let listed = replaying.listed(&list("merge_requests"));
        compare(&daemon, project, '!', &listed).await;
        issues += visible.len() + confidential.len();
        merge_requests += listed.len();
    }
    assert_eq!((issues, merge_requests), (58, 28), "the records hold that many");
    assert_eq!((&summary["issues"], &summary["merge_requests"]), (&json!(58), &json!(28)));
    for asked in replaying.asked() {
        assert_eq!(asked.token.as_deref(), Some(TOKEN), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_recorded_is_named_as_missing_and_costs_nothing_else() {
    let Some((_replaying, sandbox, summary)) = synced_lists().await else { return };
    let without_veloren: Vec<&str> =
        LISTED.into_iter().filter(|path| *path != "veloren/veloren").collect();
    let mut expected = set([
        "project:mfocko/ogr-tests: projects",
        // A page that was not recorded.
        "project:gitea/test_repo: issues",
        "project:gitea/test_repo: merge_requests",
        "gitea/test_repo: comments",
        "veloren/veloren: comments",
        "jscotka/ogr-tests!1: comments",
        "packit-service/ogr-tests: comments",
        "project:jscotka/ogr-tests: issues",
    ]);
    expected.extend(never_recorded(&LISTED, &["labels", "templates"]));
    expected.extend(never_recorded(&without_veloren, &["files", "pipelines"]));
    let nothing_listed = [
        "project:lachmanfrantisek/ogr-tests",
        "project:nikromen/playground",
        "project:packit-service/hello-world",
    ];
    expected.extend(never_recorded(&nothing_listed, &["issues", "merge_requests"]));
    assert_eq!(missing(&summary), expected);
    assert_eq!(summary["complete"], false);

    // Again: what cannot be read is no reason to remove anything.
    let again = sandbox.run(&["sync", "--full", "--format", "json"]).await.expect(4).json();
    for count in ["projects", "issues", "merge_requests", "references"] {
        assert_eq!(again[count], summary[count], "{count}");
    }
    assert_eq!(again["removed"], 0);
    assert_eq!(missing(&again), expected);

    let daemon = sandbox.serve().await;
    let crawls = daemon.data("/v1/crawls").await;
    assert_eq!(crawls["complete"], false);
    let said = crawls.to_string();
    assert!(
        said.contains("gitea/test_repo") && said.contains("/projects/15578026/labels"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_in_real_descriptions_and_titles_are_found_with_their_evidence() {
    let Some((replaying, sandbox, _)) = synced_lists().await else { return };
    // Issue 1762: "My issue is identical to #1418, in that we get the same error."
    let found =
        mentions(&sandbox, "veloren/veloren#1418", "gitlab_issue:veloren/veloren#1418").await;
    let [(reference, evidence)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(reference, "veloren/veloren#1762");
    assert_eq!(
        (&evidence[0]["via"], &evidence[0]["where"]),
        (&json!("reference"), &json!("description"))
    );
    let text = evidence[0]["text"].as_str().expect("a text");
    assert!(text.contains("My issue is identical to #1418"), "{text}");

    // Merge request 3722: "Fixes #1563 - Implements Quad Med Hoof tactic/attack"
    let found = mentions(
        &sandbox,
        "https://gitlab.com/veloren/veloren/-/issues/1563",
        "gitlab_issue:veloren/veloren#1563",
    )
    .await;
    let [(reference, evidence)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (reference.as_str(), &evidence[0]["where"]),
        ("veloren/veloren!3722", &json!("title"))
    );

    // "The following discussion from !3494 should be addressed", with and without more before it.
    for (number, by) in [
        ("3494", set(["veloren/veloren#1749", "veloren/veloren#1761"])),
        ("3570", set(["veloren/veloren#1748"])),
        ("3678", set(["veloren/veloren#1764"])),
    ] {
        for text in [
            format!("veloren/veloren!{number}"),
            format!("see https://gitlab.com/veloren/veloren/-/merge_requests/{number}#note_1"),
        ] {
            let subject = format!("gitlab_merge_request:veloren/veloren!{number}");
            let found = mentions(&sandbox, &text, &subject).await;
            assert!(found.iter().all(|(_, evidence)| !evidence.is_empty()), "{text}: {found:?}");
            let found: BTreeSet<String> = found.into_iter().map(|(item, _)| item).collect();
            assert_eq!(found, by, "{text}");
        }
    }

    // An address of another system, in some thirty descriptions.
    let address = "https://github.com/packit-service/ogr/pull/340";
    let with_it: BTreeSet<String> = replaying
        .listed("projects/14233409/issues")
        .iter()
        .filter(|issue| issue["description"].as_str().is_some_and(|text| text.contains(address)))
        .map(|issue| format!("packit-service/ogr-tests#{}", issue["iid"]))
        .collect();
    assert_eq!(with_it.len(), 27);
    let found = mentions(&sandbox, address, "github_pull:packit-service/ogr#340").await;
    assert_eq!(found.into_iter().map(|(item, _)| item).collect::<BTreeSet<_>>(), with_it);

    // The log in issue 1747 counts stack frames, `#0`, `#1`; that is code and no mention.
    for nothing in ["veloren/veloren#1", "veloren/veloren#4242"] {
        let ran = sandbox.run(&["ref", nothing, "--format", "json"]).await.expect(3);
        assert_eq!(ran.json()["data"], json!([]));
    }

    let daemon = sandbox.serve().await;
    let read = daemon.data("/v1/references?q=Is%20this%20veloren/veloren!3494%3F").await;
    let row = &read["data"][0];
    assert_eq!(row["kind"], "gitlab_merge_request");
    assert_eq!(row["id"], "veloren/veloren!3494");
    assert_eq!((&row["known"], &row["issues"]), (&json!(true), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn real_labels_become_services_teams_and_priorities() {
    let Some((_replaying, sandbox, _)) = synced_lists().await else { return };
    let daemon = sandbox.serve().await;
    let services = daemon.data("/v1/services").await;
    let names: Vec<&str> = services["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|s| s["name"].as_str())
        .collect();
    assert_eq!(names, ["assets", "voxygen"]);
    let voxygen = "/v1/services/voxygen/issues";
    let all = set([
        "veloren/veloren#1748",
        "veloren/veloren#1752",
        "veloren/veloren#1756",
        "veloren/veloren#1761",
    ]);
    assert_eq!(listed(&daemon, voxygen).await, all);
    assert_eq!(
        listed(&daemon, &format!("{voxygen}?state=closed")).await,
        set(["veloren/veloren#1752"])
    );
    assert_eq!(
        listed(&daemon, &format!("{voxygen}?label=type::crash")).await,
        set(["veloren/veloren#1752", "veloren/veloren#1756"])
    );
    assert_eq!(
        listed(&daemon, &format!("{voxygen}?author=muphblu")).await,
        set(["veloren/veloren#1761"])
    );
    assert_eq!(
        listed(&daemon, "/v1/teams/Rendering/issues?state=closed").await,
        set(["veloren/veloren#1754"])
    );
    // `priority::normal` is read by a default rule.
    let tags = item(&daemon, "veloren/veloren#1751").await["tags"].clone();
    assert_eq!(
        tags,
        json!([{"key": "priority", "value": "normal"}, {"key": "team", "value": "rendering"}])
    );

    let shown = sandbox.run(&["service", "voxygen", "--format", "json"]).await.expect(0).json();
    let counts = &shown["data"]["counts"];
    assert_eq!((&counts["issues"], &counts["open_issues"]), (&json!(4), &json!(3)));
    let newest = &shown["data"]["open_issues"][0];
    assert_eq!(newest["reference"], "veloren/veloren#1756");
    assert_eq!(
        newest["evidence"][0],
        json!({
            "for": "service:voxygen", "via": "label", "where": "labels",
            "text": "category::voxygen", "inherited": false,
            "rule": "label:^category::(?<value>.+)$",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_real_pages_resolve_to_what_they_show() {
    let Some((_replaying, sandbox, _)) = synced_lists().await else { return };
    for (text, kind, id) in [
        (
            "https://gitlab.com/veloren/veloren/-/issues/1756",
            "gitlab_issue",
            "veloren/veloren#1756",
        ),
        // The form of the time when it was recorded, and a comment on it.
        (
            "https://gitlab.com/packit-service/ogr-tests/merge_requests/25#note_1",
            "gitlab_merge_request",
            "packit-service/ogr-tests!25",
        ),
        (
            "https://gitlab.com/gitea/test_repo/-/tree/master/docs",
            "gitlab_project",
            "gitea/test_repo",
        ),
        (
            "git@gitlab.com:packit-service/ogr-tests.git",
            "gitlab_project",
            "packit-service/ogr-tests",
        ),
        ("nikromen/playground", "gitlab_project", "nikromen/playground"),
    ] {
        let answer = sandbox.run(&["resolve", text, "--format", "json"]).await.expect(0).json();
        assert_eq!(answer["data"]["input"], json!({"text": text, "kind": kind, "id": id}));
    }
    let daemon = sandbox.serve().await;
    let url = "https://gitlab.com/veloren/veloren/-/issues/1756";
    let answer = daemon.data(&format!("/v1/resolve?url={url}")).await;
    assert_eq!(answer["data"]["services"][0]["name"], "voxygen");
    assert_eq!(answer["data"]["items"][0]["author"], "nulll1f3");
    let elsewhere = "/v1/resolve?url=https://example.com/veloren/veloren/-/issues/1756";
    assert_eq!(daemon.data(elsewhere).await["data"]["items"], json!([]));

    let project = daemon.data("/v1/projects/veloren%2Fveloren").await;
    assert_eq!(project["data"]["id"], 10_174_980);
    assert_eq!(project["data"]["topics"][4], "hacktoberfest");
    assert_eq!(project["data"]["pipeline"]["id"], 721_643_383);
    assert_eq!(project["data"]["pipeline"]["status"], "failed");
    assert_eq!(daemon.data("/v1/projects/10174980").await["data"], project["data"]);

    // A real confidential issue: only for those who may see such.
    let confidential = ["resolve", "veloren/veloren#1746", "--format", "json"];
    let hidden = sandbox.run(&confidential).await;
    assert_eq!(hidden.json()["data"]["items"], json!([]));
    let shown = sandbox.run(&[&confidential[..], &["--confidential"]].concat()).await.expect(0);
    assert_eq!(shown.json()["data"]["items"][0]["title"], "no puedo registrarme");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_codeowners_of_veloren_name_owners_as_gitlab_would() {
    let Some((_replaying, sandbox, _)) = synced_lists().await else { return };
    for (path, pattern, line, owner) in [
        // The last entry that matches counts, and a bare name matches at any depth.
        ("client/Cargo.toml", "Cargo.toml", 3, "@notexistinguser76356"),
        ("Cargo.toml", "Cargo.toml", 3, "@notexistinguser76356"),
        ("world/src/Cargo3.toml", "Cargo3.toml", 5, "@veloren/dev"),
        ("rust-toolchain", "rust-toolchain", 6, "@xMAC94x"),
        (".gitlab/scripts/test.sh", ".gitlab/scripts/*", 7, "@xMAC94x"),
    ] {
        let answer = sandbox.run(&["owners", "veloren/veloren", path, "--format", "json"]).await;
        let data = answer.expect(0).json()["data"].clone();
        assert_eq!((&data["path"], &data["file"]), (&json!(path), &json!("CODEOWNERS")));
        let [section] = data["sections"].as_array().expect("sections").as_slice() else {
            panic!("{path}: {data}");
        };
        assert_eq!(
            (&section["pattern"], &section["line"]),
            (&json!(pattern), &json!(line)),
            "{path}"
        );
        assert_eq!(section["owners"], json!([{"kind": "name", "name": owner}]), "{path}");
    }
    for path in ["src/main.rs", ".gitlab/scripts/deep/test.sh"] {
        let ran = sandbox.run(&["owners", "veloren/veloren", path, "--format", "json"]).await;
        assert_eq!(ran.expect(3).json()["data"]["sections"], json!([]), "{path}");
    }
    let daemon = sandbox.serve().await;
    let all = daemon.data("/v1/projects/10174980/owners").await;
    assert_eq!(all["data"]["sections"].as_array().map(Vec::len), Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_group_is_a_root_with_all_its_projects() {
    let Some(records) = records(OGR) else { return };
    let replaying = Replay::of(records).start().await;
    let sandbox = sandbox(&replaying, "groups = [\"inkscape\", \"packit-service\"]");
    let summary = sandbox.run(&["sync", "--format", "json"]).await.expect(4).json();
    assert_eq!(summary["projects"], 11);
    let missing = missing(&summary);
    for part in [
        "group:inkscape: issues",
        "group:inkscape: merge_requests",
        // The group was recorded, the list of its projects was not.
        "group:packit-service: projects",
        "inkscape/themes: labels",
        "inkscape/themes: files",
        "inkscape/themes: pipelines",
    ] {
        assert!(missing.contains(part), "{part} is not among {missing:#?}");
    }
    // Its repository is empty, and this one has its pipelines switched off: nothing is missed.
    for part in ["inkscape/inkscape-board: files", "inkscape/inbox: pipelines"] {
        assert!(!missing.contains(part), "{part} is among {missing:#?}");
    }
    let daemon = sandbox.serve().await;
    let listed = replaying.listed("groups/470642/projects");
    assert_eq!(listed.len(), 11);
    for recorded in listed {
        let path = recorded["path_with_namespace"].as_str().expect("a path");
        let found = daemon.data(&format!("/v1/projects/{}", path.replace('/', "%2F"))).await;
        let found = &found["data"];
        for field in ["id", "name", "web_url", "default_branch", "visibility", "archived"] {
            assert_eq!(found[field], recorded[field], "{path}: {field}");
        }
        let topics = recorded.get("topics").unwrap_or(&recorded["tag_list"]);
        assert_eq!(&found["topics"], topics, "{path}");
        assert_eq!(found["path"], path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_recorded_objects_and_their_comments_come_out_when_they_are_listed() {
    let (Some(gitea), Some(ogr), Some(danger)) = (records(GITEA), records(OGR), records(DANGER))
    else {
        return;
    };
    // The merge request was recorded with its comments, its project was not.
    let foss = Record::made(
        "projects/13083",
        json!({
            "id": 13083,
            "path_with_namespace": "gitlab-org/gitlab-foss",
            "web_url": "https://gitlab.com/gitlab-org/gitlab-foss",
        }),
    );
    let records = [gitea, ogr, danger, vec![foss]].concat();
    let replaying = Replay::of(records).list_single_objects().start().await;
    let projects = [
        ("gitlab-org/gitlab-foss", 13083),
        ("packit-service/hello-world", 19_258_958),
        ("packit-service/ogr-tests", 14_233_409),
        ("nikromen/playground", 29_121_611),
        ("gitea/test_repo", 15_578_026),
    ];
    let roots = format!("projects = [{}]", quoted(&projects.map(|(path, _)| path)));
    let sandbox = sandbox(&replaying, &roots);
    let summary = sandbox.run(&["sync", "--format", "json"]).await.expect(4).json();
    let daemon = sandbox.serve().await;
    let mut compared = 0;
    for (path, number) in projects {
        for (sigil, list) in [('#', "issues"), ('!', "merge_requests")] {
            let objects = replaying.listed(&format!("projects/{number}/{list}"));
            compare(&daemon, path, sigil, &objects).await;
            compared += objects.len();
        }
    }
    let counted = summary["issues"].as_u64().zip(summary["merge_requests"].as_u64());
    assert_eq!(counted.map(|(issues, others)| issues + others), Some(compared as u64));

    // The fifty comments of a merge request stand on three recorded pages.
    let pages: Vec<String> = replaying
        .asked()
        .into_iter()
        .filter(|asked| {
            asked.address.contains("14233409/merge_requests/1/notes") && asked.status == 200
        })
        .map(|asked| asked.address)
        .collect();
    assert_eq!(pages.len(), 3, "{pages:?}");
    assert!(pages[2].contains("page=3"), "{pages:?}");

    let shown = item(&daemon, "gitlab-org/gitlab-foss!27117").await;
    assert_eq!(shown["labels"], json!(["Danger bot", "Plan", "backend", "backstage"]));
    // "Closes https://gitlab.com/gitlab-org/gitlab-ce/issues/57766.", one in a block of code, and
    // one in a comment.
    for (id, place) in [
        ("gitlab_issue:gitlab-org/gitlab-ce#57766", "description"),
        ("gitlab_issue:gitlab-org/gitlab-ce#57652", "description"),
        ("gitlab_merge_request:gitlab-org/gitlab-ee!10640", "comment"),
    ] {
        let (_, text) = id.split_once(':').expect("kind and id");
        let found = mentions(&sandbox, text, id).await;
        let [(reference, evidence)] = found.as_slice() else { panic!("{id}: {found:?}") };
        assert_eq!(reference, "gitlab-org/gitlab-foss!27117");
        assert_eq!(evidence[0]["where"], place, "{id}");
        if place == "comment" {
            let url = evidence[0]["url"].as_str().expect("the address of the comment");
            assert!(url.ends_with("27117#note_158395800"), "{url}");
        }
    }
}
