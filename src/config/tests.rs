//! Tests of the whole: file, environment and short forms in, configuration or problems out.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::*;

mod environment;
mod rules;
mod shown;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config");

fn load_in<const N: usize>(text: &str, variables: [(&str, &str); N]) -> Result<Config, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xrefd.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &Environment::from(variables)).map(|loaded| loaded.config)
}

fn load(text: &str) -> Result<Config, Error> {
    load_in(text, [])
}

/// Reads no file, only the environment.
fn load_environment<const N: usize>(variables: [(&str, &str); N]) -> Result<Config, Error> {
    Config::build(None, &Environment::from(variables)).map(|loaded| loaded.config)
}

/// Returns all of an error that a person could come to see.
fn shown(error: &Error) -> String {
    let mut parts = vec![format!("{error}"), format!("{error:?}")];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        parts.push(error.to_string());
        source = error.source();
    }
    parts.join("\n")
}

/// Requires one problem whose line holds all the words.
fn expect_problem(text: &str, words: &[&str]) {
    let error = load(text).expect_err(text);
    assert_eq!(error.problems().len(), 1, "{text}\n{error}");
    for word in words.iter().chain(&["xrefd.toml"]) {
        assert!(error.to_string().contains(word), "{text}\n{word}: {error}");
    }
}

const SOURCE: &str = "[[gitlab]]\nname = \"main\"\nurl = \"https://gitlab.example.com\"\n";

#[test]
fn without_file_and_environment_the_defaults_count_and_no_source_is_there() {
    let config = load_environment([]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8420");
    assert_eq!(config.database.url(), "sqlite://xrefd.db");
    assert!(config.rules.defaults);
    let error = config.require_sources().unwrap_err().to_string();
    assert!(error.contains("GITLAB_URL") && error.contains("[[gitlab]]"), "{error}");
}

#[test]
fn a_file_that_was_named_must_exist_and_be_readable() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent.toml");
    let error = Config::load(Some(&absent), &Environment::default()).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }));
    assert!(error.to_string().contains("absent.toml"), "{error}");
    let error = Config::load(Some(directory.path()), &Environment::default()).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    let binary = directory.path().join("binary.toml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let error = Config::load(Some(&binary), &Environment::default()).unwrap_err();
    assert!(shown(&error).contains("UTF-8"), "{}", shown(&error));
}

#[test]
fn of_the_places_searched_the_first_that_exists_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (absent, first, second) = (path("0.toml"), path("1.toml"), path("2.toml"));
    std::fs::write(&first, "[server]\nlisten = \"127.0.0.1:1\"").unwrap();
    std::fs::write(&second, "[server]\nlisten = \"127.0.0.1:2\"").unwrap();
    let found = ConfigFile::find_first(&[&absent, &first, &second]).unwrap().unwrap();
    assert_eq!(found.path, Path::new(&first));
    assert!(ConfigFile::find_first(&[&absent]).unwrap().is_none());
}

#[test]
fn broken_toml_is_named_by_file_and_line_and_the_line_is_not_shown() {
    for (text, position) in [
        ("[server]\ntoken = glpat-secret\n", "line 2, column"),
        ("[server\nx = \"glpat-secret\"", "line 1, column"),
        ("a = 1\na = \"glpat-secret\"\n", "line 2, column"),
        ("a = \"glpat-secret\n", "line 1, column"),
        ("key = [1, 2\n", "line"),
    ] {
        let error = load(text).unwrap_err();
        assert!(matches!(error, Error::Syntax { .. }), "{error}");
        let shown = shown(&error);
        assert!(shown.contains("xrefd.toml, ") && shown.contains(position), "{shown}");
        assert!(!shown.contains("glpat"), "{shown}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_file_and_what_was_likely_meant() {
    expect_problem("[server]\nlisen = \"127.0.0.1:1\"", &["server.lisen", "mean `listen`"]);
    expect_problem("[servr]\n", &["servr", "mean `server`", "database"]);
    expect_problem("listen = \"127.0.0.1:1\"", &["`listen`", "unknown key"]);
    expect_problem(&format!("{SOURCE}group = [\"shop\"]"), &["gitlab[0].group", "mean `groups`"]);
    expect_problem(&format!("{SOURCE}token = {{ enf = \"X\", env = \"X\" }}"), &["token.enf"]);
    expect_problem("[schedule]\nsycn = \"\"", &["schedule.sycn", "mean `sync`"]);
    expect_problem("[rules]\nlables = []", &["rules.lables"]);
    expect_problem("[rules.sentry]\nproject = []", &["rules.sentry.project", "projects"]);
    expect_problem("[rules.hosts]\njria = []", &["rules.hosts.jria", "mean `jira`"]);
    expect_problem("[rules.hosts]\ntrac = []", &["rules.hosts.trac", "statuspage"]);
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_file() {
    for (line, key) in [
        ("concurrency = \"8\"", "concurrency"),
        ("concurrency = 1.5", "concurrency"),
        ("archived = \"yes\"", "archived"),
        ("comments = 1", "comments"),
        ("share = \"half\"", "share"),
        ("groups = \"shop\"", "groups"),
        ("projects = [1]", "projects"),
        ("exclude = true", "exclude"),
        ("transport = 1", "transport"),
        ("token = 1", "token"),
    ] {
        expect_problem(&format!("{SOURCE}{line}"), &[&format!("gitlab[0].{key}"), "must be"]);
    }
    expect_problem("server = 1", &["`server`", "section"]);
    expect_problem("[gitlab]\nurl = \"https://gitlab.example.com\"", &["[[gitlab]]"]);
    expect_problem("gitlab = [1]", &["gitlab[0]", "[[gitlab]]"]);
    expect_problem("aliases = 1", &["`aliases`", "section"]);
}

#[test]
fn a_value_out_of_range_is_named_with_its_bounds() {
    for (line, words) in [
        ("share = 0", ["share", "above 0"]),
        ("share = 0.0", ["share", "above 0"]),
        ("share = 1.01", ["share", "at most 1"]),
        ("share = -1", ["share", "it is -1"]),
        ("share = nan", ["share", "above 0"]),
        ("concurrency = 0", ["concurrency", "from 1 to 64"]),
        ("concurrency = 65", ["concurrency", "it is 65"]),
        ("concurrency = -1", ["concurrency", "from 1 to 64"]),
        ("requests_per_minute = 0", ["requests_per_minute", "from 1"]),
        ("requests_per_minute = 99999999999", ["requests_per_minute", "from 1"]),
        ("auth = \"privat-token\"", ["auth", "mean `private-token`"]),
        ("transport = \"graphql\"", ["transport", "auto, rest"]),
        ("groups = [\"https://gitlab.example.com/shop\"]", ["groups", "shop/webshop"]),
        ("exclude = [\"\"]", ["exclude", "empty"]),
    ] {
        expect_problem(&format!("{SOURCE}{line}"), &words);
    }
    for (line, share) in [("share = 1", 1.0), ("share = 0.001", 0.001)] {
        let config = load(&format!("{SOURCE}{line}")).unwrap();
        assert!((config.sources[0].share - share).abs() < f64::EPSILON);
    }
}

#[test]
fn several_problems_are_reported_together_each_once() {
    let error = load(
        "colour = 1\n[server]\nlisten = \"here\"\n[[gitlab]]\nname = \"a\"\nshare = 2\n\
         archived = 0\nfoo = 1\n[[rules.label]]\nkey = \"service\"\npattern = \"(\"\n",
    )
    .unwrap_err();
    let mut keys: Vec<&str> = error.problems().iter().map(|problem| problem.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "colour",
            "gitlab[0].archived",
            "gitlab[0].foo",
            "gitlab[0].share",
            "gitlab[0].url",
            "rules.label[0].pattern",
            "server.listen"
        ]
    );
    assert!(error.to_string().contains("7 problems"), "{error}");
}

#[test]
fn an_address_for_others_needs_an_api_key() {
    for listen in ["0.0.0.0:8420", "[::]:8420", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
        let text = format!("[server]\nlisten = \"{listen}\"\n");
        expect_problem(&text, &["server.listen", "xrefd key new NAME", listen]);
        let keys = format!("{text}{}", NewKey::generate().to_toml("tooljump"));
        assert!(load(&keys).is_ok(), "{listen}");
    }
    for listen in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:8420", "localhost:8420"] {
        assert!(load(&format!("[server]\nlisten = \"{listen}\"\n")).is_ok(), "{listen}");
    }
    for listen in ["8420", ":8420", "127.0.0.1", "gitlab.example.com:80", "127.0.0.1:99999", ""] {
        expect_problem(&format!("[server]\nlisten = \"{listen}\"\n"), &["IP address and a port"]);
    }
}

#[test]
fn sources_have_a_url_and_names_of_their_own() {
    expect_problem("[[gitlab]]\nname = \"main\"", &["gitlab[0].url", "missing", "GITLAB_URL"]);
    expect_problem(&format!("{SOURCE}{SOURCE}"), &["gitlab[1].name", "main", "differ"]);
    let unnamed = "[[gitlab]]\nurl = \"https://gitlab.example.com\"\n";
    assert_eq!(load(unnamed).unwrap().sources[0].name, "main");
    expect_problem(&format!("{SOURCE}{unnamed}"), &["gitlab[1].name", "missing"]);
    expect_problem(&unnamed.replace("https://", ""), &["gitlab[0].url", "absolute"]);
    expect_problem(&format!("{unnamed}name = \"a b\""), &["gitlab[0].name"]);
}

#[test]
fn wrong_schedules_are_refused_by_name() {
    expect_problem("[schedule]\nsync = \"*/5 * * * *\"", &["schedule.sync", "5 fields"]);
    expect_problem("[schedule]\nfiles = \"0 0 3 * * 1\"", &["schedule.files", "MON-FRI"]);
    expect_problem("[schedule]\nreconcile = \"0 0 25 * * *\"", &["schedule.reconcile"]);
}

#[test]
fn api_keys_are_checked_and_found() {
    let new = NewKey::generate();
    let text = new.to_toml("tool\"jump");
    let config = load(&text).unwrap();
    let key = config.api_keys.find(&new.secret).unwrap();
    assert_eq!(key.name, "tool\"jump");
    assert!(key.has(Scope::Read) && !key.has(Scope::Confidential));
    assert_eq!(key.groups, None);
    assert!(config.api_keys.find(&SecretString::from("xrefd_other")).is_none());
    let limited = load(&format!("{text}groups = [\"/shop/\"]")).unwrap();
    assert_eq!(limited.api_keys.iter().next().unwrap().groups, Some(vec!["shop".to_owned()]));

    let scoped = text.replace("[\"read\"]", "[\"write\"]");
    expect_problem(&scoped, &["api_keys[0].scopes", "read, confidential, sync"]);
    expect_problem(&text.replace("[\"read\"]", "[]"), &["api_keys[0].scopes", "no scope"]);
    expect_problem(&format!("{text}groups = []"), &["api_keys[0].groups", "no group"]);
    expect_problem(&text.replace(&new.sha256(), "abc"), &["api_keys[0].sha256", "64"]);
    expect_problem("[[api_keys]]\nname = \"a\"", &["api_keys[0].sha256", "xrefd key new"]);
    expect_problem(&format!("{text}{text}"), &["api_keys[1].name", "taken"]);
    let twice = format!("{text}{}", text.replace("jump", "jump2"));
    expect_problem(&twice, &["api_keys[1].sha256", "already"]);
}

#[test]
fn a_token_written_as_text_is_refused_and_explained_and_not_shown() {
    for line in [
        "token = \"glpat-secret\"",
        "token = [\"glpat-secret\"]",
        "token = { value = \"glpat-secret\" }",
        "token = { env = \"glpat-secret\" }",
        "token = { env = [\"glpat-secret\"] }",
        "token = { command = \"glpat-secret\" }",
        "auth = \"glpat-secret\"",
        "archived = \"glpat-secret\"",
        "groups = \"glpat-secret\"",
        "private_token = \"glpat-secret\"",
        "fallback_token = \"glpat-secret\"",
        "fallback_token = { env = \"glpat-secret\" }",
    ] {
        let error = load(&format!("{SOURCE}{line}")).unwrap_err();
        assert!(!shown(&error).contains("glpat"), "{}", shown(&error));
    }
    expect_problem(
        &format!("{SOURCE}token = \"glpat-secret\""),
        &["gitlab[0].token", "{ env = \"GITLAB_TOKEN\" }"],
    );
    let error = load_environment([
        ("XREFD__GITLAB__0__URL", "https://gitlab.example.com"),
        ("XREFD__GITLAB__0__TOKEN", "glpat-secret"),
    ])
    .unwrap_err();
    assert!(error.to_string().contains("XREFD__GITLAB__0__TOKEN"), "{error}");
    assert!(!shown(&error).contains("glpat"), "{}", shown(&error));
}

#[test]
fn a_second_token_has_a_place_of_its_own_beside_the_first() {
    let first = "token = { env = \"A\" }\n";
    let fallback = |text: &str| load(&format!("{SOURCE}{text}")).unwrap().sources.remove(0);
    let source = fallback(&format!("{first}fallback_token = {{ file = \"b\" }}"));
    assert_eq!(source.fallback_token, Some(TokenSource::File("b".into())));
    assert_eq!(source.auth, Auth::PrivateToken(TokenSource::Env("A".to_owned())));
    // The first is where it always is when nobody says.
    let source = fallback("fallback_token = { file = \"b\" }");
    assert_eq!(source.auth, Auth::PrivateToken(TokenSource::Env("GITLAB_TOKEN".to_owned())));
    assert_eq!(fallback(first).fallback_token, None);
    // Public data needs neither.
    let source = fallback("auth = \"none\"\nfallback_token = { file = \"b\" }");
    assert_eq!((source.auth, source.fallback_token), (Auth::None, None));
    for (text, says) in [
        (format!("{first}fallback_token = {{ env = \"A\" }}"), "names already"),
        (format!("{first}fallback_token = {{}}"), "exactly one"),
        (format!("{first}fallback_tokens = {{ env = \"B\" }}"), "fallback_token"),
    ] {
        expect_problem(&format!("{SOURCE}{text}"), &["gitlab[0].fallback_token", says]);
    }
}

#[test]
fn a_token_has_exactly_one_place() {
    for token in ["{}", "{ env = \"A\", file = \"b\" }"] {
        expect_problem(&format!("{SOURCE}token = {token}"), &["gitlab[0].token", "exactly one"]);
    }
    for command in ["[]", "[\"\"]"] {
        let token = format!("{SOURCE}token = {{ command = {command} }}");
        expect_problem(&token, &["gitlab[0].token.command", "begins with a program"]);
    }
    let config = load(&format!("{SOURCE}token = {{ command = [\"vault\", \"read\"] }}")).unwrap();
    assert_eq!(
        config.sources[0].auth,
        Auth::PrivateToken(TokenSource::Command {
            program: "vault".to_owned(),
            arguments: vec!["read".to_owned()],
        })
    );
}
