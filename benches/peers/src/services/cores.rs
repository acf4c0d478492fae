//! Which cores servers have, and which those who ask them.

use crate::Result;
use crate::programs::succeed;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::ffi::OsStr;
use std::process::Command;

/// Cores shared out: the first half to servers, the rest to those who ask.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    servers: Vec<usize>,
    askers: Vec<usize>,
}

impl Cores {
    /// The cores of this process, shared out. A single one serves and asks.
    ///
    /// # Errors
    /// When the system does not say which they are.
    pub(crate) fn shared_out() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|core| allowed.is_set(*core))
            .collect();
        let (servers, askers) = all.split_at(all.len() / 2);
        Ok(if servers.is_empty() {
            Self {
                servers: all.clone(),
                askers: all,
            }
        } else {
            Self {
                servers: servers.to_vec(),
                askers: askers.to_vec(),
            }
        })
    }

    /// How many servers have.
    pub(crate) fn of_servers(&self) -> usize {
        self.servers.len()
    }

    /// A command that runs on the servers' cores.
    pub(crate) fn server(&self, program: impl AsRef<OsStr>) -> Command {
        pinned(&self.servers, program.as_ref())
    }

    /// A command that runs on the cores of those who ask.
    pub(crate) fn asker(&self, program: impl AsRef<OsStr>) -> Command {
        pinned(&self.askers, program.as_ref())
    }

    /// Moves this thread, and those it starts from now on, to the servers' cores.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn move_to_servers(&self) -> Result<()> {
        let mut set = CpuSet::new();
        for core in &self.servers {
            set.set(*core);
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// Moves a running server, and what it starts from now on, to the servers' cores.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn confine(&self, process: u32) -> Result<()> {
        let mut command = Command::new("taskset");
        command.args(["--all-tasks", "--cpu-list", "--pid", &list(&self.servers)]);
        succeed(command.arg(process.to_string()))
    }

    /// How they are shared out, for people.
    pub(crate) fn describe(&self) -> String {
        if self.servers == self.askers {
            return "servers and those who ask share the only core".to_owned();
        }
        format!(
            "servers on core {}, those who ask on core {}",
            list(&self.servers),
            list(&self.askers)
        )
    }
}

fn pinned(cores: &[usize], program: &OsStr) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &list(cores)]).arg(program);
    command
}

fn list(cores: &[usize]) -> String {
    let cores: Vec<String> = cores.iter().map(usize::to_string).collect();
    cores.join(",")
}
