//! Layout `sltd-jsonl`: our own, one JSON object a line, with the fields of
//! [`cells`](super::cells) as texts.
//!
//! Absent and `null` are the same. A number where a text is expected is rejected: JSON numbers have
//! no leading zeros, document numbers do. Unknown fields are named in a warning and not read. Series
//! and number stand in one field, as in `sltd-csv`.

use super::cells::{self, COLUMNS, COUNT};
use super::delimited::without_break;
use super::json_object::{self, Value};
use super::reject::{ROW_BYTES_MAX, Reject};
use super::worker::Worker;
use super::{RowSink, kept};

/// Reads the rows of a chunk. Blank lines are passed over.
pub(super) fn rows<S: RowSink>(worker: &mut Worker<'_, S>, chunk: &[u8]) {
    let mut rest = chunk;
    while !rest.is_empty() && !worker.has_failed() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = after;
        let bytes = line.strip_suffix(b"\n").unwrap_or(line).len();
        let row = without_break(line);
        if row.trim_ascii().is_empty() {
            continue;
        }
        if bytes > ROW_BYTES_MAX {
            worker.too_long_row(u64::try_from(bytes).unwrap_or(u64::MAX));
            continue;
        }
        let fields = json_object::read(row, &COLUMNS, |name| worker.unknown_column(name));
        let source = worker.source;
        match &fields {
            Ok(fields) => {
                let read =
                    texts(fields).and_then(|texts| cells::read(source, &mut worker.memos, &texts));
                worker.row(read, |line| kept::fields(&COLUMNS, fields, line));
            }
            Err(reject) => worker.unusable_row(reject.clone()),
        }
    }
}

fn texts<'a>(fields: &'a [Value<'_>; COUNT]) -> Result<[&'a str; COUNT], Reject> {
    let mut texts = [""; COUNT];
    for ((text, field), &name) in texts.iter_mut().zip(fields).zip(&COLUMNS) {
        *text = field.text(name)?;
    }
    Ok(texts)
}
