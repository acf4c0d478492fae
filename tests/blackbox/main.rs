//! The real `sltd` as its users meet it: processes, exit codes, files, the network.
//!
//! | module | what belongs there |
//! |---|---|
//! | `support` | a small language for all of these: a store from a few lines, a server over it |
//! | `verdicts` | one question: its verdict, its exit code, its JSON |
//! | `ways` | ways in and out of `sltd check`: files, standard input, wrong usage, a service that is away |
//! | `life` | `sltd serve` from start to drain; health, reflection, other servers |
//! | `snapshots` | publications, good and bad, under running calls |
//! | `swaps` | thousands of publications, two servers |
//! | `status` | what a server has refused, whether it is ready; `sltd status` |
//! | `monitor` | metrics over HTTP |
//! | `scrub` | changed bytes in what is served |
//! | `signed` | servers that trust keys |
//! | `logs` | what no log may hold |
//! | `calls` | gRPC calls against the contract |
//! | `refusals` | calls that no method takes, and what each says of them |
//! | `frames` | bytes against HTTP/2 |
//! | `connections` | more of them than anyone needs, and who leaves when places run out |
//! | `fair` | clients that cost much and bring nothing |
//! | `memory` | clients that would use up the server's memory |
//! | `damage` | changed, cut and added bytes in a store |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod calls;
mod connections;
mod damage;
mod fair;
mod frames;
mod life;
mod logs;
mod memory;
mod monitor;
mod refusals;
mod scrub;
mod signed;
mod snapshots;
mod status;
mod support;
mod swaps;
mod truncated;
mod verdicts;
mod ways;
