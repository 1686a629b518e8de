//! A small organisation made by hand, where every item is there for a reason, and the clock stands
//! still.
//!
//! - `acme/shop/webshop`: the service `webshop` of the team `storefront`, with CODEOWNERS, a
//!   template and a pipeline. `!1` is merged and mentions things everywhere; `#1` is an open
//!   incident; `#2` is confidential, and alone in knowing the service `shadow`; an internal comment
//!   on `#3` is alone in mentioning [`INTERNAL`].
//! - `acme/pay/ledger`: another group's service, whose `#1` carries `webshop` too.
//! - `acme/shop/bulk`: many items, most of them changed in the same moment.

use gitlab_sim::world::{
    IssueType, ItemRef, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject, ProjectId,
    World,
};
use gitlab_sim::{Clock, GitLab, Options};
use jiff::Timestamp;

use super::{Bench, Index, api_key, both_keys};

/// A key limited to the group `acme/shop`, with all scopes that read.
pub const SHOP_ONLY: &str = "xrefd_shop-only";

/// A key that may start syncs and nothing else.
pub const SYNC_ONLY: &str = "xrefd_sync-only";

/// Mentioned by the description of `acme/shop/webshop!1`, and by `acme/pay/ledger#1`.
pub const SHARED: &str = "Q285NZXJG65XDH";

/// Mentioned by a comment on `acme/shop/webshop!1`.
pub const COMMENTED: &str = "Q1ABCDEFGHJKLM";

/// Mentioned by the confidential `acme/shop/webshop#2` only.
pub const CONFIDENTIAL: &str = "Q2CONFIDENTIAL";

/// Mentioned by an internal comment on `acme/shop/webshop#3` only.
pub const INTERNAL: &str = "Q3INTERNALNOTE";

/// Mentioned by `acme/pay/ledger#1` only.
pub const FOREIGN: &str = "Q4PAYMENTGROUP";

/// How many issues, and how many merge requests, `acme/shop/bulk` has.
pub const BULK: u64 = 33;

/// The moment at which the organisation stands still.
pub const NOW: &str = "2026-11-20T12:00:00Z";

const CODEOWNERS: &str = "\
* @acme/storefront

[Payments][2]
/src/pay/ @pia pay@acme.example

^[Docs] @@maintainer
/docs/
";

/// The projects of the organisation.
#[derive(Debug, Clone, Copy)]
pub struct Projects {
    /// `acme/shop/webshop`.
    pub webshop: ProjectId,
    /// `acme/pay/ledger`.
    pub ledger: ProjectId,
    /// `acme/shop/bulk`.
    pub bulk: ProjectId,
}

/// Reads an instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn incident(id: &str) -> String {
    format!("https://acme.pagerduty.com/incidents/{id}")
}

/// Makes the organisation.
pub fn world() -> (World, Projects) {
    let mut world = World::with_clock(Clock::at(at(NOW)));
    let webshop = webshop(&mut world);
    let ledger = ledger(&mut world);
    let bulk = bulk(&mut world);
    (world, Projects { webshop, ledger, bulk })
}

fn webshop(world: &mut World) -> ProjectId {
    let new = NewProject::at("acme/shop/webshop").name("Web Shop").description("Where people buy");
    let project = world.add_project(new.topics(["service-webshop", "team-storefront"]));
    world.add_file(project, ".gitlab/CODEOWNERS", CODEOWNERS);
    world.add_file(project, ".gitlab/issue_templates/Bug.md", "## Steps\n\nWhat did you do?\n");
    let times = (at("2026-11-19T08:00:00Z"), at("2026-11-19T08:07:00Z"));
    world.add_pipeline(project, NewPipeline::new("success").times(times.0, times.1));

    let new = NewIssue::new("Checkout is down")
        .issue_type(IssueType::Incident)
        .labels(["service:Web-Shop", "severity::1"])
        .author("cara")
        .created_at(at("2026-11-10T10:00:00Z"))
        .updated_at(at("2026-11-18T10:00:00Z"));
    world.add_issue(project, new);
    let new = NewIssue::new("Customer data in logs")
        .confidential(true)
        .labels(["service::shadow"])
        .author("cara")
        .description(&format!("See {}", incident(CONFIDENTIAL)))
        .created_at(at("2026-11-11T10:00:00Z"))
        .updated_at(at("2026-11-17T10:00:00Z"));
    world.add_issue(project, new);
    let new = NewIssue::new("Slow search")
        .labels(["backend"])
        .author("dan")
        .created_at(at("2026-11-12T10:00:00Z"))
        .updated_at(at("2026-11-16T10:00:00Z"))
        .closed_at(at("2026-11-16T10:00:00Z"));
    let slow = world.add_issue(project, new);
    let note = NewNote::new(&format!("Known as {}", incident(INTERNAL))).internal();
    let note = note.author("ann").created_at(at("2026-11-13T10:00:00Z"));
    world.add_note(ItemRef::issue(project, slow), note);

    let new = NewMergeRequest::new("Pay by invoice")
        .source_branch("feature/WEB-12-invoice")
        .labels(["service::webshop", "backend", "priority::2"])
        .author("ann")
        .description(&format!("Closes #1, see {}", incident(SHARED)))
        .created_at(at("2026-11-14T10:00:00Z"))
        .updated_at(at("2026-11-15T10:00:00Z"))
        .merged_at(at("2026-11-15T09:00:00Z"));
    let invoice = world.add_merge_request(project, new);
    let note = NewNote::new(&format!("Seen again: {}", incident(COMMENTED)));
    let note = note.author("bob").created_at(at("2026-11-14T12:00:00Z"));
    world.add_note(ItemRef::merge_request(project, invoice), note);
    let new = NewMergeRequest::new("Draft: faster search")
        .author("dan")
        .created_at(at("2026-11-14T11:00:00Z"))
        .updated_at(at("2026-11-19T10:00:00Z"));
    world.add_merge_request(project, new);
    project
}

fn ledger(world: &mut World) -> ProjectId {
    let new = NewProject::at("acme/pay/ledger").name("Ledger");
    let project = world.add_project(new.topics(["service-ledger", "team-money"]));
    world.add_file(project, "CODEOWNERS", "* @acme/money\n");
    let text = format!("See {} and {}", incident(SHARED), incident(FOREIGN));
    let new = NewIssue::new("Ledger drifts")
        .labels(["service::webshop"])
        .author("eve")
        .description(&text)
        .created_at(at("2026-11-01T10:00:00Z"))
        .updated_at(at("2026-11-02T10:00:00Z"));
    world.add_issue(project, new);
    project
}

/// Makes many items: created one an hour, and changed in three moments.
fn bulk(world: &mut World) -> ProjectId {
    let project = world.add_project(NewProject::at("acme/shop/bulk").topics(["service-bulk"]));
    let moments = ["2026-11-03T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z"].map(at);
    let hour = jiff::SignedDuration::from_hours(1);
    let mut created = at("2026-10-01T00:00:00Z");
    for number in 0..BULK {
        created += hour;
        let updated = moments[usize::try_from(number % 3).expect("less than three")];
        let author = if number % 2 == 0 { "ann" } else { "bob" };
        let mut issue = NewIssue::new(&format!("Task {number}")).author(author);
        issue = issue.created_at(created).updated_at(updated);
        if number % 5 == 0 {
            issue = issue.closed_at(updated);
        }
        if number % 4 == 0 {
            issue = issue.labels(["service::bulk", "component::belt"]);
        }
        world.add_issue(project, issue);
        let mut row = NewMergeRequest::new(&format!("Change {number}")).author(author);
        row = row.created_at(created).updated_at(updated);
        match number % 3 {
            0 => row = row.merged_at(moments[0]),
            1 => row = row.merged_at(created),
            _ => {}
        }
        world.add_merge_request(project, row);
    }
    project
}

/// Returns the sections of the configuration: who may ask, and which bare keys count.
pub fn sections() -> String {
    format!(
        "[rules.prefixes]\njira = [\"WEB\"]\n[aliases.service]\nwebshop = [\"storefront-app\"]\n\
         {}{}{}",
        both_keys(),
        api_key("shop", SHOP_ONLY, "\"read\", \"confidential\"", "groups = [\"acme/shop\"]"),
        api_key("sync", SYNC_ONLY, "\"sync\"", ""),
    )
}

/// The organisation on a port, and its index.
pub struct Shop {
    /// The simulated GitLab.
    pub gitlab: GitLab,
    /// Its projects.
    pub projects: Projects,
    /// The configuration.
    pub bench: Bench,
    /// The index, read once.
    pub index: Index,
}

impl Shop {
    /// Makes the organisation and reads it.
    pub async fn open() -> Self {
        let (world, projects) = world();
        let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
        let bench = Bench::new(&gitlab, "acme", "", &sections());
        let index = bench.open().await;
        index.sync().await;
        Self { gitlab, projects, bench, index }
    }
}
