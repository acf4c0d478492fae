//! The metrics, in Prometheus' text format.
//!
//! Labels have few values, known beforehand: methods, status codes, verdicts, kinds of faults, and the
//! sources of the snapshot served.

use super::counters::{CODES, Counted, Method};
use crate::index::LoadMode;
use crate::proto;
use crate::service::clock::age;
use crate::service::condition::Condition;
use crate::service::serving::Current;
use crate::snapshot::Holder;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, NoLabelSet, prometheus_text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use tonic::Code;

/// What [`Exposition::write`] writes.
pub(super) const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Writes the metrics of a server.
#[derive(Debug)]
pub(super) struct Exposition(Registry);

impl Exposition {
    pub(super) fn of(condition: &Arc<Condition>) -> Self {
        let mut registry = Registry::with_prefix("sltd");
        registry.register_collector(Box::new(Metrics(Arc::clone(condition))));
        Self(registry)
    }

    /// All metrics as they are now.
    ///
    /// # Errors
    /// None that the server's condition could cause.
    pub(super) fn write(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

#[derive(Debug)]
struct Metrics(Arc<Condition>);

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let condition = &*self.0;
        let now = condition.now();
        let mut writer = Writer(encoder);
        calls(&mut writer, condition)?;
        server(&mut writer, condition, now)?;
        publications(&mut writer, condition)?;
        match condition.serving.hold() {
            Ok(current) => snapshot(&mut writer, &current, now),
            // What is not served has no age.
            Err(_) => Ok(()),
        }
    }
}

fn calls(writer: &mut Writer<'_>, condition: &Condition) -> fmt::Result {
    let counted = |method| Counted::of(&condition.counters, method);
    let labelled = |method: Method| ("method", method.name());
    let every = Method::ALL.map(|method| (method, counted(method)));
    let codes = every.iter().flat_map(|(method, counted)| {
        let codes = CODE_NAMES.into_iter().zip(counted.calls);
        // Of each method at least OK is there from the start, so that rates can be had of it.
        let told =
            codes.filter(|(name, count)| *count > 0 || *name == CODE_NAMES[Code::Ok as usize]);
        told.map(|(name, count)| ([labelled(*method), ("code", name)], count))
    });
    writer.counters(
        "calls",
        "Calls ended, by method and gRPC status code.",
        codes,
    )?;
    let checks = Method::CHECKS.map(|method| (method, counted(method)));
    let verdicts = checks.iter().flat_map(|(method, counted)| {
        let verdicts = VERDICT_NAMES.into_iter().zip(counted.documents);
        verdicts.map(|(name, count)| ([labelled(*method), ("verdict", name)], count))
    });
    writer.counters(
        "documents",
        "Documents checked, by method and verdict; malformed: asked about in a way that could not be understood, \
         within a call that was answered.",
        verdicts,
    )?;
    let mut histogram = writer.0.encode_descriptor(
        "answer_seconds",
        "Time to an answer: of a unary call from its headers to its answer, of a stream from each chunk to its \
         answer.",
        None,
        MetricType::Histogram,
    )?;
    for (method, counted) in &checks {
        let durations = &counted.durations;
        histogram
            .encode_family(&[labelled(*method)])?
            .encode_histogram::<NoLabelSet>(
                durations.sum_seconds(),
                durations.count(),
                &durations.buckets_seconds(),
                None,
            )?;
    }
    Ok(())
}

fn server(writer: &mut Writer<'_>, condition: &Condition, now: Timestamp) -> fmt::Result {
    writer
        .0
        .encode_descriptor("build", "The program.", None, MetricType::Info)?
        .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
    writer.gauge(
        "start_time_seconds",
        "When the server began, in seconds since 1970.",
        seconds(condition.started_at),
    )?;
    writer.gauge(
        "ready",
        "Whether checks are to be sent here (1) or not (0).",
        u64::from(condition.readiness(now).is_ok()),
    )?;
    let load = match condition.load {
        LoadMode::Mmap => "mmap",
        LoadMode::Heap => "heap",
    };
    let connections = &condition.connections;
    writer.gauge(
        "connections",
        "Connections of clients open now.",
        connections.open() as u64,
    )?;
    writer.counter(
        "connections_accepted",
        "Connections taken.",
        connections.accepted(),
    )?;
    writer.gauge(
        "connections_max",
        "Connections of clients that may be open at a time.",
        condition.connections_max as u64,
    )?;
    writer.counter(
        "connections_displaced",
        "Connections ended to make room for others, because too many were open.",
        connections.displaced(),
    )?;
    writer.counter(
        "connections_turned_away",
        "Connections closed as they came, because too many were open and were being ended.",
        connections.turned_away(),
    )?;
    writer.counter(
        "threads_replaced",
        "Threads serving calls that ended by a defect and were replaced.",
        connections.threads_replaced(),
    )?;
    writer.gauges(
        "segment_bytes",
        "Bytes of the segments held, mapped or in memory of the server's own: of the snapshot served, and of those \
         before it that are still read.",
        [([("load", load)], condition.segment_bytes())],
    )
}

fn publications(writer: &mut Writer<'_>, condition: &Condition) -> fmt::Result {
    writer.counter(
        "snapshot_swaps",
        "Times that another snapshot took the place of the one served.",
        condition.swaps(),
    )?;
    let refusals = condition
        .refusals()
        .map(|(reason, count)| ([("reason", reason.name())], count));
    writer.counters(
        "publications_refused",
        "Publications refused, by the kind of fault.",
        refusals,
    )?;
    writer.gauge(
        "publication_refused",
        "Whether what is published now stands refused (1) or is served (0).",
        u64::from(condition.refused().is_some()),
    )?;
    writer.counter(
        "scrub_passes",
        "Times that all segments served were read again from the disk.",
        condition.scrubbed.passes(),
    )?;
    let last = condition.scrubbed.last();
    writer.gauge(
        "segments_changed",
        "Segments whose files were not what they were when they were opened, as the last scrub found them.",
        last.as_ref().map_or(0, |last| last.changed.len() as u64),
    )?;
    if let Some(last) = last {
        writer.gauge(
            "scrub_time_seconds",
            "When the segments served were last read again from the disk, in seconds since 1970.",
            seconds(last.ended_at),
        )?;
    }
    let [damaged, sound] = condition.verifications();
    writer.counters(
        "suspect_verifications",
        "Snapshots verified anew because a check had failed, by what was found.",
        [
            ([("found", "damaged")], damaged),
            ([("found", "sound")], sound),
        ],
    )
}

fn snapshot(writer: &mut Writer<'_>, current: &Current, now: Timestamp) -> fmt::Result {
    let manifest = current.snapshot().manifest();
    writer.gauge(
        "snapshot_generation",
        "Generation of the snapshot served.",
        manifest.generation,
    )?;
    writer.gauge(
        "snapshot_built_time_seconds",
        "When the snapshot served was built, in seconds since 1970.",
        seconds(manifest.built_at),
    )?;
    writer.gauge(
        "snapshot_age_seconds",
        "Age of the snapshot served, changes included.",
        age(manifest.built_at, now).as_secs_f64(),
    )?;
    writer.gauge(
        "base_age_seconds",
        "Time since the last build of the base of the snapshot served; changes do not make it less.",
        age(manifest.base_built_at, now).as_secs_f64(),
    )?;
    writer.gauge(
        "snapshot_stale",
        "Whether the snapshot served is past its soft age (1) or not (0).",
        u64::from(current.is_stale(now)),
    )?;
    writer.gauge(
        "snapshot_too_old",
        "Whether the snapshot served is past its hard age or its publisher's limit (1) or not (0).",
        u64::from(current.is_too_old(now)),
    )?;
    writer.gauge(
        "snapshot_documents",
        "Distinct documents reported in the snapshot served.",
        manifest.documents,
    )?;
    writer.gauge(
        "snapshot_segments",
        "Segments of the snapshot served: the base, and those of changes.",
        manifest.segments.len() as u64,
    )?;
    writer.gauge(
        "snapshot_pinned",
        "Whether the base of the snapshot served is pinned, so that builds are withheld (1) or not (0).",
        u64::from(manifest.pinned.is_some()),
    )?;
    if let Some(pin) = &manifest.pinned {
        writer.gauge(
            "snapshot_pinned_since_seconds",
            "When the base of the snapshot served was pinned, in seconds since 1970.",
            seconds(pin.at),
        )?;
    }
    let of_sources = || {
        manifest
            .sources
            .iter()
            .map(|source| (source, age(source.age_from(), now)))
    };
    writer.gauges(
        "source_age_seconds",
        "Age of a source's list, from its last delivery; without a list, of its newest changes.",
        of_sources().map(|(source, age)| ([("source", source.name.as_str())], age.as_secs_f64())),
    )?;
    let changed = manifest.sources.iter().filter_map(|source| {
        let age = age(source.changed?, now).as_secs_f64();
        Some(([("source", source.name.as_str())], age))
    });
    writer.gauges(
        "source_change_age_seconds",
        "Age of a source's newest changes, if they are newer than its list.",
        changed,
    )?;
    writer.gauges(
        "source_stale",
        "Whether the list of a source is older than it should be (1) or not (0).",
        of_sources().map(|(source, age)| {
            let stale = age > source.stale_after();
            ([("source", source.name.as_str())], u64::from(stale))
        }),
    )?;
    writer.gauges(
        "source_retracted",
        "Whether a source is out of service (1) or not (0).",
        of_sources().map(|(source, _)| {
            let retracted = manifest.is_retracted(&source.name);
            ([("source", source.name.as_str())], u64::from(retracted))
        }),
    )?;
    let retracted = manifest.retracted.iter();
    writer.gauges(
        "source_retracted_since_seconds",
        "When a source was taken out of service, in seconds since 1970.",
        retracted.map(|one| ([("source", one.source.as_str())], seconds(one.at))),
    )?;
    let held = |source: &str, holder| {
        let hold = manifest.hold(source);
        u64::from(hold.is_some_and(|hold| hold.holder == holder))
    };
    let holders = [(Holder::Operator, "operator"), (Holder::Guard, "guard")];
    let unpublished = manifest.held_before_first_list();
    let sources = manifest.sources.iter().map(|source| source.name.as_str());
    let sources = sources.chain(unpublished.map(|hold| hold.source.as_str()));
    writer.gauges(
        "source_held",
        "Whether a source is kept at the list that it has (1) or not (0), by an operator or by a guard.",
        sources.flat_map(|name| {
            holders.map(|(holder, by)| ([("source", name), ("holder", by)], held(name, holder)))
        }),
    )?;
    writer.gauges(
        "source_held_since_seconds",
        "Since when a source is kept at the list that it has, in seconds since 1970.",
        manifest
            .held
            .iter()
            .map(|one| ([("source", one.source.as_str())], seconds(one.at))),
    )
}

/// Writes metrics of the kinds that there are here.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            family
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.0
            .encode_descriptor(name, help, None, MetricType::Gauge)?
            .encode_gauge(&value)
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

/// gRPC's names of its codes, by their number.
const CODE_NAMES: [&str; CODES] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Names of what comes of a document, by the number of the contract's `Verdict`.
const VERDICT_NAMES: [&str; super::counters::VERDICTS] = [
    "malformed",
    "no_record",
    "hit",
    "review",
    "inconclusive",
    "refer",
];

const _: () =
    assert!(proto::Verdict::Inconclusive as usize == 4 && Code::Unauthenticated as usize == 16);

/// An instant in seconds since 1970, to the millisecond.
fn seconds(instant: Timestamp) -> f64 {
    const MS_PER_S: f64 = 1e3;
    instant.as_millisecond() as f64 / MS_PER_S
}
