//! The server as its snapshot grows old, by a clock that is set.

use super::served::{Running, passport, quick, run_with_clock};
use super::store::publish;
use crate::proto;
use crate::proto::Verdict::{Inconclusive, NoRecord};
use crate::proto::admin_service_client::AdminServiceClient;
use crate::service::{Clock, Config};
use jiff::Timestamp;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const HOUR: Duration = Duration::from_secs(3_600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn is_ready(running: &Running) -> bool {
    let mut health = HealthClient::new(running.channel.clone());
    let request = HealthCheckRequest::default();
    health.check(request).await.unwrap().into_inner().status == 1
}

async fn wait_until_ready(running: &Running, ready: bool) {
    while is_ready(running).await != ready {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn status(running: &Running) -> proto::GetStatusResponse {
    let mut administrators = AdminServiceClient::new(running.channel.clone());
    let request = proto::GetStatusRequest {};
    administrators
        .get_status(request)
        .await
        .unwrap()
        .into_inner()
}

/// What is said of a document that nobody has reported, and whether the answer is marked stale.
async fn miss(running: &Running) -> (proto::Verdict, bool) {
    let request = passport("XX000007", "UKR");
    let answer = running.client().check_document(request).await.unwrap();
    let answer = answer.into_inner();
    (answer.verdict(), answer.snapshot.unwrap().stale)
}

#[tokio::test]
async fn a_snapshot_grows_old_until_another_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let (clock, hand) = Clock::settable(at("2026-01-02T11:59:59.999Z"));
    let config = Config {
        soft_age: Some(12 * HOUR),
        hard_age: Some(24 * HOUR),
        fail_when_too_old: true,
        ..quick()
    };
    let running = run_with_clock(folder.path(), config, clock).await;
    assert_eq!(miss(&running).await, (NoRecord, false));
    hand.set(at("2026-01-02T12:00:00Z"));
    assert_eq!(miss(&running).await, (NoRecord, true));
    hand.set(at("2026-01-02T23:59:59.999Z"));
    assert_eq!(miss(&running).await, (NoRecord, true));
    assert!(is_ready(&running).await);

    // Nothing happens but that time goes by.
    hand.set(at("2026-01-03T00:00:00Z"));
    assert_eq!(miss(&running).await, (Inconclusive, true));
    wait_until_ready(&running, false).await;
    let told = status(&running).await;
    assert!(!told.ready);
    assert_eq!(told.not_ready_reason(), proto::NotReadyReason::TooOld);
    assert_eq!(
        told.now.unwrap().seconds,
        at("2026-01-03T00:00:00Z").as_second()
    );
    let snapshot = told.snapshot.unwrap();
    assert!(snapshot.stale && snapshot.too_old);
    assert_eq!(snapshot.age.unwrap().seconds, 86_400);
    assert_eq!(snapshot.hard_age.unwrap().seconds, 86_400);
    // The source is of the day before, and may be a week old.
    let source = &told.sources[0];
    assert_eq!(
        (source.age.unwrap().seconds, source.stale),
        (2 * 86_400, false)
    );

    publish(folder.path(), "2026-01-03T00:00:00Z");
    wait_until_ready(&running, true).await;
    assert_eq!(miss(&running).await, (NoRecord, false));
    hand.set(at("2026-01-08T00:00:00.001Z"));
    assert!(status(&running).await.sources[0].stale);
    wait_until_ready(&running, false).await;
    running.end().await;
}

/// Gives the store's first manifest a limit, as a publisher does.
fn set_not_after(store: &Path, not_after: &str) {
    let path = store.join("manifests/00000001.json");
    let manifest = fs::read(&path).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    manifest["not_after"] = not_after.into();
    let manifest = serde_json::to_vec(&manifest).unwrap();
    fs::write(path, &manifest).unwrap();
    let digest = blake3::hash(&manifest).to_hex();
    fs::write(store.join("CURRENT"), format!("00000001.json {digest}\n")).unwrap();
}

#[tokio::test]
async fn the_publishers_limit_is_a_hard_age() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    set_not_after(folder.path(), "2026-01-02T06:00:00Z");
    // The sooner of the two counts.
    for hard_age in [None, Some(24 * HOUR), Some(6 * HOUR)] {
        let (clock, hand) = Clock::settable(at("2026-01-02T05:59:59.999Z"));
        let config = Config {
            hard_age,
            ..quick()
        };
        let running = run_with_clock(folder.path(), config, clock).await;
        assert_eq!(miss(&running).await, (NoRecord, false));
        hand.set(at("2026-01-02T06:00:00Z"));
        assert_eq!(miss(&running).await, (Inconclusive, true));
        // It goes on being served: the operator did not ask for more.
        let told = status(&running).await;
        assert!(told.ready && told.snapshot.unwrap().too_old);
        running.end().await;
        // And a server that starts then serves it as one past its age.
        let (clock, _) = Clock::settable(at("2026-01-05T00:00:00Z"));
        let config = Config {
            hard_age,
            ..quick()
        };
        let running = run_with_clock(folder.path(), config, clock).await;
        assert_eq!(miss(&running).await, (Inconclusive, true));
        running.end().await;
    }
}
