//! Fields, shape by shape.

use super::*;

fn read(markdown: &str) -> Vec<String> {
    let fields = Fields::new(&Fields::default_names()).read(markdown);
    for field in &fields {
        assert!(markdown.get(field.span.clone()).is_some_and(|v| !v.is_empty()), "{markdown:?}");
    }
    fields.into_iter().map(|field| format!("{}={}", field.key, field.value)).collect()
}

#[test]
fn every_shape_of_a_field_is_read() {
    let cases: [(&str, &[&str]); 44] = [
        ("Service: webshop", &["service=webshop"]),
        ("intro\n\nService: webshop\nTeam: platform", &["service=webshop", "team=platform"]),
        ("**Service:** webshop", &["service=webshop"]),
        ("**Service**: webshop", &["service=webshop"]),
        ("- Service: webshop\n- Severity: 2", &["service=webshop", "severity=2"]),
        ("* **Affected service(s):** `webshop`", &["service=webshop"]),
        (
            "- Services:\n  - webshop\n  - basket\n- Team: a",
            &["service=webshop", "service=basket", "team=a"],
        ),
        ("- Services:\n    - webshop\n", &["service=webshop"]),
        ("Services:\n- webshop\n- basket", &["service=webshop", "service=basket"]),
        ("**Services:**\n\n- webshop\n", &["service=webshop"]),
        ("**Service:**\n\nwebshop\n", &["service=webshop"]),
        ("**Service**\n\nwebshop\n", &["service=webshop"]),
        ("Service:\nwebshop", &["service=webshop"]),
        ("## Affected service\n\nwebshop\n\n## Impact\n\nhigh", &["service=webshop"]),
        ("## Affected service:\nwebshop", &["service=webshop"]),
        ("## :fire: Severity\n\ncritical", &["severity=critical"]),
        ("## 🔥 Severity\n\ncritical", &["severity=critical"]),
        ("## Severity 🔥:\n\ncritical", &["severity=critical"]),
        (
            "### Services ###\n- webshop\n- basket\n\nmore text",
            &["service=webshop", "service=basket"],
        ),
        ("## Services\n- webshop\n\n- basket", &["service=webshop", "service=basket"]),
        ("## Service\n\n<!-- name it -->\nwebshop", &["service=webshop"]),
        ("## Service\n\n_name the service_\n\nwebshop", &["service=webshop"]),
        ("## Service\n\n(which one?)\nwebshop", &["service=webshop"]),
        ("## Environment (optional)\nstaging", &["environment=staging"]),
        ("| Service | webshop |", &["service=webshop"]),
        (
            "| Field | Value |\n|---|---|\n| Service | `webshop` |\n| Team | platform |",
            &["service=webshop", "team=platform"],
        ),
        (
            "| Service | webshop |\n|---|---|\n| Team | platform |",
            &["service=webshop", "team=platform"],
        ),
        (
            "| Service | Impact |\n|---|---|\n| webshop | high |\n| basket | low |",
            &["service=webshop", "service=basket"],
        ),
        (
            "| Service | Team |\n| --- | :-: |\n| webshop | platform |",
            &["service=webshop", "team=platform"],
        ),
        ("| **Service** | webshop | note |", &["service=webshop"]),
        (
            "## Affected services\n- [x] webshop\n- [ ] basket\n- [X] search",
            &["service=webshop", "service=search"],
        ),
        ("- Severity:\n  - [ ] high\n  - [x] low", &["severity=low"]),
        ("**Severity**\n- [ ] high\n- [x] low", &["severity=low"]),
        (
            "---\nservice: webshop\nteams: [a, b]\n---\nText",
            &["service=webshop", "team=a", "team=b"],
        ),
        ("fix it\n\nService: webshop\nSigned-off-by: A", &["service=webshop"]),
        (
            "Service: `webshop`, `basket` and [search](https://x.y/z)",
            &["service=webshop", "service=basket", "service=search"],
        ),
        ("Service: webshop<br>Team: platform", &["service=webshop", "team=platform"]),
        ("**Service:** webshop, **Team:** platform", &["service=webshop", "team=platform"]),
        ("**Service:** webshop **Team**: platform", &["service=webshop", "team=platform"]),
        (
            "Service: ~\"service::webshop\"\r\nTeam: @acme/platform\r\n",
            &["service=webshop", "team=acme/platform"],
        ),
        ("Service: webshop <!-- the name -->", &["service=webshop"]),
        ("Owning team: platform\nSquad: b", &["team=platform", "team=b"]),
        ("App: shop\nProduct: shop", &["service=shop"]),
        ("Priority: P1", &["priority=P1"]),
    ];
    for (markdown, expected) in cases {
        assert_eq!(read(markdown), expected, "{markdown:?}");
    }
}

#[test]
fn what_is_not_filled_gives_no_field() {
    let cases = [
        "",
        "Service:",
        "Service:\n\nThe text goes on here",
        "Service:\nTeam:\n",
        "- Service:\n- Team:",
        "- Service:\n\n  Team is unknown",
        "**Service:**\n**Team:**",
        "## Service\n\n## Team\n",
        "## Service\n<!-- webshop -->\n## Team\n",
        "<!--\nService: webshop\n-->",
        "```yaml\nservice: webshop\n```",
        "text\n\n    Service: webshop\n",
        "`Service: webshop`",
        "Note: the service is down",
        "Service: the whole checkout is down since we deployed",
        "> Service: webshop",
        "## Service\n\nWe do not know which one it is.\n",
        "## Service\n- [ ] webshop\n- [ ] basket",
        "- [ ] Service: webshop",
        "| Service | |",
        "| Service | Team |\n|---|---|",
        "| Service | Team |",
        "Severity: critical / high / medium / low",
        "## Severity\n- critical\n- high\n- low",
        "service::webshop",
        "---\nnested:\n  service: webshop\n---\n",
        "## Environment\n- Browser: Firefox\n- OS: Linux",
        "see Service: webshop",
    ];
    for markdown in cases {
        assert_eq!(read(markdown), [""; 0], "{markdown:?}");
    }
}

#[test]
fn answer_of_none_is_told_apart_from_a_gap() {
    let fields = Fields::new(&Fields::default_names());
    for (markdown, expected) in
        [("Service: none", 1), ("## Service\n\nN/A\n", 1), ("Service:", 0), ("Service: web", 0)]
    {
        assert_eq!(fields.read_none(markdown).len(), expected, "{markdown:?}");
    }
    assert_eq!(fields.read("Service: none\nTeam: N/A"), []);
}

#[test]
fn incident_made_from_an_alert_names_its_service() {
    let text = "**Start time:** 22 November 2026, 9:05AM (UTC)  \n**Severity:** critical  \n\
                **full_query:** `up{job=\"Team: x\"} == 0`  \n**Service:** checkout-api  \n\
                **Monitoring tool:** Prometheus  \n**Hosts:** web-1 web-2  \n\
                **GitLab alert:** https://gitlab.acme.example/acme/web/-/alert_management/3/details\n\n\
                ---\n\n## Impact\n\n<!-- who? -->\n";
    assert_eq!(read(text), ["severity=critical", "service=checkout-api"]);
}

#[test]
fn evidence_is_the_line_with_its_name() {
    let fields = Fields::new(&Fields::default_names());
    let texts =
        |markdown: &str| fields.read(markdown).into_iter().map(|f| f.text).collect::<Vec<_>>();
    assert_eq!(texts("a\n- **Service:**  webshop \nb"), ["- **Service:** webshop"]);
    assert_eq!(texts("## Affected service\n\nwebshop\n"), ["## Affected service webshop"]);
    let names: Vec<_> =
        fields.read("**Affected Service(s):** a").into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["Affected Service(s)"]);
}

#[test]
fn own_names_replace_the_defaults() {
    let names = BTreeMap::from([("Betroffener Dienst".to_owned(), "service".to_owned())]);
    let fields = Fields::new(&names).read("Betroffener Dienst: webshop\nService: basket");
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].value, "webshop");
}
