//! Changes of a simulated GitLab, picked by chance, of every kind that people make.

use gitlab_sim::World;
use gitlab_sim::world::{
    ItemKind, ItemRef, LabelId, NewIssue, NewMergeRequest, NewNote, NewPipeline, ProjectId,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// Makes one change and says which.
pub fn change(world: &mut World, random: &mut StdRng) -> String {
    let project = any_project(world, random);
    let item = any_item(world, random, project);
    let number = random.random_range(1000..9999);
    let text = format!("See https://acme.pagerduty.com/incidents/Q{number}ABCDEFGHI");
    let bot = world.bot();
    match random.random_range(0..24) {
        0 => {
            world.edit(item, |row| row.title = format!("Renamed {number}"));
            format!("renamed {item:?}")
        }
        1 => {
            world.edit(item, |row| row.description = Some(text.into()));
            format!("described {item:?}")
        }
        2 => {
            world.relabel(item, [format!("service::number-{number}"), "backend".to_owned()]);
            format!("labelled {item:?}")
        }
        3 => format!("closed {item:?}: {}", world.close(item, bot)),
        4 => format!("opened {item:?} again: {}", world.reopen(item)),
        5 if item.kind == ItemKind::MergeRequest => {
            format!("merged {item:?}: {}", world.merge(project, item.iid, bot))
        }
        6 => format!("deleted {item:?}: {}", world.delete_item(item)),
        7 if item.kind == ItemKind::Issue => {
            let confidential = random.random_bool(0.5);
            world.set_confidential(project, item.iid, confidential);
            format!("made {item:?} confidential: {confidential}")
        }
        8 => {
            let issue = NewIssue::new(&format!("New {number}")).description(&text);
            format!("added issue {} to {project}", world.add_issue(project, issue))
        }
        9 => {
            let row = NewMergeRequest::new(&format!("New {number}")).description(&text);
            format!("added merge request {} to {project}", world.add_merge_request(project, row))
        }
        10..=12 => format!("commented {item:?}: {}", world.add_note(item, NewNote::new(&text))),
        13 => {
            let note = NewNote::new(&text).internal();
            format!("commented {item:?} in private: {}", world.add_note(item, note))
        }
        14 | 15 => match any_note(world, random, item) {
            Some(note) => {
                format!("edited {note} of {item:?}: {}", world.edit_note(item, note, &text))
            }
            None => "edited no comment".to_owned(),
        },
        16 => match any_note(world, random, item) {
            Some(note) => format!("deleted {note} of {item:?}: {}", world.delete_note(item, note)),
            None => "deleted no comment".to_owned(),
        },
        17 => {
            let label = any_label(world, random);
            let title = format!("component::number-{number}");
            format!("renamed label {label:?}: {}", world.rename_label(label, &title))
        }
        18 => {
            let path = format!("renamed-{number}");
            format!("renamed project {project}: {}", world.rename_project(project, &path))
        }
        19 => {
            let group = ["acme/new", "acme/other/place"][random.random_range(0..2)];
            format!("moved project {project}: {}", world.transfer_project(project, group))
        }
        20 => {
            let topics = [format!("service-number-{number}"), "team-new".to_owned()];
            format!("set topics of {project}: {}", world.set_topics(project, topics))
        }
        21 => {
            world.add_file(project, "CODEOWNERS", format!("* @user-{number}\n"));
            world.delete_file(project, ".gitlab/CODEOWNERS");
            format!("changed owners of {project}")
        }
        22 => {
            world.add_file(project, ".gitlab/issue_templates/New.md", format!("{text}\n"));
            format!("added a template to {project}")
        }
        _ => format!("ran {}", world.add_pipeline(project, NewPipeline::new("failed"))),
    }
}

/// Takes a project out of sight or brings it back, and says what was done.
pub fn upheaval(world: &mut World, random: &mut StdRng) -> String {
    if world.projects().filter(|row| row.full_path.starts_with("acme/")).count() < 4 {
        return "left the last projects alone".to_owned();
    }
    let project = any_project(world, random);
    match random.random_range(0..4) {
        0 => format!("deleted project {project}: {}", world.delete_project(project)),
        1 => format!("archived project {project}: {}", world.archive(project, true)),
        2 => {
            let archived: Vec<ProjectId> =
                world.projects().filter(|row| row.archived).map(|row| row.id).collect();
            match archived.first() {
                Some(project) => format!("revived {project}: {}", world.archive(*project, false)),
                None => "revived nothing".to_owned(),
            }
        }
        _ => format!("moved {project} away: {}", world.transfer_project(project, "elsewhere")),
    }
}

fn pick<T: Copy>(random: &mut impl Rng, from: &[T]) -> Option<T> {
    (!from.is_empty()).then(|| from[random.random_range(0..from.len())])
}

fn any_project(world: &World, random: &mut StdRng) -> ProjectId {
    let all: Vec<ProjectId> = world
        .projects()
        .filter(|row| row.full_path.starts_with("acme/") && !row.archived)
        .map(|row| row.id)
        .collect();
    pick(random, &all).expect("some project is left")
}

fn any_item(world: &World, random: &mut StdRng, project: ProjectId) -> ItemRef {
    let row = world.project(project).expect("it was picked");
    let issues = row.issues.keys().map(|iid| ItemRef::issue(project, *iid));
    let merge_requests = row.merge_requests.keys().map(|iid| ItemRef::merge_request(project, *iid));
    let all: Vec<ItemRef> = issues.chain(merge_requests).collect();
    // A project without items is left as it is.
    pick(random, &all).unwrap_or(ItemRef::issue(project, 0))
}

/// Picks a comment that people can edit: GitLab's own remarks are not theirs.
fn any_note(world: &World, random: &mut StdRng, item: ItemRef) -> Option<u64> {
    let notes = world.item(item)?.notes.iter().filter(|note| !note.system);
    let notes: Vec<u64> = notes.map(|note| note.id).collect();
    pick(random, &notes)
}

fn any_label(world: &World, random: &mut StdRng) -> LabelId {
    let all: Vec<LabelId> = world.labels().map(|label| label.id).collect();
    pick(random, &all).expect("labels are never deleted")
}
