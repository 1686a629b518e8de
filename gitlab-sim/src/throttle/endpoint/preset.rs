//! The endpoint limits of well-known instances, from the tables 2.5 and 2.6 of the reference.

use super::super::{Limit, Who};
use super::{EndpointLimit, EndpointLimits, EndpointScope};

/// Above this many bytes a file as JSON has a limit of its own: 10 MB.
const LARGE_FILE: u64 = 10 * 1024 * 1024;

/// The lists on which `search=` counts as a search.
const SEARCHED: [&str; 9] = [
    "/issues",
    "/merge_requests",
    "/issues_statistics",
    "/groups/:id/issues",
    "/groups/:id/merge_requests",
    "/groups/:id/issues_statistics",
    "/projects/:id/issues",
    "/projects/:id/merge_requests",
    "/projects/:id/issues_statistics",
];

/// The addresses that are a search in themselves.
const SEARCHES: [&str; 4] =
    ["/search", "/groups/:id/search", "/groups/:id/-/search", "/projects/:id/search"];

/// Adds the same limit for signed-in callers by user and for all others by address.
fn add(limits: &mut EndpointLimits, name: &str, paths: &[&str], user: Limit, anonymous: Limit) {
    for (who, limit) in [(Who::User, user), (Who::Anonymous, anonymous)] {
        let Some((first, others)) = paths.split_first() else {
            return;
        };
        limits.entries.push(EndpointLimit::new(name, first, limit).and(others).of(who));
    }
}

fn add_search(limits: &mut EndpointLimits, user: Limit, anonymous: Limit) {
    add(limits, "search", &SEARCHES, user, anonymous);
    add(limits, "search_in_lists", &SEARCHED, user, anonymous);
    for entry in limits.entries.iter_mut().filter(|entry| entry.name == "search_in_lists") {
        entry.parameter = Some("search".to_owned());
    }
}

/// Adds what gitlab.com and a self-managed instance have in common.
fn shared(groups: u64) -> EndpointLimits {
    let mut limits = EndpointLimits::default();
    let minute = Limit::per_minute;
    let ten = Limit::per_ten_minutes;
    add(&mut limits, "projects", &["/projects"], ten(2_000), ten(400));
    add(&mut limits, "project", &["/projects/:id"], minute(400), minute(400));
    add(&mut limits, "groups", &["/groups"], minute(groups), minute(groups));
    add(&mut limits, "group", &["/groups/:id"], minute(400), minute(400));
    add(&mut limits, "group_projects", &["/groups/:id/projects"], minute(600), minute(600));
    let members = ["/projects/:id/members/all", "/groups/:id/members/all"];
    add(&mut limits, "members_all", &members, minute(200), minute(200));
    let raw =
        ["/projects/:id/repository/files/:path/raw", "/projects/:id/repository/blobs/:sha/raw"];
    limits
        .with(
            EndpointLimit::new("raw_blob", raw[0], minute(300))
                .and(&raw[1..])
                .of(Who::Everybody)
                .per(EndpointScope::File),
        )
        .with(
            EndpointLimit::new("archive", "/projects/:id/repository/archive", minute(5))
                .and(&[
                    "/projects/:id/repository/archive.zip",
                    "/projects/:id/repository/archive.tar.gz",
                    "/projects/:id/repository/archive.tar.bz2",
                    "/projects/:id/repository/archive.tar",
                ])
                .per(EndpointScope::CallerAndProject),
        )
}

impl EndpointLimits {
    /// The names that command line and control API know.
    pub const NAMES: [&str; 3] = ["none", "gitlab-com", "self-managed"];

    /// Finds limits by their name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::none()),
            "gitlab-com" => Some(Self::gitlab_com()),
            "self-managed" => Some(Self::self_managed()),
            _ => None,
        }
    }

    /// No limit at all, which is what the simulator starts with.
    pub fn none() -> Self {
        Self::default()
    }

    /// What gitlab.com enforces today.
    pub fn gitlab_com() -> Self {
        let mut limits = shared(50);
        let (minute, ten) = (Limit::per_minute, Limit::per_ten_minutes);
        add(&mut limits, "user", &["/users/:id"], ten(300), ten(300));
        add(&mut limits, "user_projects", &["/users/:id/projects"], minute(300), minute(300));
        add_search(&mut limits, minute(100), minute(100));
        let file = "/projects/:id/repository/files/:path";
        let raw = "/projects/:id/repository/files/:path/raw";
        limits
            .with(
                EndpointLimit::new("files", file, minute(500))
                    .and(&[raw, "/projects/:id/repository/files/:path/blame"])
                    .of(Who::Everybody)
                    .per(EndpointScope::CallerAndFile),
            )
            .with(
                EndpointLimit::new("raw_unauthenticated", raw, minute(800))
                    .of(Who::Anonymous)
                    .per(EndpointScope::Project),
            )
    }

    /// What a self-managed instance enforces unless its administrator changes it.
    pub fn self_managed() -> Self {
        let mut limits = shared(200);
        let minute = Limit::per_minute;
        let invited = ["/groups/:id/invited_groups"];
        add(&mut limits, "invited_groups", &invited, minute(60), minute(60));
        // Off, and here so that it can be switched on by its name.
        let off = ["/groups/:id/groups/shared"];
        add(&mut limits, "shared_groups", &off, minute(0), minute(0));
        add_search(&mut limits, minute(30), minute(10));
        add(&mut limits, "jobs", &["/projects/:id/jobs"], minute(600), minute(600));
        let changelog = "/projects/:id/repository/changelog";
        limits
            .with(
                EndpointLimit::new("changelog", changelog, minute(5))
                    .per(EndpointScope::CallerAndProject),
            )
            .with(
                EndpointLimit::new("large_file", "/projects/:id/repository/files/:path", minute(5))
                    .of(Who::Everybody)
                    .per(EndpointScope::File)
                    .above_bytes(LARGE_FILE),
            )
    }
}
