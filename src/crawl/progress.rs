//! How far a sync has come, for people who watch it.

/// Something that a watcher may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A step begins, with the number of its units where that is known.
    Step {
        /// What is being read.
        name: &'static str,
        /// How many units, if known.
        units: Option<u64>,
    },
    /// More units turn out to be there.
    More(u64),
    /// Units were done.
    Done(u64),
}

/// Watches a sync.
pub trait Progress: Send + Sync + std::fmt::Debug {
    /// Takes note of an event. Must not block.
    fn event(&self, event: Event);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: Event) {}
}
