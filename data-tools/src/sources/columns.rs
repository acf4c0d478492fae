//! The names of columns, in CSV, JSON and Parquet alike: neither case nor blanks, hyphens and underscores
//! count, and a source may call our columns as it likes.

use super::SourceError;
use super::cells::{self, COLUMNS, COUNT};
use crate::config::{ColumnNames, SourceConfig};

/// What of a name counts.
pub(crate) fn column_key(name: &str) -> String {
    counting(name).collect()
}

fn counting(name: &str) -> impl Iterator<Item = char> + '_ {
    // Byte order marks and zero-width characters get into names by copying.
    let ignored = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '_' | '-' | '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    name.chars()
        .filter(move |&character| !ignored(character))
        .flat_map(char::to_lowercase)
}

/// Whether two names are the same.
pub(super) fn same(name: &str, other: &str) -> bool {
    name == other || counting(name).eq(counting(other))
}

/// Our columns, as a source calls them.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    names: Box<[String; COUNT]>,
}

impl Columns {
    pub(super) fn new(names: &ColumnNames) -> Self {
        Self {
            names: Box::new(COLUMNS.map(|column| names.name_of(column).to_owned())),
        }
    }

    /// The place among [`COLUMNS`] of what the source calls so.
    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.names.iter().position(|known| known == name);
        exact.or_else(|| self.names.iter().position(|known| same(known, name)))
    }

    /// The cell that a column of a header fills; `None` for one that is not read.
    ///
    /// # Errors
    /// As [`cells::column`].
    pub(super) fn cell(
        &self,
        source: &SourceConfig,
        file: &str,
        name: &str,
    ) -> Result<Option<usize>, SourceError> {
        match self.find(name).and_then(|place| COLUMNS.get(place)) {
            Some(column) => cells::column(source, file, column),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_case_nor_blanks_count() {
        let columns = Columns::new(&ColumnNames::default());
        for name in [
            "issuing_state",
            "Issuing State",
            " ISSUING-STATE ",
            "issuingState",
            "\u{feff}issuing_state",
            "issuing\u{a0}state",
        ] {
            assert_eq!(columns.find(name), Some(1), "{name:?}");
        }
        for name in ["", "issuing", "issuing.state", "doc_no"] {
            assert_eq!(columns.find(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_column_goes_by_the_name_that_the_source_gives_it_alone() {
        let names = [("number", "Číslo dokladu".to_owned())]
            .into_iter()
            .collect();
        let columns = Columns::new(&ColumnNames(names));
        assert_eq!(columns.find("ČÍSLO  DOKLADU"), Some(0));
        // It may be the number of the row.
        assert_eq!(columns.find("number"), None);
        assert_eq!(columns.find("type"), Some(2));
    }
}
