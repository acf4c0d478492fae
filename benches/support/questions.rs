//! The file of questions, `number,issuer,type` a line, as `sltd-data generate --queries` writes it.

use crate::Result;
use sltd::document::{DocumentNumber, DocumentType, Issuer};
use sltd::report::Query;
use std::path::Path;

/// Reads all questions; each names number, issuer and type.
pub(crate) fn read(path: &Path) -> Result<Vec<Query>> {
    let text = std::fs::read_to_string(path)?;
    let query = |(line, text): (usize, &str)| {
        parse(text).ok_or_else(|| {
            format!(
                "line {} of the questions: expected number,issuer,type",
                line + 1
            )
            .into()
        })
    };
    text.lines().enumerate().map(query).collect()
}

fn parse(line: &str) -> Option<Query> {
    let (number, issuer, document_type) = split(line)?;
    Some(Query::from_fields(
        DocumentNumber::normalise(number).ok()?,
        Some(Issuer::parse(issuer).ok()?),
        Some(DocumentType::from_name(document_type)?),
    ))
}

/// The three fields of a line.
pub(crate) fn split(line: &str) -> Option<(&str, &str, &str)> {
    let (number, rest) = line.split_once(',')?;
    let (issuer, document_type) = rest.split_once(',')?;
    Some((number, issuer, document_type))
}
