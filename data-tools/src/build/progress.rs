//! What a build shows while it works: a bar on a terminal, nothing otherwise.

use crate::command::{FAILED, complain, print_errors};
use crate::sources::{self, SourceError};
use indicatif::{ProgressBar, ProgressStyle};
use sltd::index::BuildStep;
use std::io::IsTerminal;

/// Is told how far a build has come.
pub trait Progress: Sync {
    /// A source is being read.
    fn reading(&self, source: &str, read: sources::Progress);
    /// The segment is being built; `share` of the step is done.
    fn building(&self, step: BuildStep, share: f64);
    /// A thread that reads a source is stuck and can't be interrupted. Unless this ends the process, the
    /// store stays locked.
    fn stuck(&self, _source: &str, _error: &SourceError) {}
}

/// Shows nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn reading(&self, _: &str, _: sources::Progress) {}
    fn building(&self, _: BuildStep, _: f64) {}
}

/// Shows progress on standard error, where that is a terminal: in a log, lines about progress hide those that matter.
#[derive(Debug)]
pub struct Shown {
    bar: Option<ProgressBar>,
}

impl Shown {
    /// A bar if standard error is a terminal.
    pub fn new() -> Self {
        Self::unless(false)
    }

    /// The same, unless a command is to be quiet.
    pub fn unless(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = ProgressBar::new(1000);
            if let Ok(style) = ProgressStyle::with_template("{msg:40} [{bar:40}] {elapsed}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self { bar }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self, phase: &str, share: f64, detail: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{phase} {detail}"));
            bar.set_position((share * 1000.0) as u64);
        }
    }
}

impl Default for Shown {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Shown {
    fn reading(&self, source: &str, read: sources::Progress) {
        let share = read.bytes as f64 / read.bytes_total.max(1) as f64;
        let rejected = if read.rejected > 0 {
            format!(", {} rejected", read.rejected)
        } else {
            String::new()
        };
        self.show(
            &format!("reading {source}"),
            share,
            &format!("{} rows{rejected}", read.rows),
        );
    }

    fn building(&self, step: BuildStep, share: f64) {
        let phase = match step {
            BuildStep::Sort => "sorting",
            BuildStep::Shards => "writing keys and reports",
            BuildStep::Filter => "building the filter",
            BuildStep::Sync => "making it durable",
        };
        self.show(phase, share, "");
    }

    fn stuck(&self, source: &str, error: &SourceError) {
        self.finish();
        complain(format_args!(
            "source {source}: {error}; nothing was published"
        ));
        print_errors();
        // The kernel releases the locks. What was half built goes with the next build.
        std::process::exit(i32::from(FAILED));
    }
}
