//! Mentions: who speaks of whom, on both ends.
//!
//! A text that mentions an item leaves a system note on it, once for each pair. Such a note names
//! the item that speaks, and is withheld from whoever may not see that. The names in old notes stay
//! as they were written; they lead through former paths of projects. The module also remembers
//! which merge requests could speak of an issue, by what is written, so that asking for them does
//! not read all texts of the instance. It forgets none: whether a merge request names an issue is
//! read from its texts when it is asked for.

use std::collections::{BTreeSet, HashMap};

use super::entity::{MergeRequest, Project};
use super::history::Source;
use super::id::{ItemKind, ItemRef, ProjectId, UserId};
use super::link::Related;
use super::reference::{Reader, Written, is_path, prose};
use super::sight::Caller;
use super::{Text, World};

/// How system notes begin that name what GitLab withholds them for.
const NAMING: [&str; 5] =
    ["mentioned in ", "closed via ", "moved to ", "moved from ", "marked this issue as "];

/// So many commits of a push are read, the last ones.
const COMMITS_READ: usize = 100;

/// An issue as texts name it: by its number, and by the last part of the project's path, in small
/// letters, or from within the project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Spoken {
    Near(ProjectId, u64),
    Named(String, u64),
}

/// Merge requests by the issues that their texts could speak of.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(HashMap<Spoken, BTreeSet<ItemRef>>);

impl Numbers {
    fn add(&mut self, merge_request: ItemRef, text: &str) {
        for (path, number) in spoken_of(text) {
            let spoken = match path {
                "" => Spoken::Near(merge_request.project, number),
                path => Spoken::Named(path.to_lowercase(), number),
            };
            self.0.entry(spoken).or_default().insert(merge_request);
        }
    }

    /// Reads all texts of a merge request, but for one that is made when it is read: those name no
    /// issue.
    pub(super) fn read(&mut self, project: ProjectId, row: &MergeRequest) {
        let item = ItemRef::merge_request(project, row.item.iid);
        self.add(item, &row.item.title);
        self.read_text(item, row.item.description.as_ref());
        for note in row.item.notes.iter().filter(|note| !note.system) {
            self.add(item, &note.body);
        }
    }

    fn read_text(&mut self, item: ItemRef, text: Option<&Text>) {
        if let Some(text) = text.filter(|text| !text.is_made()) {
            self.add(item, &text.read());
        }
    }
}

/// Lists the numbers behind `#` and in addresses of issues, each behind the last part of the path
/// that stands before it, if there is one.
fn spoken_of(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.match_indices(['#', '/']).filter_map(|(at, mark)| {
        let (before, rest) = (&text[..at], &text[at + 1..]);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let path = if mark == "#" { before } else { before_segment(before)? };
        let run = path.bytes().rev().take_while(|byte| is_path(char::from(*byte))).count();
        let path = path[path.len() - run..].rsplit('/').next().unwrap_or_default();
        Some((path.trim_start_matches(['.', '-']), rest[..digits].parse().ok()?))
    })
}

/// Cuts `/-/issues` and its like from the end of an address.
fn before_segment(address: &str) -> Option<&str> {
    let address = address.strip_suffix("/incident").unwrap_or(address);
    let path = ["/issues", "/work_items"].iter().find_map(|end| address.strip_suffix(end))?;
    Some(path.strip_suffix("/-").unwrap_or(path))
}

impl World {
    /// Remembers what a text of a merge request could speak of.
    pub(super) fn remember_numbers(&mut self, item: ItemRef, text: &str) {
        if item.kind == ItemKind::MergeRequest {
            self.numbers.add(item, text);
        }
    }

    /// Lists the merge requests that could speak of an issue, by project and number.
    pub(super) fn could_name(&self, issue: ItemRef) -> BTreeSet<ItemRef> {
        // Lists ask this for every issue, and in a bulk world no text names any.
        if self.numbers.0.is_empty() {
            return BTreeSet::new();
        }
        let path = self.project(issue.project).map(|row| row.path.to_lowercase());
        let mut spoken = vec![Spoken::Near(issue.project, issue.iid)];
        spoken.extend(path.map(|path| Spoken::Named(path, issue.iid)));
        spoken.iter().filter_map(|one| self.numbers.0.get(one)).flatten().copied().collect()
    }

    /// Leaves a note on everything that a text of an item mentions.
    pub(super) fn mention_in(&mut self, item: ItemRef, text: &str, by: UserId) {
        let word = match item.kind {
            ItemKind::Issue => "issue",
            ItemKind::MergeRequest => "merge request",
        };
        let short = format!("{}{}", item.kind.sigil(), item.iid);
        self.mention(item.project, Some(item), text, by, &format!("mentioned in {word} "), &short);
    }

    fn mention(
        &mut self,
        home: ProjectId,
        from: Option<ItemRef>,
        text: &str,
        by: UserId,
        words: &str,
        short: &str,
    ) {
        if !self.remarks() {
            return;
        }
        for target in self.named_in(home, text) {
            if Some(target) == from || !self.may_reach(by, home, target.project) {
                continue;
            }
            let reference = self.reference_from(target.project, home, short);
            let body = format!("{words}{reference}");
            let told = self.newest(target).is_none_or(|row| {
                let mut remarks = row.notes.iter().filter(|note| note.system);
                remarks.any(|note| {
                    let named = || self.named_by(target.project, &note.body);
                    let same = from.is_some() && note.body.starts_with("mentioned in ");
                    note.body == body || (same && named().as_slice().first() == from.as_ref())
                })
            });
            if !told {
                self.add_remark(target, by, body);
            }
        }
    }

    /// Writes the reference to something of a project as it stands in another, or in the same.
    fn reference_from(&self, there: ProjectId, home: ProjectId, short: &str) -> String {
        match self.project(home).filter(|_| there != home) {
            Some(project) => format!("{}{short}", project.full_path),
            None => short.trim_start_matches('@').to_owned(),
        }
    }

    /// Closes the issues that a merge request closed by being merged.
    pub(super) fn close_by_merge(&mut self, merge_request: ItemRef, by: UserId) {
        let Some(id) = self.newest(merge_request).map(|row| row.id) else {
            return;
        };
        let short = format!("!{}", merge_request.iid);
        for related in self.closed_by(merge_request) {
            let Related::Issue(issue) = related else {
                continue;
            };
            let reference = self.reference_from(issue.project, merge_request.project, &short);
            let body = format!("closed via merge request {reference}");
            let source = Source::MergeRequest(id);
            self.close_via(merge_request.project, issue, by, source, body);
        }
    }

    fn close_via(
        &mut self,
        home: ProjectId,
        issue: ItemRef,
        by: UserId,
        source: Source,
        body: String,
    ) {
        let open = self.newest(issue).is_some_and(|row| row.closed_at.is_none());
        if !open || !self.may_reach(by, home, issue.project) {
            return;
        }
        self.close_issue(issue, by, Some(source));
        if self.remarks() {
            self.add_remark(issue, by, body);
        }
    }

    /// Reads the messages of commits that reached the default branch: issues behind a closing word
    /// are closed, everything else that is named gets a note.
    pub(super) fn read_commits(&mut self, project: ProjectId, commits: &[(String, String)]) {
        let by = self.acting;
        for (sha, message) in &commits[commits.len().saturating_sub(COMMITS_READ)..] {
            let text = prose(message).into_owned();
            let closed: Vec<ItemRef> = match self.project(project) {
                None => return,
                Some(row) => {
                    let written = self.reader(row).closed(&text);
                    let issue = |related| match related {
                        Related::Issue(issue) => Some(issue),
                        Related::External(_) => None,
                    };
                    self.resolve(row, written).into_iter().filter_map(issue).collect()
                }
            };
            let short = format!("@{sha}");
            self.mention(project, None, message, by, "mentioned in commit ", &short);
            for issue in closed {
                let reference = self.reference_from(issue.project, project, &short);
                let body = format!("closed via commit {reference}");
                self.close_via(project, issue, by, Source::Commit(sha.clone()), body);
            }
        }
    }

    /// Tells whether somebody who writes in one project reaches another. Only for members it is
    /// looked at: the simulator lets anybody write.
    fn may_reach(&self, by: UserId, home: ProjectId, there: ProjectId) -> bool {
        let sees = |id| self.project(id).is_some_and(|row| self.user_sees_project(by, row));
        home == there || sees(there) || !sees(home)
    }

    /// Lists the items of this instance that a text in a project names, each once.
    pub fn named_in(&self, home: ProjectId, text: &str) -> Vec<ItemRef> {
        let Some(project) = self.project(home) else {
            return Vec::new();
        };
        let text = prose(text);
        let mut named = Vec::new();
        for written in self.reader(project).all(&text) {
            let Written::Item { project: path, kind, iid } = written else {
                continue;
            };
            let item =
                self.named_project(project, path).map(|project| ItemRef { project, kind, iid });
            if let Some(item) = item.filter(|item| self.newest(*item).is_some())
                && !named.contains(&item)
            {
                named.push(item);
            }
        }
        named
    }

    /// Lists the items that a system note names, by present and by former paths of projects. They
    /// may be gone.
    pub fn named_by(&self, home: ProjectId, body: &str) -> Vec<ItemRef> {
        let Some(project) = self.project(home) else {
            return Vec::new();
        };
        let reader = Reader { address: "", keys: false };
        let item = |written| match written {
            Written::Item { project: path, kind, iid } => {
                let former = || Some(self.find_moved_project(path?)?.id);
                let project = self.named_project(project, path).or_else(former)?;
                Some(ItemRef { project, kind, iid })
            }
            Written::Key(_) => None,
        };
        reader.all(body).into_iter().filter_map(item).collect()
    }

    /// Tells whether a caller sees everything that a system note names. Something that is gone
    /// hides nothing.
    pub(super) fn sees_named(&self, caller: Caller<'_>, home: &Project, body: &str) -> bool {
        if !NAMING.iter().any(|words| body.starts_with(words)) {
            return true;
        }
        let commit = body.rsplit_once('@').and_then(|(words, _)| words.rsplit(' ').next());
        let hides_commit = commit.is_some_and(|path| {
            let project = self.find_project(path).or_else(|| self.find_moved_project(path));
            project.is_some_and(|row| !self.reads_code(caller, row))
        });
        !hides_commit
            && self.named_by(home.id, body).into_iter().all(|item| {
                self.project(item.project).is_none_or(|row| match item.kind {
                    ItemKind::MergeRequest => self.reads_code(caller, row),
                    ItemKind::Issue => {
                        self.sees_project(caller, row)
                            && row
                                .issues
                                .get(&item.iid)
                                .is_none_or(|issue| self.sees_issue(caller, row, issue))
                    }
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_stand_behind_marks_and_in_addresses() {
        let text = "Closes #1, a/Shop#22; see x/a/b/-/issues/3#note_4, x/web/work_items/5, \
                    x/web/-/issues/incident/6, /2026/11/22 #x é#7 !8 a/-/merge_requests/9 \
                    #99999999999999999999 #010";
        let spoken = [("", 1), ("Shop", 22), ("b", 3), ("web", 5), ("web", 6), ("", 7), ("", 10)];
        assert_eq!(spoken_of(text).collect::<Vec<_>>(), spoken);
    }

    #[test]
    fn whatever_is_read_as_a_reference_is_remembered() {
        let reader = Reader { address: "https://gitlab.example", keys: false };
        for text in [
            "#1 (#2) see web#3+ acme/shop/web#4",
            "https://gitlab.example/acme/web/-/issues/5, https://gitlab.example/acme/web/issues/6",
            "\u{E000}/acme/web/-/work_items/7?x=1 .web#8 \u{E000}/acme/web/-/issues/incident/9",
        ] {
            for written in reader.all(text) {
                let Written::Item { project, iid, .. } = written else {
                    panic!("there are no keys in {text}");
                };
                let path = project.and_then(|path| path.rsplit('/').next()).unwrap_or_default();
                assert!(spoken_of(text).any(|one| one == (path, iid)), "{path} {iid}: {text}");
            }
        }
    }
}
