//! Peers in files of this process.
