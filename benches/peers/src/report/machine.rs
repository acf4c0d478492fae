//! What the figures were measured on.

use super::number;
use std::fs;
use std::process::Command;

/// The machine and the versions, as Markdown list items.
pub(crate) fn describe() -> String {
    let gib = memory_bytes() as f64 / f64::from(1 << 30);
    let cache =
        fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").unwrap_or_default();
    let cache = if cache.is_empty() {
        String::new()
    } else {
        format!(", {} of L3", cache.trim())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    [
        format!(
            "machine: {}, {cores} cores{cache}, {} GiB of memory",
            cpu(),
            number(gib.round())
        ),
        format!(
            "system: Linux {}, {}, {}",
            kernel(),
            first_line("sort"),
            first_line("rustc")
        ),
        format!("sltd {}, profile release", env!("CARGO_PKG_VERSION")),
    ]
    .map(|line| format!("- {line}\n"))
    .concat()
}

fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model
        .map_or("unknown processor", |(_, model)| model)
        .to_owned()
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Bytes of memory that the machine has; 0 where the system does not tell.
pub(crate) fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// The first line of what a program says to `--version`.
fn first_line(program: &str) -> String {
    let said = Command::new(program)
        .arg("--version")
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    String::from_utf8_lossy(&said)
        .lines()
        .next()
        .unwrap_or(program)
        .to_owned()
}
