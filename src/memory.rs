//! How much memory there is.

/// Bytes that a process may still take without pushing others out: what the kernel calls
/// available, or what is left of the control group's limit if that is less. `None` where
/// neither can be read.
pub fn available() -> Option<u64> {
    let system = field(
        &std::fs::read_to_string("/proc/meminfo").ok()?,
        "MemAvailable:",
    )? * 1024;
    let read = |file: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let limit = read("memory.max").and_then(number);
    let left = limit
        .zip(read("memory.current").and_then(number))
        .map(|(limit, used)| limit.saturating_sub(used));
    Some(left.map_or(system, |left| left.min(system)))
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let text = "MemTotal:  24 kB\nMemAvailable:   16 kB\n";
        assert_eq!(field(text, "MemAvailable:"), Some(16));
        assert_eq!(field(text, "Swap:"), None);
    }
}
