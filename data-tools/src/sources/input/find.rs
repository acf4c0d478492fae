//! Which files a source has.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use glob::{MatchOptions, Pattern};

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
        let path = path?;
        let name = name_of(&path, &source.folder);
        let open = |error| SourceError::Open {
            file: name.clone(),
            error,
        };
        let facts = path.metadata().map_err(open)?;
        if !facts.is_file() {
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

type Paths = Box<dyn Iterator<Item = Result<PathBuf, SourceError>>>;

/// The paths that may be files of the source.
fn paths(source: &SourceConfig, whole: &Path) -> Result<Paths, SourceError> {
    if whole.is_file() {
        return Ok(Box::new(std::iter::once(Ok(whole.to_owned()))));
    }
    if whole.is_dir() {
        return matching(source, &whole.join("*"), whole);
    }
    // What exists as it is named may hold characters that mean something in a pattern.
    let mut there = PathBuf::new();
    for component in whole.components() {
        let next = there.join(component);
        if !next.exists() {
            break;
        }
        there = next;
    }
    let found = matching(source, whole, &there);
    // Brackets that match nothing may be characters of a name.
    let bracketed = |rest: &Path| rest.to_string_lossy().contains(['[', ']']);
    let rest = whole.strip_prefix(&there).unwrap_or(whole);
    if !bracketed(rest) {
        return found;
    }
    if let Ok(found) = found {
        let mut found = found.peekable();
        if found.peek().is_some() {
            return Ok(Box::new(found));
        }
    }
    let literal = escape_brackets(&rest.to_string_lossy());
    matching(source, &there.join(literal), &there)
}

/// The paths that fit a pattern whose beginning is a path that exists. Wildcards match no hidden names.
fn matching(source: &SourceConfig, pattern: &Path, there: &Path) -> Result<Paths, SourceError> {
    let rest = pattern.strip_prefix(there).unwrap_or(pattern);
    let escaped: PathBuf = there
        .components()
        .map(|component| match component {
            Component::Normal(name) => Pattern::escape(&name.to_string_lossy()).into(),
            other => PathBuf::from(other.as_os_str()),
        })
        .collect();
    // `require_literal_leading_dot` is not for names that are no UTF-8: it panics.
    let options = MatchOptions {
        require_literal_separator: true,
        ..MatchOptions::new()
    };
    let dotted = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
    };
    let hidden_too = dotted(rest);
    let text = escaped.join(rest).to_string_lossy().into_owned();
    let paths = glob::glob_with(&text, options).map_err(|error| SourceError::Pattern {
        pattern: pattern.to_string_lossy().into_owned(),
        error,
    })?;
    let (folder, there) = (source.folder.clone(), there.to_owned());
    let shown = move |path: &Result<PathBuf, glob::GlobError>| {
        let Ok(path) = path else { return true };
        hidden_too || !dotted(path.strip_prefix(&there).unwrap_or(path))
    };
    Ok(Box::new(paths.filter(shown).map(move |path| {
        path.map_err(|error| SourceError::Open {
            file: name_of(error.path(), &folder),
            error: io::Error::new(error.error().kind(), error.error().to_string()),
        })
    })))
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

/// Whether a path of an archive is hidden: what programs and systems leave beside the list.
pub(super) fn is_hidden(name: &str) -> bool {
    name.split('/').any(|part| part.starts_with('.')) || name.starts_with("__MACOSX/")
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
