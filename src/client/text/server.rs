//! The status of a server for people.

use super::{label, words};
use crate::proto::{
    GetStatusResponse, Intervention, NotReadyReason, RefusedPublication, ScrubStatus,
    ServedSnapshot, SnapshotEvent, SourceStatus, WatchMethod,
};
use std::fmt::Write as _;

/// A status in several lines, each ended by a line feed: whether the server is ready first, then what
/// it serves, what it has refused, and the sources.
pub fn server(status: &GetStatusResponse) -> String {
    let mut text = if status.ready {
        "READY: checks are to be sent here.\n".to_owned()
    } else {
        format!("NOT_READY: {}.\n", not_ready(status.not_ready_reason()))
    };
    let mut server = format!("version {}", status.version);
    if let Some(started_at) = &status.started_at {
        let _ = write!(server, ", serving since {started_at}");
    }
    let _ = write!(server, ", {} connections open", status.connections);
    label(&mut text, "Server", &server);
    let told = match status.watch_method() {
        WatchMethod::Inotify => "told of publications by the system",
        WatchMethod::Polling => "looked at for publications from time to time",
        WatchMethod::Unspecified => "watched in a way not known here",
    };
    label(
        &mut text,
        "Store",
        &format!("{}, {told}", status.store_path),
    );
    match &status.snapshot {
        Some(snapshot) => snapshot_lines(&mut text, snapshot),
        None => label(&mut text, "Snapshot", "none is served"),
    }
    if let Some(refused) = &status.refused {
        label(&mut text, "REFUSED", &refused_words(refused));
    }
    if let Some(scrub) = &status.scrub {
        scrub_lines(&mut text, scrub);
    }
    for key in &status.trusted_keys {
        let mut trusted = key.id.clone();
        for (what, limit) in [("from", &key.not_before), ("until", &key.not_after)] {
            if let Some(limit) = limit {
                let _ = write!(trusted, " {what} {limit}");
            }
        }
        label(&mut text, "Trusted", &trusted);
    }
    let counts = format!(
        "{} swaps, {} publications refused, {} suspect snapshots verified anew",
        status.swaps, status.refusals, status.suspect_verifications
    );
    label(&mut text, "Counts", &counts);
    for source in &status.sources {
        label(&mut text, "Source", &source_words(source));
    }
    text
}

fn not_ready(reason: NotReadyReason) -> &'static str {
    match reason {
        NotReadyReason::Unspecified => "the server does not say why",
        NotReadyReason::Starting => "the first snapshot is being verified",
        NotReadyReason::Damaged => "the snapshot was damaged, and there is no sound one",
        NotReadyReason::TooOld => "the snapshot is past its hard age",
        NotReadyReason::Draining => "the server is ending",
    }
}

/// What reading the segments again from the disk has found.
fn scrub_lines(text: &mut String, scrub: &ScrubStatus) {
    for changed in &scrub.changed {
        let since = changed
            .since
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let what = format!("{} since {since}: {}", changed.file, changed.detail);
        label(text, "CHANGED", &what);
    }
    let from = match scrub.direct {
        true => "from the disk",
        false => "in part from memory",
    };
    let ended = scrub
        .ended_at
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let what = format!("{} bytes read again {from}, until {ended}", scrub.bytes);
    label(text, "Scrub", &what);
}

fn snapshot_lines(text: &mut String, snapshot: &ServedSnapshot) {
    let event = match snapshot.event() {
        SnapshotEvent::Unspecified => "made in a way not known here",
        SnapshotEvent::Build => "a build",
        SnapshotEvent::Delta => "changes to the one before",
        SnapshotEvent::Compact => "the one before in fewer segments",
        SnapshotEvent::Rollback => "an earlier base, pinned",
        SnapshotEvent::Unpin => "the one before, unpinned",
        SnapshotEvent::Retract => "the one before without a source",
        SnapshotEvent::Lift => "the one before with a source again",
        SnapshotEvent::Hold => "the one before, a source of it held",
        SnapshotEvent::Unhold => "the one before, a source of it held no longer",
        SnapshotEvent::Repair => "what was intact of a damaged store",
    };
    let bytes: u64 = snapshot.segments.iter().map(|s| s.length_bytes).sum();
    let what = format!(
        "generation {}, {event}; {} documents in {} segments, {bytes} bytes",
        snapshot.generation,
        snapshot.documents,
        snapshot.segments.len()
    );
    label(text, "Snapshot", &what);
    if let (Some(built_at), Some(age)) = (&snapshot.built_at, &snapshot.age) {
        let mut built = format!("{built_at}, {} ago", words::age(age.seconds));
        if snapshot.too_old {
            built.push_str(", TOO OLD: a miss is INCONCLUSIVE");
        } else if snapshot.stale {
            built.push_str(", STALE: older than it should be");
        }
        label(text, "Built", &built);
    }
    if let (Some(built_at), Some(age)) = (&snapshot.base_built_at, &snapshot.base_age) {
        let base = format!(
            "of generation {}, last built {built_at}, {} ago",
            snapshot.base_generation,
            words::age(age.seconds)
        );
        label(text, "Base", &base);
    }
    if !snapshot.signed_by.is_empty() {
        label(
            text,
            "Signed",
            &format!("by {}", snapshot.signed_by.join(", ")),
        );
    }
    if let Some(pinned) = &snapshot.pinned {
        let until = format!(
            "{}; builds are withheld until it is unpinned",
            intervention_words(pinned)
        );
        label(text, "PINNED", &until);
    }
    let limits = [
        (&snapshot.soft_age, "stale from an age of"),
        (&snapshot.hard_age, "too old from an age of"),
    ];
    for (limit, meaning) in limits {
        if let Some(limit) = limit {
            let limit = format!("{meaning} {}", words::age(limit.seconds));
            label(text, "Limit", &limit);
        }
    }
    if let Some(not_after) = &snapshot.not_after {
        label(
            text,
            "Limit",
            &format!("too old from {not_after}, by its publisher"),
        );
    }
}

fn refused_words(refused: &RefusedPublication) -> String {
    let mut text = match refused.manifest.as_str() {
        "" => "what is published".to_owned(),
        manifest => manifest.to_owned(),
    };
    if refused.generation > 0 {
        let _ = write!(text, " (generation {})", refused.generation);
    }
    if let Some(since) = &refused.since {
        let _ = write!(text, " since {since}");
    }
    let _ = write!(text, ": {}", refused.detail);
    text
}

fn intervention_words(intervention: &Intervention) -> String {
    let mut text = format!("since generation {}", intervention.since_generation);
    if let Some(at) = &intervention.at {
        let _ = write!(text, ", {at}");
    }
    if !intervention.by.is_empty() {
        let _ = write!(text, ", by {}", intervention.by);
    }
    if !intervention.reason.is_empty() {
        let _ = write!(text, ": {}", intervention.reason);
    }
    text
}

fn source_words(source: &SourceStatus) -> String {
    let mut text = source.name.clone();
    let as_of = source.list_as_of.as_ref().or(source.newest_as_of.as_ref());
    if let (Some(as_of), Some(age)) = (as_of, &source.age) {
        let what = match &source.list_as_of {
            Some(_) => "list",
            None => "changes only,",
        };
        let _ = write!(text, ": {what} as of {as_of}");
        if let Some(delivered) = &source.list_delivered_at
            && delivered != as_of
        {
            let _ = write!(text, ", delivered last {delivered}");
        }
        let _ = write!(text, ", {} old", words::age(age.seconds));
    } else {
        text.push_str(": nothing published yet");
    }
    if source.stale {
        text.push_str(", STALE");
    }
    if let Some(age) = &source.change_age {
        let _ = write!(text, ", last change {} old", words::age(age.seconds));
    }
    if let Some(held) = &source.held {
        let by = if source.held_by_guard {
            "A GUARD"
        } else {
            "AN OPERATOR"
        };
        let _ = write!(text, ", HELD BY {by} {}", intervention_words(held));
    }
    if let Some(retracted) = &source.retracted {
        let _ = write!(text, ", OUT OF SERVICE {}", intervention_words(retracted));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{RefusalReason, SegmentStatus, TrustedKeyStatus};
    use prost_types::{Duration, Timestamp};

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn lasting(seconds: i64) -> Option<Duration> {
        Some(Duration { seconds, nanos: 0 })
    }

    #[test]
    fn all_there_is_to_say() {
        let status = GetStatusResponse {
            version: "0.1.0".to_owned(),
            started_at: at(0),
            store_path: "var/store".to_owned(),
            watch_method: WatchMethod::Inotify.into(),
            ready: false,
            not_ready_reason: NotReadyReason::TooOld.into(),
            snapshot: Some(ServedSnapshot {
                generation: 7,
                event: SnapshotEvent::Delta.into(),
                built_at: at(60),
                age: lasting(86_400),
                not_after: at(120),
                soft_age: lasting(3_600),
                hard_age: lasting(7_200),
                stale: true,
                too_old: true,
                documents: 12,
                segments: vec![
                    SegmentStatus {
                        length_bytes: 100,
                        ..Default::default()
                    };
                    2
                ],
                pinned: Some(Intervention {
                    since_generation: 5,
                    reason: "wrong merge".to_owned(),
                    by: "anna".to_owned(),
                    at: at(90),
                }),
                base_generation: 5,
                base_built_at: at(0),
                base_age: lasting(90_000),
                signed_by: vec!["00ff".to_owned()],
                ..Default::default()
            }),
            sources: vec![
                SourceStatus {
                    name: "list\u{1b}[2J".to_owned(),
                    newest_as_of: at(60),
                    list_as_of: at(0),
                    list_delivered_at: at(30),
                    change_age: lasting(60),
                    age: lasting(172_800),
                    stale: true,
                    retracted: Some(Intervention {
                        since_generation: 6,
                        ..Default::default()
                    }),
                    held: Some(Intervention {
                        since_generation: 4,
                        reason: "half a list".to_owned(),
                        ..Default::default()
                    }),
                    ..Default::default()
                },
                SourceStatus {
                    name: "first".to_owned(),
                    held: Some(Intervention {
                        since_generation: 7,
                        reason: "an HTML page".to_owned(),
                        ..Default::default()
                    }),
                    held_by_guard: true,
                    ..Default::default()
                },
            ],
            refused: Some(RefusedPublication {
                manifest: "00000006.json".to_owned(),
                generation: 6,
                reason: RefusalReason::Generation.into(),
                detail: "it is not above".to_owned(),
                since: at(30),
            }),
            trusted_keys: vec![TrustedKeyStatus {
                id: "00ff".to_owned(),
                not_after: at(3_600),
                ..Default::default()
            }],
            refusals: 1,
            swaps: 3,
            connections: 2,
            ..Default::default()
        };
        let expected = "\
NOT_READY: the snapshot is past its hard age.
Server    version 0.1.0, serving since 1970-01-01T00:00:00Z, 2 connections open
Store     var/store, told of publications by the system
Snapshot  generation 7, changes to the one before; 12 documents in 2 segments, 200 bytes
Built     1970-01-01T00:01:00Z, 24 h ago, TOO OLD: a miss is INCONCLUSIVE
Base      of generation 5, last built 1970-01-01T00:00:00Z, 25 h ago
Signed    by 00ff
PINNED    since generation 5, 1970-01-01T00:01:30Z, by anna: wrong merge; builds are withheld until it is unpinned
Limit     stale from an age of 60 min
Limit     too old from an age of 2 h
Limit     too old from 1970-01-01T00:02:00Z, by its publisher
REFUSED   00000006.json (generation 6) since 1970-01-01T00:00:30Z: it is not above
Trusted   00ff until 1970-01-01T01:00:00Z
Counts    3 swaps, 1 publications refused, 0 suspect snapshots verified anew
Source    list [2J: list as of 1970-01-01T00:00:00Z, delivered last 1970-01-01T00:00:30Z, 2 days old, STALE, \
last change 60 s old, HELD BY AN OPERATOR since generation 4: half a list, OUT OF SERVICE since generation 6
Source    first: nothing published yet, HELD BY A GUARD since generation 7: an HTML page
";
        assert_eq!(server(&status), expected);
    }

    #[test]
    fn a_server_that_serves_nothing_and_says_little() {
        let text = server(&GetStatusResponse {
            refused: Some(RefusedPublication::default()),
            ..Default::default()
        });
        assert!(
            text.starts_with("NOT_READY: the server does not say why.\n"),
            "{text}"
        );
        assert!(text.contains("Snapshot  none is served\n"), "{text}");
        assert!(text.contains("REFUSED   what is published: \n"), "{text}");
    }
}
