//! The places for connections: how many there are, and who leaves when they run out.

use super::standing::{Ask, Standing};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

/// Connections that may be asked to leave and not have left yet, beside those that have places; further ones that
/// come are turned away.
const LEAVING_MAX: usize = 64;
/// Those to leave are looked for so many at a time, since looking takes a step for each connection.
const CHOSEN_AT_ONCE: usize = 64;

/// All open connections, in the order in which they came.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    /// And some that have ended and not been forgotten yet.
    open: Vec<Arc<Standing>>,
    /// Those that leave next, if they are still what they were when they were chosen.
    chosen: VecDeque<Chosen>,
    /// Those that were asked to leave.
    leaving: Vec<Arc<Standing>>,
}

/// Whether there is room for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// There is.
    Free,
    /// There is, since another one has been asked to leave.
    Made,
    /// There is none.
    Full,
}

#[derive(Debug)]
struct Chosen {
    standing: Arc<Standing>,
    last_answer: Option<u32>,
}

impl Places {
    /// So many places, all free.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Vec::new(),
            chosen: VecDeque::new(),
            leaving: Vec::new(),
        }
    }

    /// Makes room for one more connection, where `open` are open: as a rule there is some, else one is asked to leave.
    pub(super) fn make_room(&mut self, open: usize) -> Room {
        if open < self.most {
            return Room::Free;
        }
        self.leaving.retain(|standing| !standing.is_closed());
        if open - self.leaving.len().min(open) < self.most {
            return Room::Free;
        }
        if self.leaving.len() >= LEAVING_MAX {
            return Room::Full;
        }
        let Some(standing) = self.next_to_leave() else {
            return Room::Full;
        };
        standing.ask(match standing.last_answer() {
            None => Ask::Cut,
            Some(_) => Ask::Leave,
        });
        self.leaving.push(standing);
        Room::Made
    }

    /// A connection has come.
    pub(super) fn come(&mut self, standing: Arc<Standing>) {
        if self.open.len() == self.open.capacity() {
            // Those that have ended are forgotten where the list would have to grow.
            self.open.retain(|standing| !standing.is_closed());
            self.open.reserve(self.open.len().max(64));
        }
        self.open.push(standing);
    }

    /// Asks something of all connections of which `which` says so.
    pub(super) fn ask(&self, ask: Ask, which: impl Fn(&Standing) -> bool) {
        for standing in self.open.iter().filter(|standing| which(standing)) {
            standing.ask(ask);
        }
    }

    fn next_to_leave(&mut self) -> Option<Arc<Standing>> {
        if let Some(standing) = self.next_chosen() {
            return Some(standing);
        }
        self.choose();
        self.next_chosen()
    }

    fn next_chosen(&mut self) -> Option<Arc<Standing>> {
        std::iter::from_fn(|| self.chosen.pop_front())
            .find(|chosen| {
                let standing = &chosen.standing;
                // Whoever has been answered since is in use.
                !standing.is_closed() && standing.last_answer() == chosen.last_answer
            })
            .map(|chosen| chosen.standing)
    }

    /// Chooses those to leave next: first those that never had a call answered, the oldest first; then, of the peer
    /// that has most connections, those that have been idle longest.
    fn choose(&mut self) {
        self.open.retain(|standing| !standing.is_closed());
        let open = || {
            let open = self.open.iter();
            open.filter(|standing| standing.asked() < Ask::Leave)
        };
        let unanswered = open().filter(|standing| standing.last_answer().is_none());
        let unanswered: Vec<_> = unanswered.take(CHOSEN_AT_ONCE).collect();
        let chosen = if unanswered.is_empty() {
            let mut counts: HashMap<IpAddr, usize> = HashMap::new();
            for standing in open() {
                *counts.entry(standing.peer).or_default() += 1;
            }
            let Some((&peer, &most)) = counts.iter().max_by_key(|&(peer, count)| (*count, *peer))
            else {
                return;
            };
            counts.remove(&peer);
            // Until another peer has more.
            let second = counts.into_values().max().unwrap_or(0);
            let mut idle: Vec<_> = open().filter(|standing| standing.peer == peer).collect();
            // Of the same second, the older ones: the sort keeps their order.
            idle.sort_by_key(|standing| standing.last_answer());
            idle.truncate((most - second).clamp(1, CHOSEN_AT_ONCE));
            idle
        } else {
            unanswered
        };
        let chosen = chosen.into_iter().map(|standing| Chosen {
            standing: Arc::clone(standing),
            last_answer: standing.last_answer(),
        });
        self.chosen = chosen.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::standing::Seconds;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// So many connections, in order, of peers by the last number of their address; answered in that second or never.
    fn full(connections: &[(u8, Option<u32>)]) -> (Places, Vec<Arc<Standing>>) {
        let mut places = Places::new(connections.len());
        let seconds = Seconds::default();
        let come = |&(peer, answered): &(u8, Option<u32>)| {
            let peer = IpAddr::from(Ipv4Addr::new(127, 0, 0, peer));
            let standing = Arc::new(Standing::new(peer, &seconds));
            if let Some(second) = answered {
                seconds.set(Duration::from_secs(second.into()));
                standing.answered();
            }
            places.come(Arc::clone(&standing));
            standing
        };
        let standings = connections.iter().map(come).collect();
        (places, standings)
    }

    /// The order in which they leave, each ending as it is asked.
    fn order(connections: &[(u8, Option<u32>)]) -> Vec<(usize, Ask)> {
        let (mut places, standings) = full(connections);
        let mut order = Vec::new();
        for left in (1..=standings.len()).rev() {
            places.most = left;
            assert_eq!(places.make_room(left), Room::Made);
            let asked = |standing: &&Arc<Standing>| {
                !standing.is_closed() && standing.asked() > Ask::Nothing
            };
            let place = standings
                .iter()
                .position(|standing| asked(&standing))
                .unwrap();
            order.push((place, standings[place].asked()));
            standings[place].close();
        }
        order
    }

    #[test]
    fn who_never_had_an_answer_leaves_first_and_then_the_longest_idle_of_the_peer_that_has_most() {
        let connections = [
            (1, Some(50)),
            (1, Some(10)),
            (2, Some(5)),
            (2, None),
            (1, Some(30)),
            (3, Some(1)),
            (1, None),
        ];
        let order = order(&connections);
        // Of equal peers, the one with the highest address: any order does.
        let expected = [
            (3, Ask::Cut),
            (6, Ask::Cut),
            (1, Ask::Leave),
            (4, Ask::Leave),
            (5, Ask::Leave),
            (2, Ask::Leave),
            (0, Ask::Leave),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn who_is_answered_after_being_chosen_stays() {
        let (mut places, standings) = full(&[(1, None), (1, None), (1, None)]);
        assert_eq!(places.make_room(3), Room::Made);
        assert_eq!(standings[0].asked(), Ask::Cut);
        standings[0].close();
        places.come(Arc::new(Standing::new(
            standings[0].peer,
            &Seconds::default(),
        )));
        standings[1].answered();
        assert_eq!(places.make_room(3), Room::Made);
        assert_eq!(standings[1].asked(), Ask::Nothing);
        assert_eq!(standings[2].asked(), Ask::Cut);
    }

    #[test]
    fn a_place_that_is_being_left_counts_as_free_and_not_too_many_are_left_at_once() {
        let (mut places, standings) = full(&vec![(1, None); 200]);
        let mut open = 200;
        while places.make_room(open) != Room::Full {
            open += 1;
            assert!(open < 1_000);
        }
        assert_eq!(open, 200 + LEAVING_MAX);
        let asked = standings
            .iter()
            .filter(|standing| standing.asked() == Ask::Cut);
        assert_eq!(asked.count(), LEAVING_MAX);
    }
}
