//! How much memory there is, and giving back what is free.

use std::fs::read_to_string;
use std::path::{Component, Path, PathBuf};

/// Bytes that this process may still take without pushing others out: what the kernel calls available, or what the
/// control group of the process, or any above it, has left of its limit if that is less. Page cache that a group can
/// give back at once (`inactive_file`) counts as left. `None` where the former can't be read.
pub fn available() -> Option<u64> {
    available_below(Path::new("/"))
}

/// [`available`] of the system whose files are below a folder.
fn available_below(root: &Path) -> Option<u64> {
    let meminfo = read_to_string(root.join("proc/meminfo")).ok()?;
    let system = field(&meminfo, "MemAvailable:")?.saturating_mul(1024);
    let left = groups(root).into_iter().filter_map(|group| group.left());
    Some(left.fold(system, u64::min))
}

/// A control group that this process is in, directly or through another.
struct Group {
    folder: PathBuf,
    files: &'static Files,
}

/// What the files of a version of control groups are called.
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The page cache of the group and of those in it that was not used lately, in `memory.stat`.
    inactive_file: &'static str,
}

/// Version 1, whose controllers are mounted one by one.
static V1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    inactive_file: "total_inactive_file",
};
/// Version 2, which is one tree.
static V2: Files = Files {
    limit: "memory.max",
    used: "memory.current",
    inactive_file: "inactive_file",
};

impl Group {
    /// What is left of its limit; `None` where it has none.
    fn left(&self) -> Option<u64> {
        let read = |file: &str| read_to_string(self.folder.join(file)).ok();
        let number = |file: &str| read(file)?.trim().parse::<u64>().ok();
        // Without a limit, version 2 has a word there, and version 1 a number larger than any memory.
        let limit = number(self.files.limit)?;
        let used = number(self.files.used)?;
        let cache = read("memory.stat").and_then(|stat| field(&stat, self.files.inactive_file));
        Some(limit.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
    }
}

/// The control groups that limit the memory of this process: its own and all above it that are mounted.
fn groups(root: &Path) -> Vec<Group> {
    let read = |file: &str| read_to_string(root.join(file)).unwrap_or_default();
    let (memberships, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    let mut groups = Vec::new();
    for membership in memberships.lines() {
        // ID:CONTROLLERS:PATH
        let mut parts = membership.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let files = match controllers {
            "" => &V2,
            _ if controllers.split(',').any(|one| one == "memory") => &V1,
            _ => continue,
        };
        let Some(mount) = mounts.lines().find_map(|line| Mount::parse(line, files)) else {
            continue;
        };
        let top = root.join(mount.point.trim_start_matches('/'));
        // What is mounted may be a group below the root, such as that of a container. A path that leads out of what is
        // mounted says nothing of it.
        let inside = Path::new(path).strip_prefix(mount.root).ok();
        let inside = inside.unwrap_or(Path::new(""));
        let plain = inside
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::RootDir));
        let inside = if plain { inside } else { Path::new("") };
        // From the group itself to the one that is mounted, which is the empty path.
        groups.extend(inside.ancestors().map(|above| Group {
            folder: top.join(above),
            files,
        }));
    }
    groups
}

/// Where control groups are mounted.
struct Mount<'a> {
    /// The group that is there.
    root: &'a str,
    point: &'a str,
}

impl<'a> Mount<'a> {
    /// Reads a line of `mountinfo`; `None` if it is of anything but the groups that limit memory in this version.
    fn parse(line: &'a str, files: &Files) -> Option<Self> {
        // ID PARENT DEVICE ROOT POINT OPTIONS [MORE...] - TYPE SOURCE OPTIONS
        let (mount, system) = line.split_once(" - ")?;
        let mut system = system.split(' ');
        let (kind, options) = (system.next()?, system.nth(1)?);
        let is_it = match kind {
            "cgroup2" => files.limit == V2.limit,
            "cgroup" => files.limit == V1.limit && options.split(',').any(|one| one == "memory"),
            _ => false,
        };
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        is_it.then_some(Self { root, point })
    }
}

/// Gives back to the system what the calling thread has freed and the allocator keeps, where that is mimalloc, as in
/// both programs. Takes some milliseconds where there is much.
pub fn return_free() {
    // SAFETY: no precondition; it frees only what belongs to no live allocation, of the heap of the calling thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    let mut line = lines.find(|words| words.clone().next() == Some(name))?;
    line.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A system with these files, and 1 GiB available.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: u64) {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put(
            "proc/meminfo",
            "MemTotal: 4194304 kB\nMemAvailable:  1048576 kB\n",
        );
        for (path, text) in files {
            put(path, text);
        }
        assert_eq!(available_below(root.path()), Some(expected));
    }

    const MOUNT_V2: (&str, &str) = (
        "proc/self/mountinfo",
        "22 1 0:20 / /proc rw - proc proc rw\n\
         26 23 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
    );
    const MIB: u64 = 1 << 20;

    #[test]
    fn fields_are_found_by_name() {
        let text = "MemTotal:  24 kB\nMemAvailable:   16 kB\n";
        assert_eq!(field(text, "MemAvailable:"), Some(16));
        assert_eq!(field(text, "Swap:"), None);
        // Not by their beginning.
        assert_eq!(
            field("inactive_files 3\ninactive_file 4\n", "inactive_file"),
            Some(4)
        );
    }

    #[test]
    fn without_a_limit_what_the_system_has_counts() {
        check(&[], 1024 * MIB);
        let service = "sys/fs/cgroup/system.slice/sltd.service";
        check(
            &[
                MOUNT_V2,
                ("proc/self/cgroup", "0::/system.slice/sltd.service\n"),
                (&format!("{service}/memory.max"), "max\n"),
                (&format!("{service}/memory.current"), "1\n"),
            ],
            1024 * MIB,
        );
    }

    #[test]
    fn the_limit_of_the_own_group_counts_less_what_is_used() {
        let service = "sys/fs/cgroup/system.slice/sltd.service";
        let files = |cache: u64| {
            [
                (
                    "proc/self/cgroup".to_owned(),
                    "0::/system.slice/sltd.service\n".to_owned(),
                ),
                (format!("{service}/memory.max"), (300 * MIB).to_string()),
                (format!("{service}/memory.current"), (290 * MIB).to_string()),
                (
                    format!("{service}/memory.stat"),
                    format!("anon 5\ninactive_file {cache}\n"),
                ),
            ]
        };
        // Page cache that was not used lately is as good as free.
        for (cache, left) in [(0, 10), (200, 210), (400, 300)] {
            let files = files(cache * MIB);
            let mut files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
            files.push(MOUNT_V2);
            check(&files, left * MIB);
        }
    }

    #[test]
    fn the_limit_of_a_group_above_counts() {
        let slice = "sys/fs/cgroup/batch.slice";
        let service = format!("{slice}/nightly.service");
        check(
            &[
                MOUNT_V2,
                ("proc/self/cgroup", "0::/batch.slice/nightly.service\n"),
                (&format!("{service}/memory.max"), "max\n"),
                (&format!("{slice}/memory.max"), &(200 * MIB).to_string()),
                (&format!("{slice}/memory.current"), &(50 * MIB).to_string()),
            ],
            150 * MIB,
        );
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let limited = [
            ("sys/fs/cgroup/memory.max", "104857600\n"),
            ("sys/fs/cgroup/memory.current", "0\n"),
        ];
        // With a name space of its own, and without one.
        let seen = [
            (
                "0::/\n",
                "26 23 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            ),
            (
                "0::/docker/abc\n",
                "26 23 0:22 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            ),
            (
                "0::/../other\n",
                "26 23 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            ),
        ];
        for (membership, mounts) in seen {
            let of_self = [
                ("proc/self/cgroup", membership),
                ("proc/self/mountinfo", mounts),
            ];
            check(&[limited, of_self].concat(), 100 * MIB);
        }
    }

    #[test]
    fn version_1_has_names_of_its_own() {
        let group = "sys/fs/cgroup/memory/jobs/build";
        check(
            &[
                (
                    "proc/self/mountinfo",
                    "30 25 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                     31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                     32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
                ),
                (
                    "proc/self/cgroup",
                    "5:cpu:/other\n4:memory:/jobs/build\n0::/\n",
                ),
                (
                    &format!("{group}/memory.limit_in_bytes"),
                    &(64 * MIB).to_string(),
                ),
                (
                    &format!("{group}/memory.usage_in_bytes"),
                    &(60 * MIB).to_string(),
                ),
                (
                    &format!("{group}/memory.stat"),
                    &format!("inactive_file 1\ntotal_inactive_file {}\n", 30 * MIB),
                ),
                (
                    "sys/fs/cgroup/memory/memory.limit_in_bytes",
                    "9223372036854771712\n",
                ),
                ("sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n"),
            ],
            34 * MIB,
        );
    }
}
