//! Where addresses lead, one line per rule.

use super::*;

fn base(url: &str) -> Base {
    Base::new(&Url::parse(url).expect("an address")).expect("a base")
}

fn issues(base: &Base) -> Target {
    base.target(&["projects", "7", "issues"], &[("page", "1".to_owned())]).expect("a target")
}

#[test]
fn base_takes_sub_paths_and_api_addresses() {
    for (url, api) in [
        ("https://gitlab.example.com", "https://gitlab.example.com/api/v4/"),
        ("https://gitlab.example.com/", "https://gitlab.example.com/api/v4/"),
        ("https://host.example/gitlab/", "https://host.example/gitlab/api/v4/"),
        ("http://host.example:8080/a/b?x=1#y", "http://host.example:8080/a/b/api/v4/"),
        ("https://gitlab.example.com/api/v4", "https://gitlab.example.com/api/v4/"),
    ] {
        assert_eq!(base(url).api.as_str(), api);
    }
}

#[test]
fn base_with_a_password_or_of_another_scheme_is_refused_without_being_shown() {
    for url in ["https://me:hunter2@gitlab.example.com", "ftp://hunter2.example"] {
        let error = Base::new(&Url::parse(url).expect("an address")).expect_err("refused");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}

#[test]
fn name_is_one_segment_encoded_once() {
    let base = base("https://gitlab.example.com");
    for (name, encoded) in [
        ("shop/webshop", "shop%2Fwebshop"),
        (".gitlab/CODEOWNERS", ".gitlab%2FCODEOWNERS"),
        ("a b%2Fc?d#e", "a%20b%252Fc%3Fd%23e"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ] {
        let target = base.target(&["projects", name], &[]).expect("a target");
        assert_eq!(
            target.url.as_str(),
            format!("https://gitlab.example.com/api/v4/projects/{encoded}")
        );
        assert_eq!(target.route, "/projects/:x");
    }
    for name in ["", ".", ".."] {
        assert!(base.target(&["groups", name], &[]).is_err(), "{name:?}");
    }
}

#[test]
fn times_and_brackets_survive_the_query() {
    let target = base("https://gitlab.example.com")
        .target(
            &["projects", "7", "issues"],
            &[
                ("updated_after", "2026-01-01T00:00:00+02:00".to_owned()),
                ("iids[]", "3".to_owned()),
            ],
        )
        .expect("a target");
    assert_eq!(
        target.url.query(),
        Some("updated_after=2026-01-01T00%3A00%3A00%2B02%3A00&iids%5B%5D=3")
    );
    assert_eq!(target.path, "/projects/7/issues");
}

#[test]
fn links_are_rewritten_onto_the_base_or_refused() {
    for (base_url, link, expected) in [
        // Same host: scheme, port and sub-path are dropped.
        (
            "https://g.example",
            "https://g.example/api/v4/projects/7/issues?page=2",
            Some("https://g.example/api/v4/projects/7/issues?page=2"),
        ),
        (
            "https://g.example",
            "http://g.example:8080/api/v4/projects/7/issues?page=2",
            Some("https://g.example/api/v4/projects/7/issues?page=2"),
        ),
        (
            "https://g.example/gl",
            "http://g.example/api/v4/projects/7/issues?page=2",
            Some("https://g.example/gl/api/v4/projects/7/issues?page=2"),
        ),
        (
            "https://g.example",
            "https://g.example/gl/api/v4/projects/7/issues?page=2",
            Some("https://g.example/api/v4/projects/7/issues?page=2"),
        ),
        (
            "https://g.example",
            "/api/v4/projects/7/issues?page=2",
            Some("https://g.example/api/v4/projects/7/issues?page=2"),
        ),
        // Another host: only the list that was asked for.
        (
            "http://10.0.0.1:8080",
            "https://g.example/api/v4/projects/7/issues?id=7&page=2",
            Some("http://10.0.0.1:8080/api/v4/projects/7/issues?id=7&page=2"),
        ),
        (
            "http://10.0.0.1/x",
            "https://g.example/y/api/v4/projects/7/issues?page=2",
            Some("http://10.0.0.1/x/api/v4/projects/7/issues?page=2"),
        ),
        ("https://g.example", "https://evil.example/api/v4/projects/8/issues?page=2", None),
        ("https://g.example", "https://evil.example/steal", None),
        ("https://g.example", "https://g.example/users/sign_in", None),
        ("https://g.example", "javascript:alert(1)", None),
        // The page itself.
        ("https://g.example", "https://g.example/api/v4/projects/7/issues?page=1", None),
    ] {
        let base = base(base_url);
        let got = base.link(&issues(&base), link).ok().map(|target| target.url.to_string());
        assert_eq!(got.as_deref(), expected, "{link} from {base_url}");
    }
}

#[test]
fn redirects_stay_on_the_base_or_are_refused() {
    for (base_url, location, expected) in [
        (
            "https://g.example",
            "https://g.example/api/v4/projects/9/issues?page=1",
            Ok("https://g.example/api/v4/projects/9/issues?page=1"),
        ),
        (
            "https://g.example",
            "http://g.example/api/v4/projects/9/issues",
            Ok("https://g.example/api/v4/projects/9/issues"),
        ),
        (
            "https://g.example",
            "https://evil.example/api/v4/projects/7/issues?page=1",
            Err("https://evil.example"),
        ),
        (
            "https://g.example",
            "https://g.example:8443/api/v4/projects/9/issues",
            Err("https://g.example:8443"),
        ),
        // http to https, or into a sub-path: says where GitLab is.
        (
            "http://g.example",
            "https://g.example/gl/api/v4/projects/7/issues?page=1",
            Err("https://g.example/gl"),
        ),
        ("https://g.example", "/users/sign_in", Err("/users/sign_in")),
    ] {
        let base = base(base_url);
        match (base.redirect(&issues(&base), location), expected) {
            (Ok(target), Ok(url)) => assert_eq!(target.url.as_str(), url),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
            (got, expected) => panic!("{location}: {got:?}, not {expected:?}"),
        }
    }
}

#[test]
fn stored_target_is_found_again_and_cannot_leave_the_api() {
    let base = base("https://g.example/gl");
    let target = issues(&base);
    let stored = target.relative();
    assert_eq!(stored, "projects/7/issues?page=1");
    assert_eq!(base.resolve(&stored).expect("a target"), target);
    for stored in ["", "../../x", "%2e%2e/x", "..//evil.example/"] {
        assert!(base.resolve(stored).is_err(), "{stored}");
    }
}

#[test]
fn routes_carry_no_names() {
    let base = base("https://g.example");
    let target = base
        .target(&["projects", "a/b", "repository", "files", "docs/x.md", "raw"], &[])
        .expect("a target");
    assert_eq!(target.route, "/projects/:x/repository/files/:x/raw");
}

#[test]
fn paths_are_compared_by_what_they_mean() {
    assert!(same_path("/projects/a%2fb/issues", "/projects/a%2Fb/issues"));
    assert!(!same_path("/projects/a/b", "/projects/a%2Fb"));
    assert!(same_path("/%zz%", "/%zz%"));
}

#[test]
fn graphql_lies_beside_the_api_below_the_sub_path() {
    for (url, expected) in [
        ("https://g.example", "https://g.example/api/graphql"),
        ("https://g.example/gl/", "https://g.example/gl/api/graphql"),
        ("https://g.example:8443/gl/api/v4", "https://g.example:8443/gl/api/graphql"),
    ] {
        let target = base(url).graphql();
        assert_eq!(target.url.as_str(), expected);
        assert_eq!((target.path.as_str(), target.route.as_str()), ("/api/graphql", "/api/graphql"));
    }
}
