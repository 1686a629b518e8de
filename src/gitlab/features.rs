//! What this GitLab has, and what this credential may do there: found out, never assumed.
//!
//! Version, edition and tier decide which lists exist; the kind of credential decides which of
//! them answer. What is not to be had is remembered with its reason, reported once, and not asked
//! for again until it is probed anew. It never decides that something is gone: a feature that is
//! not to be had leaves what is stored of it alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::wire::Version;

/// Something that a GitLab, a tier or a credential may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// GraphQL.
    Graphql,
    /// Lists of groups.
    Groups,
    /// Labels.
    Labels,
    /// Description templates.
    Templates,
    /// Comments.
    Comments,
    /// Files of repositories.
    Files,
    /// Pipelines.
    Pipelines,
    /// Approval rules of projects.
    ApprovalRules,
}

impl Feature {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Graphql => "graphql",
            Self::Groups => "groups",
            Self::Labels => "labels",
            Self::Templates => "templates",
            Self::Comments => "comments",
            Self::Files => "files",
            Self::Pipelines => "pipelines",
            Self::ApprovalRules => "approval_rules",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// The instance has no such thing, in its version or tier: nothing is missed.
    Instance,
    /// The credential does not reach it: something is there that is not read.
    Credential,
    /// The configuration leaves it out.
    Configuration,
}

/// Something that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What.
    pub feature: Feature,
    /// Why, as a word.
    pub lack: Lack,
    /// Why, as a sentence.
    pub reason: String,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What is known of a GitLab and a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Version and edition, where GitLab says them.
    pub version: Option<Version>,
    /// What is not to be had.
    pub unavailable: Vec<Unavailable>,
}

/// Remembers what is not to be had.
#[derive(Debug, Default)]
pub(super) struct Features {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    version: Option<Version>,
    unavailable: BTreeMap<Feature, Unavailable>,
}

impl Features {
    /// Notes that something is not to be had. Returns true the first time, when it is worth a line
    /// in the log.
    pub(super) fn lacks(&self, unavailable: Unavailable) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !known.unavailable.contains_key(&unavailable.feature);
        known.unavailable.entry(unavailable.feature).or_insert(unavailable);
        is_new
    }

    /// Says whether something may be asked for.
    pub(super) fn has(&self, feature: Feature) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        !known.unavailable.contains_key(&feature)
    }

    /// Notes version and edition.
    pub(super) fn is_version(&self, version: Version) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).version = Some(version);
    }

    /// Returns what is known.
    pub(super) fn read(&self) -> Capabilities {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Capabilities {
            version: known.version.clone(),
            unavailable: known.unavailable.values().cloned().collect(),
        }
    }
}
