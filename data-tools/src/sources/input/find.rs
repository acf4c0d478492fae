//! Which files a source has.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use glob::Pattern;

use super::walk::{WalkError, walk};
use super::{CLOCKS_DIFFER, Inputs, Origin, add};
use crate::config::{Layout, SourceConfig};
use crate::sources::SourceError;

/// Finds the files of a source, in order of their paths, archives entry by entry: the file or folder of the name, else
/// every file that the pattern matches.
pub(in crate::sources) fn find(source: &SourceConfig) -> Result<Inputs, SourceError> {
    let now = SystemTime::now();
    let mut found = Inputs {
        inputs: Vec::new(),
        oldest: now,
        warnings: Vec::new(),
    };
    let mut files = 0;
    let whole = source.folder.join(&source.path);
    for path in paths(source, &whole)? {
        let name = name_of(&path, &source.folder);
        let open = |error| SourceError::Open {
            file: name.clone(),
            error,
        };
        let facts = path.metadata().map_err(open)?;
        if !facts.is_file() {
            let other = match facts.is_dir() {
                true => "a folder",
                false => "a pipe or a device and no file",
            };
            if path == whole {
                return Err(SourceError::OtherKind {
                    file: name,
                    found: other,
                });
            }
            // Folders on the way to files are no news.
            if !(facts.is_dir() && source.path.contains("**")) {
                found.warnings.push(format!("{name}: not read, {other}"));
            }
            continue;
        }
        // A file that is named as a whole is meant.
        if path != whole && is_readme(&name) {
            found
                .warnings
                .push(format!("{name}: not read, a README and no list"));
            continue;
        }
        files += 1;
        if is_schema(source.layout, &name) {
            found
                .warnings
                .push(format!("{name}: not read, a schema and no list"));
            continue;
        }
        if facts.len() == 0 && !source.may_be_empty() {
            return Err(SourceError::Empty { file: name });
        }
        let modified = facts.modified().map_err(open)?;
        if source.as_of.is_none() && modified > now + CLOCKS_DIFFER {
            found.warnings.push(format!(
                "{name}: its file time lies in the future; the time of reading was taken for the list's as_of"
            ));
        }
        found.oldest = found.oldest.min(modified);
        add(source, name, Origin::File(path), facts.len(), &mut found)?;
    }
    if files == 0 {
        let pattern = whole.to_string_lossy().into_owned();
        return Err(SourceError::NoFile { pattern });
    }
    count(source, &found)?;
    Ok(found)
}

/// Refuses a list that has another number of files than the source says.
fn count(source: &SourceConfig, found: &Inputs) -> Result<(), SourceError> {
    match (source.files, u32::try_from(found.inputs.len())) {
        (Some(expected), count) if count != Ok(expected) => Err(SourceError::Files {
            expected,
            found: found.inputs.len(),
        }),
        _ => Ok(()),
    }
}

/// The paths that may be files of the source.
fn paths(source: &SourceConfig, whole: &Path) -> Result<Vec<PathBuf>, SourceError> {
    if whole.is_file() {
        return Ok(vec![whole.to_owned()]);
    }
    if whole.is_dir() {
        return matching(source, whole, Path::new("*"));
    }
    // What exists as it is named may hold characters that mean something in a pattern.
    let mut there = PathBuf::new();
    for component in whole.components() {
        let next = there.join(component);
        if fs::symlink_metadata(&next).is_err() {
            break;
        }
        there = next;
    }
    let rest = whole.strip_prefix(&there).unwrap_or(whole);
    let text = rest.to_string_lossy();
    match matching(source, &there, rest) {
        Ok(found) if !found.is_empty() => Ok(found),
        // Brackets that match nothing may be characters of a name.
        Ok(_) | Err(SourceError::Pattern { .. }) if text.contains(['[', ']']) => {
            matching(source, &there, Path::new(&escape_brackets(&text)))
        }
        found => found,
    }
}

/// The paths below a folder that fit a pattern.
fn matching(
    source: &SourceConfig,
    folder: &Path,
    pattern: &Path,
) -> Result<Vec<PathBuf>, SourceError> {
    walk(folder, pattern).map_err(|error| match error {
        WalkError::Pattern(error) => SourceError::Pattern {
            pattern: folder.join(pattern).to_string_lossy().into_owned(),
            error,
        },
        WalkError::Open(path, error) => SourceError::Open {
            file: name_of(&path, &source.folder),
            error,
        },
    })
}

fn escape_brackets(pattern: &str) -> String {
    pattern
        .chars()
        .map(|character| match character {
            '[' => "[[]".to_owned(),
            ']' => "[]]".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// The name of a file in messages: below the folder of `sources.toml` relative to it.
fn name_of(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Whether a file tells people about the list beside it.
pub(super) fn is_readme(name: &str) -> bool {
    let start = file_name(name).get(..6);
    start.is_some_and(|start| start.eq_ignore_ascii_case("readme"))
}

/// Whether a path of an archive is hidden: what programs and systems leave beside the list. `.` and `..` are no names.
pub(super) fn is_hidden(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.any(|part| part.starts_with('.') && !matches!(part, "." | ".."))
        || name.starts_with("__MACOSX/")
}

/// Whether an entry of an archive is meant by `archive_entry`: by its name, or its path in the archive.
pub(super) fn is_picked(pattern: &Pattern, name: &str) -> bool {
    pattern.matches(name) || pattern.matches(file_name(name)) || pattern.as_str() == name
}

/// The Ukrainian portal keeps the description of the fields beside the list; its name contains
/// `shema`.
pub(super) fn is_schema(layout: Layout, name: &str) -> bool {
    layout == Layout::Ukraine && file_name(name).to_ascii_lowercase().contains("shema")
}
