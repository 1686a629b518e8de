//! How much is asked for in one query.
//!
//! GitLab refuses what is too complex before it executes it, and says by how much; what takes too
//! long or is too large shows only when it fails. So a size begins in the middle, shrinks at once
//! (to what fits by arithmetic, or by half), and grows back slowly. What never fits is remembered
//! for good, what once failed for a while. It refuses to shrink below one: whoever fails alone is
//! asked for in another way.

/// So many good answers in a row make the size grow by a quarter.
const STEADY: u32 = 4;

/// So many good answers in a row, and a size that once failed is tried again.
const FORGIVEN: u32 = 32;

/// What a query costs besides its rows, at most: the root, and the question for its cost.
const FIXED_COST: u64 = 4;

/// The size of one kind of query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    present: u32,
    /// Nothing larger fits, by GitLab's arithmetic or its maximum of rows.
    ceiling: u32,
    /// The smallest size that failed of late, though it was not too complex.
    failed: Option<u32>,
    /// Good answers since the last change or failure.
    good: u32,
    /// Good answers since the last failure.
    forgiving: u32,
}

impl Size {
    /// Begins with a size below a maximum.
    pub(super) const fn new(start: u32, ceiling: u32) -> Self {
        Self { present: start, ceiling, failed: None, good: 0, forgiving: 0 }
    }

    /// Returns the present size.
    pub(super) const fn present(&self) -> u32 {
        self.present
    }

    /// Returns the largest size that fits, as far as it is known.
    pub(super) const fn ceiling(&self) -> u32 {
        self.ceiling
    }

    /// Counts the queries for so many rows, when all go well and nothing above `ceiling` fits. With
    /// `whole`, each asks for a whole page, however few rows are left.
    pub(super) fn queries_for(&mut self, rows: u64, ceiling: u32, whole: bool) -> u64 {
        let (mut queries, mut left) = (0, rows);
        while left > 0 {
            let rest = u32::try_from(left).unwrap_or(u32::MAX);
            let asked = if whole { self.present } else { self.present.min(rest) };
            queries += 1;
            if asked > ceiling {
                // It is refused, and says what fits.
                self.ceiling = ceiling.max(1);
                self.present = self.ceiling;
                self.good = 0;
                continue;
            }
            left = left.saturating_sub(u64::from(asked));
            self.went_well(asked, None);
        }
        queries
    }

    /// Takes note of a good answer, and of its complexity where GitLab said it.
    pub(super) fn went_well(&mut self, asked: u32, cost: Option<(u64, u64)>) {
        if let Some(fitting) = cost.and_then(|(score, limit)| fitting(asked, score, limit)) {
            self.ceiling = self.ceiling.min(fitting.max(asked));
        }
        self.forgiving += 1;
        if self.forgiving >= FORGIVEN {
            self.failed = None;
            self.forgiving = 0;
        }
        // A smaller query says nothing about larger ones.
        if asked < self.present {
            return;
        }
        self.good += 1;
        if self.good >= STEADY {
            self.good = 0;
            let below_failed = self.failed.map_or(u32::MAX, |failed| failed.saturating_sub(1));
            let bound = self.ceiling.min(below_failed).max(1);
            self.present = (self.present + (self.present / 4).max(1)).min(bound);
        }
    }

    /// Shrinks after a query that was too complex. False when not even one row fits.
    pub(super) fn too_complex(&mut self, asked: u32, score: u64, limit: u64) -> bool {
        let Some(fitting) = fitting(asked, score, limit) else { return false };
        if asked <= 1 {
            return false;
        }
        self.good = 0;
        self.ceiling = self.ceiling.min(fitting).clamp(1, asked - 1);
        self.present = self.present.min(self.ceiling);
        true
    }

    /// Shrinks after a query that took too long or answered too much. False when it was for one
    /// row.
    pub(super) fn too_heavy(&mut self, asked: u32) -> bool {
        (self.good, self.forgiving) = (0, 0);
        if asked <= 1 {
            return false;
        }
        self.failed = Some(self.failed.map_or(asked, |failed| failed.min(asked)));
        self.present = self.present.min(asked / 2).max(1);
        true
    }
}

/// Returns how many rows fit, from what so many of them cost: a connection multiplies what it holds
/// by 1 and a hundredth for each row. `None` when not even one fits.
/// The rule is that of GitLab's `types/base_field.rb`; what does not multiply is left out of account,
/// so that the first guess may be a row or two too many.
fn fitting(asked: u32, score: u64, limit: u64) -> Option<u32> {
    let room = limit.saturating_sub(FIXED_COST).saturating_mul(100);
    let for_none = score.saturating_mul(100).div_ceil(100 + u64::from(asked)).max(1);
    let rows = (room / for_none).checked_sub(100)?;
    u32::try_from(rows).ok().filter(|rows| *rows >= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_grows_slowly_up_to_the_largest_page() {
        let mut size = Size::new(50, 100);
        let mut seen = vec![size.present()];
        for _ in 0..40 {
            size.went_well(size.present(), None);
            if seen.last() != Some(&size.present()) {
                seen.push(size.present());
            }
        }
        assert_eq!(seen, [50, 62, 77, 96, 100]);
    }

    #[test]
    fn queries_are_counted_as_the_size_grows() {
        let count = |rows, whole| Size::new(50, 100).queries_for(rows, 100, whole);
        assert_eq!(
            (count(0, true), count(1, true), count(50, true), count(51, true)),
            (0, 1, 1, 2)
        );
        // Four of 50, four of 62, four of 77, four of 96, the rest of 100.
        assert_eq!(count(4 * (50 + 62 + 77 + 96), true), 16);
        assert_eq!(count(4 * (50 + 62 + 77 + 96) + 1_000, true), 26);
        // A question that is refused comes first.
        assert_eq!(Size::new(50, 100).queries_for(80, 40, true), 3);
        // What asks for few rows does not let the size grow.
        let mut size = Size::new(50, 100);
        for _ in 0..10 {
            size.queries_for(10, 100, false);
        }
        assert_eq!(size.present(), 50);
    }

    #[test]
    fn last_and_smaller_page_says_nothing_about_larger_ones() {
        let mut size = Size::new(50, 100);
        for _ in 0..40 {
            size.went_well(7, None);
        }
        assert_eq!(size.present(), 50);
    }

    #[test]
    fn too_complex_query_shrinks_to_what_fits_and_stays_there() {
        // 180 for each row and one more for a hundred of them: 50 rows cost 270.
        let score = |rows: u64| 3 + 178 * (100 + rows) / 100;
        let mut size = Size::new(50, 100);
        assert!(size.too_complex(50, score(50), 250));
        let fits = size.present();
        assert!((30..50).contains(&fits), "{fits}");
        assert!(score(u64::from(fits)) <= 250);
        for _ in 0..200 {
            size.went_well(size.present(), Some((score(u64::from(size.present())), 250)));
        }
        assert_eq!(size.present(), fits);
    }

    #[test]
    fn query_of_which_no_row_fits_is_known_at_once() {
        assert!(!Size::new(50, 100).too_complex(50, 600, 250));
        assert!(!Size::new(50, 100).too_complex(50, u64::MAX, 250));
        assert!(!Size::new(1, 100).too_complex(1, 251, 250));
    }

    #[test]
    fn every_complexity_leads_to_a_size_that_fits_or_to_none_in_few_steps() {
        for base in 1..400_u64 {
            for limit in [200, 250, 300] {
                let score = |rows: u32| 4 + base * (100 + u64::from(rows)) / 100;
                let mut size = Size::new(50, 100);
                let mut steps = 0;
                while score(size.present()) > limit {
                    let asked = size.present();
                    if !size.too_complex(asked, score(asked), limit) {
                        // One row and its place in the list are all that can be spared.
                        assert!(score(4) > limit, "{base} of {limit}");
                        break;
                    }
                    steps += 1;
                    assert!(size.present() < asked && steps < 10, "{base} of {limit}");
                }
            }
        }
    }

    #[test]
    fn known_cost_keeps_growth_below_the_limit() {
        let score = |rows: u32| 3 + 150 * (100 + u64::from(rows)) / 100;
        let mut size = Size::new(20, 100);
        for _ in 0..200 {
            let asked = size.present();
            assert!(score(asked) <= 250, "{asked}");
            size.went_well(asked, Some((score(asked), 250)));
        }
        assert!(size.present() > 50, "{}", size.present());
    }

    #[test]
    fn slow_query_halves_the_size_and_is_tried_again_much_later() {
        let mut size = Size::new(64, 100);
        assert!(size.too_heavy(64));
        assert_eq!(size.present(), 32);
        let mut answers = 0;
        while size.present() < 64 {
            size.went_well(size.present(), None);
            answers += 1;
            assert!(answers < 100, "{}", size.present());
        }
        assert!(answers >= FORGIVEN, "{answers}");
    }

    #[test]
    fn one_row_that_is_too_heavy_alone_shrinks_nothing() {
        let mut size = Size::new(3, 100);
        assert!(size.too_heavy(3));
        assert_eq!(size.present(), 1);
        assert!(!size.too_heavy(1));
        assert_eq!(size.present(), 1);
    }
}
