//! What people do, and how often.

use std::collections::BTreeMap;
use std::fmt;

use crate::generator::Dice;

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident = $weight:literal, $words:literal;)*) => {
        /// One kind of thing that people do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Deed {
            $($(#[$doc])* $name,)*
        }

        impl Deed {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns what it is called in a log.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }

            /// Returns how often it is done unless somebody says otherwise.
            pub const fn usual_weight(self) -> u32 {
                match self {
                    $(Self::$name => $weight,)*
                }
            }
        }
    };
}

deeds! {
    /// Opens an issue, with its first comments at the same moment.
    CreateIssue = 10, "create an issue";
    /// Opens a merge request, with its first comments at the same moment.
    CreateMergeRequest = 10, "create a merge request";
    /// Gives an item another title.
    EditTitle = 8, "edit a title";
    /// Gives an item another description.
    EditDescription = 8, "edit a description";
    /// Gives an item other labels.
    Relabel = 10, "relabel";
    /// Writes one to three comments at the same moment: only the first can touch the item.
    Comment = 24, "comment";
    /// Writes a comment anew.
    EditComment = 6, "edit a comment";
    /// Deletes a comment, which touches nothing.
    DeleteComment = 4, "delete a comment";
    /// Closes an item.
    Close = 8, "close";
    /// Opens a closed item again.
    Reopen = 4, "reopen";
    /// Merges a merge request.
    Merge = 6, "merge";
    /// Makes an issue confidential, or visible again.
    Confide = 2, "change confidentiality";
    /// Moves an issue to another project, which makes another issue of it.
    MoveIssue = 2, "move an issue";
    /// Deletes an item without a trace.
    DeleteItem = 3, "delete an item";
    /// Assigns hundreds of items at one moment.
    BulkEdit = 1, "bulk edit";
    /// Gives a label another title, which touches no item.
    RenameLabel = 3, "rename a label";
    /// Deletes a label, which touches no item.
    DeleteLabel = 1, "delete a label";
    /// Adds a project.
    CreateProject = 1, "create a project";
    /// Gives a project another path: the old one redirects.
    RenameProject = 2, "rename a project";
    /// Moves a project to another group.
    TransferProject = 2, "transfer a project";
    /// Archives a project, or takes it back.
    ArchiveProject = 2, "archive a project";
    /// Hides a project from everybody, or shows it again.
    HideProject = 1, "hide a project";
    /// Marks a project for deletion, or takes that back.
    MarkProject = 1, "mark a project for deletion";
    /// Deletes a project with all that is in it. Rare, because it ends much.
    DeleteProject = 0, "delete a project";
    /// Gives a subgroup another path: the old one leads nowhere.
    RenameGroup = 1, "rename a group";
    /// Gives a project other topics.
    Retopic = 3, "change topics";
    /// Changes who may see a project.
    Expose = 2, "change visibility";
    /// Gives a person a role, or ends it.
    Admit = 2, "change a membership";
    /// Changes CODEOWNERS, a template or another file.
    ChangeFiles = 4, "change files";
    /// Runs a pipeline.
    RunPipeline = 6, "run a pipeline";
}

impl Deed {
    /// Finds a deed by what it is called in a log.
    pub fn find(words: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.words() == words)
    }
}

/// How often each kind of thing is done, relative to the others. What weighs nothing is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights(BTreeMap<Deed, u32>);

impl Default for Weights {
    /// Returns the usual weights: everything but the deletion of projects.
    fn default() -> Self {
        Self(Deed::ALL.iter().map(|deed| (*deed, deed.usual_weight())).collect())
    }
}

impl Weights {
    /// Returns equal weights of some deeds, and none of all others.
    pub fn only(deeds: impl IntoIterator<Item = Deed>) -> Self {
        Self(deeds.into_iter().map(|deed| (deed, 1)).collect())
    }

    /// Sets the weight of one deed.
    #[must_use]
    pub fn with(mut self, deed: Deed, weight: u32) -> Self {
        self.0.insert(deed, weight);
        self
    }

    /// Picks a deed, unless nothing weighs anything.
    pub(super) fn pick(&self, dice: &mut Dice) -> Option<Deed> {
        let total: u64 = self.0.values().map(|weight| u64::from(*weight)).sum();
        let mut rest = dice.between(1, total.max(1));
        self.0.iter().find_map(|(deed, weight)| {
            let weight = u64::from(*weight);
            if rest <= weight {
                return Some(*deed);
            }
            rest -= weight;
            None
        })
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_are_found_by_their_words() {
        for deed in Deed::ALL {
            assert_eq!(Deed::find(deed.words()), Some(*deed));
        }
        assert_eq!(Deed::find("sleep"), None);
    }

    #[test]
    fn what_weighs_nothing_is_never_picked() {
        let weights = Weights::only([Deed::Close, Deed::Merge]).with(Deed::Merge, 0);
        let mut dice = Dice::new(1);
        for _ in 0..100 {
            assert_eq!(weights.pick(&mut dice), Some(Deed::Close));
        }
        assert_eq!(Weights::only([]).pick(&mut dice), None);
    }
}
