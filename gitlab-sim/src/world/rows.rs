//! Rows by number, found at once.
//!
//! Numbers are given out one after the other and few rows ever go, so a row nearly always stands as
//! far behind the first one as its number says: [`Rows`] looks there, and searches only when
//! something was taken out before it. Next to a tree this saves a page of a hundred rows some
//! hundred waits for memory. It reads like a `BTreeMap` and keeps its order. It refuses to notice
//! that the number of a row was changed behind its back.

use std::ops::Index;

/// Something with a number that is its own among its like.
pub trait Numbered {
    /// What numbers it.
    type Number: Copy + Ord + Into<u64>;

    /// Returns its number.
    fn number(&self) -> &Self::Number;
}

/// Rows in the order of their numbers.
#[derive(Debug, Clone)]
pub struct Rows<T>(Vec<T>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Numbered> Rows<T> {
    /// Returns where a row stands, or else where it would.
    fn place(&self, number: &T::Number) -> Result<usize, usize> {
        let first = self.0.first().map_or(0, |row| (*row.number()).into());
        let guess = (*number).into().wrapping_sub(first);
        if let Ok(guess) = usize::try_from(guess)
            && self.0.get(guess).is_some_and(|row| row.number() == number)
        {
            return Ok(guess);
        }
        self.0.binary_search_by_key(number, |row| *row.number())
    }

    /// Finds a row.
    pub fn get(&self, number: &T::Number) -> Option<&T> {
        self.place(number).ok().map(|place| &self.0[place])
    }

    /// Finds a row, to be changed. Its number must stay what it is.
    pub fn get_mut(&mut self, number: &T::Number) -> Option<&mut T> {
        self.place(number).ok().map(|place| &mut self.0[place])
    }

    /// Tells whether there is a row of that number.
    pub fn contains_key(&self, number: &T::Number) -> bool {
        self.place(number).is_ok()
    }

    /// Puts a row in, and returns the one that had its number.
    pub fn insert(&mut self, row: T) -> Option<T> {
        match self.place(row.number()) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place], row)),
            Err(place) => {
                self.0.insert(place, row);
                None
            }
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, number: &T::Number) -> Option<T> {
        self.place(number).ok().map(|place| self.0.remove(place))
    }

    /// Lists the rows by number.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Lists the rows by number, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// Lists the numbers.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &T::Number> + DoubleEndedIterator {
        self.0.iter().map(T::number)
    }

    /// Counts the rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Numbered> From<Vec<T>> for Rows<T> {
    /// Takes rows in any order; of several with one number the last stays.
    fn from(mut rows: Vec<T>) -> Self {
        if !rows.is_sorted_by(|a, b| a.number() < b.number()) {
            rows.sort_by_key(|row| *row.number());
            rows.reverse();
            rows.dedup_by(|a, b| a.number() == b.number());
            rows.reverse();
        }
        rows.shrink_to_fit();
        Self(rows)
    }
}

impl<T: Numbered> Index<&T::Number> for Rows<T> {
    type Output = T;

    /// Returns a row.
    ///
    /// # Panics
    ///
    /// When there is none of that number.
    fn index(&self, number: &T::Number) -> &T {
        self.get(number).expect("the caller knows that the row is there")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Row(u64, u64);

    impl Numbered for Row {
        type Number = u64;

        fn number(&self) -> &u64 {
            &self.0
        }
    }

    #[test]
    fn it_holds_what_a_tree_would_hold() {
        let (mut rows, mut tree) = (Rows::default(), BTreeMap::new());
        for step in 0_u64..4_000 {
            let chance = crate::hash::mixed(step);
            let number = chance % 97 + 5;
            if (chance >> 32).is_multiple_of(4) {
                assert_eq!(rows.remove(&number), tree.remove(&number));
            } else {
                assert_eq!(rows.insert(Row(number, step)), tree.insert(number, Row(number, step)));
            }
            assert_eq!(rows.get(&number), tree.get(&number));
            assert!(rows.values().eq(tree.values()) && rows.keys().eq(tree.keys()), "{step}");
        }
        for number in 0..120 {
            assert_eq!(rows.get(&number), tree.get(&number));
            assert_eq!(rows.contains_key(&number), tree.contains_key(&number));
        }
    }

    #[test]
    fn of_rows_with_one_number_the_last_stays() {
        let rows = Rows::from(vec![Row(3, 0), Row(1, 1), Row(3, 2), Row(2, 3), Row(1, 4)]);
        assert!(rows.values().eq(&[Row(1, 4), Row(2, 3), Row(3, 2)]));
        assert!(Rows::<Row>::default().get(&0).is_none());
    }
}
