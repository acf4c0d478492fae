//! What differs between layouts: how their rows are told apart, what a header says, how a row reads.

use std::collections::BTreeSet;

use sltd::document::IssuingState;

use super::cut::{Cutter, Lines};
use super::delimited::Format;
use super::json::ArrayElements;
use super::worker::Worker;
use super::{
    RowSink, SourceError, czechia, russia, sltd_csv, sltd_jsonl, ukraine, ukraine_inactive,
};
use crate::config::{Layout, SourceConfig};

/// The form of the rows of one stream of text.
pub(super) enum Head {
    SltdCsv(Format),
    SltdJsonl(sltd_jsonl::Form),
    Russia(IssuingState, Format),
    Ukraine(IssuingState),
    UkraineInactive(IssuingState, Format),
    Czechia {
        state: IssuingState,
        kind: u8,
        format: Format,
        withdraws: bool,
    },
}

/// What stands at the beginning of a stream.
pub(super) struct Beginning<'b> {
    /// The header without its line break; empty where the layout has none.
    pub(super) header: &'b [u8],
    /// The delimiter that a line before the header states.
    pub(super) separator: Option<u8>,
    /// The first row at least, unless that is longer than the longest row.
    pub(super) ahead: &'b [u8],
    /// Whether the stream is one of withdrawals, where its place among others says so.
    pub(super) withdraws: bool,
}

/// Whether the first line of a layout is a header.
pub(super) fn has_header(layout: Layout) -> bool {
    matches!(layout, Layout::SltdCsv | Layout::Russia)
}

impl Head {
    /// Reads what stands at the beginning of a stream.
    pub(super) fn read(
        source: &SourceConfig,
        name: &str,
        beginning: &Beginning<'_>,
        unknown: &mut BTreeSet<String>,
    ) -> Result<Self, SourceError> {
        let header = beginning.header;
        let delimiter = source.delimiter.or(beginning.separator);
        let state = source
            .layout
            .issuing_state()
            .and_then(|code| IssuingState::parse(code).ok());
        Ok(match (source.layout, state) {
            (Layout::Russia, Some(state)) => {
                Self::Russia(state, russia::head(name, header, delimiter)?)
            }
            (Layout::Ukraine, Some(state)) => Self::Ukraine(state),
            (Layout::UkraineInactive, Some(state)) => {
                Self::UkraineInactive(state, ukraine_inactive::format(delimiter))
            }
            (Layout::Czechia, Some(state)) => {
                let (kind, format) = czechia::head(source, name, delimiter)?;
                Self::Czechia {
                    state,
                    kind,
                    format,
                    withdraws: beginning.withdraws,
                }
            }
            (Layout::SltdJsonl, _) => {
                Self::SltdJsonl(sltd_jsonl::head(source, name, beginning.ahead)?)
            }
            _ => Self::SltdCsv(sltd_csv::head(
                source,
                name,
                (header, beginning.ahead),
                delimiter,
                unknown,
            )?),
        })
    }

    /// What finds the ends of the rows.
    pub(super) fn cutter(&self) -> Box<dyn Cutter> {
        match self {
            Self::SltdCsv(format) | Self::UkraineInactive(_, format) => Box::new(Lines {
                quoted_after: Some(format.delimiter),
            }),
            Self::SltdJsonl(form) => form.cutter(),
            Self::Ukraine(_) => Box::new(ArrayElements::default()),
            Self::Russia(..) | Self::Czechia { .. } => Box::new(Lines { quoted_after: None }),
        }
    }

    /// Reads the rows of a chunk.
    pub(super) fn rows<S: RowSink>(&self, worker: &mut Worker<'_, S>, chunk: &[u8]) {
        match self {
            Self::SltdCsv(format) => sltd_csv::rows(worker, format, chunk),
            Self::SltdJsonl(form) => sltd_jsonl::rows(worker, form, chunk),
            Self::Russia(state, format) => russia::rows(worker, *state, format, chunk),
            Self::Ukraine(state) => ukraine::rows(worker, *state, chunk),
            Self::UkraineInactive(state, format) => {
                ukraine_inactive::rows(worker, *state, format, chunk)
            }
            Self::Czechia {
                state,
                kind,
                format,
                withdraws,
            } => czechia::rows(worker, *state, (*kind, format), *withdraws, chunk),
        }
    }
}
