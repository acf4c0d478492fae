//! `sltd-data inspect`: what a store's current snapshot holds.

mod text;

use crate::command::{FAILED, complain, print, unusable};
use crate::terms::TrustArgs;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use sltd::index::{CountOf, SectionKind};
use sltd::snapshot::signature::Signatures;
use sltd::snapshot::{Hold, LoadOptions, Pin, Retraction, Snapshot, Store, Warm};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what the current snapshot of a store holds
///
/// Generation and times, documents and reports, where the bytes go, the sources with their accounts,
/// and documents by type, status and issuing State. Opening the snapshot verifies every byte of it;
/// `verify` looks deeper.
///
/// A document is counted once under each status that it is reported with, so the counts by status
/// may add up to more than there are documents.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 shown, 2 wrong usage, 3 there is no store, or it can't be read, is damaged or
not signed with a trusted key.")]
pub struct InspectArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// What a snapshot holds. Its field names are the keys of `--json`, in camel case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Rises with every publish.
    pub generation: u64,
    /// Random id of the store.
    pub store_id: String,
    /// When the snapshot was built.
    pub built_at: Timestamp,
    /// The oldest instant that the data of any source describe.
    pub data_as_of: Timestamp,
    /// The day whose end decided which reports had expired, `YYYY-MM-DD`.
    pub as_of: String,
    /// After this the data must not be relied on; `None`: no such limit.
    pub not_after: Option<Timestamp>,
    /// The generation that published its base first.
    pub base: u64,
    /// When the last build put the base together, also one that changed no document.
    pub base_built_at: Timestamp,
    /// Set: no build replaces the base.
    pub pinned: Option<Pin>,
    /// Sources out of service.
    pub retracted: Vec<Retraction>,
    /// Sources kept at the lists that they have.
    pub held: Vec<Hold>,
    /// Ids of the keys that are said to have signed it; whether they have is asked with `--trusted-keys`.
    pub signed_by: Vec<String>,
    /// Distinct documents that are reported.
    pub documents: u64,
    /// Distinct document numbers, summed over the segments.
    pub numbers: u64,
    /// Stored reports: the documents of a range share one.
    pub reports: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// What a document takes.
    pub bytes_per_document: BytesPerDocument,
    /// Bytes by kind of section, and what lies between sections.
    pub sections: Vec<SectionBytes>,
    /// The segments, base first.
    pub segments: Vec<SegmentPart>,
    /// The sources, in the order of `sources.toml`.
    pub sources: Vec<SourcePart>,
    /// Documents by type; most first.
    pub types: Vec<Counted>,
    /// Documents by status; most first.
    pub statuses: Vec<Counted>,
    /// Documents by issuing State; most first.
    pub issuing_states: Vec<Counted>,
    /// Documents by issuing State and type, each with its statuses.
    pub kinds: Vec<Kind>,
}

/// Bytes divided by the number of documents, to three decimals; 0 where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BytesPerDocument {
    /// What finding a number takes: automata, numbers in the blocks, filter.
    pub keys_and_filter: f64,
    /// All but owners' references.
    pub without_references: f64,
    /// Everything.
    pub all: f64,
}

/// Bytes of one kind of section.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SectionBytes {
    /// The kind, or `header and padding`.
    pub section: &'static str,
    /// Its bytes.
    pub bytes: u64,
    /// Divided by the number of documents, to three decimals; 0 where there are none.
    pub bytes_per_document: f64,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentPart {
    /// Its file in the store's folder of segments.
    pub file: String,
    /// BLAKE3 of its header and section table, hexadecimal.
    pub digest: String,
    /// Length of the file.
    pub bytes: u64,
    /// Distinct documents in it.
    pub documents: u64,
}

/// One source, and what became of its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourcePart {
    /// Its name.
    pub source: String,
    /// The newest instant that its data describe, list or changes.
    pub as_of: Timestamp,
    /// The instant that its list describes; `None`: it has sent none, only changes.
    pub list_as_of: Option<Timestamp>,
    /// When its list was delivered last, which its age counts from.
    pub list_delivered_at: Option<Timestamp>,
    /// The newest instant that changes describe which are newer than its list.
    pub changed_as_of: Option<Timestamp>,
    /// Codes of the issuing States whose own source it is; `*`: every State's.
    pub owns: Vec<String>,
    /// Age of its data past which coverage counts as stale, in seconds.
    pub stale_after_seconds: u64,
    /// Rows read = indexed + merged + expired + rejected.
    pub read: u64,
    /// Rows whose report is in the snapshot.
    pub indexed: u64,
    /// Rows equal to another row of the source.
    pub merged: u64,
    /// Rows no longer in force.
    pub expired: u64,
    /// Rows that could not be used.
    pub rejected: u64,
    /// Distinct documents it reports.
    pub documents: u64,
}

/// Documents under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counted {
    /// Type, status or issuing State.
    pub name: String,
    /// Distinct documents.
    pub documents: u64,
}

/// Documents of one issuing State and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// Code of the issuing State.
    pub issuing_state: String,
    /// The type.
    pub r#type: &'static str,
    /// Distinct documents.
    pub documents: u64,
    /// Those reported by a source of the State's own.
    pub own: u64,
    /// The newest day on which its own sources reported one, `YYYY-MM-DD`.
    pub newest_own_report: Option<String>,
    /// Documents by status.
    pub statuses: BTreeMap<&'static str, u64>,
}

/// Runs the command.
pub fn run(args: &InspectArgs) -> ExitCode {
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let terms = match args.trust.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    let loaded = Store::open(&args.store).and_then(|store| {
        let store = store.with_terms(terms);
        let pointer = store.pointer()?;
        let snapshot = store.load(&pointer, &options)?;
        Ok((snapshot, store.signatures(&pointer)?))
    });
    let inspection = match loaded {
        Ok((snapshot, signatures)) => Inspection::of(&snapshot, signatures.as_ref()),
        Err(error) => {
            complain(error);
            return ExitCode::from(FAILED);
        }
    };
    let text = if args.json {
        serde_json::to_string(&inspection).map(|json| json + "\n")
    } else {
        Ok(inspection.to_string())
    };
    match text.map_err(io::Error::from).and_then(print) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("cannot print: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

impl Inspection {
    /// What a snapshot holds, and who is said to have signed it.
    pub fn of(snapshot: &Snapshot, signatures: Option<&Signatures>) -> Self {
        let manifest = snapshot.manifest();
        let segments = snapshot.segments();
        let documents = snapshot.documents();
        let bytes: u64 = segments.iter().map(|segment| segment.file_len()).sum();
        let of = |kind: SectionKind| -> u64 {
            let sizes = segments.iter().flat_map(|segment| segment.section_sizes());
            sizes
                .filter(|size| size.kind == kind)
                .map(|size| size.bytes)
                .sum()
        };
        let per_document = |bytes: u64| match documents {
            0 => 0.0,
            documents => (bytes as f64 / documents as f64 * 1000.0).round() / 1000.0,
        };
        let section = |section, bytes| SectionBytes {
            section,
            bytes,
            bytes_per_document: per_document(bytes),
        };
        let mut sections: Vec<SectionBytes> = SectionKind::ALL
            .into_iter()
            .map(|kind| section(kind.name(), of(kind)))
            .filter(|section| section.bytes > 0)
            .collect();
        let named: u64 = sections.iter().map(|section| section.bytes).sum();
        sections.push(section("header and padding", bytes.saturating_sub(named)));
        let finding = segments.iter().map(|segment| segment.keys_and_filter_len());
        let counts = Counts::of(snapshot);
        Self {
            generation: manifest.generation,
            store_id: manifest.store.clone(),
            built_at: manifest.built_at,
            data_as_of: manifest.data_as_of(),
            as_of: manifest.as_of.to_string(),
            not_after: manifest.not_after,
            base: manifest.base,
            base_built_at: manifest.base_built_at,
            pinned: manifest.pinned.clone(),
            retracted: manifest.retracted.clone(),
            held: manifest.held.clone(),
            signed_by: signatures
                .into_iter()
                .flat_map(Signatures::keys)
                .map(|key| key.to_string())
                .collect(),
            documents,
            numbers: segments.iter().map(|segment| segment.numbers()).sum(),
            reports: segments.iter().map(|segment| segment.reports()).sum(),
            bytes,
            bytes_per_document: BytesPerDocument {
                keys_and_filter: per_document(finding.sum()),
                without_references: per_document(bytes.saturating_sub(of(SectionKind::References))),
                all: per_document(bytes),
            },
            sections,
            segments: segments
                .iter()
                .zip(&manifest.segments)
                .map(|(segment, entry)| SegmentPart {
                    file: entry.file.clone(),
                    digest: entry.digest.clone(),
                    bytes: segment.file_len(),
                    documents: segment.documents(),
                })
                .collect(),
            sources: manifest
                .sources
                .iter()
                .map(|source| SourcePart {
                    source: source.name.clone(),
                    as_of: source.newest(),
                    list_as_of: source.list.map(|_| source.as_of),
                    list_delivered_at: source.list.map(|_| source.age_from()),
                    changed_as_of: source.list.and(source.changed),
                    owns: source.owns.clone(),
                    stale_after_seconds: source.stale_after_seconds,
                    read: source.rows.read,
                    indexed: source.rows.indexed,
                    merged: source.rows.merged,
                    expired: source.rows.expired,
                    rejected: source.rows.rejected,
                    documents: counts.sources.get(&*source.name).copied().unwrap_or(0),
                })
                .collect(),
            types: most_first(counts.types),
            statuses: most_first(counts.statuses),
            issuing_states: most_first(counts.states),
            kinds: counts.kinds.into_values().collect(),
        }
    }
}

/// The segments' counts, added up in every direction that is shown.
#[derive(Debug, Default)]
struct Counts<'s> {
    types: BTreeMap<&'s str, u64>,
    statuses: BTreeMap<&'s str, u64>,
    states: BTreeMap<&'s str, u64>,
    sources: BTreeMap<&'s str, u64>,
    kinds: BTreeMap<(&'s str, &'static str), Kind>,
}

impl<'s> Counts<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let mut counts = Self::default();
        for count in snapshot.counts() {
            let (state, document_type) = (count.issuing_state.code(), count.document_type.name());
            let kind = counts.kinds.entry((state, document_type));
            let kind = kind.or_insert_with(|| Kind {
                issuing_state: state.to_owned(),
                r#type: document_type,
                documents: 0,
                own: 0,
                newest_own_report: None,
                statuses: BTreeMap::new(),
            });
            let documents = count.documents;
            match &count.of {
                CountOf::All => {
                    kind.documents += documents;
                    *counts.types.entry(document_type).or_default() += documents;
                    *counts.states.entry(state).or_default() += documents;
                }
                CountOf::Owned => {
                    kind.own += documents;
                    // ISO 8601 sorts as the days do.
                    let newest = count.newest_report.map(|day| day.to_string());
                    kind.newest_own_report = kind.newest_own_report.take().max(newest);
                }
                CountOf::Status(status) => {
                    *kind.statuses.entry(status.name()).or_default() += documents;
                    *counts.statuses.entry(status.name()).or_default() += documents;
                }
                CountOf::Source(name) => *counts.sources.entry(name).or_default() += documents,
                CountOf::OwnSource(_) => {}
            }
        }
        counts
    }
}

fn most_first(counts: BTreeMap<&str, u64>) -> Vec<Counted> {
    let mut counts: Vec<Counted> = counts
        .into_iter()
        .map(|(name, documents)| Counted {
            name: name.to_owned(),
            documents,
        })
        .collect();
    // Stable: equal ones stay in the order of their names.
    counts.sort_by_key(|count| std::cmp::Reverse(count.documents));
    counts
}
