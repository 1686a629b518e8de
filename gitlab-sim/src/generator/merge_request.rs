//! Writes merge requests.

use super::desk::Desk;
use super::draft::Draft;
use super::mention::Mention;
use super::names::{PROBLEMS, SENTENCES, TASKS};
use super::plan::{Planned, capitalised};
use super::tag::add_labels;
use super::template::{Filled, Template};
use crate::truth::{ItemKind, Place};

impl Desk {
    /// Writes the merge request of a number.
    pub(crate) fn merge_request(&mut self, planned: &Planned, iid: u64) -> Draft {
        let author = self.person(planned);
        let task = self.dice.chance(50);
        let words = if task { self.dice.pick(&TASKS) } else { self.dice.pick(&PROBLEMS) };
        let title = if task {
            capitalised(words)
        } else {
            let kind = self.dice.pick(&["fix", "fix(core)", "perf"]);
            format!("{kind}: {words}")
        };
        let mut draft = Draft::new(ItemKind::MergeRequest, &planned.path, iid, author, title);
        let slug = slug(words);
        match self.dice.below(100) {
            0..45 => {
                let filled = self.filled();
                Template::MergeRequest.write(&mut self.dice, &mut draft, planned, filled);
                self.feature(&mut draft, planned, &slug);
            }
            45..75 => {
                let sentence = self.dice.pick(&SENTENCES);
                draft.say(sentence);
                self.feature(&mut draft, planned, &slug);
                self.traps(&mut draft, planned);
            }
            75..90 => self.hotfix(&mut draft, planned, &slug),
            _ => self.dependency(&mut draft, planned),
        }
        if self.dice.chance(12) {
            let mark = self.dice.pick(&["Draft: ", "[Draft] "]);
            draft.title = format!("{mark}{}", draft.title);
        }
        add_labels(&mut self.dice, &mut draft, planned, &self.services);
        self.add_comments(&mut draft, planned);
        draft
    }

    /// A branch and links as a planned change has them.
    fn feature(&mut self, draft: &mut Draft, planned: &Planned, slug: &str) {
        match self.dice.below(100) {
            0..40 => {
                let mention = self.jira(planned);
                let key = mention.bare.clone().unwrap_or_default();
                let written = if self.dice.chance(60) { key.to_lowercase() } else { key.clone() };
                let folder = self.dice.pick(&["feature/", "bugfix/", ""]);
                draft.branch = format!("{folder}{written}-{slug}");
                draft.record(&mention, Place::Branch);
                if self.dice.chance(60) {
                    draft.title = format!("{key}: {}", draft.title);
                    draft.record(&mention, Place::Title);
                }
            }
            40..55 => match self.own_issue(planned) {
                Some(mention) => {
                    let id = &mention.reference.id;
                    let number = id.rsplit('#').next().unwrap_or(id).to_owned();
                    draft.branch = format!("{number}-{slug}");
                    draft.record(&mention, Place::Branch);
                    let said = mention.bare_said.clone();
                    let short = Mention { text: format!("#{number}"), said, ..mention };
                    draft.say_of("Closes {}", &short);
                }
                None => draft.branch = format!("fix/{slug}"),
            },
            55..70 => {
                draft.branch = format!("feature/{slug}");
                if let Some(mention) = self.item(planned) {
                    draft.say_of("Follows {} and uses the same approach.", &mention);
                }
            }
            _ => draft.branch = format!("chore/{slug}"),
        }
        if self.dice.chance(15) {
            let event = self.event(planned);
            draft.say_of("This would have prevented {}.", &event.incident);
        }
        if self.dice.chance(10) {
            let mention = Mention::runbook(&mut self.dice, &planned.home);
            draft.say_of("Changes what {} describes.", &mention);
        }
        self.code_block(draft, planned);
    }

    fn hotfix(&mut self, draft: &mut Draft, planned: &Planned, slug: &str) {
        let event = self.event(planned);
        draft.branch = format!("hotfix/{slug}");
        if let Some(bare) = event.ticket.bare.clone().filter(|_| self.dice.chance(50)) {
            draft.branch = format!("hotfix/{bare}-{slug}");
            draft.record(&event.ticket, Place::Branch);
        }
        draft.say_of("Stops the bleeding of {} for now.", &event.page);
        if self.dice.chance(50) {
            draft.say_of("Errors: {}", &event.error);
        }
        let proper = self.item(planned).filter(|_| self.dice.chance(40));
        if let Some(mention) = proper {
            draft.say_of("The proper change is {}.", &mention);
        }
        if self.dice.chance(25) {
            let filled = Filled::Fully;
            Template::MergeRequest.write(&mut self.dice, draft, planned, filled);
        }
    }

    /// A change by a bot: a table of versions, and advisories in code.
    fn dependency(&mut self, draft: &mut Draft, planned: &Planned) {
        let library = self.dice.pick(&["serde", "tokio", "lodash", "jackson", "requests", "rack"]);
        let version = format!("{}.{}", self.dice.between(1, 9), self.dice.between(0, 20));
        draft.author = "renovate-bot";
        draft.title = format!("Update dependency {library} to v{version}");
        draft.branch = format!("renovate/{library}-updates");
        draft.say(&format!("| Package | Change |\n| --- | --- |\n| {library} | `{version}` |"));
        if self.dice.chance(50) {
            let mention = Mention::cve(&mut self.dice);
            draft.say_of("```text\nfixed advisories: {}\n```", &mention);
        }
        let reason = self.own_issue(planned).filter(|_| self.dice.chance(20));
        if let Some(mention) = reason {
            draft.say_of("Asked for in {}.", &mention);
        }
    }
}

/// Makes a part of a branch name: lower-case words without digits, so that no key arises.
fn slug(words: &str) -> String {
    let letters: String = words
        .chars()
        .map(|letter| if letter.is_ascii_alphabetic() { letter.to_ascii_lowercase() } else { '-' })
        .collect();
    letters.split('-').filter(|word| !word.is_empty()).take(4).collect::<Vec<_>>().join("-")
}
