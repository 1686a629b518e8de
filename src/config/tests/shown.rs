//! What is shown, and the files that are shipped.

use super::*;

#[test]
fn what_is_shown_holds_no_secret_and_says_where_a_source_came_from() {
    let new = NewKey::generate();
    let token = "{ command = [\"vault\", \"s.secret\"] }";
    let text = format!(
        "{SOURCE}groups = [\"shop\"]\ntoken = {token}\nfallback_token = {{ file = \"second\" }}\n{}",
        new.to_toml("tooljump")
    );
    let config =
        load_in(&text, [("XREFD__GITLAB__0__SHARE", "0.5"), ("OTHER", "glpat-secret")]).unwrap();
    let json = serde_json::to_string(&config).unwrap();
    let debug = format!("{:?}", config.api_keys);
    let toml = config.redacted();
    for shown in [&json, &toml, &debug] {
        assert!(!shown.contains("s.secret") && !shown.contains("glpat"), "{shown}");
        assert!(!shown.contains(new.secret.expose_secret()), "{shown}");
        assert!(!shown.contains(&new.sha256()), "{shown}");
        assert!(shown.contains(&new.sha256()[..8]), "{shown}");
    }
    assert!(toml.contains("xrefd.toml, environment variable XREFD__GITLAB__0__SHARE"), "{toml}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["gitlab"][0]["token"]["command"][0], "vault");
    assert_eq!(value["gitlab"][0]["fallback_token"]["file"], "second");
    assert!(toml.contains("fallback_token = { file = \"second\" }"), "{toml}");
    assert_eq!(value["server"]["listen"], "127.0.0.1:8420");
    let environment = Environment::from([("GITLAB_TOKEN", "glpat-secret")]);
    assert_eq!(format!("{environment:?}"), "{\"GITLAB_TOKEN\"}");
}

#[test]
fn what_is_shown_reads_back_as_the_same_configuration() {
    let text = std::fs::read_to_string(format!("{DIRECTORY}/examples/rules.toml")).unwrap();
    let config = load(&text).unwrap();
    let mut again = load(&config.redacted()).unwrap();
    for (source, original) in again.sources.iter_mut().zip(&config.sources) {
        source.origins.clone_from(&original.origins);
    }
    assert_eq!(again, config);
    assert!(!config.rules.labels.is_empty() && !config.aliases.0.is_empty());
}

#[test]
fn every_example_loads() {
    let directory = format!("{DIRECTORY}/examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let environment = Environment::from([
            ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
            ("CI_PROJECT_PATH", "shop/webshop"),
            ("CI_JOB_TOKEN", "glcbt-secret"),
        ]);
        let config = Config::load(Some(&path), &environment).unwrap().config;
        let sources = config.require_sources().unwrap();
        assert!(sources.iter().all(|source| !source.is_rootless()), "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        ["ci-job.toml", "minimal.toml", "public-group.toml", "rules.toml", "several-sources.toml"]
    );
}

#[test]
fn the_default_file_changes_nothing_and_its_lines_are_the_defaults() {
    let text = std::fs::read_to_string(format!("{DIRECTORY}/default.toml")).unwrap();
    assert_eq!(load(&text).unwrap(), Config::default());

    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest,
            _ => line,
        })
        .collect();
    let all = load(&uncommented.join("\n")).unwrap();
    let default = Config::default();
    assert_eq!(all.server, default.server);
    assert_eq!(all.database, default.database);
    assert_eq!(all.schedule, default.schedule);
    assert_eq!(all.rules.defaults, default.rules.defaults);
    assert_eq!(all.rules.sentry, default.rules.sentry);
    let [source] = all.sources.as_slice() else { panic!("one source: {:?}", all.sources) };
    let bare = "[[gitlab]]\nurl = \"https://gitlab.example.com\"";
    let mut expected = load_in(bare, [("GITLAB_TOKEN", "x"), ("GITLAB_FALLBACK_TOKEN", "y")])
        .unwrap()
        .sources
        .remove(0);
    expected.origins.clone_from(&source.origins);
    // An example: the file is there on no two machines.
    expected.ca_file = Some("/etc/ssl/corp.pem".into());
    // Examples too: without a secret no webhook is taken.
    assert!(source.webhook_token.is_some() && source.webhook_secret.is_some());
    expected.webhook_token.clone_from(&source.webhook_token);
    expected.webhook_secret.clone_from(&source.webhook_secret);
    assert_eq!(*source, expected);
    let key = all.api_keys.iter().next().unwrap();
    assert_eq!(key.scopes, [Scope::Read]);
    assert!(all.api_keys.find(&SecretString::from("abc")).is_some());

    // Every key that can be read stands in the file.
    let json = serde_json::to_value(&all).unwrap();
    let mut keys = Vec::new();
    collect_keys(&json, &mut keys);
    for key in keys {
        assert!(uncommented.iter().any(|line| line.contains(&key)), "{key} is not in default.toml");
    }
}

fn collect_keys(value: &serde_json::Value, keys: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                // Not a key of the file: it tells where the values came from.
                if key != "origins" {
                    keys.push(key.clone());
                    collect_keys(value, keys);
                }
            }
        }
        serde_json::Value::Array(values) => {
            for value in values {
                collect_keys(value, keys);
            }
        }
        _ => {}
    }
}
