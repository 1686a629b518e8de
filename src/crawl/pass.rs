//! How much of a source one run reads.

/// What a run is for. Every pass takes the same path and may follow or replace any other: what a
/// pass does not look at stays as it is, and is looked at by the next that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pass {
    /// What changed since the last one; everything where nothing was read yet.
    #[default]
    Sync,
    /// Everything again, all comments too.
    Full,
    /// Which projects there are, and their files, labels, templates and pipelines.
    Files,
    /// What GitLab does not announce: by counts first, and by ids where those differ.
    Reconcile,
    /// The same, by the ids of all items.
    Sweep,
}

impl Pass {
    /// Returns the word used in logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Full => "full",
            Self::Files => "files",
            Self::Reconcile => "reconcile",
            Self::Sweep => "sweep",
        }
    }

    /// Returns the words of the scheduled passes whose work this one does.
    pub(super) const fn replaces(self) -> &'static [&'static str] {
        match self {
            Self::Sync => &["sync"],
            Self::Files => &["files"],
            Self::Reconcile => &["reconcile", "files", "sync"],
            Self::Full | Self::Sweep => &["sweep", "reconcile", "files", "sync"],
        }
    }

    /// True when all projects are listed, not only those that changed.
    pub(super) const fn lists_all_projects(self) -> bool {
        !matches!(self, Self::Sync)
    }

    /// True when items are read at all.
    pub(super) const fn reads_items(self) -> bool {
        !matches!(self, Self::Files)
    }

    /// True when every list of items is walked from its beginning.
    pub(super) const fn walks_all(self) -> bool {
        matches!(self, Self::Full | Self::Sweep)
    }

    /// True when what GitLab no longer shows is looked for, and what it would not show is asked for
    /// before the time to look at it again has come: a project that was hidden may be back.
    pub(super) const fn reconciles(self) -> bool {
        matches!(self, Self::Full | Self::Reconcile | Self::Sweep)
    }

    /// True when a list or part of this name is looked at, so that an earlier problem with it is
    /// out of date.
    pub(super) fn covers(self, stream: &str) -> bool {
        match stream {
            "issues" | "merge_requests" | "comments" => self.reads_items(),
            "issue drop" | "merge request drop" => self.reconciles(),
            // New and changed projects are read by every pass.
            _ => true,
        }
    }
}
