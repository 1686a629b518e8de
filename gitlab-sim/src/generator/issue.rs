//! Writes issues, incidents and tasks.

use super::desk::Desk;
use super::draft::Draft;
use super::mention::Mention;
use super::names::{LEVELS, PROBLEMS, SENTENCES, TASKS};
use super::plan::{LABELLED_ONLY, Planned, Role, capitalised};
use super::tag::{add_labels, service_label, spelled};
use super::template::{Filled, Template};
use crate::truth::{ItemKind, Place};
use crate::world::{IssueType, SELF_URL};

/// What kind of text an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipe {
    Bug,
    Note,
    Incident,
    Alert,
    Task,
    Security,
}

/// What a finished issue is besides its draft.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) draft: Draft,
    pub(crate) issue_type: IssueType,
    pub(crate) severity: &'static str,
}

impl Desk {
    /// Writes the issue of a number.
    pub(crate) fn issue(&mut self, planned: &Planned, iid: u64) -> Finished {
        let recipe = match self.dice.below(100) {
            0..35 => Recipe::Bug,
            35..62 => Recipe::Note,
            62..75 => Recipe::Incident,
            75..83 => Recipe::Alert,
            83..94 => Recipe::Task,
            _ => Recipe::Security,
        };
        let author = self.person(planned);
        let title = match recipe {
            Recipe::Task => self.dice.pick(&TASKS),
            _ => self.dice.pick(&PROBLEMS),
        };
        let title = capitalised(title);
        let mut draft = Draft::new(ItemKind::Issue, &planned.path, iid, author, title);
        let mut severity = "UNKNOWN";
        match recipe {
            Recipe::Bug => self.bug(&mut draft, planned),
            Recipe::Note => self.note(&mut draft, planned),
            Recipe::Incident => self.incident(&mut draft, planned),
            Recipe::Alert => severity = self.alert(&mut draft, planned),
            Recipe::Task => self.task(&mut draft, planned),
            Recipe::Security => self.security(&mut draft, planned),
        }
        if self.dice.chance(5) && !draft.confidential {
            draft.confidential = true;
        }
        add_labels(&mut self.dice, &mut draft, planned, &self.services);
        if planned.role == Role::Service && iid == 1 && self.is_first(planned) {
            draft.label(service_label(&mut self.dice, LABELLED_ONLY), "service", LABELLED_ONLY);
            draft.confidential = false;
        }
        self.add_comments(&mut draft, planned);
        Finished {
            draft,
            issue_type: match recipe {
                Recipe::Incident | Recipe::Alert => IssueType::Incident,
                Recipe::Task => IssueType::Task,
                Recipe::Bug | Recipe::Note | Recipe::Security => IssueType::Issue,
            },
            severity,
        }
    }

    fn bug(&mut self, draft: &mut Draft, planned: &Planned) {
        let filled = self.filled();
        Template::Bug.write(&mut self.dice, draft, planned, filled);
        if filled == Filled::Not {
            return;
        }
        if self.dice.chance(40) {
            let mention = self.jira(planned);
            draft.say_of("Tracked as {} by the product people.", &mention);
        }
        if self.dice.chance(35) {
            let event = self.event(planned);
            draft.say_of("The error is {} in the collector.", &event.error);
        }
        self.code_block(draft, planned);
    }

    fn note(&mut self, draft: &mut Draft, planned: &Planned) {
        let sentence = self.dice.pick(&SENTENCES);
        draft.say(sentence);
        if self.dice.chance(40) {
            let value = planned.home.clone();
            let text = spelled(&mut self.dice, &value);
            draft.say(&format!("Service: {text}"));
            draft.tag("service", &value);
        }
        let related = self.item(planned).filter(|_| self.dice.chance(50));
        if let Some(mention) = related {
            let text = self.dice.pick(&["Related to {}.", "See also {}, which is older.", "- {}"]);
            draft.say_of(text, &mention);
        }
        if self.dice.chance(30) {
            let mention = self.jira(planned);
            if self.dice.chance(50) {
                let bare = mention.bare.clone().unwrap_or_default();
                draft.title = format!("[{bare}] {}", draft.title);
                draft.record(&mention, Place::Title);
            } else {
                draft.say_of("The request came with {}.", &mention);
            }
        }
        if self.dice.chance(15) {
            let mention = Mention::runbook(&mut self.dice, &planned.home);
            draft.say_of("What we did so far is in <{}>", &mention);
        }
        self.traps(draft, planned);
    }

    fn incident(&mut self, draft: &mut Draft, planned: &Planned) {
        let filled = self.filled();
        Template::Incident.write(&mut self.dice, draft, planned, filled);
        let event = self.event(planned);
        draft.say_of("Paged by {} at 03:10.", &event.page);
        if self.dice.chance(60) {
            draft.say_of("- Incident: {}", &event.incident);
        }
        if self.dice.chance(60) {
            draft.say_of("- Thread: [discussion]({})", &event.thread);
        }
        if self.dice.chance(40) {
            draft.say_of("- Monitor: {}", &event.monitor);
        }
        if self.dice.chance(40) {
            draft.say_of("- Graphs: <{}>", &event.dashboard);
        }
        if self.dice.chance(50) {
            match event.ticket.bare.clone() {
                Some(bare) if self.dice.chance(50) => {
                    draft.title = format!("{bare}: {}", draft.title);
                    draft.record(&event.ticket, Place::Title);
                }
                _ => draft.say_of("The desk has it as {}.", &event.ticket),
            }
        }
        self.code_block(draft, planned);
    }

    /// An incident as GitLab makes it from an alert. Returns its severity.
    fn alert(&mut self, draft: &mut Draft, planned: &Planned) -> &'static str {
        let level = self.dice.pick(&LEVELS);
        let alert = self.dice.between(1, 900);
        let service = spelled(&mut self.dice, &planned.home);
        let day = self.dice.between(1, 28);
        let hour = self.dice.between(1, 12);
        let minute = self.dice.between(0, 59);
        let path = &planned.path;
        let mention = Mention::url(
            "gitlab_alert",
            format!("{path}^alert#{alert}"),
            format!("{SELF_URL}/{path}/-/alert_management/{alert}/details"),
        );
        let text = format!(
            "**Start time:** {day} October 2026, {hour}:{minute:02}AM (UTC)  \n\
             **Severity:** {level}  \n\
             **full_query:** `rate(errors_total[5m]) > 5`  \n\
             **Service:** {service}  \n\
             **Monitoring tool:** Prometheus  \n\
             **Hosts:** {home}-a {home}-b  \n\
             **Description:** The error rate is above its limit for ten minutes  \n\
             **GitLab alert:** {{}}",
            home = planned.home,
        );
        draft.say_of(&text, &mention);
        draft.tag("service", &planned.home);
        draft.tag("severity", level);
        if self.dice.chance(50) {
            draft.say("---");
            Template::Incident.write(&mut self.dice, draft, planned, Filled::Not);
        }
        match level {
            "critical" => "CRITICAL",
            "high" => "HIGH",
            "medium" => "MEDIUM",
            _ => "LOW",
        }
    }

    fn task(&mut self, draft: &mut Draft, planned: &Planned) {
        let whole = self.item(planned).filter(|_| self.dice.chance(60));
        if let Some(mention) = whole {
            draft.say_of("Part of {}.", &mention);
        }
        if self.dice.chance(20) {
            let before = self.own_issue(planned);
            if let Some((bare, mention)) =
                before.and_then(|mention| Some((mention.bare.clone()?, mention)))
            {
                draft.title = format!("{} (after {bare})", draft.title);
                draft.record(&mention, Place::Title);
            }
        }
    }

    fn security(&mut self, draft: &mut Draft, planned: &Planned) {
        draft.confidential = self.dice.chance(70);
        let mention = Mention::cve(&mut self.dice);
        draft.say_of("The scanner reports {} in a library that we ship.", &mention);
        if self.dice.chance(50) {
            let mention = Mention::arn(&mut self.dice, &planned.home);
            draft.say_of("The role `{}` could be reached.", &mention);
        }
        let sentence = self.dice.pick(&SENTENCES);
        draft.say(sentence);
    }
}
