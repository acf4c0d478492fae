//! Other processes: run, timed, and looked at through `/proc`.

use crate::Result;
use crate::programs;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, 100 on every Linux machine.
const TICKS: f64 = 100.0;
/// Bytes of a page of `/proc/PID/pagemap`.
const PAGE: u64 = 4096;
/// How often a running process is looked at. Its peak memory may grow unseen for so long at the end, and wall times
/// are rounded up to it.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What a process took from start to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Wall time, seconds.
    pub(crate) wall: f64,
    /// Processor time of all its threads, user and system, seconds.
    pub(crate) cpu: f64,
    /// Most memory resident at a time, bytes.
    pub(crate) resident: u64,
}

/// Runs a command to its end.
///
/// # Errors
/// When it can't be started or doesn't end with success.
pub(crate) fn measure(command: &mut Command) -> Result<Usage> {
    let started = Instant::now();
    let mut child = command.spawn()?;
    let id = child.id();
    let mut resident = 0;
    // Left unreaped until its times are read.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while waitid(WaitId::Pid(Pid::from_child(&child)), options)?.is_none() {
        resident = memory(id, "VmHWM:").unwrap_or(0).max(resident);
        std::thread::sleep(LOOK_EVERY);
    }
    let wall = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds(id)?;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{} ended with {status}", programs::name(command)).into());
    }
    Ok(Usage {
        wall,
        cpu,
        resident,
    })
}

/// Processor time that a process has taken so far, user and system, seconds.
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu_seconds(id: u32) -> Result<f64> {
    let [user, system, ..] = times(id)?;
    Ok(user + system)
}

/// The same of a process and all that it has started, whether they have ended or not.
///
/// # Errors
/// When there is no such process.
pub(crate) fn tree_cpu_seconds(id: u32) -> Result<f64> {
    let mut sum: f64 = times(id)?.iter().sum();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    for child in children.split_whitespace() {
        // One that has just ended is among those that were waited for, next time.
        sum += tree_cpu_seconds(child.parse()?).unwrap_or(0.0);
    }
    Ok(sum)
}

/// Seconds of a process: user, system, and the same of its children that have ended and were waited for.
fn times(id: u32) -> Result<[f64; 4]> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in parentheses, may hold anything; state is the first field behind it, user time the twelfth.
    let fields = text
        .rsplit_once(')')
        .map_or("", |(_, fields)| fields)
        .split_whitespace();
    let mut seconds = [0.0; 4];
    for (time, field) in seconds.iter_mut().zip(fields.skip(11)) {
        *time = field.parse::<f64>()? / TICKS;
    }
    Ok(seconds)
}

/// Bytes of this process that belong to no file.
///
/// # Errors
/// When the system doesn't say.
pub(crate) fn own_anonymous_memory() -> Result<u64> {
    memory(std::process::id(), "RssAnon:").ok_or_else(|| "the system does not tell memory".into())
}

/// A field of `/proc/PID/status` in bytes.
fn memory(id: u32, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    kib(text.lines().find_map(|line| line.strip_prefix(field))?)
}

fn kib(field: &str) -> Option<u64> {
    field
        .split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Memory of a running server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Bytes that belong to no file.
    pub(crate) anonymous: u64,
    /// Resident bytes of mapped segments.
    pub(crate) segments: u64,
    /// Of these, bytes of the filter.
    pub(crate) filter: u64,
}

/// Reads `/proc/PID/smaps` and, for the mapped filter, `/proc/PID/pagemap`.
///
/// # Errors
/// When there is no such process.
pub(crate) fn server_memory(id: u32) -> Result<Memory> {
    let mut sum = Memory::default();
    let mut segment = false;
    for line in fs::read_to_string(format!("/proc/{id}/smaps"))?.lines() {
        if let Some(field) = line.strip_prefix("Anonymous:") {
            sum.anonymous += kib(field).unwrap_or(0);
        } else if let Some(field) = line.strip_prefix("Rss:") {
            sum.segments += if segment { kib(field).unwrap_or(0) } else { 0 };
        } else if line
            .split_once(' ')
            .is_some_and(|(range, _)| range.contains('-'))
        {
            segment = line.ends_with(".seg");
            if segment {
                sum.filter += resident_filter(id, line)?;
            }
        }
    }
    Ok(sum)
}

/// Resident bytes of the filter in a mapping of a segment from its start, given as its line of `smaps`.
fn resident_filter(id: u32, mapping: &str) -> Result<u64> {
    let path = mapping.split_whitespace().nth(5);
    let start = mapping
        .split('-')
        .next()
        .map(|start| u64::from_str_radix(start, 16));
    let (Some(path), Some(start)) = (path, start.transpose()?) else {
        return Err("expected a mapping of a file".into());
    };
    let (offset, len) = filter_place(path)?;
    let pages = len.div_ceil(PAGE);
    let mut entries = vec![0; pages as usize * 8];
    let pagemap = fs::File::open(format!("/proc/{id}/pagemap"))?;
    pagemap.read_exact_at(&mut entries, (start + offset) / PAGE * 8)?;
    // Bit 63 of an entry: the page is in memory.
    let present = entries
        .as_chunks()
        .0
        .iter()
        .filter(|entry| u64::from_le_bytes(**entry) >> 63 == 1);
    Ok(present.count() as u64 * PAGE)
}

/// Offset and length of a segment file's filter, from its section table (`src/index/FORMAT.md`).
fn filter_place(path: &str) -> Result<(u64, u64)> {
    const FILTER: u64 = 5;
    let file = fs::File::open(path)?;
    let len = file.metadata()?.len();
    let mut table_offset = [0; 8];
    file.read_exact_at(&mut table_offset, 24)?;
    let table_offset = u64::from_le_bytes(table_offset);
    let mut table = vec![0; len.saturating_sub(table_offset) as usize];
    file.read_exact_at(&mut table, table_offset)?;
    // Kind and shard make one field: the filter's shard is 0.
    let fields = |entry: &[[u8; 8]; 8]| entry.map(u64::from_le_bytes);
    let mut entries = table.as_chunks().0.as_chunks().0.iter().map(fields);
    entries
        .find(|entry| entry[0] == FILTER)
        .map(|entry| (entry[1], entry[2]))
        .ok_or_else(|| format!("{path} has no filter").into())
}

/// A child that is ended with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a command that listens on the address that it is given as the last argument.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let address = free_address()?;
        let child = command.arg(address.to_string()).spawn()?;
        Ok(Self { child, address })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its address as clients name it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it accepts connections.
    ///
    /// # Errors
    /// When it has ended, or doesn't within ten seconds.
    pub(crate) fn wait_until_listening(&mut self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("a server ended with {status} before it listened").into());
            }
            if Instant::now() > end {
                return Err("a server does not listen after ten seconds".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that nobody listens on at the moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
