//! File descriptors: each connection takes one, and the server needs some itself.

use super::config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections open at a time where nothing else is configured and the system grants the descriptors.
const CONNECTIONS: usize = 16_000;
/// Descriptors for segments, before and after a swap, and what is read to get there; for the connections of the
/// monitor and those that are leaving their places; for standard streams and the like.
const OWN: usize = 512;
/// Descriptors of a thread's runtime.
const OF_THREAD: usize = 4;

/// Asks the operating system for as many descriptors as the configured connections need beside the server's own; says
/// so in the log if it grants fewer than were asked for by name. Many systems begin with 1,024.
pub fn raise_open_files_limit(config: &Config) {
    let wanted = (wanted(config) + own(config)) as u64;
    let limit = getrlimit(Resource::Nofile);
    // `None` is "no limit".
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let granted = limit.maximum.map_or(wanted, |maximum| wanted.min(maximum));
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(granted),
            maximum: limit.maximum,
        },
    );
    if (raised.is_err() || granted < wanted) && config.max_connections.is_some() {
        tracing::warn!(
            wanted,
            granted,
            connections = connections_max(config),
            "fewer files may be open than `max_connections` needs: raise the limit (ulimit -n)"
        );
    }
}

/// How many connections may be open at a time: what is configured, as far as the descriptors granted suffice for it
/// beside those that the server needs itself. Without that, clients could keep it from opening what is published.
pub(super) fn connections_max(config: &Config) -> usize {
    let granted = getrlimit(Resource::Nofile).current;
    let granted = granted.map_or(usize::MAX, |granted| {
        usize::try_from(granted).unwrap_or(usize::MAX)
    });
    wanted(config).min(left_of(granted, own(config)))
}

fn wanted(config: &Config) -> usize {
    config
        .max_connections
        .map_or(CONNECTIONS, |most| most.get())
}

fn own(config: &Config) -> usize {
    OWN + OF_THREAD * config.threads.get()
}

/// What is left for connections; of too few descriptors, half.
fn left_of(granted: usize, own: usize) -> usize {
    granted.saturating_sub(own).max(granted / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_keeps_descriptors_for_itself() {
        let cases = [(20_000, 19_480), (1_024, 512), (600, 300), (64, 32), (1, 1)];
        for (granted, expected) in cases {
            assert_eq!(left_of(granted, 520), expected, "{granted}");
        }
        assert_eq!(left_of(usize::MAX, 520), usize::MAX - 520);
    }
}
