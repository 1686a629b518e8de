//! How items stand to each other: the index equals what the simulator's world says of its links, by
//! either interface, from both ends of each.
//!
//! The judge reads the world alone: its kept links, where issues went and what they repeat, what
//! texts close and name, and the notes that GitLab left. Three things are not compared:
//!
//! - A mention beside a closing word for the same pair: who closes also mentions.
//! - The branch that a merge request goes to. GitLab closes for the default branch only; a closing
//!   word is kept as its author wrote it (`docs/adr/0016-links.md`).
//! - In REST, a relation of which GitLab wrote no note: it costs a request for each issue to see.
//!   People make none; the simulator can.

use std::collections::BTreeMap;

use gitlab_sim::world::{
    ItemKind, ItemRef, LinkKind, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId,
    Related, SELF_URL,
};
use gitlab_sim::{Clock, GitLab, Options, World};
use jiff::SignedDuration;
use sqlx::Row;
use xrefd::correlate::links::Direction;
use xrefd::crawl::Pass;
use xrefd::store::read::Visibility;

use crate::support::facts::{Facts, assert_same};
use crate::support::shop::{self, at};
use crate::support::{Bench, Index};

/// So many issues are related with the first of `acme/shop/bulk`: more than a page shows of one.
const CROWD: u64 = 25;

/// The projects of the organisation. `elsewhere` is below no root.
#[derive(Clone, Copy)]
struct Projects {
    shop: ProjectId,
    pay: ProjectId,
    bulk: ProjectId,
    elsewhere: ProjectId,
}

/// Makes projects with six issues each, of which nothing is said yet.
fn places() -> (World, Projects) {
    let mut world = World::with_clock(Clock::at(at(shop::NOW)));
    world.cross_reference(true);
    let place = |world: &mut World, path: &str, issues: u64| {
        let project = world.add_project(NewProject::at(path));
        for number in 1..=issues {
            let issue = NewIssue::new(&format!("Issue {number}"));
            world.add_issue(project, issue.created_at(at("2026-11-01T10:00:00Z")));
        }
        project
    };
    let projects = Projects {
        shop: place(&mut world, "acme/shop/web", 6),
        pay: place(&mut world, "acme/pay/ledger", 6),
        bulk: place(&mut world, "acme/shop/bulk", CROWD + 2),
        elsewhere: place(&mut world, "elsewhere/lib", 2),
    };
    (world, projects)
}

/// Adds a merge request from before notes were written: its texts alone tell.
fn imported(world: &mut World, project: ProjectId, title: &str, text: &str) -> ItemRef {
    let time = at("2026-11-02T10:00:00Z");
    let new = NewMergeRequest::new(title).description(text).created_at(time);
    ItemRef::merge_request(project, world.add_merge_request(project, new))
}

/// Adds a merge request now: GitLab notes what it mentions.
fn live(world: &mut World, project: ProjectId, text: &str) -> ItemRef {
    let new = NewMergeRequest::new("Now").description(text);
    ItemRef::merge_request(project, world.add_merge_request(project, new))
}

fn words(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::RelatesTo => "marked this issue as related to ",
        LinkKind::Blocks => "marked this issue as blocking ",
        LinkKind::IsBlockedBy => "marked this issue as blocked by ",
    }
}

/// Writes below two issues what GitLab writes when their relation changes.
fn tell(world: &mut World, (one, to_other): (ItemRef, &str), (other, to_one): (ItemRef, &str)) {
    for (near, words, far) in [(one, to_other, other), (other, to_one, one)] {
        let far = world.reference(far).expect("it is there");
        world.add_note(near, NewNote::new(&format!("{words}{far}")).system());
    }
}

/// Links two issues as people do in GitLab, which then says so below both.
fn relate(world: &mut World, one: ItemRef, other: ItemRef, kind: LinkKind) -> u64 {
    let link = world.link_issues(one, other, kind).expect("they are two, and not linked yet");
    tell(world, (one, words(kind)), (other, words(kind.reversed())));
    link
}

fn part(world: &mut World, link: u64, one: ItemRef, other: ItemRef) {
    assert!(world.unlink_issues(link));
    let words = "removed the relation with ";
    tell(world, (one, words), (other, words));
}

/// The links that the changes take away again.
struct Made {
    related: u64,
    /// Of which the first and the last go: one that a page showed, and one that none did.
    crowded: Vec<u64>,
    /// Of which GitLab wrote no note.
    silent: u64,
    closing: ItemRef,
}

/// Fills the organisation with links of every kind, in every form of writing.
fn fill(world: &mut World, projects: Projects) -> Made {
    let Projects { shop, pay, bulk, elsewhere } = projects;
    let issue = ItemRef::issue;
    world.set_confidential(pay, 6, true);
    // What was written before GitLab noted anything.
    let text = format!(
        "Closes #1, acme/pay/ledger#2 and {SELF_URL}/acme/pay/ledger/-/issues/3\n\n\
         See #4, bulk#2, `#5`, <!-- #6 -->\n```\n#6\n```\nFixes elsewhere/lib#1 and #99."
    );
    let closing = imported(world, shop, "All at once", &text);
    imported(world, shop, "For acme/pay/ledger#6", "Related to !1. Not closes acme/shop/bulk!1");
    let time = at("2026-11-02T10:00:00Z");
    let text = format!("Seen in {SELF_URL}/acme/shop/web/-/merge_requests/1#note_5 and #1");
    world.add_issue(pay, NewIssue::new("Old and wise").description(&text).created_at(time));
    let stable = NewMergeRequest::new("Back").description("Fixes #3").target_branch("stable");
    world.add_merge_request(shop, stable.created_at(time));
    // What people do now.
    live(world, pay, "Resolves acme/shop/web#2\n\nafter acme/shop/web!1");
    world.add_issue(bulk, NewIssue::new("Talk").description("as in web#3, ledger#1"));
    world.add_note(issue(shop, 3), NewNote::new("Maybe acme/pay/ledger#4"));
    world.add_note(issue(shop, 3), NewNote::new("#5 in private").internal());
    world.add_note(issue(elsewhere, 1), NewNote::new("Told of acme/shop/web#1"));
    let merged = live(world, shop, "Closes #4");
    assert!(world.merge(shop, merged.iid, world.bot()));
    let related = relate(world, issue(shop, 1), issue(pay, 1), LinkKind::RelatesTo);
    relate(world, issue(shop, 1), issue(shop, 2), LinkKind::Blocks);
    relate(world, issue(pay, 2), issue(shop, 5), LinkKind::IsBlockedBy);
    relate(world, issue(pay, 3), issue(elsewhere, 2), LinkKind::RelatesTo);
    let crowded: Vec<u64> = (2..=CROWD + 1)
        .map(|number| relate(world, issue(bulk, 1), issue(bulk, number), LinkKind::RelatesTo))
        .collect();
    let silent = world.link_issues(issue(pay, 4), issue(pay, 5), LinkKind::Blocks);
    let silent = silent.expect("they are not linked yet");
    assert!(world.close_as_duplicate(issue(pay, 5), issue(shop, 5), world.bot()));
    assert!(world.move_issue(shop, 6, pay).is_some());
    Made { related, crowded, silent, closing }
}

/// Changes links of every kind.
fn change(world: &mut World, projects: Projects, made: &Made) {
    let Projects { shop, pay, bulk, .. } = projects;
    let issue = ItemRef::issue;
    assert!(world.edit(made.closing, |row| row.description = Some("Fixes #1, see #6".into())));
    live(world, shop, "Closes #5, acme/pay/ledger#5");
    part(world, made.related, issue(shop, 1), issue(pay, 1));
    let last = *made.crowded.last().expect("it is a crowd");
    for (link, number) in [(made.crowded[0], 2), (last, CROWD + 1)] {
        part(world, link, issue(bulk, 1), issue(bulk, number));
    }
    relate(world, issue(shop, 1), issue(pay, 1), LinkKind::IsBlockedBy);
    let note = world.item(issue(shop, 3)).expect("it is there").notes[0].id;
    assert!(world.delete_note(issue(shop, 3), note));
    assert!(world.delete_item(issue(shop, 2)));
    assert!(world.close_as_duplicate(issue(pay, 1), issue(pay, 2), world.bot()));
    assert!(world.move_issue(bulk, CROWD + 2, pay).is_some());
    assert!(world.rename_project(bulk, "lorry"));
}

/// Changes relations without a word, as far as any of them goes.
fn change_silently(world: &mut World, projects: Projects, made: &Made) -> u64 {
    let issue = |iid| ItemRef::issue(projects.pay, iid);
    assert!(world.unlink_issues(made.silent));
    let silent = world.link_issues(issue(4), issue(6), LinkKind::Blocks);
    silent.expect("they are not linked yet")
}

/// What the world says, a line for each end of each link.
struct Truth<'w> {
    world: &'w World,
    lines: Facts,
}

impl Truth<'_> {
    /// Writes a link down from both ends, unless one is not below the root.
    fn add(&mut self, one: ItemRef, word: &str, other: ItemRef) {
        for (near, arrow, far) in [(one, '>', other), (other, '<', one)] {
            self.add_end(near, word, arrow, far);
        }
    }

    fn add_end(&mut self, near: ItemRef, word: &str, arrow: char, far: ItemRef) {
        let name = |item: ItemRef| {
            self.world.item(item)?;
            self.world.reference(item).filter(|name| name.starts_with("acme/"))
        };
        if let (Some(near), Some(far)) = (name(near), name(far))
            && near != far
        {
            self.lines.insert(format!("{near} {word} {arrow} {far}"));
        }
    }

    fn add_issue(&mut self, near: ItemRef, silent: &[u64]) {
        let world = self.world;
        for link in world.links_of(near.project, near.iid) {
            if !silent.contains(&link.id) {
                self.add_end(near, link.kind.word(), '>', link.other);
            }
        }
        let moved = world.issue(near.project, near.iid).and_then(|issue| issue.moved_to);
        for project in world.projects() {
            let found = project.issues.values().find(|row| Some(row.item.id) == moved);
            if let Some(row) = found {
                self.add(near, "moved_to", ItemRef::issue(project.id, row.item.iid));
            }
        }
        if let Some(of) = world.duplicate_of(near) {
            self.add(near, "duplicate_of", of);
        }
    }

    /// Reads texts and notes of either kind of item.
    fn add_texts(&mut self, near: ItemRef) {
        let world = self.world;
        if near.kind == ItemKind::MergeRequest {
            for related in world.closed_by(near) {
                let Related::Issue(issue) = related else { panic!("there is no other tracker") };
                self.add(near, "closes", issue);
            }
        }
        let item = world.item(near).expect("it was listed");
        let mut texts = vec![item.title.clone()];
        texts.extend(item.description.as_ref().map(|text| text.read().into_owned()));
        for note in &item.notes {
            if !note.system {
                texts.push(note.body.clone());
                continue;
            }
            for other in world.named_by(near.project, &note.body) {
                if note.body.starts_with("mentioned in ") {
                    self.add(other, "mentions", near);
                } else if note.body.starts_with("closed via merge request ") {
                    self.add(other, "closes", near);
                }
            }
        }
        for text in texts {
            for other in world.named_in(near.project, &text) {
                self.add(near, "mentions", other);
            }
        }
    }
}

/// Who closes also mentions: GitLab tells so in some places and not in others.
fn without_doubles(lines: &Facts) -> Facts {
    let said = |line: &String| {
        lines.contains(&line.replace(" mentions ", " closes ")) && line.contains(" mentions ")
    };
    lines.iter().filter(|line| !said(line)).cloned().collect()
}

fn truth(world: &World, silent: &[u64]) -> Facts {
    // Wherever a merge request goes to, it closes what it says.
    let mut world = world.clone();
    let projects: Vec<ProjectId> = world.projects().map(|row| row.id).collect();
    for project in projects {
        let row = world.project_mut(project).expect("it was listed");
        for merge_request in row.merge_requests.values_mut() {
            merge_request.target_branch.clone_from(&row.default_branch);
        }
    }
    let mut truth = Truth { world: &world, lines: Facts::new() };
    for project in world.projects() {
        for iid in project.issues.keys() {
            truth.add_issue(ItemRef::issue(project.id, *iid), silent);
            truth.add_texts(ItemRef::issue(project.id, *iid));
        }
        for iid in project.merge_requests.keys() {
            truth.add_texts(ItemRef::merge_request(project.id, *iid));
        }
    }
    without_doubles(&truth.lines)
}

/// Writes down all links that the index answers with.
async fn links(index: &Index) -> Facts {
    let items = index
        .rows(
            "select i.id, p.path || case i.kind when 1 then '#' else '!' end || i.iid
            from item as i join project as p on p.id = i.project_id",
        )
        .await;
    let names: BTreeMap<i64, String> = items.iter().map(|row| (row.get(0), row.get(1))).collect();
    let everything = Visibility { confidential: true, projects: None };
    let mut lines = Facts::new();
    for (key, near) in &names {
        let rows = index.store.list_links(*key, &everything).await.expect("they can be read");
        for row in rows {
            let arrow = match row.direction {
                Direction::Outward => '>',
                Direction::Inward => '<',
            };
            lines.insert(format!("{near} {} {arrow} {}", row.kind.as_str(), names[&row.other]));
        }
    }
    without_doubles(&lines)
}

/// Requires that the index has the world's links, and that each kind is among them.
async fn check(what: &str, gitlab: &GitLab, index: &Index, silent: &[u64]) {
    let wanted = truth(&gitlab.world(), silent);
    for kind in
        ["closes", "relates_to", "blocks", "is_blocked_by", "mentions", "moved_to", "duplicate_of"]
    {
        let some = wanted.iter().any(|line| line.contains(&format!(" {kind} > ")));
        assert!(some, "{what}: the organisation has no link that {kind}");
    }
    assert_same(what, &wanted, &links(index).await);
}

async fn follow(transport: &str) {
    let (mut world, projects) = places();
    let made = fill(&mut world, projects);
    let untold = |silent: u64| if transport == "rest" { vec![silent] } else { Vec::new() };
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let source = format!("transport = \"{transport}\"");
    let bench = Bench::new(&gitlab, "acme", &source, &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    check(&format!("{transport}, first"), &gitlab, &index, &untold(made.silent)).await;

    gitlab.world().clock().skip(SignedDuration::from_hours(1));
    change(&mut gitlab.world(), projects, &made);
    // A second time, when nothing is new, it must not become less.
    for time in ["changed", "settled"] {
        index.settle().await;
        check(&format!("{transport}, {time}"), &gitlab, &index, &untold(made.silent)).await;
        gitlab.world().clock().skip(SignedDuration::from_hours(1));
    }

    // What moves no time is seen when everything is read again.
    let silent = change_silently(&mut gitlab.world(), projects, &made);
    assert!(index.run(Pass::Full).await.complete);
    check(&format!("{transport}, read again"), &gitlab, &index, &untold(silent)).await;
    index.close().await;
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_links_are_gitlabs_by_graphql() {
    follow("auto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_links_that_rest_shows_are_gitlabs() {
    follow("rest").await;
}
