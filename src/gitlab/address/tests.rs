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
        ("https://host.example/gitlab/api/v4/", "https://host.example/gitlab/api/v4/"),
        ("http://[2001:DB8::1]:8080/gl", "http://[2001:db8::1]:8080/gl/api/v4/"),
        ("https://[::1]", "https://[::1]/api/v4/"),
        ("https://Größe.example", "https://xn--gre-6ka8i.example/api/v4/"),
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
    for name in ["", ".", "..", "../x", "a/../../x", "a\\..", "./a"] {
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
        // What is no address is no path either.
        ("https://g.example", "ht!tp:///??", None),
        ("https://g.example", ":page=2", None),
        (
            "https://g.example",
            "issues?page=2&order_by=a:b",
            Some("https://g.example/api/v4/projects/7/issues?page=2&order_by=a:b"),
        ),
        // The same list in the words of another: a port, a sub-path, an address in brackets.
        (
            "http://[::1]:8080/gl",
            "https://g.example/api/v4/projects/7/issues?cursor=eyJ%3D&id=7",
            Some("http://[::1]:8080/gl/api/v4/projects/7/issues?cursor=eyJ%3D&id=7"),
        ),
        (
            "https://größe.example",
            "https://xn--gre-6ka8i.example:444/api/v4/projects/7/issues?page=2",
            Some("https://xn--gre-6ka8i.example/api/v4/projects/7/issues?page=2"),
        ),
        // Another host in disguise.
        ("https://g.example", "//evil.example/api/v4/projects/8/issues?page=2", None),
        ("https://g.example", r"\\evil.example\api\v4\projects\8\issues?page=2", None),
        ("https://g.example", r"/\evil.example/api/v4/projects/8/issues?page=2", None),
        ("https://g.example", "https://g.example@evil.example/api/v4/projects/8/issues", None),
        ("https://g.example", "https://me@g.example/api/v4/projects/7/issues?page=2", None),
        ("https://g.example", "https://ｇ.example.evil.example/api/v4/projects/8/issues", None),
        ("https://g.example", "ftp://g.example/api/v4/projects/7/issues?page=2", None),
        // Ways up.
        ("https://g.example", "/api/v4/../../admin", None),
        ("https://g.example", "/api/v4/%2e%2e/%2e%2e/admin", None),
        ("https://g.example", "/api/v4/..%2f..%2fadmin", None),
        ("https://g.example", "/api/v4/projects/..%5C..%5cadmin", None),
        ("https://g.example", "/api/v4/%2E%2E%2Fadmin?page=2", None),
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
        // To itself: nobody need correct an address.
        (
            "https://g.example",
            "https://g.example/api/v4/projects/7/issues?page=1",
            Err("GitLab redirects /projects/7/issues again and again"),
        ),
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
fn redirect_of_a_renamed_project_is_asked_for_at_the_base_whatever_the_host() {
    let list = [("state", "all".to_owned()), ("page", "2".to_owned())];
    for (base_url, segments, location, expected) in [
        (
            "http://gitlab.internal:8080",
            &["projects", "shop/old"][..],
            "https://gitlab.example.com/api/v4/projects/7",
            "http://gitlab.internal:8080/api/v4/projects/7?state=all&page=2",
        ),
        // The query is the one that was asked, whatever the redirect makes of it.
        (
            "http://gitlab.internal/gl",
            &["projects", "shop/old", "issues"],
            "https://gitlab.example.com/git/api/v4/projects/7/issues?private_token=x",
            "http://gitlab.internal/gl/api/v4/projects/7/issues?state=all&page=2",
        ),
        (
            "https://gitlab.internal",
            &["projects", "shop/old", "repository", "files", "docs/x.md", "raw"],
            "https://gitlab.internal:8443/api/v4/projects/7/repository/files/docs%2fx.md/raw",
            "https://gitlab.internal/api/v4/projects/7/repository/files/docs%2fx.md/raw\
             ?state=all&page=2",
        ),
    ] {
        let base = base(base_url);
        let asked = base.target(segments, &list).expect("a target");
        let target = base.redirect(&asked, location).expect("followed");
        assert_eq!(target.url.as_str(), expected, "{location}");
    }
}

#[test]
fn redirect_to_another_host_that_is_none_of_a_renamed_project_is_refused() {
    let base = base("https://gitlab.internal");
    let asked = |segments: &[&str]| base.target(segments, &[]).expect("a target");
    let (named, numbered) = (["projects", "shop/old", "issues"], ["projects", "7", "issues"]);
    for (segments, location) in [
        (&named[..], "https://g.example/api/v4/projects/7/merge_requests"),
        (&named, "https://g.example/api/v4/projects/7"),
        (&named, "https://g.example/api/v4/projects/7/issues/1"),
        (&named, "https://g.example/api/v4/projects/shop%2Fnew/issues"),
        (&named, "https://g.example/api/v4/projects/shop%2Fold/issues"),
        (&named, "https://g.example/api/v4/groups/7/issues"),
        (&named, "https://g.example/projects/7/issues"),
        (&named, "https://g.example/api/v3/projects/7/issues"),
        (&named, "https://g.example/api/v4/projects/+7/issues"),
        (&named, "https://g.example/api/v4/projects/٧/issues"),
        (&named, "https://g.example/api/v4/projects/7/..%2f8/issues"),
        (&named, "https://me:hunter2@g.example/api/v4/projects/7/issues"),
        (&named, "https://me@gitlab.internal:1/api/v4/projects/7/issues"),
        (&named, "//g.example/steal"),
        (&named, r"\\g.example\steal"),
        (&named, "https://gitlab.internal.evil.example/api/v4/projects/shop%2Fold/issues"),
        (&named, "ftp://g.example/api/v4/projects/7/issues"),
        (&numbered, "https://g.example/api/v4/projects/8/issues"),
        (&["projects", "old"], "https://g.example/api/v4/projects/8"),
        (&["groups", "shop/old"], "https://g.example/api/v4/groups/8"),
        (&["groups", "shop/old"], "https://g.example/api/v4/projects/8"),
    ] {
        let error = base.redirect(&asked(segments), location).expect_err(location);
        assert!(matches!(error, Error::ForeignRedirect { .. }), "{location}: {error:?}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn scheme_of_the_base_is_never_left() {
    let base = base("https://g.example");
    let asked = base.target(&["projects", "shop/old"], &[]).expect("a target");
    // Down to plain text on the same host: asked again under https, or refused as a circle.
    let target = base.redirect(&asked, "http://g.example/api/v4/projects/7").expect("followed");
    assert_eq!(target.url.as_str(), "https://g.example/api/v4/projects/7");
    let back = "http://g.example/api/v4/projects/shop%2Fold";
    assert!(matches!(base.redirect(&asked, back), Err(Error::ForeignRedirect { .. })));
    for climbing in ["/api/v4/..%2f..%2fadmin", "/api/v4/%2e%2e/%2e%2e/users", "/admin"] {
        let error = base.redirect(&asked, climbing).expect_err("refused");
        assert!(matches!(error, Error::NotGitLab { .. }), "{climbing}: {error:?}");
    }
}

#[test]
fn graphql_is_never_redirected() {
    for (location, says) in [
        ("https://g.example/api/graphql", "https://g.example"),
        ("https://g.example/gl/api/graphql", "https://g.example/gl"),
        ("https://other.example/api/graphql", "https://other.example"),
        // A route that would take the body for a change.
        ("/api/v4/projects", "/api/v4/projects"),
        ("/users/sign_in", "/users/sign_in"),
    ] {
        let base = base("http://g.example");
        let error = base.redirect(&base.graphql(), location).expect_err("refused");
        assert!(error.to_string().contains(says), "{location}: {error}");
    }
}

#[test]
fn stored_target_is_found_again_and_cannot_leave_the_api() {
    let base = base("https://g.example/gl");
    let target = issues(&base);
    let stored = target.relative();
    assert_eq!(stored, "projects/7/issues?page=1");
    assert_eq!(base.resolve(&stored).expect("a target"), target);
    let marked = base.resolve(&format!("{stored}#mark")).expect("a target");
    assert_eq!(marked, target, "what stands behind # is never sent");
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
    assert!(!same_path("/%+7", "/%07"));
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

#[test]
fn words_of_routes_are_in_order() {
    assert!(ROUTE_WORDS.is_sorted());
}
