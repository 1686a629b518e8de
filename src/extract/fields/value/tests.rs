//! What is a value and what is a gap.

use super::*;

fn names(value: &str, key: &str) -> Reading {
    read(value, key)
}

#[test]
fn names_are_read_without_decoration() {
    let cases: [(&str, &[&str]); 38] = [
        ("webshop", &["webshop"]),
        ("`webshop`", &["webshop"]),
        ("**webshop**", &["webshop"]),
        ("\"web shop\"", &["web shop"]),
        ("~\"service::webshop\"", &["webshop"]),
        ("~service::webshop", &["webshop"]),
        ("~webshop", &["webshop"]),
        ("~service::a ~\"service::b c\"", &["a", "b c"]),
        ("@acme/web @acme/api", &["acme/web", "acme/api"]),
        ("webshop, basket and", &["webshop", "basket"]),
        ("~\"group::search\"", &["group::search"]),
        ("@acme/platform", &["acme/platform"]),
        ("#team-web", &["team-web"]),
        ("[webshop](https://catalog.acme.example/webshop)", &["webshop"]),
        ("[`webshop`](https://x.y), [basket](/b)", &["webshop", "basket"]),
        ("webshop, basket", &["webshop", "basket"]),
        ("webshop; basket", &["webshop", "basket"]),
        ("webshop / basket", &["webshop", "basket"]),
        ("webshop and basket", &["webshop", "basket"]),
        ("webshop, basket, and search", &["webshop", "basket", "search"]),
        ("`a`, `b` and `c`", &["a", "b", "c"]),
        ("shop/webshop", &["shop/webshop"]),
        ("webshop (all regions, EU first)", &["webshop"]),
        ("webshop (prod), basket (staging)", &["webshop", "basket"]),
        ("webshop...", &["webshop"]),
        ("webshop \\", &["webshop"]),
        ("webshop, ", &["webshop"]),
        ("webshop, webshop", &["webshop"]),
        ("Web Shop", &["Web Shop"]),
        ("CI Runners", &["CI Runners"]),
        (":fire: webshop", &["webshop"]),
        ("🔥 webshop", &["webshop"]),
        ("my_service", &["my_service"]),
        ("webshop, TBD", &["webshop"]),
        ("Plan A", &["Plan A"]),
        ("P1 - urgent", &["P1 - urgent"]),
        ("Zahlungs-Dienst", &["Zahlungs-Dienst"]),
        ("決済", &["決済"]),
    ];
    for (value, expected) in cases {
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names(value, "service"), Reading::Names(expected), "{value}");
    }
}

#[test]
fn unfilled_values_are_no_names() {
    let values = [
        "",
        "   ",
        "(Which service is affected?)",
        "_name of the service_",
        "*name it here*",
        "> which service?",
        "<service>",
        "[SERVICE_NAME]",
        "#<channel>",
        "@<user>",
        "`<service>`",
        "...",
        "…",
        "TODO",
        "tbd",
        "FIXME",
        "XXX",
        "-",
        "--",
        "?",
        "???",
        "unknown",
        "NAME",
        "YYYY-MM-DD",
        "YYYY-MM-DD HH:MM",
        "%{first_commit}",
        "{{ service }}",
        "${{ values.name }}",
        "${SERVICE}",
        "e.g. webshop",
        "eg Stock browser",
        "Example: webshop",
        "for example webshop",
        "<a> / <b>",
        "production / staging / development",
        "a | b | c",
        "![shot](x.png)",
    ];
    for value in values {
        assert_eq!(names(value, "service"), Reading::Unfilled, "{value:?}");
    }
    for value in ["critical / high / medium / low", "1, 2, 3, 4", "S1 / S2", "high | low"] {
        assert_eq!(names(value, "severity"), Reading::Unfilled, "{value:?}");
    }
}

#[test]
fn nothing_is_an_answer() {
    for value in ["none", "None.", "N/A", "n/a", "`none`", "**N/A**", "not applicable"] {
        assert_eq!(names(value, "service"), Reading::Nothing, "{value:?}");
    }
}

#[test]
fn prose_holds_no_names() {
    let values = [
        "the checkout was slow, and the basket failed",
        "Please name the service",
        "which one is it",
        "We think that the webshop is affected",
        "https://acme.pagerduty.com/service-directory/PS0U7AJ",
        "the service that everybody uses for the checkout of goods",
        "Browser: Firefox",
        "Not working any more since we deployed. Look at the logs",
        "is it the webshop?",
    ];
    for value in values {
        assert_eq!(names(value, "service"), Reading::Prose, "{value:?}");
    }
    assert_eq!(names(&"x".repeat(61), "service"), Reading::Prose);
}
