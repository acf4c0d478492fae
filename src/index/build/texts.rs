//! Texts numbered in their order.

use hashbrown::HashMap;

/// Distinct texts in order, and the number of each: what has many of them is sorted and numbered without comparing
/// texts again and again.
#[derive(Debug)]
pub(super) struct Texts<'t> {
    list: Vec<&'t str>,
    numbers: HashMap<&'t str, u32>,
}

impl<'t> Texts<'t> {
    /// The distinct ones of `texts`.
    pub(super) fn new(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut numbers: HashMap<&str, u32> = texts.into_iter().map(|text| (text, 0)).collect();
        let mut list: Vec<&str> = numbers.keys().copied().collect();
        list.sort_unstable();
        for (text, place) in list.iter().zip(0..) {
            numbers.insert(text, place);
        }
        Self { list, numbers }
    }

    /// The number of a text, from 0 in order; `None` of one that is not among them.
    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// All texts in order.
    pub(super) fn into_list(self) -> Vec<&'t str> {
        self.list
    }
}
