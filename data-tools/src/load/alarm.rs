//! Waiting for an instant more exactly than by the runtime's timers, which know whole milliseconds only:
//! at ten thousand calls a second they would let ten arrive at once.

use std::io;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub(super) use linux::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Instant, io};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::os::fd::OwnedFd;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of the kernel's.
    pub(in super::super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "what it is deprecated for, a descriptor that closes or changes, an OwnedFd \
                          rules out; what replaces it is unsafe"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(timer))
        }

        /// Returns when the instant has come.
        pub(in super::super) async fn wait(&mut self, until: Instant) -> io::Result<()> {
            let left = || until.saturating_duration_since(Instant::now());
            let mut left_now = left();
            if left_now.is_zero() {
                // Whoever is behind must let others on, too.
                tokio::task::yield_now().await;
            }
            while !left_now.is_zero() {
                let once = Itimerspec {
                    it_interval: Timespec::default(),
                    it_value: Timespec {
                        tv_sec: i64::try_from(left_now.as_secs()).unwrap_or(i64::MAX),
                        tv_nsec: left_now.subsec_nanos().into(),
                    },
                };
                // Setting it again also clears what it had to say.
                timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                self.0.readable().await?.clear_ready();
                left_now = left();
            }
            Ok(())
        }
    }
}

/// The runtime's timer, for want of a better one.
#[cfg(not(target_os = "linux"))]
pub(super) struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Returns when the instant has come.
    pub(super) async fn wait(&mut self, until: Instant) -> io::Result<()> {
        tokio::time::sleep_until(until.into()).await;
        Ok(())
    }
}
