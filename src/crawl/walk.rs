//! The walk over a list by time of change: a pure plan of which page to ask for next.
//!
//! Pages of an offset list shift while they are read: an item that changes moves to the end, the
//! others close up, and the first of the next page is skipped. So the walk never turns pages. It
//! asks for the first page of everything changed at or after the last time it has seen, again and
//! again. Filters are inclusive and finer than what GitLab prints, so the item at the border comes
//! again and nothing is lost.
//!
//! Only where more items than a page share one printed time are pages turned, within that time;
//! then the walk goes over them until a pass brings nothing new, because they shift as well.
//!
//! Where GitLab cannot answer for all of the time since then, the caller asks for a span of it; the
//! walk goes on from its end.
//!
//! A server that does not keep to the order or the filter that was asked for (a proxy, a recording)
//! is followed by its links instead.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::gitlab::NextPage;
use crate::model::ItemId;

/// Pages in a row that may bring nothing new before the list counts as endless. Short and empty
/// pages are legal, this many are not.
const MAX_IDLE_PAGES: usize = 50;

/// The precision in which GitLab prints times.
const ONE_MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// Passes over items that share one time. Each one beyond the second means that somebody changes
/// them at this very moment.
const MAX_PASSES: usize = 5;

/// What to ask for next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The first page of what changed at or after a time; of everything without one.
    From(Option<Timestamp>),
    /// The page that a link leads to.
    Follow(NextPage),
    /// Nothing: the list was read to its end.
    End,
    /// Nothing: the list does not end.
    Endless,
}

/// A page, as far as the walk looks at it.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// Ids and times of its items, in its order.
    pub items: &'a [(ItemId, Timestamp)],
    /// Where it goes on.
    pub next: Option<NextPage>,
    /// The end of the span of time that was asked for, where it was not all.
    pub until: Option<Timestamp>,
}

/// A walk that is under way.
#[derive(Debug)]
pub(super) struct Walk {
    /// Everything changed before this was seen.
    from: Option<Timestamp>,
    /// The server keeps neither order nor filter: links are followed.
    by_links: bool,
    /// Items seen at the time `from`, and whether this pass over them brought a new one.
    tie: BTreeSet<ItemId>,
    news: bool,
    turned: bool,
    passes: usize,
    /// Items seen in this pass, and how many pages in a row showed only those.
    seen: BTreeSet<ItemId>,
    idle: usize,
    /// The end of the span that pages are turned in.
    until: Option<Timestamp>,
}

impl Walk {
    /// Begins a walk, or goes on with one that came up to a time.
    pub fn new(from: Option<Timestamp>) -> Self {
        Self {
            from,
            by_links: false,
            tie: BTreeSet::new(),
            news: false,
            turned: false,
            passes: 0,
            seen: BTreeSet::new(),
            idle: 0,
            until: None,
        }
    }

    /// Returns the first step.
    pub fn first(&self) -> Step {
        Step::From(self.from)
    }

    /// Returns the time up to which everything was seen, to be stored as progress.
    pub fn watermark(&self) -> Option<Timestamp> {
        if self.by_links { None } else { self.from }
    }

    /// True while a span of time may be asked for in place of all: only where the filter is kept.
    pub fn can_end_early(&self) -> bool {
        !self.by_links
    }

    /// Begins anew from the last time seen, after a page that could not be had.
    pub fn again(&mut self) -> Step {
        self.tie.clear();
        self.turned = false;
        self.begin_pass();
        Step::From(self.from)
    }

    /// Takes note of a page, and returns the next step.
    pub fn next(&mut self, page: Seen<'_>) -> Step {
        if !self.by_links && !self.keeps_order(page.items) {
            self.by_links = true;
        }
        if !self.turned {
            self.until = page.until;
        }
        let before = self.seen.len();
        self.seen.extend(page.items.iter().map(|(id, _)| *id));
        self.idle = if self.seen.len() > before { 0 } else { self.idle + 1 };
        if self.by_links {
            return self.follow(page);
        }
        let last = page.items.last().map(|(_, time)| *time);
        let moved_on = last.is_some_and(|last| self.from.is_none_or(|from| last > from));
        let border = self.from;
        for (id, time) in page.items {
            if border == Some(*time) && self.tie.insert(*id) {
                self.news = true;
            }
        }
        let over = moved_on || page.next.is_none();
        if over && self.turned && self.news {
            // Pages were turned within one time, and they may have shifted: once more.
            if self.passes == MAX_PASSES {
                return Step::Endless;
            }
            self.passes += 1;
            self.begin_pass();
            return Step::From(self.from);
        }
        let after = self.from.and_then(|from| from.checked_add(ONE_MILLISECOND).ok());
        if over && self.turned && after.is_some() {
            // What comes after that time may have slid onto a page that was turned: it is asked
            // for from its own beginning. Times are printed in milliseconds, and cut.
            self.advance(after, &[]);
            return Step::From(after);
        }
        if moved_on {
            self.advance(last, page.items);
        }
        match page.next {
            None => self.end_of_span(),
            Some(_) if moved_on => Step::From(self.from),
            Some(_) if self.idle > MAX_IDLE_PAGES => Step::Endless,
            Some(next) => {
                self.turned = true;
                Step::Follow(next)
            }
        }
    }

    /// Goes on where the span ends; without one, the list does.
    fn end_of_span(&mut self) -> Step {
        match self.until.take() {
            None => Step::End,
            Some(until) => {
                // Filters are inclusive on both sides, so what stands at the border comes again.
                if self.from.is_none_or(|from| until > from) {
                    self.advance(Some(until), &[]);
                }
                Step::From(self.from)
            }
        }
    }

    fn advance(&mut self, last: Option<Timestamp>, items: &[(ItemId, Timestamp)]) {
        self.from = last;
        self.tie =
            items.iter().filter(|(_, time)| Some(*time) == last).map(|(id, _)| *id).collect();
        self.turned = false;
        self.passes = 0;
        self.begin_pass();
    }

    fn begin_pass(&mut self) {
        self.news = false;
        self.seen.clear();
        self.idle = 0;
    }

    fn keeps_order(&self, items: &[(ItemId, Timestamp)]) -> bool {
        items.is_sorted_by_key(|(_, time)| *time)
            && self.from.is_none_or(|from| items.first().is_none_or(|(_, first)| *first >= from))
    }

    fn follow(&self, page: Seen<'_>) -> Step {
        match page.next {
            None => Step::End,
            Some(_) if self.idle > MAX_IDLE_PAGES => Step::Endless,
            Some(next) => Step::Follow(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    fn link(to: &str) -> NextPage {
        NextPage::from_stored(to)
    }

    fn items(of: &[(i64, i64)]) -> Vec<(ItemId, Timestamp)> {
        of.iter().map(|(id, second)| (ItemId::new(*id), at(*second))).collect()
    }

    fn step(walk: &mut Walk, of: &[(i64, i64)], next: Option<NextPage>) -> Step {
        walk.next(Seen { items: &items(of), next, until: None })
    }

    #[test]
    fn the_walk_asks_again_from_the_last_time_instead_of_turning_pages() {
        let mut walk = Walk::new(None);
        assert_eq!(walk.first(), Step::From(None));
        assert_eq!(step(&mut walk, &[(1, 10), (2, 20)], Some(link("2"))), Step::From(Some(at(20))));
        assert_eq!(step(&mut walk, &[(2, 20), (3, 30)], Some(link("2"))), Step::From(Some(at(30))));
        assert_eq!(step(&mut walk, &[(3, 30)], None), Step::End);
        assert_eq!(walk.watermark(), Some(at(30)));
    }

    #[test]
    fn a_span_of_time_is_followed_by_the_next() {
        let mut walk = Walk::new(None);
        let span = |until| Seen { items: &[], next: None, until: Some(at(until)) };
        assert_eq!(walk.next(span(100)), Step::From(Some(at(100))));
        let page = items(&[(1, 100), (2, 150)]);
        let seen = Seen { items: &page, next: Some(link("2")), until: Some(at(200)) };
        assert_eq!(walk.next(seen), Step::From(Some(at(150))));
        let seen = Seen { items: &page[1..], next: None, until: Some(at(200)) };
        assert_eq!(walk.next(seen), Step::From(Some(at(200))));
        assert_eq!(step(&mut walk, &[], None), Step::End);
        assert_eq!(walk.watermark(), Some(at(200)));
    }

    #[test]
    fn a_page_that_could_not_be_had_is_asked_for_from_the_last_time_seen() {
        let mut walk = Walk::new(Some(at(10)));
        assert_eq!(step(&mut walk, &[(9, 10), (8, 10)], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(walk.again(), Step::From(Some(at(10))));
        assert_eq!(step(&mut walk, &[(9, 10)], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(step(&mut walk, &[(8, 10), (7, 11)], None), Step::From(Some(at(10))));
    }

    #[test]
    fn pages_are_turned_within_one_time_and_gone_over_until_nothing_is_new() {
        let mut walk = Walk::new(Some(at(10)));
        assert_eq!(step(&mut walk, &[(9, 10), (8, 10)], Some(link("2"))), Step::Follow(link("2")));
        // 8 moved away, so 7 was skipped and 6 stands here.
        assert_eq!(step(&mut walk, &[(6, 10), (5, 11)], Some(link("3"))), Step::From(Some(at(10))));
        assert_eq!(step(&mut walk, &[(9, 10), (7, 10)], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(step(&mut walk, &[(6, 10), (5, 11)], Some(link("3"))), Step::From(Some(at(10))));
        assert_eq!(step(&mut walk, &[(9, 10), (7, 10)], Some(link("2"))), Step::Follow(link("2")));
        // The third pass brings nothing new; what follows is asked for from its beginning, for 4 may
        // have slid onto the first page meanwhile.
        let after = "1970-01-01T00:00:10.001Z".parse().expect("an instant");
        assert_eq!(step(&mut walk, &[(6, 10), (5, 11)], Some(link("3"))), Step::From(Some(after)));
        assert_eq!(walk.watermark(), Some(after));
        assert_eq!(step(&mut walk, &[(4, 11), (5, 11)], None), Step::End);
    }

    #[test]
    fn items_that_share_a_time_and_never_rest_are_no_end() {
        let mut walk = Walk::new(Some(at(10)));
        for pass in 0..=MAX_PASSES {
            let id = i64::try_from(pass).unwrap();
            let expected = Step::Follow(link("2"));
            assert_eq!(
                step(&mut walk, &[(100 + id, 10), (200 + id, 10)], Some(link("2"))),
                expected
            );
            let expected = if pass < MAX_PASSES { Step::From(Some(at(10))) } else { Step::Endless };
            assert_eq!(step(&mut walk, &[(300 + id, 10)], None), expected);
        }
    }

    #[test]
    fn a_server_that_ignores_the_order_is_followed_by_its_links() {
        let mut walk = Walk::new(None);
        assert_eq!(step(&mut walk, &[(3, 30), (2, 20)], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(step(&mut walk, &[(1, 10)], None), Step::End);
        assert_eq!(walk.watermark(), None);
    }

    #[test]
    fn a_server_that_ignores_the_filter_is_followed_by_its_links() {
        let mut walk = Walk::new(None);
        assert_eq!(step(&mut walk, &[(1, 10), (2, 20)], Some(link("2"))), Step::From(Some(at(20))));
        assert_eq!(step(&mut walk, &[(1, 10), (2, 20)], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(step(&mut walk, &[(3, 30)], None), Step::End);
    }

    #[test]
    fn an_empty_page_with_a_next_one_is_not_the_end() {
        let mut walk = Walk::new(None);
        assert_eq!(step(&mut walk, &[], Some(link("2"))), Step::Follow(link("2")));
        assert_eq!(step(&mut walk, &[(1, 10)], None), Step::End);
    }

    #[test]
    fn a_list_that_only_repeats_itself_ends() {
        let mut walk = Walk::new(None);
        let mut steps = 0;
        while step(&mut walk, &[(3, 30), (2, 20)], Some(link("2"))) != Step::Endless {
            steps += 1;
            assert!(steps < 200, "the walk does not end");
        }
        for repeated in [&[][..], &[(3, 30), (2, 30)]] {
            let mut walk = Walk::new(None);
            let mut steps = 0;
            while step(&mut walk, repeated, Some(link("2"))) != Step::Endless {
                steps += 1;
                assert!(steps < 200, "the walk does not end");
            }
        }
    }
}
