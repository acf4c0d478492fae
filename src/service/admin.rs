//! The administrators' service: what the server says of itself.

use super::clock::age;
use super::condition::Condition;
use super::convert::{duration, timestamp};
use super::readiness::NotReady;
use super::refusal::{Refusal, RefusalReason};
use super::scrub::Pass;
use super::serving::{Ages, Current};
use crate::proto;
use crate::proto::admin_service_server::AdminService;
use crate::snapshot::signature::TrustedKeyInfo;
use crate::snapshot::{Event, Hold, Holder, Manifest, SegmentEntry, SourceEntry};
use jiff::Timestamp;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Answers the administrators' calls.
#[derive(Debug)]
pub(super) struct Administration {
    condition: Arc<Condition>,
}

impl Administration {
    pub(super) fn new(condition: Arc<Condition>) -> Self {
        Self { condition }
    }
}

#[tonic::async_trait]
impl AdminService for Administration {
    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        Ok(Response::new(status(&self.condition)))
    }
}

/// The server as it is now.
fn status(condition: &Condition) -> proto::GetStatusResponse {
    let now = condition.now();
    let readiness = condition.readiness(now);
    let current = condition.serving.hold().ok();
    let manifest = current.iter().map(|current| current.snapshot().manifest());
    let sources = manifest.flat_map(|manifest| {
        let sources = manifest.sources.iter();
        let sources = sources.map(move |of| source(manifest, of, now));
        let unpublished = manifest.held_before_first_list().map(unpublished);
        sources.chain(unpublished)
    });
    let watch_method = if condition.is_notified() {
        proto::WatchMethod::Inotify
    } else {
        proto::WatchMethod::Polling
    };
    proto::GetStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Some(timestamp(condition.started_at)),
        now: Some(timestamp(now)),
        store_path: condition.store.display().to_string(),
        watch_method: watch_method.into(),
        ready: readiness.is_ok(),
        not_ready_reason: not_ready(readiness).into(),
        snapshot: current
            .as_ref()
            .map(|current| served(current, condition.ages, now)),
        sources: sources.collect(),
        refused: condition.refused().map(|refusal| refused(&refusal)),
        refusals: condition.refusals().map(|(_, count)| count).sum(),
        swaps: condition.swaps(),
        suspect_verifications: condition.verifications().iter().sum(),
        connections: condition.connections.open() as u64,
        trusted_keys: condition.trusted.load().iter().map(trusted).collect(),
        scrub: condition.scrubbed.last().map(|last| scrub(&last)),
    }
}

fn scrub(pass: &Pass) -> proto::ScrubStatus {
    let changed = pass.changed.iter().map(|segment| proto::ChangedSegment {
        file: segment.file.clone(),
        detail: segment.what.clone(),
        since: Some(timestamp(segment.since)),
    });
    proto::ScrubStatus {
        ended_at: Some(timestamp(pass.ended_at)),
        bytes: pass.bytes,
        direct: pass.direct,
        changed: changed.collect(),
    }
}

fn trusted(key: &TrustedKeyInfo) -> proto::TrustedKeyStatus {
    proto::TrustedKeyStatus {
        id: key.id.to_string(),
        not_before: key.not_before.map(timestamp),
        not_after: key.not_after.map(timestamp),
    }
}

fn not_ready(readiness: Result<(), NotReady>) -> proto::NotReadyReason {
    match readiness {
        Ok(()) => proto::NotReadyReason::Unspecified,
        Err(NotReady::Starting) => proto::NotReadyReason::Starting,
        Err(NotReady::Damaged) => proto::NotReadyReason::Damaged,
        Err(NotReady::TooOld) => proto::NotReadyReason::TooOld,
        Err(NotReady::Draining) => proto::NotReadyReason::Draining,
    }
}

fn served(current: &Current, ages: Ages, now: Timestamp) -> proto::ServedSnapshot {
    let manifest = current.snapshot().manifest();
    let event = match manifest.event {
        Event::Build => proto::SnapshotEvent::Build,
        Event::Delta => proto::SnapshotEvent::Delta,
        Event::Compact => proto::SnapshotEvent::Compact,
        Event::Rollback => proto::SnapshotEvent::Rollback,
        Event::Unpin => proto::SnapshotEvent::Unpin,
        Event::Retract => proto::SnapshotEvent::Retract,
        Event::Lift => proto::SnapshotEvent::Lift,
        Event::Hold => proto::SnapshotEvent::Hold,
        Event::Unhold => proto::SnapshotEvent::Unhold,
        Event::Repair => proto::SnapshotEvent::Repair,
    };
    proto::ServedSnapshot {
        generation: manifest.generation,
        store_id: manifest.store.clone(),
        event: event.into(),
        built_at: Some(timestamp(manifest.built_at)),
        age: Some(duration(age(manifest.built_at, now))),
        not_after: manifest.not_after.map(timestamp),
        soft_age: ages.soft.map(duration),
        hard_age: ages.hard.map(duration),
        stale: current.is_stale(now),
        too_old: current.is_too_old(now),
        documents: manifest.documents,
        segments: manifest.segments.iter().map(segment).collect(),
        pinned: manifest.pinned.as_ref().map(|pin| proto::Intervention {
            since_generation: pin.since,
            reason: pin.reason.clone(),
            by: pin.by.clone(),
            at: Some(timestamp(pin.at)),
        }),
        base_generation: manifest.base,
        base_built_at: Some(timestamp(manifest.base_built_at)),
        base_age: Some(duration(age(manifest.base_built_at, now))),
        signed_by: current
            .snapshot()
            .signed_by()
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn segment(entry: &SegmentEntry) -> proto::SegmentStatus {
    proto::SegmentStatus {
        file: entry.file.clone(),
        length_bytes: entry.length,
        digest: entry.digest.clone(),
        documents: entry.documents,
    }
}

fn source(manifest: &Manifest, entry: &SourceEntry, now: Timestamp) -> proto::SourceStatus {
    let list_age = age(entry.age_from(), now);
    let retraction = manifest.retraction(&entry.name);
    let hold = manifest.hold(&entry.name);
    let changed = entry.list.and(entry.changed);
    proto::SourceStatus {
        name: entry.name.clone(),
        newest_as_of: Some(timestamp(entry.newest())),
        age: Some(duration(list_age)),
        stale_after: Some(duration(entry.stale_after())),
        stale: list_age > entry.stale_after(),
        retracted: retraction.map(|retraction| proto::Intervention {
            since_generation: retraction.since,
            reason: retraction.reason.clone(),
            by: retraction.by.clone(),
            at: Some(timestamp(retraction.at)),
        }),
        held: hold.map(held),
        held_by_guard: hold.is_some_and(|hold| hold.holder == Holder::Guard),
        list_as_of: entry.list.map(|_| timestamp(entry.as_of)),
        list_delivered_at: entry.list.map(|_| timestamp(entry.age_from())),
        changed_as_of: changed.map(timestamp),
        change_age: changed.map(|changed| duration(age(changed, now))),
    }
}

/// A source that was held before its first list was published.
fn unpublished(hold: &Hold) -> proto::SourceStatus {
    proto::SourceStatus {
        name: hold.source.clone(),
        held: Some(held(hold)),
        held_by_guard: hold.holder == Holder::Guard,
        ..Default::default()
    }
}

fn held(hold: &Hold) -> proto::Intervention {
    proto::Intervention {
        since_generation: hold.since,
        reason: hold.reason.clone(),
        by: hold.by.clone(),
        at: Some(timestamp(hold.at)),
    }
}

fn refused(refusal: &Refusal) -> proto::RefusedPublication {
    let reason = match refusal.reason {
        RefusalReason::Unreadable => proto::RefusalReason::Unreadable,
        RefusalReason::Manifest => proto::RefusalReason::Manifest,
        RefusalReason::Segment => proto::RefusalReason::Segment,
        RefusalReason::Signature => proto::RefusalReason::Signature,
        RefusalReason::Generation => proto::RefusalReason::Generation,
        RefusalReason::Panic => proto::RefusalReason::Panic,
    };
    proto::RefusedPublication {
        manifest: refusal.manifest().to_owned(),
        generation: refusal.generation.unwrap_or(0),
        reason: reason.into(),
        detail: refusal.detail.clone(),
        since: Some(timestamp(refusal.since)),
    }
}
