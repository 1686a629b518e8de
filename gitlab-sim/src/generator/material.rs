//! What the recipes draw from: people, events, other items, code, traps and comments.

use super::desk::Desk;
use super::draft::Draft;
use super::mention::{Event, Mention};
use super::names::REMARKS;
use super::plan::{HANDBOOK, Planned};
use super::template::Filled;
use crate::truth::{ItemKind, Place, Reference, Said};
use crate::world::SELF_URL;

impl Desk {
    pub(crate) fn person(&mut self, planned: &Planned) -> &'static str {
        self.dice.pick(&planned.people)
    }

    pub(crate) fn is_first(&self, planned: &Planned) -> bool {
        planned.path == self.first
    }

    pub(crate) fn filled(&mut self) -> Filled {
        match self.dice.below(10) {
            0..4 => Filled::Fully,
            4..7 => Filled::Half,
            _ => Filled::Not,
        }
    }

    pub(crate) fn jira(&mut self, planned: &Planned) -> Mention {
        Mention::jira(&mut self.dice, planned.domain.jira)
    }

    /// Something that happened: mostly here, sometimes elsewhere.
    pub(crate) fn event(&mut self, planned: &Planned) -> Event {
        let events = if self.dice.chance(80) { &planned.events } else { &self.events };
        events[self.dice.below(events.len())].clone()
    }

    /// An issue of the same project, if it has one.
    pub(crate) fn own_issue(&mut self, planned: &Planned) -> Option<Mention> {
        self.numbered(planned, &planned.path, ItemKind::Issue, planned.issues)
    }

    /// An item of the same project or of another, if there is one.
    pub(crate) fn item(&mut self, planned: &Planned) -> Option<Mention> {
        let elsewhere = self.dice.chance(40) && !self.targets.is_empty();
        let index = self.dice.below(self.targets.len());
        let (path, issues, merge_requests) = if elsewhere {
            self.targets[index].clone()
        } else {
            (planned.path.clone(), planned.issues, planned.merge_requests)
        };
        let issue = merge_requests == 0 || issues > 0 && self.dice.chance(50);
        let (kind, count) = if issue {
            (ItemKind::Issue, issues)
        } else {
            (ItemKind::MergeRequest, merge_requests)
        };
        self.numbered(planned, &path, kind, count)
    }

    /// One of so many items. The first issue of the handbook belongs to the templates.
    fn numbered(
        &mut self,
        planned: &Planned,
        path: &str,
        kind: ItemKind,
        count: u64,
    ) -> Option<Mention> {
        let least = if kind == ItemKind::Issue && path == HANDBOOK { 2 } else { 1 };
        if count < least {
            return None;
        }
        let iid = self.dice.between(least, count);
        Some(Mention::item(&mut self.dice, &planned.path, path, kind, iid))
    }

    /// Adds code in which only an ARN counts.
    pub(crate) fn code_block(&mut self, draft: &mut Draft, planned: &Planned) {
        if !self.dice.chance(20) {
            return;
        }
        let mention = Mention::arn(&mut self.dice, &planned.home);
        let prefix = planned.domain.jira;
        draft.say_of(
            &format!("```text\nERROR {{}} refused\nsee {prefix}-9003 and #9003\n```"),
            &mention,
        );
    }

    /// Adds a text that looks like a mention and is none.
    pub(crate) fn traps(&mut self, draft: &mut Draft, planned: &Planned) {
        let prefix = planned.domain.jira;
        let lower = prefix.to_lowercase();
        match self.dice.below(12) {
            0 => draft.say(&format!(
                "<!-- moved from {prefix}-9004, https://acme.pagerduty.com/incidents/PHIDDEN1 -->"
            )),
            1 => draft.say(&format!("The host {lower}-9005 is gone, and so is X{prefix}-9005.")),
            2 => draft.say("It is [see #45](https://tracker.acme.example/45) in the old tracker."),
            3 => draft.say("Write \\#9006 if you mean the number, or `!9006` in code."),
            4 => draft.say("Vendor page: https://support.pagerduty.com/incidents/PVENDOR1"),
            5 => draft.say(&format!("Fixed in {prefix}-90.7 of the vendor, they say.")),
            6 => {
                let (path, kind, iid) = (draft.project.clone(), draft.kind, draft.iid);
                let segment = kind.segment();
                draft.say(&format!("This one is {SELF_URL}/{path}/-/{segment}/{iid}."));
                // It means nothing until the project gets another path.
                let said = Said::Written(Reference::to_item(&path, kind, iid));
                draft.record_said(said, Place::Description);
            }
            _ => {}
        }
    }

    pub(crate) fn add_comments(&mut self, draft: &mut Draft, planned: &Planned) {
        for _ in 0..self.dice.below(4) {
            let author = self.person(planned);
            if self.dice.chance(20) {
                let other = self.item(planned).map(|other| other.reference.id);
                let body = other.map_or("changed the description".to_owned(), |other| {
                    format!("mentioned in {other}")
                });
                draft.system_note(author, body);
                continue;
            }
            let internal = draft.kind == ItemKind::Issue && self.dice.chance(10);
            if !self.dice.chance(35) {
                let remark = self.dice.pick(&REMARKS);
                draft.comment(author, internal, remark, None);
                continue;
            }
            let (text, mention) = match self.dice.below(6) {
                0 => match self.item(planned) {
                    Some(item) => ("Same as {}, I think.", item),
                    None => ("Planned with {}.", self.jira(planned)),
                },
                1 => ("For the record: {}", self.event(planned).thread),
                2 => ("The page was {}", self.event(planned).page),
                3 => ("Customers ask in {}.", self.event(planned).ticket),
                4 => ("The graph is <{}>", self.event(planned).dashboard),
                _ => ("Planned with {}.", self.jira(planned)),
            };
            draft.comment(author, internal, text, Some(&mention));
        }
    }
}
