//! Anything a person may paste, to what it is and whose it is.

use super::*;
use crate::lookup::Error;

const PROJECT: &str = "gitlab_project shop/webshop";
const MERGE_REQUEST: &str = "gitlab_merge_request shop/webshop!42";

#[tokio::test]
async fn addresses_of_gitlab_lead_to_their_project_and_item() {
    let shop = Shop::new().await;
    let base = "https://gitlab.example.com:8443/gitlab";
    let project = || short(PROJECT, &["webshop"], &["main:shop/webshop"], &[]);
    let issue = || {
        let id = "gitlab_issue shop/webshop#12";
        short(id, &["webshop"], &["main:shop/webshop"], &["shop/webshop#12"])
    };
    let request =
        || short(MERGE_REQUEST, &["webshop"], &["main:shop/webshop"], &["shop/webshop!42"]);
    let cases = [
        ("/shop/webshop", project()),
        ("/shop/webshop/", project()),
        ("/shop/webshop.git", project()),
        ("/SHOP/WebShop", project()),
        ("/shop/webshop/-/tree/main/src/issues/12", project()),
        ("/shop/webshop/-/pipelines/900", project()),
        ("/shop/webshop/-/issues/999", project()),
        ("/shop%2Fwebshop", project()),
        ("/shop/webshop/-/issues/12", issue()),
        ("/shop/webshop/issues/12", issue()),
        ("/shop/webshop/-/issues/incident/12#note_77", issue()),
        ("/shop/webshop/-/work_items/12?foo=bar", issue()),
        ("/shop/webshop/-/merge_requests/42", request()),
        ("/shop/webshop/-/merge_requests/42/diffs?tab=1#x", request()),
        // The path before the rename.
        ("/store/front", project()),
        ("/store/front/-/issues/12", issue()),
        ("/Store/Front/-/merge_requests/42", request()),
    ];
    for (path, expected) in cases {
        let url = format!("{base}{path}");
        assert_eq!(shop.resolve(Input::Url(url.clone()), &all()).await, expected, "{url}");
        assert_eq!(shop.resolve(text(&format!("  {url}\n")), &all()).await, expected, "{url}");
    }
}

#[tokio::test]
async fn the_host_and_its_port_say_which_gitlab_is_meant() {
    let shop = Shop::new().await;
    let mirrored = short(PROJECT, &["mirrored"], &["mirror:shop/webshop"], &[]);
    let cases = [
        ("https://git.example.org/shop/webshop", Some(mirrored)),
        ("https://gitlab.example.com:9999/gitlab/shop/webshop", None),
        ("https://gitlab.example.com/gitlab/shop/webshop", None),
        ("https://elsewhere.example.net/shop/webshop", None),
        ("https://git.example.org/shop/checkout", None),
    ];
    for (url, expected) in cases {
        let found = shop.resolve(Input::Url(url.to_owned()), &all()).await;
        match expected {
            Some(expected) => assert_eq!(found, expected, "{url}"),
            None => assert_eq!((found.projects.len(), found.services.len()), (0, 0), "{url}"),
        }
    }
}

#[tokio::test]
async fn a_repository_is_found_by_every_form_of_its_address() {
    let shop = Shop::new().await;
    let expected =
        short("gitlab_project shop/checkout", &["checkout"], &["main:shop/checkout"], &[]);
    for repository in [
        "shop/checkout",
        "shop/checkout.git",
        "git@gitlab.example.com:shop/checkout.git",
        "ssh://git@gitlab.example.com:2222/shop/checkout.git",
        "https://gitlab.example.com:8443/gitlab/shop/checkout.git",
        "https://gitlab-ci-token:x@gitlab.example.com:8443/gitlab/shop/checkout.git",
    ] {
        let found = shop.resolve(Input::Repository(repository.to_owned()), &all()).await;
        assert_eq!(found, expected, "{repository}");
        assert_eq!(shop.resolve(text(repository), &all()).await, expected, "{repository}");
    }
    let absent = shop.resolve(Input::Repository("shop/absent".to_owned()), &all()).await;
    assert_eq!(absent, short("unknown", &[], &[], &[]));
}

#[tokio::test]
async fn the_host_of_a_repository_says_which_gitlab_is_meant() {
    let shop = Shop::new().await;
    let cases = [
        ("git@git.example.org:shop/webshop.git", "mirror:shop/webshop"),
        ("ssh://git@git.example.org:2222/shop/webshop.git", "mirror:shop/webshop"),
        ("https://git.example.org/shop/webshop.git", "mirror:shop/webshop"),
        ("git@gitlab.example.com:shop/webshop.git", "main:shop/webshop"),
        ("ssh://git@gitlab.example.com/shop/webshop.git", "main:shop/webshop"),
        // Mirrored elsewhere, under the same path.
        ("git@github.com:shop/webshop.git", "main:shop/webshop"),
        ("shop/webshop", "main:shop/webshop"),
    ];
    for (repository, expected) in cases {
        let found = shop.resolve(Input::Repository(repository.to_owned()), &all()).await;
        assert_eq!(found.projects, [expected], "{repository}");
    }
}

#[tokio::test]
async fn an_item_is_found_by_its_short_reference() {
    let shop = Shop::new().await;
    let cases = [
        ("shop/webshop!42", MERGE_REQUEST, "shop/webshop!42"),
        ("shop/webshop#12", "gitlab_issue shop/webshop#12", "shop/webshop#12"),
        ("store/front#12", "gitlab_issue shop/webshop#12", "shop/webshop#12"),
    ];
    for (reference, input, item) in cases {
        let found = shop.resolve(text(reference), &all()).await;
        assert_eq!(found.input, input, "{reference}");
        assert!(found.items.contains(&item.to_owned()), "{reference}: {found:?}");
        assert_eq!(found.services, ["webshop"], "{reference}");
    }
}

#[tokio::test]
async fn a_service_is_found_in_any_spelling_and_by_its_aliases() {
    let shop = Shop::new().await;
    let webshop = || short("service webshop", &["webshop"], &["main:shop/webshop"], &[]);
    for name in ["webshop", "Web-Shop", "WEB_SHOP", "shop-web", "Shop Web"] {
        assert_eq!(
            shop.resolve(Input::Service(name.to_owned()), &all()).await,
            webshop(),
            "{name}"
        );
        assert_eq!(shop.resolve(text(name), &all()).await, webshop(), "{name}");
    }
}

#[tokio::test]
async fn an_ambiguous_alias_is_answered_with_all_that_it_stands_for() {
    let shop = Shop::new().await;
    for input in [Input::Service("cart".to_owned()), text("Cart")] {
        let found = shop.resolve(input, &all()).await;
        assert_eq!(found.services, ["checkout", "webshop"]);
        assert_eq!(found.projects, ["main:shop/checkout", "main:shop/webshop"]);
    }
}

#[tokio::test]
async fn a_service_comes_with_its_resources_in_short() {
    let shop = Shop::new().await;
    let resolved = shop.lookup.resolve(text("shop-web"), &all()).await.unwrap();
    let service = &resolved.services[0];
    assert_eq!(
        (service.name.as_str(), service.teams.as_slice()),
        ("webshop", &["platform".to_owned()][..])
    );
    assert_eq!(service.aliases, ["shop-web", "cart"]);
    assert_eq!((service.counts.projects, service.counts.issues), (1, 2));
    assert_eq!((service.counts.merge_requests, service.counts.open_merge_requests), (1, 0));
    let issues: Vec<&str> =
        service.open_issues.iter().map(|item| item.reference.as_str()).collect();
    assert_eq!(issues, ["shop/webshop#13", "shop/webshop#12"]);
    assert!(service.open_merge_requests.is_empty());
    let owners: Vec<&str> = service.owners.iter().map(|owner| owner.name.as_str()).collect();
    assert_eq!(owners, ["@ann", "@shop/platform", "kim@acme.example"]);
    assert_eq!(service.pipelines[0].pipeline.status, "failed");
    assert_eq!(service.projects[0].path, "shop/webshop");
}

#[tokio::test]
async fn a_team_leads_to_its_projects_and_their_services() {
    let shop = Shop::new().await;
    for name in ["platform", "Platform", "infra"] {
        let found = shop.resolve(text(name), &all()).await;
        assert_eq!(found.input, "team platform", "{name}");
        assert_eq!(found.projects, ["main:shop/checkout", "main:shop/webshop"], "{name}");
        assert_eq!(found.services, ["checkout", "webshop"], "{name}");
    }
}

#[tokio::test]
async fn a_mentioned_id_leads_to_the_items_that_mention_it_and_their_services() {
    let shop = Shop::new().await;
    let both = ["shop/checkout!43", "shop/webshop!42", "shop/webshop#12"];
    for id in ["WEB-12", "web-12", " WEB-12 ", "is WEB-12 done?"] {
        let found = shop.resolve(text(id), &public()).await;
        assert_eq!(found.input, "jira WEB-12", "{id}");
        assert_eq!(found.items, both, "{id}");
        // The one that most items name comes first.
        assert_eq!(found.services, ["webshop", "checkout"], "{id}");
    }
    for id in [INCIDENT, "Q285NZXJG65XDH", "q285nzxjg65xdh"] {
        let found = shop.resolve(text(id), &public()).await;
        assert_eq!(found.input, "pagerduty_incident Q285NZXJG65XDH", "{id}");
        assert_eq!(found.items, ["vault/safe#60", "shop/webshop#12"], "{id}");
        assert_eq!(found.services, ["safe", "webshop"], "{id}");
    }
}

#[tokio::test]
async fn a_service_found_by_a_mention_says_where_it_is_mentioned() {
    let shop = Shop::new().await;
    let resolved = shop.lookup.resolve(text("WEB-12"), &public()).await.unwrap();
    let webshop = &resolved.services[0];
    assert!(webshop.evidence.iter().all(|piece| piece.subject == "service:webshop"));
    let places: Vec<&str> = webshop.evidence.iter().map(|piece| piece.location.as_str()).collect();
    assert_eq!(places, ["title", "comment"]);
    let note = webshop.evidence[1].url.as_deref().unwrap();
    assert!(note.ends_with("#note_77"), "{note}");
}

#[tokio::test]
async fn a_cloud_resource_is_found_by_mention_and_by_its_name() {
    let shop = Shop::new().await;
    for input in [Input::Arn(ARN.to_owned()), text(ARN)] {
        let found = shop.resolve(input, &public()).await;
        assert!(found.input.starts_with("aws_"), "{found:?}");
        assert_eq!(found.items, ["ops/infra#50"]);
        assert!(found.services.is_empty(), "{found:?}");
    }
    // Nobody mentions this one, yet its name is a service's.
    let named = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web-shop";
    let resolved = shop.lookup.resolve(text(named), &public()).await.unwrap();
    assert_eq!(resolved.services.len(), 1);
    assert_eq!(resolved.services[0].name, "webshop");
    assert_eq!(resolved.services[0].evidence[0].via, "name");
    assert_eq!(resolved.services[0].evidence[0].text, "web-shop");
}

#[tokio::test]
async fn what_nobody_knows_is_unknown_and_nothing_is_a_mistake() {
    let shop = Shop::new().await;
    for unknown in ["nonsense", "no/such/project", "two words", "https://example.net/", "?", "é"] {
        let found = shop.resolve(text(unknown), &all()).await;
        assert_eq!(found, short("unknown", &[], &[], &[]), "{unknown}");
    }
    // An id that has a form is what it is, mentioned or not.
    let resolved = shop.lookup.resolve(text("CVE-2021-44228"), &all()).await.unwrap();
    assert_eq!(resolved.input.kind, "cve");
    assert!(!resolved.references[0].known);
    assert!(resolved.items.is_empty() && resolved.services.is_empty());
    for nothing in ["", "  \n"] {
        let error = shop.lookup.resolve(text(nothing), &all()).await.unwrap_err();
        assert!(matches!(error, Error::Question(_)), "{error:?}");
    }
}

#[tokio::test]
async fn confidential_issues_are_no_answer_for_those_who_may_not_see_them() {
    let shop = Shop::new().await;
    let url = "https://gitlab.example.com:8443/gitlab/shop/webshop/-/issues/13";
    assert_eq!(shop.resolve(text(url), &all()).await.items, ["shop/webshop#13"]);
    let hidden = shop.resolve(text(url), &public()).await;
    assert_eq!(hidden, short(PROJECT, &["webshop"], &["main:shop/webshop"], &[]));
    for secret in ["SEC-1", "SEC-3"] {
        assert_eq!(shop.resolve(text(secret), &all()).await.items.len(), 1, "{secret}");
        assert!(shop.resolve(text(secret), &public()).await.items.is_empty(), "{secret}");
    }
}

#[tokio::test]
async fn a_limited_viewer_is_told_nothing_of_other_groups() {
    let shop = Shop::new().await;
    let viewer = of_groups(&["shop"]);
    for hidden in [
        "https://gitlab.example.com:8443/gitlab/vault/safe",
        "https://gitlab.example.com:8443/gitlab/vault/safe/-/issues/60",
        "vault/safe",
        "vault/safe#60",
        "safe",
        "guards",
        "git@gitlab.example.com:vault/safe.git",
        "arn:aws:s3:::safe",
    ] {
        assert!(!shop.resolve(text(hidden), &all()).await.services.is_empty(), "{hidden}");
        let found = shop.resolve(text(hidden), &viewer).await;
        let empty =
            found.services.is_empty() && found.projects.is_empty() && found.items.is_empty();
        assert!(empty, "{hidden}: {found:?}");
    }
    let found = shop.resolve(text(INCIDENT), &viewer).await;
    assert_eq!(found.items, ["shop/webshop#12"]);
    assert_eq!(found.services, ["webshop"]);
    let resolved = shop.lookup.resolve(text("SEC-2"), &viewer).await.unwrap();
    assert!(resolved.references.iter().all(|reference| !reference.known), "{resolved:?}");
}

#[tokio::test]
async fn hostile_inputs_are_answered() {
    let shop = Shop::new().await;
    let long = "a/".repeat(20_000);
    for input in
        ["%", "' or 1=1 --", "\0", "http://", "https://%/", "a/b#", "!1/", "/", "//", &long]
    {
        for input in [
            text(input),
            Input::Url(input.to_owned()),
            Input::Repository(input.to_owned()),
            Input::Arn(input.to_owned()),
            Input::Service(input.to_owned()),
        ] {
            let found = shop.resolve(input, &all()).await;
            assert!(found.services.is_empty(), "{found:?}");
        }
    }
}
