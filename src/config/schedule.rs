//! `[schedule]`: when the daemon syncs, reads files and reconciles.
//!
//! It refuses weekdays as numbers: this format counts from Sunday = 1, every crontab from
//! Sunday = 0, and a job on the wrong day is noticed late.

use std::fmt;

use serde::{Serialize, Serializer};

use super::section::Section;
use super::show::Toml;

/// The times of one job: second, minute, hour, day, month, weekday, in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    text: String,
    schedule: cron::Schedule,
}

impl Cron {
    /// Reads six fields. The error says what is wrong and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "six fields: second minute hour day month weekday, as in \"0 */5 * * * *\"";
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [_, _, _, _, _, weekday] = fields.as_slice() else {
            return Err(format!("\"{text}\" has {} fields; write {expected}", fields.len()));
        };
        if weekday.contains(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "\"{text}\" names weekdays by number; write them by name, as in MON-FRI, because \
                 numbers mean different days in different programs"
            ));
        }
        // The parser steps through a field by this number and cannot step by nothing.
        let steps = fields
            .iter()
            .flat_map(|field| field.split(','))
            .filter_map(|part| part.split_once('/').map(|(_, step)| step));
        for step in steps {
            if step.chars().all(|c| c == '0') {
                return Err(format!("\"{text}\" has a step of 0; write {expected}"));
            }
        }
        let joined = fields.join(" ");
        let schedule = joined.parse().map_err(|_| {
            format!("\"{text}\" names times that do not exist or cannot be read; write {expected}")
        })?;
        Ok(Self { text: joined, schedule })
    }

    /// Returns the six fields.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the parsed form.
    pub fn schedule(&self) -> &cron::Schedule {
        &self.schedule
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The section `[schedule]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    /// When what changed is read.
    pub sync: Cron,
    /// When files are looked at: CODEOWNERS, templates, catalogs.
    pub files: Cron,
    /// When deletions and renames are looked for, by the numbers of items first.
    pub reconcile: Cron,
    /// When they are looked for by the ids of all items.
    pub sweep: Cron,
}

impl Default for Schedule {
    fn default() -> Self {
        let cron = |text| Cron::parse(text).expect("the default schedules are valid: a test");
        Self {
            sync: cron("0 */2 * * * *"),
            files: cron("0 15 * * * *"),
            reconcile: cron("0 30 3 * * *"),
            sweep: cron("0 30 4 * * SUN"),
        }
    }
}

impl Schedule {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let default = Self::default();
        Self {
            sync: section.parse("sync", Cron::parse).unwrap_or(default.sync),
            files: section.parse("files", Cron::parse).unwrap_or(default.files),
            reconcile: section.parse("reconcile", Cron::parse).unwrap_or(default.reconcile),
            sweep: section.parse("sweep", Cron::parse).unwrap_or(default.sweep),
        }
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        toml.header("[schedule]");
        toml.text("sync", self.sync.as_str());
        toml.text("files", self.files.as_str());
        toml.text("reconcile", self.reconcile.as_str());
        toml.text("sweep", self.sweep.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Schedule::default().sync.as_str(), "0 */2 * * * *");
    }

    #[test]
    fn a_schedule_has_six_fields_with_weekdays_by_name() {
        for text in ["0 */2 * * * *", "0 0 3 * * MON-FRI", "0 0 3 ? * SUN,WED", "30 5,35 * 1 JAN *"]
        {
            assert!(Cron::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "* * * * *",
            "0 0 3 * * * 2027",
            "0 0 3 * * 1",
            "0 0 3 * * MON/2",
            "0 61 * * * *",
            "0 */0 * * * *",
            "0 0-10/00 * * * *",
            "0 */ * * * *",
            "0 0 3 * FOO *",
            "@daily",
            "0 9999999999999 * * * *",
            "0 30-10 * * * *",
            "0 */4294967295 * * * *",
            "0 0 0 0 * *",
        ] {
            if let Ok(cron) = Cron::parse(text) {
                assert_eq!(text, "0 */4294967295 * * * *", "{cron}");
            }
        }
    }
}
