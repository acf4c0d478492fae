//! One table of the file, taken apart field by field.

use jiff::Timestamp;
use sltd::document::IssuingState;
use toml::{Table, Value};

use super::ConfigError;
use crate::config::Layout;
use crate::sources::CODE_BYTES_MAX;

/// One table of the file whose fields are taken out one by one; what is left over is unknown.
pub(super) struct Entry {
    pub(super) place: String,
    fields: Table,
    known: Vec<&'static str>,
}

impl Entry {
    /// All tables of one array, taken out of the file.
    pub(super) fn all(file: &mut Table, name: &'static str) -> Result<Vec<Self>, ConfigError> {
        let wrong = |found: &Value| ConfigError::Value {
            place: "the file".to_owned(),
            field: name,
            expected: format!("tables [[{name}]]"),
            found: found.type_str().to_owned(),
        };
        let tables = match file.remove(name) {
            None => Vec::new(),
            Some(Value::Array(tables)) => tables,
            Some(other) => return Err(wrong(&other)),
        };
        let entry = |table| match table {
            Value::Table(fields) => Ok(Self {
                place: String::new(),
                fields,
                known: Vec::new(),
            }),
            other => Err(wrong(&other)),
        };
        tables.into_iter().map(entry).collect()
    }

    pub(super) fn wrong(
        &self,
        field: &'static str,
        expected: impl Into<String>,
        found: &str,
    ) -> ConfigError {
        ConfigError::Value {
            place: self.place.clone(),
            field,
            expected: expected.into(),
            found: found.to_owned(),
        }
    }

    pub(super) fn missing(&self, field: &'static str, expected: impl Into<String>) -> ConfigError {
        ConfigError::Missing {
            place: self.place.clone(),
            field,
            expected: expected.into(),
        }
    }

    pub(super) fn take(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.fields.remove(field)
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Option<String>, ConfigError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, "a text", other.type_str())),
        }
    }

    /// A text that `read` understands.
    pub(super) fn read<T>(
        &mut self,
        field: &'static str,
        expected: impl Fn() -> String,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(field, expected(), &format!("`{text}`"))),
        }
    }

    /// An instant, as a text or as TOML's own date and time.
    pub(super) fn instant(
        &mut self,
        field: &'static str,
    ) -> Result<Option<Timestamp>, ConfigError> {
        let text = match self.take(field) {
            None => return Ok(None),
            Some(Value::String(text)) => text,
            Some(Value::Datetime(instant)) => instant.to_string(),
            Some(other) => return Err(self.wrong(field, EXPECTED_INSTANT, other.type_str())),
        };
        match text.parse() {
            Ok(instant) => Ok(Some(instant)),
            Err(_) => Err(self.wrong(field, EXPECTED_INSTANT, &format!("`{text}`"))),
        }
    }

    /// `true` or `false`, by default the latter.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, ConfigError> {
        match self.take(field) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(self.wrong(field, "true or false", other.type_str())),
        }
    }

    /// A text that is one of a closed set of names.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        field: &'static str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.read(
            field,
            || {
                format!(
                    "one of {}",
                    all.iter()
                        .map(|&one| name(one))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            },
            |text| all.iter().copied().find(|&one| name(one) == text),
        )
    }

    /// A text that is not empty and has no line break.
    pub(super) fn line(&mut self, field: &'static str) -> Result<Option<String>, ConfigError> {
        self.read(
            field,
            || "a text that is not empty, on one line".to_owned(),
            |text| {
                let text = text.trim();
                (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
            },
        )
    }

    pub(super) fn state(
        &mut self,
        field: &'static str,
    ) -> Result<Option<IssuingState>, ConfigError> {
        self.read(field, expected_state, |text| IssuingState::parse(text).ok())
    }

    /// A text that reports keep as a code.
    pub(super) fn code(&mut self, field: &'static str) -> Result<Option<String>, ConfigError> {
        match self.line(field)? {
            Some(code) if code.len() > CODE_BYTES_MAX => {
                let found = format!("{} bytes", code.len());
                Err(self.wrong(field, format!("at most {CODE_BYTES_MAX} bytes"), &found))
            }
            code => Ok(code),
        }
    }

    /// The error for a value that the rows of a layout have themselves.
    pub(super) fn given(&self, layout: Layout, field: &'static str) -> ConfigError {
        let expected = format!("nothing: every row of layout {} has its own", layout.name());
        self.wrong(field, expected, "a value")
    }

    /// To be called when every known field has been taken.
    pub(super) fn nothing_left(self) -> Result<(), ConfigError> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(field) => Err(ConfigError::UnknownField {
                place: self.place,
                field: field.clone(),
                expected: self.known.join(", "),
            }),
        }
    }
}

const EXPECTED_INSTANT: &str = "an instant as in RFC 3339, such as 2026-11-01T06:00:00Z";

pub(super) fn expected_state() -> String {
    "the code of an issuing State (ICAO Doc 9303 part 3 section 5)".to_owned()
}
