//! Things outside that items mention: each knows its kind, its canonical id and how people write
//! it. Kinds and ids are those of the identifier reference.

use super::dice::Dice;
use crate::truth::{ItemKind, Place, Reference, Said};
use crate::world::SELF_URL;

const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";

/// Something that can be mentioned.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub(crate) reference: Reference,
    /// As it stands in prose.
    pub(crate) text: String,
    /// What a title or branch would hold, where the bare form counts.
    pub(crate) bare: Option<String>,
    /// What the prose says.
    pub(crate) said: Said,
    /// What the bare form says.
    pub(crate) bare_said: Said,
}

impl Mention {
    /// Something that is named by an address alone.
    pub(crate) fn url(kind: &'static str, id: String, url: String) -> Self {
        Self::written(Reference { kind, id }, url, None)
    }

    fn bare(kind: &'static str, id: String) -> Self {
        Self::written(Reference { kind, id: id.clone() }, id.clone(), Some(id))
    }

    fn written(reference: Reference, text: String, bare: Option<String>) -> Self {
        let said = Said::Written(reference.clone());
        Self { reference, text, bare, bare_said: said.clone(), said }
    }

    /// Returns what the form says that is used in a place.
    pub(crate) fn said_in(&self, place: Place) -> &Said {
        match place {
            Place::Title | Place::Branch => &self.bare_said,
            Place::Description | Place::Comment | Place::InternalComment => &self.said,
        }
    }

    pub(crate) fn pagerduty(dice: &mut Dice) -> Self {
        let id = if dice.chance(30) {
            format!("P{}", dice.letters(6, UPPER))
        } else {
            format!("Q{}", dice.letters(13, UPPER))
        };
        let tail = dice.pick(&["", "/timeline", "?utm_source=channel"]);
        let url = format!("https://acme.pagerduty.com/incidents/{id}{tail}");
        Self::url("pagerduty_incident", id, url)
    }

    pub(crate) fn incident_io(dice: &mut Dice) -> Self {
        let number = dice.between(100, 9999);
        let organisation = dice.pick(&["acme", "~"]);
        let url = format!("https://app.incident.io/{organisation}/incidents/{number}");
        Self::url("incident_io_incident", format!("INC-{number}"), url)
    }

    pub(crate) fn servicenow(dice: &mut Dice) -> Self {
        let prefix = dice.pick(&["INC", "CHG", "PRB"]);
        Self::bare("servicenow_number", format!("{prefix}{:07}", dice.between(10_000, 99_999)))
    }

    pub(crate) fn servicenow_record(dice: &mut Dice) -> Self {
        let id = dice.letters(32, HEX);
        let url = format!("https://acme.service-now.com/nav_to.do?uri=incident.do?sys_id={id}");
        Self::url("servicenow_record", format!("incident/{id}"), url)
    }

    pub(crate) fn sentry(dice: &mut Dice) -> Self {
        let id = dice.between(4_500_000_000, 4_599_999_999).to_string();
        let url = format!("https://acme.sentry.io/issues/{id}/?query=is%3Aunresolved");
        Self::url("sentry_issue", id, url)
    }

    pub(crate) fn slack(dice: &mut Dice) -> Self {
        let channel = format!("C{}", dice.letters(9, UPPER));
        let second = dice.between(1_750_000_000, 1_789_999_999);
        let fraction = dice.between(0, 999_999);
        let url = format!("https://acme.slack.com/archives/{channel}/p{second}{fraction:06}");
        Self::url("slack_message", format!("{channel}/{second}.{fraction:06}"), url)
    }

    pub(crate) fn grafana(dice: &mut Dice, service: &str) -> Self {
        let id = dice.letters(9, LOWER);
        let url = format!("https://acme.grafana.net/d/{id}/{service}-overview?orgId=1&from=now-6h");
        Self::url("grafana_dashboard", id, url)
    }

    pub(crate) fn datadog(dice: &mut Dice) -> Self {
        let id = dice.between(1_000_000, 99_999_999).to_string();
        let site = dice.pick(&["app.datadoghq.eu", "app.datadoghq.com"]);
        let url = format!("https://{site}/monitors/{id}");
        Self::url("datadog_monitor", id, url)
    }

    pub(crate) fn datadog_incident(dice: &mut Dice) -> Self {
        let id = dice.between(10, 9999).to_string();
        let url = format!("https://app.datadoghq.eu/incidents/{id}");
        Self::url("datadog_incident", id, url)
    }

    pub(crate) fn runbook(dice: &mut Dice, service: &str) -> Self {
        let page = dice.pick(&["high-latency", "disk-full", "queue-growth", "failover"]);
        let id = format!("https://docs.acme.example/runbooks/{service}/{page}");
        let tail = dice.pick(&["", "#step-2", "/"]);
        Self::url("runbook_url", id.clone(), format!("{id}{tail}"))
    }

    pub(crate) fn arn(dice: &mut Dice, service: &str) -> Self {
        let account = dice.between(100_000_000_000, 999_999_999_999);
        let id = match dice.below(3) {
            0 => format!("arn:aws:lambda:eu-west-1:{account}:function:{service}-handler"),
            1 => format!("arn:aws:sqs:eu-central-1:{account}:{service}-events"),
            _ => format!("arn:aws:iam::{account}:role/{service}-runtime"),
        };
        Self::url("aws_arn", id.clone(), id)
    }

    pub(crate) fn cve(dice: &mut Dice) -> Self {
        let id = format!("CVE-{}-{}", dice.between(2023, 2026), dice.between(1000, 59_999));
        let text = if dice.chance(20) { id.to_lowercase() } else { id.clone() };
        Self { text, ..Self::bare("cve", id) }
    }

    /// A Jira key of a prefix. The numbers are few, so that items share them.
    pub(crate) fn jira(dice: &mut Dice, prefix: &str) -> Self {
        let id = format!("{prefix}-{}", dice.between(1, 400));
        let text = match dice.below(6) {
            0 => format!("https://acme.atlassian.net/browse/{id}"),
            1 => format!("[{id}](https://acme.atlassian.net/browse/{id}?focusedCommentId=10042)"),
            2 => format!("**{id}**"),
            _ => id.clone(),
        };
        Self { text, ..Self::bare("jira", id) }
    }

    /// An item of this instance, mentioned from a project.
    pub(crate) fn item(
        dice: &mut Dice,
        from: &str,
        project: &str,
        kind: ItemKind,
        iid: u64,
    ) -> Self {
        let sigil = kind.sigil();
        let id = format!("{project}{sigil}{iid}");
        let short = format!("{sigil}{iid}");
        let near = project == from;
        let reference = Reference { kind: Reference::kind_of(kind), id: id.clone() };
        let (written, number) = (Said::Written(reference.clone()), Said::Near(kind, iid));
        let (text, said) = match dice.below(4) {
            0 => {
                let tail = dice.pick(&["", "#note_1001", "?tab=overview"]);
                let url = format!("{SELF_URL}/{project}/-/{}/{iid}{tail}", kind.segment());
                (url, written.clone())
            }
            1 if near => (id.clone(), written.clone()),
            _ if near => (short.clone(), number.clone()),
            _ => (id.clone(), written.clone()),
        };
        let (bare, bare_said) = if near { (short, number) } else { (id, written) };
        Self { reference, text, bare: Some(bare), said, bare_said }
    }
}

/// What one disturbance left behind in the tools: items of several projects speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) page: Mention,
    pub(crate) incident: Mention,
    pub(crate) ticket: Mention,
    pub(crate) error: Mention,
    pub(crate) thread: Mention,
    pub(crate) monitor: Mention,
    pub(crate) dashboard: Mention,
}

impl Event {
    pub(crate) fn new(dice: &mut Dice, service: &str) -> Self {
        Self {
            page: Mention::pagerduty(dice),
            incident: if dice.chance(80) {
                Mention::incident_io(dice)
            } else {
                Mention::datadog_incident(dice)
            },
            ticket: if dice.chance(75) {
                Mention::servicenow(dice)
            } else {
                Mention::servicenow_record(dice)
            },
            error: Mention::sentry(dice),
            thread: Mention::slack(dice),
            monitor: Mention::datadog(dice),
            dashboard: Mention::grafana(dice, service),
        }
    }
}
