//! Chance from a seed.
//!
//! The generator must write the same organisation for the same seed on every machine and in every
//! version of every library, so it brings its own small generator (`SplitMix64`) instead of a
//! crate's, whose stream may change.

use jiff::Timestamp;

/// A stream of numbers that follows from a seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high.saturating_sub(low) + 1)
    }

    /// Returns an index below `length`, or 0 when that is 0.
    pub(crate) fn below(&mut self, length: usize) -> usize {
        let length = u64::try_from(length.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % length).unwrap_or(0)
    }

    /// Says yes in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// Picks one of some things.
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, things: &[&'t T]) -> &'t T {
        things[self.below(things.len())]
    }

    /// Returns so many characters of an alphabet.
    pub(crate) fn letters(&mut self, count: usize, alphabet: &[u8]) -> String {
        (0..count).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    /// Returns a moment between two others, to the microsecond.
    pub(crate) fn time(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let (from, to) = (from.as_microsecond(), to.as_microsecond());
        let span = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        let offset = i64::try_from(self.between(0, span)).unwrap_or(0);
        Timestamp::from_microsecond(from.saturating_add(offset)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_follows_from_the_seed() {
        let roll = |seed| {
            let mut dice = Dice::new(seed);
            (0..8).map(|_| dice.between(1, 6)).collect::<Vec<_>>()
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
        assert!(roll(9).iter().all(|number| (1..=6).contains(number)));
    }
}
