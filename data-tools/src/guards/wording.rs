//! What is said of a figure beyond its limit, and how to let it pass. No number of a document is in it.

use super::Trip;
use std::fmt;

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| share * 100.0;
        let change = |before: &u64, after: &u64| {
            let (before, after) = (*before as f64, *after as f64);
            (after - before) / before * 100.0
        };
        match self {
            Self::Empty { source, before: 0 } => {
                write!(f, "source {source}: its list has no row")
            }
            Self::Empty { source, before } => {
                write!(f, "source {source}: nothing is left of {before} documents")
            }
            Self::Removed { source, before } => write!(
                f,
                "source {source}: it is no longer listed, and {before} documents would go with it"
            ),
            Self::Older {
                source,
                as_of,
                current,
            } => write!(
                f,
                "source {source}: its list is of {as_of}, the one in force of {current}"
            ),
            Self::SameAsOf { source, as_of } => write!(
                f,
                "source {source}: its list is another one than that in force, but as of the same instant, {as_of}"
            ),
            Self::RolledBack {
                source,
                list,
                since,
            } => write!(
                f,
                "source {source}: its list is that of generation {list}, which the rollback of generation {since} \
                 has undone"
            ),
            Self::UnknownSource { source } => write!(
                f,
                "source {source}: expected a source that the store knows, by a list or by changes"
            ),
            Self::Owns {
                source,
                known,
                given,
            } => write!(
                f,
                "source {source}: expected owns = [{}] as in the store, found [{}]",
                known.join(", "),
                given.join(", ")
            ),
            Self::Reports {
                source,
                issuing_state,
                documents,
                limit,
            } => write!(
                f,
                "source {source}, {issuing_state}: {documents} documents have more than {limit} different reports \
                 each; where a number stands for none, name it in the source's placeholders"
            ),
            Self::Shrunk {
                source,
                issuing_state,
                before,
                after,
                limit,
            } => write!(
                f,
                "source {source}, {issuing_state}: {after} documents, {before} before \
                 ({:.1} %, allowed -{} %)",
                change(before, after),
                percent(limit)
            ),
            Self::Grown {
                source,
                issuing_state,
                before,
                after,
                limit,
                step,
            } => write!(
                f,
                "source {source}, {issuing_state}: {after} documents, {before} before \
                 (+{:.1} %, allowed +{} %; largest step so far {step})",
                change(before, after),
                percent(limit)
            ),
            Self::New {
                source,
                issuing_state,
                after,
                ..
            } => write!(
                f,
                "source {source}, {issuing_state}: {after} documents, none before"
            ),
            Self::Format {
                source,
                issuing_state,
                before,
                after,
                limit,
            } => write!(
                f,
                "source {source}, {issuing_state}: {:.1} % of the documents have unlikely numbers, {:.1} % before \
                 (allowed {} %)",
                percent(after),
                percent(before),
                percent(limit)
            ),
            Self::Turnover {
                source,
                issuing_state,
                before,
                replaced,
                limit,
            } => write!(
                f,
                "source {source}, {issuing_state}: {replaced} of {before} documents are replaced by others \
                 ({:.1} %, allowed {} %)",
                *replaced as f64 / (*before).max(1) as f64 * 100.0,
                percent(limit)
            ),
            Self::Withdrawals {
                source,
                withdrawn,
                documents,
                limit,
            } => write!(
                f,
                "source {source}: {withdrawn} documents withdrawn at once, of {documents} \
                 (allowed {} %)",
                percent(limit)
            ),
            Self::LastSource { before } => write!(
                f,
                "no source would be left in service, and none of the {before} documents reported"
            ),
            Self::Overall {
                before,
                after,
                limit,
            } => write!(
                f,
                "{after} documents in all, {before} before ({:.1} %, allowed -{} %)",
                change(before, after),
                percent(limit)
            ),
        }?;
        write!(f, "; --accept {} lets it pass", self.flag())
    }
}
