//! How a walk over all of a list is divided: a pure plan of spans of creation time.
//!
//! It begins with one window. Whoever has nothing to read takes the later half of the window that
//! seems to have the most left, by how dense its items were so far. A division costs at most a page
//! that is not full, so small rests are not divided, and divisions are rare compared with pages.

use jiff::{SignedDuration, Timestamp};

use crate::store::Window;

/// A rest that seems to hold fewer items is not divided: ten pages.
const WORTH_DIVIDING: i128 = 1_000;

/// After the first divisions, one for so many pages: a hundredth of the requests, or two.
const PAGES_FOR_EACH: usize = 60;

/// The windows of one walk.
#[derive(Debug)]
pub(super) struct Windows {
    live: Vec<Live>,
    /// How many read at the same time.
    readers: usize,
    divisions: usize,
    pages: usize,
    failed: bool,
}

#[derive(Debug)]
struct Live {
    window: Window,
    taken: bool,
    /// True until its later half is stored as a window of its own: it is read to its old end.
    dividing: bool,
    /// Time of the first item that was seen in it, and how many were.
    first: Option<Timestamp>,
    items: usize,
}

/// What a reader is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Read this window, from its position on.
    Read(Window),
    /// Read this window, the later part of the one that began at `lower`.
    ReadPart {
        /// The name of the window that was divided.
        lower: Timestamp,
        /// The part.
        part: Window,
    },
    /// Nothing now; perhaps after the next page.
    Wait,
    /// Nothing any more.
    End,
}

impl Windows {
    /// Begins with what was stored.
    pub(super) fn new(windows: Vec<Window>, readers: usize) -> Self {
        let live = windows.into_iter().map(|window| Live::new(window, false)).collect();
        Self { live, readers, divisions: 0, pages: 0, failed: false }
    }

    /// Returns what a reader that has nothing to do is to do.
    pub(super) fn take(&mut self) -> Task {
        if self.failed {
            return Task::End;
        }
        if let Some(live) = self.live.iter_mut().find(|live| !live.taken && !live.window.done) {
            live.taken = true;
            return Task::Read(live.window);
        }
        if self.live.iter().all(|live| live.window.done) {
            return Task::End;
        }
        if self.divisions >= self.readers.saturating_sub(1) + self.pages / PAGES_FOR_EACH {
            return Task::Wait;
        }
        self.divide().unwrap_or(Task::Wait)
    }

    /// Divides the window that seems to have the most left, where that is worth it. It keeps its
    /// end until [`Windows::divided`]: a window that ended at the middle before the other half is
    /// stored would, after a kill, count as read to its old end.
    fn divide(&mut self) -> Option<Task> {
        let largest = self
            .live
            .iter_mut()
            .filter(|live| !live.window.done && !live.dividing)
            .max_by_key(|live| live.left())
            .filter(|live| live.left() >= WORTH_DIVIDING)?;
        let at = largest.middle()?;
        let (lower, upper) = (largest.window.lower, largest.window.upper);
        largest.dividing = true;
        let part = Window { lower: at, upper, position: at, done: false };
        self.divisions += 1;
        self.live.push(Live::new(part, true));
        Some(Task::ReadPart { lower, part })
    }

    /// Takes note that a part is stored: the window that it was divided from ends where it begins.
    pub(super) fn divided(&mut self, lower: Timestamp, part: Window) {
        if let Some(live) = self.live.iter_mut().find(|live| live.window.lower == lower) {
            live.window.upper = part.lower;
            live.dividing = false;
        }
    }

    /// Returns where a window ends now.
    pub(super) fn upper(&self, lower: Timestamp) -> Option<Timestamp> {
        let live = self.live.iter().find(|live| live.window.lower == lower)?;
        Some(live.window.upper)
    }

    /// Takes note of a page of a window: the times of its first and last item, and how many.
    pub(super) fn read(
        &mut self,
        lower: Timestamp,
        times: Option<(Timestamp, Timestamp)>,
        items: usize,
        done: bool,
    ) {
        self.pages += 1;
        let Some(live) = self.live.iter_mut().find(|live| live.window.lower == lower) else {
            return;
        };
        if let Some((first, last)) = times {
            live.first = live.first.or(Some(first));
            live.window.position = live.window.position.max(last);
        }
        live.items += items;
        live.window.done = done;
    }

    /// Takes note that a window cannot be read: the walk does not come to its end.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    /// True when every window was read to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.live.iter().all(|live| live.window.done)
    }
}

impl Live {
    fn new(window: Window, taken: bool) -> Self {
        Self { window, taken, dividing: false, first: None, items: 0 }
    }

    /// Returns how many items it seems to have left; 0 where nothing is known of it.
    fn left(&self) -> i128 {
        let Some(first) = self.first else { return 0 };
        let read = self.window.position.duration_since(first).as_millis().max(1);
        let left = self.window.upper.duration_since(self.window.position).as_millis();
        left.saturating_mul(i128::try_from(self.items).unwrap_or_default()) / read
    }

    fn middle(&self) -> Option<Timestamp> {
        let left = self.window.upper.duration_since(self.window.position);
        let at = self.window.position.checked_add(left / 2).ok()?;
        // In whole seconds, which both interfaces print.
        let at = Timestamp::from_second(at.as_second()).ok()?;
        let apart = at.duration_since(self.window.position) > SignedDuration::from_secs(1);
        (apart && at > self.window.lower && at < self.window.upper).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn window(lower: i64, upper: i64) -> Window {
        Window { lower: at(lower), upper: at(upper), position: at(lower), done: false }
    }

    fn read(windows: &mut Windows, lower: i64, first: i64, last: i64) {
        windows.read(at(lower), Some((at(first), at(last))), 100, false);
    }

    #[test]
    fn nothing_is_divided_before_it_is_known_how_much_is_left() {
        let mut windows = Windows::new(vec![window(0, 1_000_000)], 4);
        assert_eq!(windows.take(), Task::Read(window(0, 1_000_000)));
        assert_eq!(windows.take(), Task::Wait);
        read(&mut windows, 0, 0, 10_000);
        let part = window(505_000, 1_000_000);
        assert_eq!(windows.take(), Task::ReadPart { lower: at(0), part });
        // Until the part is stored, the window is read to its old end, and not divided again.
        assert_eq!(windows.upper(at(0)), Some(at(1_000_000)));
        assert_eq!(windows.take(), Task::Wait);
        windows.divided(at(0), part);
        assert_eq!(windows.upper(at(0)), Some(at(505_000)));
    }

    #[test]
    fn a_small_list_is_not_divided() {
        let mut windows = Windows::new(vec![window(0, 1_000)], 4);
        assert_eq!(windows.take(), Task::Read(window(0, 1_000)));
        read(&mut windows, 0, 0, 200);
        assert_eq!(windows.take(), Task::Wait);
    }

    #[test]
    fn divisions_are_rare_compared_with_pages() {
        let mut windows = Windows::new(vec![window(0, 10_000_000)], 4);
        let mut divisions = 0;
        windows.take();
        for page in 1..=600_i64 {
            read(&mut windows, 0, 0, page * 1_000);
            while let Task::ReadPart { lower, part } = windows.take() {
                windows.divided(lower, part);
                divisions += 1;
            }
        }
        assert!((3..=13).contains(&divisions), "{divisions}");
    }

    #[test]
    fn a_walk_is_whole_when_all_its_windows_are_and_ends_at_a_failure() {
        let done = Window { done: true, ..window(0, 10) };
        let mut windows = Windows::new(vec![done, window(10, 20)], 2);
        assert_eq!(windows.take(), Task::Read(window(10, 20)));
        assert!(!windows.is_whole());
        windows.read(at(10), None, 0, true);
        assert!(windows.is_whole());
        assert_eq!(windows.take(), Task::End);
        let mut windows = Windows::new(vec![window(0, 10), window(10, 20)], 2);
        windows.take();
        windows.fail();
        assert_eq!(windows.take(), Task::End);
        assert!(!windows.is_whole());
    }
}
