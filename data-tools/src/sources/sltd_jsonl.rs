//! Layout `sltd-jsonl`: our own, JSON objects with the fields of [`cells`](super::cells) as texts.
//!
//! One object a line; or a JSON array of objects, or objects one after the other, on any number of lines.
//! Absent and `null` are the same. A number where a text is expected is rejected: JSON numbers have
//! no leading zeros, document numbers do. Names are compared as [`Columns`] has it; unknown fields are named in a
//! warning and not read. Series and number stand in one field, as in `sltd-csv`.

use super::cells::{self, COLUMNS, COUNT};
use super::columns::Columns;
use super::cut::{Cutter, Lines};
use super::delimited::without_break;
use super::json::{ArrayElements, elements, first_element};
use super::json_object::{self, Value};
use super::reject::{ROW, ROW_BYTES_MAX, Reason, Reject};
use super::worker::Worker;
use super::{RowSink, SourceError, kept};
use crate::config::SourceConfig;

/// How the objects of a stream follow each other, and what their fields are called.
pub(super) struct Form {
    objects: Objects,
    columns: Columns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objects {
    /// One a line.
    Lines,
    /// In an array.
    Array,
    /// One after the other, each on several lines.
    Spread,
}

/// Sees the form of a stream by its first line.
pub(super) fn head(source: &SourceConfig, file: &str, ahead: &[u8]) -> Result<Form, SourceError> {
    let columns = Columns::new(&source.columns);
    if holds_a_list(ahead, &columns) {
        return Err(SourceError::OtherKind {
            file: file.to_owned(),
            found: "a JSON object with the list inside it: expected an array of objects, or one object a line",
        });
    }
    let text = ahead.trim_ascii_start();
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let objects = match (text.first(), line.trim_ascii_end().last()) {
        (Some(b'['), _) => Objects::Array,
        // No line with a whole object ends so.
        (Some(b'{'), Some(b'{' | b'[' | b',' | b':')) if line.len() < text.len() => Objects::Spread,
        _ => Objects::Lines,
    };
    Ok(Form { objects, columns })
}

/// Whether a text is one object around a list: it has a field that is an array of objects, and none of our columns as
/// far as can be seen.
fn holds_a_list(text: &[u8], columns: &Columns) -> bool {
    let mut list = false;
    let Some(mut rest) = text.trim_ascii_start().strip_prefix(b"{") else {
        return false;
    };
    loop {
        let Some((name, after)) = first_element(rest) else {
            return list;
        };
        let Ok(name) = serde_json::from_slice::<String>(name) else {
            return list;
        };
        let Some(value) = after.trim_ascii_start().strip_prefix(b":") else {
            return list;
        };
        let value = value.trim_ascii_start();
        if columns.find(&name).is_some() {
            return false;
        }
        if let Some(inside) = value.strip_prefix(b"[")
            && inside.trim_ascii_start().starts_with(b"{")
        {
            list = true;
        }
        match first_element(value) {
            Some((_, after)) => rest = after,
            None => return list,
        }
    }
}

impl Form {
    /// What finds the ends of the rows.
    pub(super) fn cutter(&self) -> Box<dyn Cutter> {
        match self.objects {
            Objects::Lines => Box::new(Lines { quoted_after: None }),
            Objects::Array => Box::new(ArrayElements::default()),
            Objects::Spread => Box::new(ArrayElements::without_brackets()),
        }
    }
}

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(worker: &mut Worker<'_, S>, form: &Form, chunk: &[u8]) {
    if form.objects == Objects::Lines {
        return lines(worker, form, chunk);
    }
    for element in elements(chunk) {
        if worker.has_failed() {
            return;
        }
        row(worker, form, element);
    }
}

/// Reads rows that are lines. Blank ones are passed over.
fn lines<S: RowSink>(worker: &mut Worker<'_, S>, form: &Form, chunk: &[u8]) {
    let mut rest = chunk;
    while !rest.is_empty() && !worker.has_failed() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = after;
        let bytes = line.strip_suffix(b"\n").unwrap_or(line).len();
        let text = without_break(line);
        if text.trim_ascii().is_empty() {
            continue;
        }
        if bytes > ROW_BYTES_MAX {
            worker.too_long_row(u64::try_from(bytes).unwrap_or(u64::MAX));
            continue;
        }
        row(worker, form, text);
    }
}

#[inline]
fn row<S: RowSink>(worker: &mut Worker<'_, S>, form: &Form, text: &[u8]) {
    let find = |name: &str| form.columns.find(name);
    let fields = json_object::read_named(text, &COLUMNS, find, |name| worker.unknown_column(name));
    let source = worker.source;
    match &fields {
        // Such as {"error": "not found"}, which a server sends in place of a list.
        Ok(fields) if fields.iter().all(Value::is_absent) => {
            worker.unusable_row(Reject::new(ROW, Reason::NoColumns));
        }
        Ok(fields) => {
            let read =
                texts(fields).and_then(|texts| cells::read(source, &mut worker.memos, &texts));
            worker.row(read, |line| kept::fields(&COLUMNS, fields, line));
        }
        Err(reject) => worker.unusable_row(reject.clone()),
    }
}

fn texts<'a>(fields: &'a [Value<'_>; COUNT]) -> Result<[&'a str; COUNT], Reject> {
    let mut texts = [""; COUNT];
    for ((text, field), &name) in texts.iter_mut().zip(fields).zip(&COLUMNS) {
        *text = field.text(name)?;
    }
    Ok(texts)
}
