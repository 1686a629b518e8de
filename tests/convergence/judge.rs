//! Compares an index with GitLab, both ways, as a client of the API sees it.

use std::collections::BTreeSet;

use gitlab_sim::truth::Truth;
use gitlab_sim::{GitLab, State};
use xrefd::crawl::Pass;

use crate::scene::{Roots, Scene};
use crate::support::facts::{self, Facts};
use crate::support::{Index, MEMBER, READER, escaped};

/// How many differences are told of each side.
const SHOWN: usize = 8;

/// Returns what is different after such a pass, in lines.
pub async fn judge(
    scene: &Scene,
    named: &BTreeSet<u64>,
    gitlab: &GitLab,
    index: &Index,
    last: Pass,
) -> Vec<String> {
    let (truth, state) = (gitlab.truth(Some(gitlab.token())), gitlab.state(Some(gitlab.token())));
    let truth = wanted(scene, named, truth);
    let mut wrong = Vec::new();
    for key in [MEMBER, READER] {
        let mut told = facts::of_truth(&truth, key == MEMBER);
        let mut found = facts::of_index(index, key, &truth).await;
        if last != Pass::Sweep {
            // A comment that was deleted moves nothing and is in no number of items: a sweep finds
            // it, which sees how many comments each item has.
            let counts = |fact: &str| fact.contains(" is mentioned by ") && fact.ends_with(" MRs");
            told.retain(|fact| !counts(fact));
            found.retain(|fact| {
                !counts(fact) && (told.contains(fact) || !fact.ends_with("comment"))
            });
        }
        wrong.extend(differences(if key == MEMBER { "members" } else { "readers" }, &told, &found));
    }
    let told = items_of(&state, &truth);
    wrong.extend(differences("items", &told, &items_found(gitlab, index, &truth).await));
    wrong
}

/// Returns what the configuration asks for.
fn wanted(scene: &Scene, named: &BTreeSet<u64>, truth: Truth) -> Truth {
    let truth = truth.of_projects(|path, project| {
        (scene.archived || !project.archived)
            && match scene.roots {
                Roots::Group | Roots::Member | Roots::Twice | Roots::Overlapping => true,
                Roots::Projects => named.contains(&project.id),
                Roots::Excluding => !path.starts_with("acme/shop/"),
            }
    });
    if scene.comments { truth } else { truth.without_comments() }
}

/// Tells what is missing and what is too much, a few lines of each.
fn differences(what: &str, told: &Facts, found: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for (word, some, others) in [("missing", told, found), ("too much", found, told)] {
        let all: Vec<&String> = some.difference(others).collect();
        if !all.is_empty() {
            lines.push(format!("{what}: {} of {} {word}", all.len(), some.len()));
            lines.extend(all.iter().take(SHOWN).map(|line| format!("  {word}: {line}")));
        }
    }
    lines
}

fn line(
    reference: &str,
    title: &str,
    state: &str,
    confidential: bool,
    labels: &[String],
    second: i64,
) -> String {
    let mut labels = labels.to_vec();
    labels.sort();
    format!("{reference} `{title}` is {state}, confidential: {confidential}, {labels:?}, {second}")
}

/// Writes down all items that the truth speaks of. Times are whole seconds: GraphQL tells no more.
fn items_of(state: &State, truth: &Truth) -> Facts {
    let items = state.items();
    let rows = truth.items.keys().filter_map(|reference| items.get(reference.as_str()));
    rows.map(|row| {
        let second = row.updated_at.as_second();
        line(&row.reference, &row.title, row.state, row.confidential, &row.labels, second)
    })
    .collect()
}

/// Asks for the same items by their addresses.
async fn items_found(gitlab: &GitLab, index: &Index, truth: &Truth) -> Facts {
    let api = index.api(Some(MEMBER));
    let mut found = Facts::new();
    for (reference, item) in &truth.items {
        let list = if reference.contains('#') { "issues" } else { "merge_requests" };
        let url = format!("{}/{}/-/{list}/{}", gitlab.url(), item.project, item.iid);
        let answer = api.get(&format!("/v1/resolve?url={}", escaped(&url))).await;
        for row in answer.body["data"]["items"].as_array().into_iter().flatten() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let labels = row["labels"].as_array().into_iter().flatten();
            let labels: Vec<String> =
                labels.filter_map(|label| label.as_str().map(str::to_owned)).collect();
            let at: jiff::Timestamp = text("updated_at").parse().expect("an instant");
            found.insert(line(
                &text("reference"),
                &text("title"),
                &text("state"),
                row["confidential"] == true,
                &labels,
                at.as_second(),
            ));
        }
    }
    found
}
