//! The fields of a source that say what form its files have.

use toml::Value;

use super::{ConfigError, Entry};
use crate::config::{ColumnNames, DateFormat, Encoding, Layout};
use crate::sources::{COLUMNS, column_key};

pub(super) fn read_encoding(entry: &mut Entry, layout: Layout) -> Result<Encoding, ConfigError> {
    let expected = || {
        "utf-8, windows-1250, windows-1251, windows-1252, latin-1, utf-16le, utf-16be, or another label of the WHATWG \
         Encoding Standard"
            .to_owned()
    };
    let encoding = entry.read("encoding", expected, Encoding::from_label)?;
    if encoding.is_some_and(|encoding| encoding != Encoding::UTF_8) && layout == Layout::SltdParquet
    {
        let expected = "nothing: texts in Parquet are UTF-8";
        return Err(entry.wrong("encoding", expected, "another encoding"));
    }
    Ok(encoding.unwrap_or(Encoding::UTF_8))
}

pub(super) fn read_files(entry: &mut Entry) -> Result<Option<u32>, ConfigError> {
    let Some(value) = entry.take("files") else {
        return Ok(None);
    };
    match value
        .as_integer()
        .and_then(|files| u32::try_from(files).ok())
    {
        Some(files @ 1..) => Ok(Some(files)),
        _ => Err(entry.wrong("files", "a whole number from 1", &value.to_string())),
    }
}

pub(super) fn read_delimiter(entry: &mut Entry, layout: Layout) -> Result<Option<u8>, ConfigError> {
    let expected = || "one of `,`, `;`, `|` and `tab`".to_owned();
    let delimiter = entry.read("delimiter", expected, |text| match text {
        "," | "comma" => Some(b','),
        ";" | "semicolon" => Some(b';'),
        "|" | "pipe" => Some(b'|'),
        "\t" | "\\t" | "tab" => Some(b'\t'),
        _ => None,
    })?;
    if delimiter.is_some() && !layout.is_delimited() {
        let expected = format!("nothing: layout {} has no delimiter", layout.name());
        return Err(entry.wrong("delimiter", expected, "a value"));
    }
    Ok(delimiter)
}

/// The names of columns that a source calls otherwise.
pub(super) fn read_columns(entry: &mut Entry, layout: Layout) -> Result<ColumnNames, ConfigError> {
    let expected = "a table from our names to those of the file, such as { number = \"doc_no\" }";
    let table = match entry.take("columns") {
        None => return Ok(ColumnNames::default()),
        Some(_) if !layout.is_ours() => return Err(entry.given(layout, "columns")),
        Some(Value::Table(table)) => table,
        Some(other) => return Err(entry.wrong("columns", expected, other.type_str())),
    };
    let mut names = ColumnNames::default();
    for (ours, value) in &table {
        let Some(ours) = COLUMNS.into_iter().find(|column| column == ours) else {
            let expected = format!("names of our columns ({})", COLUMNS.join(", "));
            return Err(entry.wrong("columns", expected, &format!("`{ours}`")));
        };
        let name = value.as_str().map(column_key).unwrap_or_default();
        if name.is_empty() {
            let found = format!("{ours} = {value}");
            return Err(entry.wrong("columns", expected, &found));
        }
        if names.0.values().any(|other| column_key(other) == name) {
            let found = format!("{value} twice");
            return Err(entry.wrong("columns", "each name of the file once", &found));
        }
        names
            .0
            .insert(ours, value.as_str().unwrap_or_default().trim().to_owned());
    }
    Ok(names)
}

pub(super) fn read_date_format(
    entry: &mut Entry,
    layout: Layout,
) -> Result<Option<DateFormat>, ConfigError> {
    let expected = || "a form of days such as dd.mm.yyyy, ddmmyyyy or %d.%m.%Y".to_owned();
    let format = entry.read("date_format", expected, DateFormat::new)?;
    if format.is_some() && !layout.is_ours() {
        return Err(entry.given(layout, "date_format"));
    }
    Ok(format)
}
