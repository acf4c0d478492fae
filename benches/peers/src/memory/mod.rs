//! Peers in memory.
