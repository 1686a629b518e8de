//! Description templates, and the descriptions that people make of them.
//!
//! A template has fields with placeholders, sections, and boilerplate with links that every item
//! made from it repeats: those mean nothing. A field means something only when it was filled.

use super::dice::Dice;
use super::draft::Draft;
use super::names::{COMPONENTS, ENVIRONMENTS, LEVELS, SENTENCES};
use super::plan::{HANDBOOK, Planned};
use super::tag::spelled;

/// The kinds of template a project has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Template {
    Bug,
    Incident,
    MergeRequest,
}

/// How a project's templates ask.
#[derive(Debug, Clone, Copy)]
enum Style {
    Bullets,
    Headings,
    Table,
    Bold,
}

/// How much of a template was filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    Fully,
    Half,
    Not,
}

/// A field, and what was written into it.
struct Field {
    name: &'static str,
    key: &'static str,
    answer: Option<String>,
}

impl Template {
    /// Returns where the file lies.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Bug => ".gitlab/issue_templates/Bug.md",
            Self::Incident => ".gitlab/issue_templates/Incident.md",
            Self::MergeRequest => ".gitlab/merge_request_templates/Default.md",
        }
    }

    const fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Bug => &[
                ("Affected service", "service"),
                ("Component", "component"),
                ("Environment", "environment"),
                ("Priority", "priority"),
            ],
            Self::Incident => &[
                ("Affected service", "service"),
                ("Owning team", "team"),
                ("Environment", "environment"),
                ("Severity", "severity"),
            ],
            Self::MergeRequest => &[("Service", "service"), ("Component", "component")],
        }
    }

    const fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Bug => &["What happens", "What should happen"],
            Self::Incident => &["Summary", "Timeline", "Root cause"],
            Self::MergeRequest => &["What does this change", "How was it tested"],
        }
    }

    fn boilerplate(self) -> String {
        match self {
            Self::Bug => "---\n\nRead [how we triage](https://wiki.acme.example/triage) first, or \
                ask in https://acme.slack.com/archives/C0TRIAGE01."
                .to_owned(),
            Self::Incident => "---\n\nFollow https://docs.acme.example/runbooks/incident-response \
                and post in https://acme.slack.com/archives/C0INCIDENT1."
                .to_owned(),
            Self::MergeRequest => format!(
                "## Checklist\n\nSee {HANDBOOK}#1 for the reasons.\n\n- [ ] Tests\n- [ ] \
                 Documentation\n- [ ] Translations"
            ),
        }
    }

    /// Returns the text of the file.
    pub(crate) fn text(self, variant: usize) -> String {
        let fields = self.fields();
        let unanswered = fields.iter().map(|(name, key)| Field { name, key, answer: None });
        let mut text = self.render(Style::of(variant), &unanswered.collect::<Vec<_>>(), &[]);
        text.push_str(match self {
            Self::Bug => "\n\n/label ~bug\n",
            Self::Incident => "\n\n/label ~\"type::incident\" <!-- and the severity -->\n",
            Self::MergeRequest => "\n\n/assign me\n",
        });
        text
    }

    /// Makes a description of the template, and records what was filled in.
    pub(crate) fn write(
        self,
        dice: &mut Dice,
        draft: &mut Draft,
        planned: &Planned,
        filled: Filled,
    ) {
        let style = Style::of(planned.variant);
        let mut fields = Vec::new();
        for (name, key) in self.fields() {
            let answered = match filled {
                Filled::Fully => true,
                Filled::Half => dice.chance(50),
                Filled::Not => false,
            };
            let mut answer = None;
            if answered {
                let (value, text) = answer_to(dice, key, planned, style);
                draft.tag(key, &value);
                answer = Some(text);
            }
            fields.push(Field { name, key, answer });
        }
        let prose: Vec<&str> = match filled {
            Filled::Fully => self.sections().iter().map(|_| dice.pick(&SENTENCES)).collect(),
            Filled::Half => vec![dice.pick(&SENTENCES)],
            Filled::Not => Vec::new(),
        };
        let text = self.render(style, &fields, &prose);
        draft.say(&text);
    }

    fn render(self, style: Style, fields: &[Field], prose: &[&str]) -> String {
        let mut parts = Vec::new();
        if matches!(style, Style::Table) {
            let rows: Vec<String> = fields
                .iter()
                .enumerate()
                .map(|(index, field)| format!("| {} | {} |", field.name, style.text(index, field)))
                .collect();
            parts.push(format!("| Field | Value |\n| --- | --- |\n{}", rows.join("\n")));
        } else {
            let lines: Vec<String> = fields
                .iter()
                .enumerate()
                .map(|(index, field)| {
                    let text = style.text(index, field);
                    match style {
                        Style::Bullets => format!("- {}: {text}", field.name),
                        Style::Bold => format!("**{}:** {text}  ", field.name),
                        Style::Headings | Style::Table => {
                            format!("## {}\n\n{text}\n", field.name)
                        }
                    }
                })
                .map(|line| line.trim_end_matches(' ').to_owned())
                .collect();
            parts.push(lines.join("\n"));
        }
        for (index, heading) in self.sections().iter().enumerate() {
            parts.push(match prose.get(index) {
                Some(text) => format!("## {heading}\n\n{text}"),
                None => format!(
                    "## {heading}\n\n<!-- A few words. Ids such as SHOP-9001 or \
                     https://acme.pagerduty.com/incidents/PEXAMPLE1 are links later on. -->"
                ),
            });
        }
        parts.push(self.boilerplate());
        parts.join("\n\n")
    }
}

impl Style {
    const fn of(variant: usize) -> Self {
        match variant % 4 {
            0 => Self::Bullets,
            1 => Self::Headings,
            2 => Self::Table,
            _ => Self::Bold,
        }
    }

    fn text(self, index: usize, field: &Field) -> String {
        match &field.answer {
            Some(answer) => answer.clone(),
            None if matches!(self, Self::Headings) && field.key == "environment" => {
                boxes(&ENVIRONMENTS, None)
            }
            None => self.placeholder(index).to_owned(),
        }
    }

    /// What stands in a field that nobody filled. Each is one of the unfilled shapes; the last of
    /// [`Style::Bold`] is known for one only because the template says the same.
    const fn placeholder(self, index: usize) -> &'static str {
        match (self, index) {
            (Self::Bullets, 0) => "<!-- name from the catalogue, e.g. web-shop, see SHOP-9002 -->",
            (Self::Bullets, 1) | (Self::Bold, 2) => "",
            (Self::Bullets, 2) => "TBD",
            (Self::Bullets, _) => "N/A",
            (Self::Headings, 0) => "<!-- Which one is it? -->",
            (Self::Headings, 1) => "(Which one is it?)",
            (Self::Headings, _) => "_pick one of the four_",
            (Self::Table, 0) => "<service>",
            (Self::Table | Self::Bold, 1) => "...",
            (Self::Table, 2) => "TODO",
            (Self::Table, _) => "[LEVEL]",
            (Self::Bold, 0) => "<name>",
            (Self::Bold, _) => "one word out of the handbook",
        }
    }
}

fn boxes(choices: &[&str], ticked: Option<&str>) -> String {
    let lines: Vec<String> = choices
        .iter()
        .map(|choice| format!("- [{}] {choice}", if ticked == Some(choice) { 'x' } else { ' ' }))
        .collect();
    lines.join("\n")
}

/// Chooses a value for a field: the canonical form, and how it is written.
fn answer_to(dice: &mut Dice, key: &str, planned: &Planned, style: Style) -> (String, String) {
    let value = match key {
        "service" => planned.home.clone(),
        "team" => planned.domain.teams[dice.below(2)].to_owned(),
        "component" => dice.pick(&COMPONENTS).to_owned(),
        "environment" => dice.pick(&ENVIRONMENTS).to_owned(),
        _ => dice.pick(&LEVELS).to_owned(),
    };
    if key == "environment" && matches!(style, Style::Headings) {
        let text = boxes(&ENVIRONMENTS, Some(&value));
        return (value, text);
    }
    let text = match key {
        "service" | "team" => spelled(dice, &value),
        _ => value.clone(),
    };
    let text = match dice.below(6) {
        0 => format!("`{text}`"),
        // A bold line of its own would be read as a heading.
        1 if matches!(style, Style::Bullets | Style::Table) => format!("**{text}**"),
        _ => text,
    };
    (value, text)
}
