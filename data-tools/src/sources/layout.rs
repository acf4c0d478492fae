//! What differs between layouts: how their rows are told apart, what a header says, how a row reads.

use std::collections::BTreeSet;

use memchr::memchr;
use sltd::document::IssuingState;

use super::cut::{Cutter, Lines, RowEnd, row_end};
use super::delimited::Format;
use super::json::ArrayElements;
use super::worker::Worker;
use super::{RowSink, SourceError, czechia, russia, sltd_csv, sltd_jsonl, ukraine};
use crate::config::{Layout, SourceConfig};

/// The form of the rows of one stream of text.
pub(super) enum Head {
    SltdCsv(Format),
    SltdJsonl,
    Russia(IssuingState, Format),
    Ukraine(IssuingState),
    Czechia {
        state: IssuingState,
        kind: u8,
        format: Format,
        withdraws: bool,
    },
}

/// Finds the ends of a layout's rows.
pub(super) fn cutter(layout: Layout) -> Box<dyn Cutter> {
    match layout {
        Layout::SltdCsv => Box::new(Lines {
            quoted_after: Some(b','),
        }),
        Layout::Ukraine => Box::new(ArrayElements::default()),
        Layout::SltdJsonl | Layout::SltdParquet | Layout::Russia | Layout::Czechia => {
            Box::new(Lines { quoted_after: None })
        }
    }
}

/// Where the header at the beginning of a stream ends, its line break included. `None`: not yet to be
/// told; 0 where the layout has no header.
pub(super) fn header_end(layout: Layout, buffer: &[u8], ended: bool) -> Option<usize> {
    let end = match layout {
        Layout::SltdCsv => match row_end(buffer, 0, b',') {
            RowEnd::At { end, .. } => Some(end),
            RowEnd::Beyond { .. } | RowEnd::Quoted => None,
        },
        Layout::Russia => memchr(b'\n', buffer).map(|at| at + 1),
        Layout::SltdJsonl | Layout::SltdParquet | Layout::Ukraine | Layout::Czechia => Some(0),
    };
    end.or(ended.then_some(buffer.len()))
}

impl Head {
    /// Reads the header of a stream, where the layout has one; `withdraws` says that the stream is one of
    /// withdrawals, where its place among others does.
    pub(super) fn read(
        source: &SourceConfig,
        name: &str,
        withdraws: bool,
        header: Option<&[u8]>,
        unknown: &mut BTreeSet<String>,
    ) -> Result<Self, SourceError> {
        let header = header.unwrap_or_default();
        let state = source
            .layout
            .issuing_state()
            .and_then(|code| IssuingState::parse(code).ok());
        Ok(match (source.layout, state) {
            (Layout::Russia, Some(state)) => Self::Russia(state, russia::head(name, header)?),
            (Layout::Ukraine, Some(state)) => Self::Ukraine(state),
            (Layout::Czechia, Some(state)) => {
                let (kind, format) = czechia::head(source, name)?;
                Self::Czechia {
                    state,
                    kind,
                    format,
                    withdraws,
                }
            }
            (Layout::SltdJsonl, _) => Self::SltdJsonl,
            _ => Self::SltdCsv(sltd_csv::head(source, name, header, unknown)?),
        })
    }

    /// Reads the rows of a chunk.
    pub(super) fn rows<S: RowSink>(&self, worker: &mut Worker<'_, S>, chunk: &[u8]) {
        match self {
            Self::SltdCsv(format) => sltd_csv::rows(worker, format, chunk),
            Self::SltdJsonl => sltd_jsonl::rows(worker, chunk),
            Self::Russia(state, format) => russia::rows(worker, *state, format, chunk),
            Self::Ukraine(state) => ukraine::rows(worker, *state, chunk),
            Self::Czechia {
                state,
                kind,
                format,
                withdraws,
            } => czechia::rows(worker, *state, (*kind, format), *withdraws, chunk),
        }
    }
}
