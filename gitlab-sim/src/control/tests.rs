//! The commands and their description cannot part.

use super::*;

const COMMANDS_PAGE: &str = include_str!("../../docs/control.md");
const FAULTS_PAGE: &str = include_str!("../../docs/faults.md");

#[test]
fn every_command_is_documented() {
    let missing: Vec<String> = COMMANDS
        .iter()
        .map(|row| format!("| `{} {}` |", row.method, row.path))
        .filter(|row| !COMMANDS_PAGE.contains(row))
        .collect();
    assert!(missing.is_empty(), "not in docs/control.md: {missing:#?}");
}

#[test]
fn no_command_is_documented_that_there_is_not() {
    let invented: Vec<&str> = COMMANDS_PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|text| text.contains(" /_sim"))
        .filter(|text| !COMMANDS.iter().any(|row| *text == format!("{} {}", row.method, row.path)))
        .collect();
    assert!(invented.is_empty(), "only in docs/control.md: {invented:#?}");
}

#[test]
fn every_fault_is_documented() {
    use crate::faults::FaultKind;
    let source = include_str!("../faults/kind.rs");
    let names: Vec<&str> = source
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("Self::")?.split_once("=> \"")?.1.split('"').next()
        })
        .collect();
    assert!(names.contains(&FaultKind::Stall.name()) && names.len() > 20, "{names:?}");
    let missing: Vec<&&str> =
        names.iter().filter(|name| !FAULTS_PAGE.contains(&format!("| `{name}"))).collect();
    assert!(missing.is_empty(), "not in docs/faults.md: {missing:?}");
}

#[test]
fn no_command_hides_another() {
    for (index, row) in COMMANDS.iter().enumerate() {
        let path = row.path.replace(":items", "issues").replace(':', "");
        let segments: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
        let first = COMMANDS
            .iter()
            .position(|other| other.method == row.method && fit(other.path, &segments).is_some());
        let same = first.is_some_and(|first| first == index);
        assert!(same, "{} {} is answered by another", row.method, row.path);
    }
}
