//! How people spell services, teams and the other tags, in labels and in fields.
//!
//! All spellings of a name have the same match key. Separators and key words are those of the
//! label conventions.

use super::dice::Dice;
use super::draft::Draft;
use super::names::{COMPONENTS, ENVIRONMENTS, LEVELS, PLAIN_LABELS};
use super::plan::{Planned, capitalised, titled};

/// Spells a name in one of the ways people do.
pub(crate) fn spelled(dice: &mut Dice, name: &str) -> String {
    match dice.below(6) {
        0 => name.replace('-', ""),
        1 => titled(name),
        2 => name.split('-').map(capitalised).collect(),
        3 => name.replace('-', "_"),
        _ => name.to_owned(),
    }
}

/// Writes a label of a service.
pub(crate) fn service_label(dice: &mut Dice, name: &str) -> String {
    match dice.below(8) {
        0 => format!("service:{}", titled(name).replace(' ', "")),
        1 => format!("svc/{name}"),
        2 => format!("Service: {}", titled(name)),
        3 => format!("svc::{}", name.replace('-', "_")),
        4 => format!("app:{}", name.replace('-', "")),
        5 => format!("service:{name}"),
        _ => format!("service::{name}"),
    }
}

fn team_label(dice: &mut Dice, name: &str) -> String {
    match dice.below(6) {
        0 => format!("team:{}", titled(name)),
        1 => format!("squad/{name}"),
        2 => format!("group::{name}"),
        3 => format!("owner:{}", name.replace('-', "_")),
        _ => format!("team::{name}"),
    }
}

/// Gives an item the labels that its likes have. `others` are services it may touch besides its
/// own.
pub(crate) fn add_labels(dice: &mut Dice, draft: &mut Draft, planned: &Planned, others: &[String]) {
    if dice.chance(45) && !planned.services.is_empty() {
        let name = &planned.services[dice.below(planned.services.len())];
        draft.label(service_label(dice, name), "service", name);
    }
    if dice.chance(12) && !others.is_empty() {
        let name = &others[dice.below(others.len())];
        draft.label(service_label(dice, name), "service", name);
    }
    if dice.chance(20) {
        let team = planned.domain.teams[dice.below(2)];
        draft.label(team_label(dice, team), "team", team);
    }
    if dice.chance(25) {
        let component = dice.pick(&COMPONENTS);
        let title = match dice.below(3) {
            0 => format!("component:{}", capitalised(component)),
            1 => format!("component/{component}"),
            _ => format!("component::{component}"),
        };
        draft.label(title, "component", component);
    }
    if dice.chance(20) {
        let level = dice.between(1, 4).to_string();
        let title = match dice.below(3) {
            0 => format!("S{level}"),
            1 => format!("sev::{level}"),
            _ => format!("severity::{level}"),
        };
        draft.label(title, "severity", &level);
    }
    if dice.chance(25) {
        add_priority(dice, draft);
    }
    if dice.chance(12) {
        let environment = dice.pick(&ENVIRONMENTS);
        let title = match dice.below(3) {
            0 => format!("env:{environment}"),
            1 => format!("environment::{}", capitalised(environment)),
            _ => format!("env::{environment}"),
        };
        draft.label(title, "environment", environment);
    }
    if dice.chance(60) {
        draft.labels.push(dice.pick(&PLAIN_LABELS).to_owned());
    }
}

fn add_priority(dice: &mut Dice, draft: &mut Draft) {
    if dice.chance(30) {
        let level = dice.pick(&LEVELS);
        draft.label(format!("priority:{level}"), "priority", level);
    } else {
        let level = dice.between(1, 4).to_string();
        let title =
            if dice.chance(50) { format!("P{level}") } else { format!("priority::{level}") };
        draft.label(title, "priority", &level);
    }
}
