//! What GitLab writes of its own when somebody changes an item: system notes and resource events.
//!
//! `commit` takes a picture of an item before and after each write, and hands both over. Labels,
//! states and milestones become resource events; titles, descriptions, assignees, reviewers and
//! confidentiality become system notes, whose author is who acts. A text that changed is read for
//! mentions by `mention`. Resource events are always kept; notes are written while the world is
//! served, because what happens before that is history, which is told as it is.

use std::borrow::Cow;

use super::entity::{Issue, Item, MergeRequest, Note};
use super::history::{Happened, Reached, ResourceEvent, Source};
use super::id::{ItemKind, ItemRef, LabelId, MilestoneId, UserId};
use super::{Text, World, next};

/// What of an item leaves a trace when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Picture {
    title: String,
    draft: bool,
    description: Option<Text>,
    labels: Vec<LabelId>,
    assignees: Vec<UserId>,
    reviewers: Vec<UserId>,
    milestone: Option<MilestoneId>,
    confidential: bool,
    /// Whoever brought about the state that it has.
    closed_by: Option<UserId>,
    closed: bool,
    merged: bool,
}

impl Picture {
    fn of(item: &Item) -> Self {
        Self {
            title: item.title.clone(),
            draft: false,
            description: item.description.clone(),
            labels: item.labels.clone(),
            assignees: item.assignees.clone(),
            reviewers: Vec::new(),
            milestone: item.milestone,
            confidential: false,
            closed_by: item.closed_by,
            closed: item.closed_at.is_some(),
            merged: false,
        }
    }

    pub(super) fn of_issue(row: &Issue) -> Self {
        Self { confidential: row.confidential, ..Self::of(&row.item) }
    }

    pub(super) fn of_merge_request(row: &MergeRequest) -> Self {
        Self {
            draft: row.draft(),
            reviewers: row.reviewers.clone(),
            merged: row.merged_at.is_some(),
            closed_by: row.merge_user.or(row.item.closed_by),
            ..Self::of(&row.item)
        }
    }

    /// Lists the texts that are not as they were in another picture.
    pub(super) fn new_texts<'p>(&'p self, before: &Self) -> Vec<Cow<'p, str>> {
        let mut texts = Vec::new();
        if self.title != before.title {
            texts.push(Cow::Borrowed(self.title.as_str()));
        }
        if self.description != before.description
            && let Some(text) = &self.description
        {
            texts.push(text.read());
        }
        texts
    }

    /// Tells what happened from one picture to the next, in GitLab's order.
    fn events(&self, after: &Self, source: Option<Source>) -> Vec<Happened> {
        let came = |label: &LabelId| Happened::Label { label: *label, added: true };
        let went = |label: &LabelId| Happened::Label { label: *label, added: false };
        let mut events: Vec<Happened> = missing(&after.labels, &self.labels).map(came).collect();
        events.extend(missing(&self.labels, &after.labels).map(went));
        if self.milestone != after.milestone {
            let event = |added| move |milestone| Happened::Milestone { milestone, added };
            events.extend(self.milestone.map(event(false)));
            events.extend(after.milestone.map(event(true)));
        }
        let state = if !self.merged && after.merged {
            Some(Reached::Merged)
        } else if !self.closed && after.closed {
            Some(Reached::Closed)
        } else if self.closed && !after.closed && !after.merged {
            Some(Reached::Reopened)
        } else {
            None
        };
        events.extend(state.map(|state| Happened::State { state, source }));
        events
    }
}

/// Lists what is in one list and not in the other.
fn missing<'l, T: PartialEq>(of: &'l [T], other: &'l [T]) -> impl Iterator<Item = &'l T> {
    of.iter().filter(|thing| !other.contains(thing))
}

impl World {
    /// Says whether changes leave the system notes that GitLab would write: mentions of other
    /// items, and remarks about titles, descriptions and people. A world that is served does so
    /// unless it was told otherwise; one that is not served does not, unless it was told to.
    pub fn cross_reference(&mut self, on: bool) {
        self.remarks = Some(on);
    }

    /// Tells the world that it is served from now on. The server does so when it starts.
    pub(crate) fn begin_service(&mut self) {
        self.remarks.get_or_insert(true);
    }

    /// Tells whether system notes are written.
    pub(super) fn remarks(&self) -> bool {
        self.remarks == Some(true)
    }

    /// Writes what a change leaves behind.
    pub(super) fn leave_traces(
        &mut self,
        item: ItemRef,
        before: &Picture,
        after: &Picture,
        source: Option<Source>,
    ) {
        if before == after {
            return;
        }
        let by = self.acting;
        let events = before.events(after, source);
        let who = |what: &Happened| match what {
            Happened::State { state: Reached::Closed | Reached::Merged, .. } => {
                after.closed_by.unwrap_or(by)
            }
            _ => by,
        };
        let events: Vec<(UserId, Happened)> =
            events.into_iter().map(|what| (who(&what), what)).collect();
        self.add_events(item, events);
        if !self.remarks() {
            return;
        }
        for body in self.remarks_about(item.kind, before, after) {
            self.add_remark(item, by, body);
        }
        for text in after.new_texts(before) {
            self.mention_in(item, &text, by);
        }
    }

    /// Writes what a new item leaves behind, unless it is history that was imported.
    pub(super) fn leave_first_traces(&mut self, item: ItemRef) {
        let Some(row) = self.newest(item).filter(|_| self.remarks()) else {
            return;
        };
        let (by, title, text) = (row.author, row.title.clone(), row.description.clone());
        let came = |label: &LabelId| (by, Happened::Label { label: *label, added: true });
        let events = row.labels.iter().map(came).collect();
        self.add_events(item, events);
        self.mention_in(item, &title, by);
        if let Some(text) = text {
            self.mention_in(item, &text.read(), by);
        }
    }

    fn add_events(&mut self, item: ItemRef, events: Vec<(UserId, Happened)>) {
        if events.is_empty() {
            return;
        }
        let at = self.clock.now();
        let rows: Vec<ResourceEvent> = events
            .into_iter()
            .map(|(by, what)| ResourceEvent { id: next(&mut self.last.event), by, at, what })
            .collect();
        self.write_quietly(item, |row| rows.into_iter().for_each(|event| row.history.add(event)));
    }

    /// Writes a system note. The item is touched as by any note.
    pub(super) fn add_remark(&mut self, item: ItemRef, author: UserId, body: String) {
        let now = self.clock.now();
        let id = next(&mut self.last.note);
        let note = Note {
            id,
            body,
            author,
            system: true,
            internal: false,
            created_at: now,
            updated_at: now,
        };
        self.write_quietly(item, |row| row.notes.push(note));
        self.touch_throttled(item);
    }

    fn remarks_about(&self, kind: ItemKind, before: &Picture, after: &Picture) -> Vec<String> {
        let mut remarks = Vec::new();
        let people = |users: Vec<&UserId>| {
            let names = users.into_iter().filter_map(|id| self.user(*id));
            sentence(&names.map(|user| format!("@{}", user.username)).collect::<Vec<_>>())
        };
        let mut both = |came: &str, went: &str, old: &[UserId], new: &[UserId]| {
            let parts: Vec<String> = [(came, new, old), (went, old, new)]
                .into_iter()
                .map(|(words, of, other)| (words, missing(of, other).collect::<Vec<_>>()))
                .filter(|(_, users)| !users.is_empty())
                .map(|(words, users)| format!("{words} {}", people(users)))
                .collect();
            if !parts.is_empty() {
                remarks.push(parts.join(" and "));
            }
        };
        both("assigned to", "unassigned", &before.assignees, &after.assignees);
        let (came, went) = ("requested review from", "removed review request for");
        both(came, went, &before.reviewers, &after.reviewers);
        if before.draft != after.draft {
            let state = if after.draft { "draft" } else { "ready" };
            remarks.push(format!("marked this merge request as **{state}**"));
        }
        // A mark that only says draft or ready is told by that remark alone.
        let bare = |title: &str| without_draft(title).to_owned();
        let same = kind == ItemKind::MergeRequest && bare(&before.title) == bare(&after.title);
        if before.title != after.title && !(same && before.draft != after.draft) {
            let (old, new) = marked(&before.title, &after.title);
            remarks.push(format!("changed title from **{old}** to **{new}**"));
        }
        if before.description != after.description {
            remarks.push("changed the description".to_owned());
        }
        if before.confidential != after.confidential {
            let how = if after.confidential { "confidential" } else { "visible to everyone" };
            remarks.push(format!("made the issue {how}"));
        }
        remarks
    }
}

/// Joins names as a sentence does: `@a, @b, and @c`.
fn sentence(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

/// Cuts the mark of a draft from a title.
fn without_draft(title: &str) -> &str {
    let title = title.trim_start();
    let mark = ["draft:", "[draft]", "(draft)"]
        .into_iter()
        .find(|mark| title.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)));
    title[mark.map_or(0, str::len)..].trim_start()
}

/// Marks what two titles do not have in common: `{-…-}` in the old one, `{+…+}` in the new one.
fn marked(old: &str, new: &str) -> (String, String) {
    let shared = |left: &mut dyn Iterator<Item = char>, right: &mut dyn Iterator<Item = char>| {
        left.zip(right).take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
    };
    let start: usize = shared(&mut old.chars(), &mut new.chars());
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end: usize = shared(&mut old_rest.chars().rev(), &mut new_rest.chars().rev());
    let mark = |text: &str, sign: char| {
        let (middle, tail) = text[start..].split_at(text.len() - start - end);
        if middle.is_empty() {
            return text.to_owned();
        }
        format!("{}{{{sign}{middle}{sign}}}{tail}", &text[..start])
    };
    (mark(old, '-'), mark(new, '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_titles_do_not_share_is_marked() {
        for (old, new, from, to) in [
            ("A", "B", "{-A-}", "{+B+}"),
            ("Old", "New Old", "Old", "{+New +}Old"),
            ("Slow checkout", "Slow payment", "Slow {-checkou-}t", "Slow {+paymen+}t"),
            ("aa", "aaa", "aa", "aa{+a+}"),
            ("é😀", "è😀", "{-é-}😀", "{+è+}😀"),
            ("gone", "", "{-gone-}", ""),
        ] {
            assert_eq!(marked(old, new), (from.to_owned(), to.to_owned()), "{old} {new}");
        }
    }

    #[test]
    fn names_are_joined_as_in_a_sentence() {
        let names = |count: usize| sentence(&["@a", "@b", "@c"].map(str::to_owned)[..count]);
        assert_eq!(
            [names(0), names(1), names(2), names(3)],
            ["", "@a", "@a and @b", "@a, @b, and @c"]
        );
    }
}
