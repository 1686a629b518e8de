//! The application limiter, rule by rule, without a server.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method};

use super::*;
use crate::rest::query::Query;
use crate::world::NewProject;

/// Counters with what it takes to fill them.
struct Desk {
    world: World,
    limits: EndpointLimits,
    buckets: EndpointBuckets,
}

impl Desk {
    fn new(limits: EndpointLimits) -> Self {
        let mut world = World::new();
        world.add_user("ann");
        world.add_user("bob");
        let project = world.add_project(NewProject::at("acme/shop"));
        world.add_file(project, "large", vec![b'x'; 101]);
        world.add_file(project, "small", vec![b'x'; 100]);
        Self { world, limits, buckets: EndpointBuckets::default() }
    }

    /// Asks and tells whether it was too much.
    fn refuses(&mut self, who: Option<&str>, path: &str) -> bool {
        self.refuses_at([10, 0, 0, 1], who, path, "10:00:00")
    }

    fn refuses_at(&mut self, ip: [u8; 4], who: Option<&str>, path: &str, at: &str) -> bool {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = Asked {
            method: &Method::GET,
            path,
            query: &Query::parse(query),
            headers: &HeaderMap::new(),
            address: IpAddr::from(ip),
        };
        let user = who.and_then(|name| self.world.find_user(name));
        let now = format!("2026-11-22T{at}Z").parse().unwrap();
        self.buckets.exceeds(&self.limits, &asked, &self.world, user, now)
    }

    /// Counts how many requests pass before the first refusal.
    fn passes(&mut self, who: Option<&str>, path: &str) -> u64 {
        (0..10_000).find(|_| self.refuses(who, path)).unwrap()
    }
}

#[test]
fn the_tables_hold_for_users_and_addresses() {
    let rows = [
        ("/api/v4/projects", 2_000, 400, 2_000, 400),
        ("/api/v4/projects/1", 400, 400, 400, 400),
        ("/api/v4/groups", 50, 50, 200, 200),
        ("/api/v4/groups/1", 400, 400, 400, 400),
        ("/api/v4/groups/acme/projects", 600, 600, 600, 600),
        ("/api/v4/projects/1/members/all", 200, 200, 200, 200),
        ("/api/v4/projects/1/issues?search=x", 100, 100, 30, 10),
        ("/api/v4/groups/1/issues_statistics?search=x", 100, 100, 30, 10),
        ("/api/v4/search?scope=issues", 100, 100, 30, 10),
        ("/api/v4/projects/1/repository/archive.zip", 5, u64::MAX, 5, u64::MAX),
    ];
    for (path, com_user, com_anonymous, own_user, own_anonymous) in rows {
        let mut com = Desk::new(EndpointLimits::gitlab_com());
        let mut own = Desk::new(EndpointLimits::self_managed());
        assert_eq!(com.passes(Some("ann"), path), com_user, "{path}");
        assert_eq!(own.passes(Some("ann"), path), own_user, "{path}");
        assert!(!com.refuses(Some("bob"), path), "{path}: another user");
        if com_anonymous < u64::MAX {
            assert_eq!(com.passes(None, path), com_anonymous, "{path}");
            assert_eq!(own.passes(None, path), own_anonymous, "{path}");
        }
    }
    for path in [
        "/api/v4/groups/1/subgroups",
        "/api/v4/groups/1/descendant_groups",
        "/api/v4/groups/1/groups/shared",
        "/api/v4/projects/1/issues",
        "/api/graphql",
    ] {
        let mut desk = Desk::new(EndpointLimits::self_managed());
        assert!((0..2_001).all(|_| !desk.refuses(Some("ann"), path)), "{path}");
    }
}

#[test]
fn windows_of_ten_minutes_end_at_multiples_of_ten_minutes() {
    let limits = EndpointLimits::none().with(EndpointLimit::new(
        "projects",
        "/projects",
        Limit::per_ten_minutes(1),
    ));
    let mut desk = Desk::new(limits);
    let ip = [10, 0, 0, 1];
    assert!(!desk.refuses_at(ip, Some("ann"), "/api/v4/projects", "10:05:00"));
    assert!(desk.refuses_at(ip, Some("ann"), "/api/v4/projects", "10:09:59"));
    assert!(!desk.refuses_at(ip, Some("ann"), "/api/v4/projects", "10:10:00"));
}

#[test]
fn a_file_is_one_object_by_whatever_name_its_project_goes() {
    let raw = "/projects/:id/repository/files/:path/raw";
    let entry = EndpointLimit::new("raw_blob", raw, Limit::per_minute(2)).of(Who::Everybody);
    let limits = EndpointLimits::none().with(entry.per(EndpointScope::File));
    let mut desk = Desk::new(limits);
    let by_number = "/api/v4/projects/1/repository/files/small/raw";
    let by_path = "/api/v4/projects/acme%2Fshop/repository/files/small/raw?ref=main";
    assert!(!desk.refuses(Some("ann"), by_number));
    assert!(!desk.refuses_at([10, 0, 0, 2], None, by_path, "10:00:00"), "the second of all");
    assert!(desk.refuses(Some("bob"), by_path), "whoever asks");
    assert!(!desk.refuses(Some("ann"), "/api/v4/projects/1/repository/files/large/raw"));
    assert!(!desk.refuses(Some("ann"), &format!("{by_number}?ref=other")), "another commit");
}

#[test]
fn a_commit_is_one_object_by_whatever_name_it_goes() {
    let raw = "/projects/:id/repository/files/:path/raw";
    let entry = EndpointLimit::new("raw_blob", raw, Limit::per_minute(3)).of(Who::Everybody);
    let mut desk = Desk::new(EndpointLimits::none().with(entry.per(EndpointScope::File)));
    let file = "/api/v4/projects/1/repository/files/small/raw";
    let head = desk.world.find_project("acme/shop").unwrap().head();
    for name in ["?ref=main".to_owned(), "?ref=HEAD".to_owned(), format!("?ref={head}")] {
        assert!(!desk.refuses(Some("ann"), &format!("{file}{name}")), "{name}");
    }
    assert!(desk.refuses(Some("ann"), file), "the fourth request for the same commit");
}

#[test]
fn a_caller_may_have_one_counter_per_file() {
    let path = "/projects/:id/repository/files/:path";
    let entry = EndpointLimit::new("files", path, Limit::per_minute(1)).of(Who::Everybody);
    let mut desk = Desk::new(EndpointLimits::none().with(entry.per(EndpointScope::CallerAndFile)));
    let file = "/api/v4/projects/1/repository/files/small?ref=main";
    assert!(!desk.refuses(Some("ann"), file));
    assert!(desk.refuses(Some("bob"), file), "the same address");
    let of_tag = "/api/v4/projects/1/repository/files/small?ref=v1.0";
    assert!(desk.refuses(Some("ann"), of_tag), "of whatever commit");
    assert!(!desk.refuses_at([10, 0, 0, 2], Some("ann"), file, "10:00:00"));
}

#[test]
fn only_files_above_a_size_count_where_size_matters() {
    let path = "/projects/:id/repository/files/:path";
    let entry = EndpointLimit::new("large", path, Limit::per_minute(1)).above_bytes(100);
    let mut desk = Desk::new(EndpointLimits::none().with(entry.per(EndpointScope::File)));
    assert_eq!(desk.passes(Some("ann"), "/api/v4/projects/1/repository/files/large?ref=main"), 1);
    for _ in 0..3 {
        assert!(!desk.refuses(Some("ann"), "/api/v4/projects/1/repository/files/small?ref=main"));
    }
}

#[test]
fn a_limit_is_replaced_by_its_name_and_switched_off_by_zero() {
    let entry = EndpointLimit::new("groups", "/groups", Limit::per_minute(0));
    let limits = EndpointLimits::gitlab_com().with(entry);
    let mut desk = Desk::new(limits);
    assert!((0..60).all(|_| !desk.refuses(Some("ann"), "/api/v4/groups")));
    assert_eq!(desk.passes(None, "/api/v4/groups"), 50, "callers without a user keep theirs");
}
