//! The arithmetic of a price: counts in, requests out.
//!
//! Every number that is assumed stands here, beside what it stands for. It asks nothing, and knows
//! of GitLab only how queries grow ([`Queries`]).

use crate::gitlab::Rows;
use crate::model::ItemKind;

/// Items of a page by REST.
const PAGE: u64 = 100;

/// Each further page by REST begins with the last item of the one before.
const NEW_ON_PAGE: u64 = PAGE - 1;

/// Projects whose details are asked for together; queries divide them further.
const DETAILS: u64 = 100;

/// A walk over all is divided while the largest rest seems to hold as many items.
const WORTH_DIVIDING: u64 = 1_000;

/// After the first divisions, one for so many pages.
const PAGES_FOR_EACH_DIVISION: u64 = 60;

/// Counts the queries for lists of so many rows, one after the other.
pub(super) trait Queries {
    /// See [`crate::gitlab::Client::queries_for`].
    fn queries_for(&self, rows: Rows, lists: &[u64]) -> u64;
}

/// What is known of the projects, for what hangs on them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Projects {
    /// How many there are.
    pub count: u64,
    /// How many of them are known more closely; the others are taken to be alike.
    pub sample: u64,
    /// How many of the sample run pipelines on each default branch, the largest first.
    pub branches: Vec<u64>,
    /// How many of the sample run none.
    pub without_branch: u64,
    /// The part of those looked at that holds files that are read, by GraphQL.
    pub with_files: f64,
    /// Requests for files and templates of one project by REST, as those looked at need them.
    pub files_each: f64,
    /// Requests for the labels of one project by REST.
    pub labels_each: f64,
    /// Questions for templates that groups lend, for the sample.
    pub lending: u64,
    /// Questions of who lends, and for all that are lent the same, however many they are.
    pub lenders: u64,
}

impl Projects {
    /// Returns a number of the sample as one of all.
    fn of_all(&self, of_sample: u64) -> u64 {
        if self.sample == 0 { 0 } else { (of_sample * self.count).div_ceil(self.sample) }
    }
}

/// How a source is read, as far as it decides the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price {
    /// Whether GraphQL is to be had.
    pub graphql: bool,
    /// Whether comments are read.
    pub comments: bool,
    /// How many read a list at the same time.
    pub readers: u64,
}

/// A list of items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Items {
    /// Issues or merge requests.
    pub kind: ItemKind,
    /// How many.
    pub count: u64,
    /// The part of them whose comments do not fit beside them.
    pub long: f64,
}

impl Price {
    /// Requests for the pages of lists of items, and for what changed while they were read.
    pub fn lists(self, items: &[Items], queries: &impl Queries) -> u64 {
        let Some(kind) = items.first().map(|items| items.kind) else { return 0 };
        let with_comments = self.graphql && self.comments;
        let pages = if with_comments {
            // An empty list is a page too.
            let counts: Vec<u64> = items.iter().map(|items| items.count.max(1)).collect();
            queries.queries_for(Rows::Items(kind), &counts)
        } else {
            items.iter().map(|items| pages_by_rest(items.count)).sum()
        };
        let divisions: u64 = items.iter().map(|items| self.divisions(items.count)).sum();
        // A division costs a page that is not full: half a one more.
        pages + divisions.div_ceil(2) + items.len() as u64
    }

    /// Requests for comments that do not come with the items.
    pub fn comments(self, items: &Items) -> u64 {
        if !self.comments {
            0
        } else if self.graphql {
            part(items.count, items.long)
        } else {
            items.count
        }
    }

    fn divisions(self, items: u64) -> u64 {
        let most = self.readers.saturating_sub(1) + items / PAGE / PAGES_FOR_EACH_DIVISION;
        (items / WORTH_DIVIDING).min(most)
    }

    /// Requests for what hangs on projects.
    pub fn details(self, projects: &Projects, queries: &impl Queries) -> u64 {
        if projects.count == 0 {
            return 0;
        }
        if !self.graphql {
            let pipelines: u64 = projects.branches.iter().sum();
            let each = projects.labels_each + projects.files_each;
            return projects.of_all(pipelines) + part(projects.count, each);
        }
        let mut groups: Vec<u64> = projects.branches.clone();
        match groups.first_mut() {
            Some(first) => *first += projects.without_branch,
            None => groups.push(projects.without_branch),
        }
        let mut batches = Vec::new();
        for group in groups {
            let mut left = projects.of_all(group);
            while left > 0 {
                batches.push(left.min(DETAILS));
                left = left.saturating_sub(DETAILS);
            }
        }
        let files: Vec<u64> =
            batches.iter().map(|batch| part(*batch, projects.with_files)).collect();
        queries.queries_for(Rows::Details, &batches)
            + queries.queries_for(Rows::Files, &files)
            + part(projects.count, projects.labels_each)
            + projects.of_all(projects.lending)
            + projects.lenders
    }
}

/// Pages of a list of projects.
pub(super) fn pages(count: u64) -> u64 {
    count.div_ceil(PAGE).max(1)
}

fn pages_by_rest(count: u64) -> u64 {
    1 + count.saturating_sub(PAGE).div_ceil(NEW_ON_PAGE)
}

/// Returns a part of a number, rounded up: what may be asked for is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate of a count that is far below 2^53"
)]
fn part(count: u64, part: f64) -> u64 {
    (count as f64 * part).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Queries for fifty rows each.
    struct Fifties;

    impl Queries for Fifties {
        fn queries_for(&self, _: Rows, lists: &[u64]) -> u64 {
            lists.iter().map(|rows| rows.div_ceil(50)).sum()
        }
    }

    const BOTH: Price = Price { graphql: true, comments: true, readers: 9 };
    const REST: Price = Price { graphql: false, ..BOTH };

    fn issues(count: u64) -> Items {
        Items { kind: ItemKind::Issue, count, long: 0.0 }
    }

    #[test]
    fn an_empty_list_is_asked_for_and_then_what_changed() {
        assert_eq!(BOTH.lists(&[issues(0)], &Fifties), 2);
        assert_eq!(REST.lists(&[issues(0)], &Fifties), 2);
        assert_eq!(BOTH.lists(&[], &Fifties), 0);
    }

    #[test]
    fn pages_by_rest_begin_with_the_last_item_of_the_one_before() {
        for (items, pages) in [(1, 1), (100, 1), (101, 2), (199, 2), (200, 3), (1_000, 11)] {
            assert_eq!(pages_by_rest(items), pages, "{items}");
        }
    }

    #[test]
    fn long_lists_are_divided_and_each_division_costs_half_a_page() {
        assert_eq!(BOTH.lists(&[issues(900)], &Fifties), 18 + 1);
        assert_eq!(BOTH.lists(&[issues(4_000)], &Fifties), 80 + 2 + 1);
        assert_eq!(BOTH.divisions(1_000_000), 8 + 166);
    }

    #[test]
    fn comments_cost_a_request_for_each_item_by_rest_and_for_the_long_ones_by_graphql() {
        let items = Items { long: 0.1, ..issues(95) };
        assert_eq!(REST.comments(&items), 95);
        assert_eq!(BOTH.comments(&items), 10);
        let price = Price { comments: false, ..REST };
        assert_eq!((price.comments(&items), price.lists(&[items], &Fifties)), (0, 2));
    }

    #[test]
    fn details_are_asked_for_by_default_branch_and_scaled_up_from_the_sample() {
        let projects = Projects {
            count: 300,
            sample: 100,
            branches: vec![60, 20],
            without_branch: 20,
            with_files: 0.5,
            files_each: 4.5,
            labels_each: 0.0,
            lending: 0,
            lenders: 0,
        };
        // 240 on one branch and 60 on the other: 2 + 2 + 1 and 2; of files half.
        assert_eq!(BOTH.details(&projects, &Fifties), 5 + 2 + 1 + 1 + 1 + 1);
        let projects = Projects { labels_each: 2.0, ..projects };
        assert_eq!(BOTH.details(&projects, &Fifties), 11 + 600);
        // Pipelines, labels, files and templates.
        assert_eq!(REST.details(&projects, &Fifties), 240 + 600 + 1_350);
        assert_eq!(BOTH.details(&Projects::default(), &Fifties), 0);
    }

    #[test]
    fn a_list_of_projects_has_a_page_at_least() {
        assert_eq!([0, 1, 100, 101].map(pages), [1, 1, 1, 2]);
    }
}
