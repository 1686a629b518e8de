//! Orders of rows, against sorting.

use super::*;
use crate::hash::mixed;

fn entry(at: i64, id: u64) -> Entry {
    Entry { at, id, project: ProjectId::new(1), iid: id, confidential: false }
}

/// Some thousand rows of few times, so that many are equal, in an order without pattern.
fn rows() -> Vec<Entry> {
    (1..=5_000).map(|id| entry(i64::try_from(mixed(id) % 700).unwrap(), id)).collect()
}

fn sorted(descending: bool) -> Vec<(i64, u64)> {
    let mut rows: Vec<(i64, u64)> = rows().iter().map(|row| (row.at, row.id)).collect();
    rows.sort_by_key(|(at, id)| (if descending { -at } else { *at }, std::cmp::Reverse(*id)));
    rows
}

#[test]
fn rows_come_in_the_same_order_however_they_were_put_in() {
    let mut one_by_one = Ordered::default();
    for row in rows() {
        one_by_one.insert(row);
    }
    for ordered in [&one_by_one, &Ordered::build(rows())] {
        for descending in [false, true] {
            let listed: Vec<(i64, u64)> = ordered
                .list(Ordered::START, ordered.end(), descending, 0)
                .map(|row| (row.at, row.id))
                .collect();
            assert_eq!(listed, sorted(descending));
        }
    }
}

#[test]
fn any_part_of_a_list_is_found_by_its_offset() {
    let ordered = Ordered::build(rows());
    for descending in [false, true] {
        let (low, high) = (100, 600);
        let (from, to) = (ordered.time_start(low), ordered.time_end(high));
        let mut expected = sorted(descending);
        expected.retain(|(at, _)| (low..=high).contains(at));
        for skip in (0..expected.len() + 3).step_by(7) {
            let listed: Vec<(i64, u64)> = ordered
                .list(from, to, descending, skip)
                .take(20)
                .map(|row| (row.at, row.id))
                .collect();
            let start = skip.min(expected.len());
            let end = (start + 20).min(expected.len());
            assert_eq!(listed, expected[start..end], "{descending} {skip}");
        }
    }
}

#[test]
fn removed_rows_are_gone() {
    let mut ordered = Ordered::build(rows());
    for row in rows().iter().filter(|row| row.id % 2 == 0) {
        ordered.remove(row);
    }
    let left = ordered.list(Ordered::START, ordered.end(), false, 0);
    assert!(left.map(|row| row.id).all(|id| id % 2 == 1));
    assert_eq!(ordered.rank(ordered.end()), 2_500);
}
