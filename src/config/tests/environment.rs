//! What variables and short forms do, alone and over a file.

use super::*;

#[test]
fn without_any_token_a_source_is_public_unless_it_says_otherwise() {
    let default = TokenSource::Env("GITLAB_TOKEN".to_owned());
    let auth = |text: &str, token: &str| {
        load_in(text, [("GITLAB_TOKEN", token)]).unwrap().sources[0].auth.clone()
    };
    assert_eq!(auth(SOURCE, ""), Auth::None);
    assert_eq!(auth(SOURCE, "glpat-x"), Auth::PrivateToken(default.clone()));
    let bearer = format!("{SOURCE}auth = \"bearer\"");
    assert_eq!(auth(&bearer, ""), Auth::Bearer(default.clone()));
    assert_eq!(auth(&format!("{SOURCE}auth = \"none\""), "glpat-x"), Auth::None);
}

#[test]
fn the_short_form_of_the_second_token_counts_beside_the_first_but_not_in_a_job() {
    let variables = [("GITLAB_TOKEN", "glpat-x"), ("GITLAB_FALLBACK_TOKEN", "glpat-y")];
    let source = load_in(SOURCE, variables).unwrap().sources.remove(0);
    let second = TokenSource::Env("GITLAB_FALLBACK_TOKEN".to_owned());
    assert_eq!(source.fallback_token, Some(second));
    let job = format!("{SOURCE}auth = \"job-token\"");
    assert_eq!(load_in(&job, variables).unwrap().sources[0].fallback_token, None);
    let other = "[[gitlab]]\nname = \"other\"\nurl = \"https://code.example.org\"\n";
    let two = load_in(&format!("{SOURCE}{other}"), variables).unwrap();
    assert!(two.sources.iter().all(|source| source.fallback_token.is_none()));
    let text = format!("{SOURCE}{other}fallback_token = {{ env = \"B\" }}");
    expect_problem(&text, &["gitlab[1].token", "missing"]);
}

#[test]
fn the_short_token_is_never_sent_to_one_of_several_sources() {
    let other = "[[gitlab]]\nname = \"other\"\nurl = \"https://code.example.org\"\n";
    let config = load_in(
        &format!("{SOURCE}{other}"),
        [
            ("GITLAB_TOKEN", "glpat-x"),
            ("GITLAB_GROUPS", "shop"),
            ("GITLAB_URL", "https://x.example"),
        ],
    )
    .unwrap();
    assert!(config.sources.iter().all(|source| source.auth == Auth::None && source.is_rootless()));
    expect_problem(
        &format!("{SOURCE}{other}auth = \"bearer\""),
        &["gitlab[1].token", "missing", "auth = \"none\""],
    );
}

#[test]
fn the_short_forms_alone_make_a_source() {
    let config = load_environment([
        ("GITLAB_URL", "https://gitlab.example.com/"),
        ("GITLAB_TOKEN", "glpat-secret"),
        ("GITLAB_GROUPS", "shop, platform/tools ,"),
        ("GITLAB_PROJECTS", "a/b"),
    ])
    .unwrap();
    let source = &config.require_sources().unwrap()[0];
    assert_eq!(source.name, "main");
    assert_eq!(source.url.as_str(), "https://gitlab.example.com/");
    assert_eq!(source.groups, ["shop", "platform/tools"]);
    assert_eq!(source.projects, ["a/b"]);
    assert_eq!(source.auth, Auth::PrivateToken(TokenSource::Env("GITLAB_TOKEN".to_owned())));
    assert!(source.comments && !source.archived);
    assert!(source.origins.iter().any(|origin| origin.contains("GITLAB_URL")));
    let public =
        load_environment([("GITLAB_URL", "https://gitlab.com"), ("GITLAB_GROUPS", "shop")])
            .unwrap();
    assert_eq!(public.sources[0].auth, Auth::None);
}

#[test]
fn the_short_forms_fill_only_what_a_source_lacks() {
    let config = load_in(
        &format!("{SOURCE}groups = [\"shop\"]\ntoken = {{ env = \"SHOP_TOKEN\" }}"),
        [
            ("GITLAB_URL", "https://other.example.com"),
            ("GITLAB_TOKEN", "glpat-x"),
            ("GITLAB_GROUPS", "other"),
            ("GITLAB_PROJECTS", "tools/cli"),
        ],
    )
    .unwrap();
    let source = &config.sources[0];
    assert_eq!(source.url.as_str(), "https://gitlab.example.com/");
    assert_eq!(source.groups, ["shop"]);
    assert_eq!(source.projects, ["tools/cli"]);
    assert_eq!(source.auth.token(), Some(&TokenSource::Env("SHOP_TOKEN".to_owned())));
}

#[test]
fn short_forms_without_an_address_are_mentioned_when_a_source_is_needed() {
    let config =
        load_environment([("GITLAB_GROUPS", "shop"), ("GITLAB_TOKEN", "glpat-secret")]).unwrap();
    let error = config.require_sources().unwrap_err();
    assert!(error.to_string().contains("GITLAB_GROUPS and GITLAB_TOKEN"), "{error}");
    assert!(!shown(&error).contains("glpat"));
}

#[test]
fn a_wrong_short_form_is_named() {
    let error = load_environment([("GITLAB_URL", "gitlab.example.com")]).unwrap_err();
    assert!(error.to_string().contains("environment variable GITLAB_URL"), "{error}");
}

#[test]
fn a_ci_job_knows_its_gitlab_its_token_and_its_project() {
    let job = "[[gitlab]]\nauth = \"job-token\"\n";
    let variables = [
        ("CI_API_V4_URL", "https://gitlab.example.com/base/api/v4"),
        ("CI_SERVER_URL", "https://ignored.example.com"),
        ("CI_JOB_TOKEN", "glcbt-secret"),
        ("CI_PROJECT_PATH", "shop/webshop"),
        ("GITLAB_TOKEN", "glpat-secret"),
    ];
    let source = load_in(job, variables).unwrap().sources.remove(0);
    assert_eq!(source.name, "main");
    assert_eq!(source.url.as_str(), "https://gitlab.example.com/base");
    assert_eq!(source.projects, ["shop/webshop"]);
    assert_eq!(source.auth, Auth::JobToken(TokenSource::Env("CI_JOB_TOKEN".to_owned())));

    let source =
        load_in(&format!("{job}groups = [\"shop\"]\nurl = \"https://own.example.com\""), variables)
            .unwrap()
            .sources
            .remove(0);
    assert_eq!(source.url.as_str(), "https://own.example.com/");
    assert_eq!((source.groups, source.projects), (vec!["shop".to_owned()], vec![]));

    let server = [("CI_SERVER_URL", "https://gitlab.example.com")];
    let source = load_in(job, server).unwrap().sources.remove(0);
    assert_eq!(source.auth.token(), Some(&TokenSource::Env("CI_JOB_TOKEN".to_owned())));
    // Without `auth`, a job's variables do not count.
    let error = load_in("[[gitlab]]\n", variables).unwrap_err();
    assert!(error.to_string().contains("gitlab[0].url"), "{error}");
}

#[test]
fn variables_win_over_the_file_and_are_read_by_type() {
    let config = load_in(
        &format!(
            "{SOURCE}share = 0.5\nconcurrency = 4\ngroups = [\"shop\"]\ntoken = {{ file = \"a\" }}"
        ),
        [
            ("XREFD__SERVER__LISTEN", "127.0.0.1:9000"),
            ("XREFD__GITLAB__0__SHARE", "0.25"),
            ("XREFD__GITLAB__0__CONCURRENCY", "2"),
            ("XREFD__GITLAB__0__ARCHIVED", "TRUE"),
            ("XREFD__GITLAB__0__GROUPS", "a, b"),
            ("XREFD__GITLAB__0__PROJECTS", "[\"c/d\"]"),
            ("XREFD__GITLAB__0__TOKEN__ENV", "OTHER_TOKEN"),
            ("XREFD__GITLAB__1__NAME", "second"),
            ("XREFD__GITLAB__1__URL", "https://second.example.com"),
            ("XREFD__RULES__PREFIXES__JIRA", "WEB,OPS"),
            ("XREFD__RULES__LABEL__0__PATTERN", "^svc/(?<value>[a-z]+)$"),
            ("XREFD__RULES__LABEL__0__KEY", "service"),
            ("XREFD__ALIASES__SERVICE", "{ webshop = [\"web-shop\"] }"),
            ("XREFD_API_KEY", "xrefd_secret"),
            ("XREFD_LOG", "debug"),
        ],
    )
    .unwrap();
    let source = &config.sources[0];
    assert_eq!(config.server.listen.port(), 9000);
    assert!((source.share - 0.25).abs() < f64::EPSILON);
    assert_eq!(source.concurrency, 2);
    assert!(source.archived);
    assert_eq!(source.groups, ["a", "b"]);
    assert_eq!(source.projects, ["c/d"]);
    assert_eq!(source.auth.token(), Some(&TokenSource::Env("OTHER_TOKEN".to_owned())));
    assert_eq!(config.sources[1].name, "second");
    assert_eq!(config.rules.prefixes["jira"], ["WEB", "OPS"]);
    assert_eq!(config.rules.labels[0].key, "service");
    assert_eq!(config.aliases.0["service"]["webshop"], ["web-shop"]);
}

#[test]
fn more_than_ten_entries_of_a_list_can_be_set_by_variables() {
    let variables: Vec<(String, String)> = (0..12)
        .flat_map(|number| {
            [
                (format!("XREFD__RULES__OWNER__{number}__OWNER"), format!("@owner-{number}")),
                (format!("XREFD__RULES__OWNER__{number}__TEAM"), "platform".to_owned()),
            ]
        })
        .collect();
    let environment: Environment = variables.into_iter().collect();
    let config = Config::build(None, &environment).unwrap().config;
    let owners: Vec<&str> = config.rules.owners.iter().map(|rule| rule.owner.as_str()).collect();
    assert_eq!(owners.len(), 12);
    assert_eq!((owners[2], owners[11]), ("@owner-2", "@owner-11"));
}

#[test]
fn a_wrong_variable_is_named_with_what_to_write_instead() {
    for (name, value, words) in [
        ("XREFD__SERVER__LISTN", "x", ["server.listn", "mean `listen`"]),
        ("XREFD__SRVER__LISTEN", "x", ["srver", "mean `server`"]),
        ("XREFD__SERVER", "x", ["server", "section"]),
        ("XREFD__SERVER__LISTEN__PORT", "1", ["server.listen", "section"]),
        ("XREFD__GITLAB__URL", "https://x.example", ["by number", "XREFD__GITLAB__0__URL"]),
        ("XREFD__GITLAB__5__URL", "https://x.example", ["1 entries", "XREFD__GITLAB__1__"]),
        ("XREFD__GITLAB__0__SHARE", "much", ["gitlab[0].share", "above 0"]),
        ("XREFD__GITLAB__0__ARCHIVED", "maybe", ["gitlab[0].archived", "true or false"]),
        ("XREFD__GITLAB__0__CONCURRENCY", "99", ["gitlab[0].concurrency", "from 1 to 64"]),
        ("XREFD__GITLAB", "[1]", ["gitlab[0]", "[[gitlab]]"]),
        ("XREFD__SCHEDULE__SYNC", "daily", ["schedule.sync", "six fields"]),
        ("XREFD____LISTEN", "x", ["empty", "XREFD__SECTION__KEY"]),
    ] {
        let error = load_in(SOURCE, [(name, value)]).unwrap_err();
        let text = error.to_string();
        for word in words.iter().chain(&[name]) {
            assert!(text.contains(word), "{name}: {word}: {text}");
        }
    }
    let error =
        load_in("[server]\nlisten = \"127.0.0.1:1\"", [("XREFD__SERVER__LISTEN__PORT", "1")])
            .unwrap_err();
    assert!(error.to_string().contains("nothing can stand below"), "{error}");
}
