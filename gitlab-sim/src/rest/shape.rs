//! Shapes that several endpoints share: times, users, texts.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Call;
use crate::world::{LabelId, SELF_URL, Text, User, UserId};

/// A time as GitLab prints it: UTC, cut (not rounded) to milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp(pub(super) Timestamp);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// A user where another thing mentions one.
#[derive(Debug, Serialize)]
pub(super) struct UserShape<'w> {
    id: UserId,
    username: &'w str,
    public_email: &'static str,
    name: &'w str,
    state: &'static str,
    locked: bool,
    avatar_url: Option<&'static str>,
    web_url: String,
}

impl<'w> UserShape<'w> {
    pub(super) fn new(call: &Call<'w>, user: &'w User) -> Self {
        Self {
            id: user.id,
            username: &user.username,
            public_email: "",
            name: &user.name,
            state: "active",
            locked: false,
            avatar_url: None,
            web_url: format!("{}/{}", call.site.url, user.username),
        }
    }

    pub(super) fn find(call: &Call<'w>, id: UserId) -> Option<Self> {
        call.world.user(id).map(|user| Self::new(call, user))
    }
}

/// The labels of an item: titles, or everything about them.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum LabelsShape<'w> {
    Titles(Vec<&'w str>),
    Details(Vec<LabelDetails<'w>>),
}

/// A label where an item carries it.
#[derive(Debug, Serialize)]
pub(super) struct LabelDetails<'w> {
    id: LabelId,
    name: &'w str,
    color: &'w str,
    description: Option<&'w str>,
    description_html: &'w str,
    text_color: &'static str,
}

/// The colour of the text on every label of the simulator.
pub(super) const TEXT_COLOR: &str = "#FFFFFF";

impl<'w> LabelsShape<'w> {
    pub(super) fn new(call: &Call<'w>, labels: &[LabelId], details: bool) -> Self {
        if !details {
            return Self::Titles(call.world.label_titles(labels));
        }
        let mut rows: Vec<LabelDetails<'w>> = labels
            .iter()
            .filter_map(|id| call.world.label(*id))
            .map(|label| LabelDetails {
                id: label.id,
                name: &label.title,
                color: &label.color,
                description: label.description.as_deref(),
                description_html: label.description.as_deref().unwrap_or_default(),
                text_color: TEXT_COLOR,
            })
            .collect();
        rows.sort_unstable_by_key(|label| label.name);
        Self::Details(rows)
    }
}

/// Puts the address of the instance into a text.
pub(super) fn text<'t>(call: &Call<'_>, text: &'t str) -> Cow<'t, str> {
    if text.contains(SELF_URL) {
        Cow::Owned(text.replace(SELF_URL, &call.site.url))
    } else {
        Cow::Borrowed(text)
    }
}

/// Returns a long text with the address of the instance in it.
pub(super) fn long_text<'t>(call: &Call<'_>, long: &'t Text) -> Cow<'t, str> {
    match long.read() {
        Cow::Borrowed(words) => text(call, words),
        Cow::Owned(words) => Cow::Owned(text(call, &words).into_owned()),
    }
}

/// Counts the check boxes of a description: all, and those ticked.
pub(crate) fn tasks(description: Option<&str>) -> (usize, usize) {
    description.unwrap_or_default().lines().fold((0, 0), |(all, done), line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or_default();
        let ticked = rest.starts_with("[x] ") || rest.starts_with("[X] ");
        let open = rest.starts_with("[ ] ");
        (all + usize::from(ticked || open), done + usize::from(ticked))
    })
}

/// How many check boxes of a description are ticked.
#[derive(Debug, Serialize)]
pub(super) struct TaskStatus {
    count: usize,
    completed_count: usize,
}

impl TaskStatus {
    pub(super) fn of(description: Option<&Text>) -> Self {
        let description = description.map(Text::read);
        let (count, completed_count) = tasks(description.as_deref());
        Self { count, completed_count }
    }

    pub(super) fn words(&self) -> String {
        format!("{} of {} checklist items completed", self.completed_count, self.count)
    }
}

/// Time tracking, which the simulator does not have.
#[derive(Debug, Default, Serialize)]
pub(super) struct TimeStats {
    time_estimate: u64,
    total_time_spent: u64,
    human_time_estimate: Option<u64>,
    human_total_time_spent: Option<u64>,
}

/// The three forms of an item's reference.
#[derive(Debug, Serialize)]
pub(super) struct References {
    pub(super) short: String,
    pub(super) relative: String,
    pub(super) full: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_to_milliseconds() {
        for (stored, printed) in [
            ("2026-11-22T10:00:00.081999Z", "\"2026-11-22T10:00:00.081Z\""),
            ("2026-11-22T10:00:00Z", "\"2026-11-22T10:00:00.000Z\""),
        ] {
            let stamp = Stamp(stored.parse().unwrap());
            assert_eq!(serde_json::to_string(&stamp).unwrap(), printed);
        }
    }

    #[test]
    fn check_boxes_are_counted() {
        let text = "- [x] one\n- [ ] two\n  * [X] three\n- plain\n[x] no bullet";
        assert_eq!(tasks(Some(text)), (3, 2));
    }
}
