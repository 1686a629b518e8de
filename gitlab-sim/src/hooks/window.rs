//! Counts per minute, on the clock of the world.

use jiff::Timestamp;

/// Counts within a minute of the world.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    minute: i64,
    count: u32,
}

impl Window {
    /// Takes one, unless the limit is reached in this minute.
    pub(super) fn take(&mut self, now: Timestamp, limit: u32) -> bool {
        let minute = now.as_second().div_euclid(60);
        if self.minute != minute {
            *self = Self { minute, count: 0 };
        }
        let free = self.count < limit;
        self.count += u32::from(free);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_that_begins_gives_back_the_whole_share() {
        let mut window = Window::default();
        let mut take = |second| window.take(Timestamp::from_second(second).unwrap(), 2);
        let taken = [30, 59, 59, 60, 61, 61].map(&mut take);
        assert_eq!(taken, [true, true, false, true, true, false]);
    }
}
