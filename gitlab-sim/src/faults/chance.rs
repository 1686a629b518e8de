//! Chance from a seed and a number.
//!
//! Faults must strike the same requests for the same seed, whatever else was asked before: so there
//! is no stream to draw from, only a function (`SplitMix64`) of the seed and the number of the draw.

/// Returns the number that a seed gives at a draw.
pub(crate) fn draw(seed: u64, number: u64) -> u64 {
    let mut mixed = seed
        .wrapping_mul(0xA24B_AED4_963E_E407)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Returns a number from `low` to `high`, both included.
pub(crate) fn between(seed: u64, number: u64, low: u64, high: u64) -> u64 {
    let span = high.saturating_sub(low).saturating_add(1).max(1);
    low + draw(seed, number) % span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_from_seed_and_number_and_cover_their_range() {
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|number| between(7, number, 5, 9)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
        assert_eq!(between(7, 0, 3, 3), 3);
    }
}
