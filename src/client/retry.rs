//! Whether a call is made again, and when.
//!
//! Every call of the contract only reads, so making it again is safe even if the server had begun to
//! answer. But a fleet of clients that all try again at once, and again, keeps a server down that could
//! have come back: so pauses grow and are never quite the same, and retries get a share of the calls at
//! the most.

use super::ClientOptions;
use super::error::is_connection_lost;
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Code, Status};
use tower::retry::backoff::{
    Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _,
};
use tower::retry::budget::{Budget as _, TpsBudget};
use tower::util::rng::HasherRng;

/// The time over which the share is counted.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);

/// A pause is longer than its base by a random part of it, up to this share.
const JITTER: f64 = 1.0;

/// Where a server says when to try again, in milliseconds; a negative number means never (gRFC A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// What all calls of a client may spend on retries.
pub(super) fn budget() -> TpsBudget {
    let share = ClientOptions::RETRY_PERCENT as f32 / 100.0;
    TpsBudget::new(BUDGET_WINDOW, ClientOptions::RETRIES_A_SECOND, share)
}

/// The attempts of one call.
pub(super) struct Attempts<'a> {
    budget: &'a TpsBudget,
    left: u32,
    first_pause: Duration,
    /// Made when the first attempt has failed; made anew when the server has said how long to wait.
    backoff: Option<ExponentialBackoff>,
}

impl<'a> Attempts<'a> {
    /// Those of a call that begins now.
    pub(super) fn begin(budget: &'a TpsBudget, options: &ClientOptions) -> Self {
        budget.deposit();
        Self {
            budget,
            left: options.retries,
            first_pause: options.backoff,
            backoff: None,
        }
    }

    /// When to call again after `status`; `None` if not, because it would end the same way, the server does
    /// not want it, or too many retries are being made. A retry that could not begin before `end` is none.
    pub(super) fn next(&mut self, status: &Status, end: Instant) -> Option<Instant> {
        let again = status.code() == Code::Unavailable || is_connection_lost(status);
        if !again || self.left == 0 {
            return None;
        }
        let at = match status.metadata().get(PUSHBACK) {
            Some(pushback) => {
                self.backoff = None;
                let wait = pushback.to_str().ok()?.trim().parse().ok()?;
                Instant::now().checked_add(Duration::from_millis(wait))?
            }
            None => self.backoff()?.next_backoff().deadline(),
        };
        if at >= end || !self.budget.withdraw() {
            return None;
        }
        self.left -= 1;
        Some(at)
    }

    fn backoff(&mut self) -> Option<&mut ExponentialBackoff> {
        if self.backoff.is_none() {
            // Each call has random numbers of its own: clones of one generator would all give the same.
            let random = HasherRng::new();
            let longest = ClientOptions::BACKOFF_MAX;
            let first = self.first_pause.min(longest);
            let maker = ExponentialBackoffMaker::new(first, longest, JITTER, random);
            // Refused only for bounds that are not kept above.
            self.backoff = maker.ok().map(|mut maker| maker.make_backoff());
        }
        self.backoff.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn unavailable(pushback: Option<&'static str>) -> Status {
        let mut status = Status::unavailable("");
        if let Some(pushback) = pushback {
            let metadata = status.metadata_mut();
            metadata.insert(PUSHBACK, pushback.parse().unwrap());
        }
        status
    }

    #[tokio::test]
    async fn pauses_grow_and_differ() {
        let budget = TpsBudget::new(BUDGET_WINDOW, 1_000, 1.0);
        let options = ClientOptions {
            retries: 8,
            backoff: Duration::from_millis(100),
            ..ClientOptions::default()
        };
        let end = Instant::now() + Duration::from_secs(3_600);
        let mut firsts = BTreeSet::new();
        for _ in 0..20 {
            let mut attempts = Attempts::begin(&budget, &options);
            for retry in 0..8 {
                let before = Instant::now();
                let at = attempts.next(&unavailable(None), end).unwrap();
                let base = options.backoff * 2_u32.pow(retry);
                let shortest = base.min(ClientOptions::BACKOFF_MAX);
                // The timer counts whole milliseconds.
                let longest = (base * 2).min(ClientOptions::BACKOFF_MAX) + Duration::from_millis(1);
                let bounds = before + shortest..=Instant::now() + longest;
                assert!(bounds.contains(&at), "{retry}: {:?}", at - before);
                if retry == 0 {
                    firsts.insert(at - before);
                }
            }
            assert_eq!(attempts.next(&unavailable(None), end), None);
        }
        assert!(firsts.len() > 1, "{firsts:?}");
    }

    #[tokio::test]
    async fn a_server_may_say_when_or_never() {
        let end = Instant::now() + Duration::from_secs(5);
        let after = |millis| Some(Duration::from_millis(millis));
        let cases = [
            ("0", after(0)),
            ("1200", after(1_200)),
            // Past the deadline of the call.
            ("5000", None),
            ("18446744073709551615", None),
            // Never, and what is no number counts as that.
            ("-1", None),
            ("-0.5", None),
            ("soon", None),
            ("", None),
        ];
        for (pushback, expected) in cases {
            let budget = budget();
            let mut attempts = Attempts::begin(&budget, &ClientOptions::default());
            let before = Instant::now();
            let at = attempts.next(&unavailable(Some(pushback)), end);
            assert_eq!(at.is_some(), expected.is_some(), "{pushback}");
            if let (Some(at), Some(wait)) = (at, expected) {
                let bounds = before + wait..=Instant::now() + wait;
                assert!(bounds.contains(&at), "{pushback}");
            }
        }
    }

    #[tokio::test]
    async fn only_what_may_go_away_is_tried_again() {
        let end = Instant::now() + Duration::from_secs(5);
        for code in 0..=16 {
            let code = Code::from_i32(code);
            let budget = budget();
            let mut attempts = Attempts::begin(&budget, &ClientOptions::default());
            let at = attempts.next(&Status::new(code, ""), end);
            assert_eq!(at.is_some(), code == Code::Unavailable, "{code:?}");
        }
    }
}
