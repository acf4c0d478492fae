//! The wanted fields of one JSON object, borrowed where the text has no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::columns::same;
use super::reject::{ROW, Reason, Reject};

/// The value of a field, as far as lists use them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Value<'a> {
    /// The field is not there, or is `null`.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// A whole number without a sign.
    Integer(u64),
    /// Another number: with a sign, a decimal point or an exponent, or too large.
    Number,
    /// Anything else.
    Other,
}

impl Value<'_> {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The text; empty for an absent field.
    pub(super) fn text(&self, field: &'static str) -> Result<&str, Reject> {
        match self {
            Self::Absent => Ok(""),
            Self::Text(text) => Ok(text),
            Self::Integer(_) => Err(Reject::expected(
                field,
                "expected a text, found a number: leading zeros would be lost",
            )),
            Self::Number => Err(Reject::expected(
                field,
                "expected a text, found a number with a sign, decimal point or exponent: a spreadsheet has probably \
                 kept it as an amount, so export the column as text",
            )),
            Self::Other => Err(Reject::expected(
                field,
                "expected a text, found another kind of value",
            )),
        }
    }
}

/// Reads the fields `keys` of the JSON object that `row` is; `unknown` is called with the names of
/// others.
pub(super) fn read<'a, const N: usize>(
    row: &'a [u8],
    keys: &[&'static str; N],
    unknown: impl FnMut(&str),
) -> Result<[Value<'a>; N], Reject> {
    let find = |name: &str| {
        let exact = keys.iter().position(|&key| key == name);
        exact.or_else(|| keys.iter().position(|key| same(key, name)))
    };
    read_named(row, keys, find, unknown)
}

/// [`read`] of an object that calls its fields in its own way: `find` says which of `keys` a name stands for.
pub(super) fn read_named<'a, const N: usize>(
    row: &'a [u8],
    keys: &[&'static str; N],
    find: impl Fn(&str) -> Option<usize>,
    mut unknown: impl FnMut(&str),
) -> Result<[Value<'a>; N], Reject> {
    let mut fields = Fields {
        keys,
        find: &find,
        values: std::array::from_fn(|_| Value::Absent),
        twice: None,
        unknown: &mut unknown,
    };
    let mut text = serde_json::Deserializer::from_slice(row);
    let read = (&mut fields)
        .deserialize(&mut text)
        .and_then(|()| text.end());
    match (read, fields.twice) {
        (Err(error), _) if error.classify() == Category::Data => Err(Reject {
            field: ROW,
            reason: Reason::NotAnObject,
        }),
        (Err(error), _) => {
            let column = error.column();
            Err(Reject {
                field: ROW,
                reason: Reason::NotJson { column },
            })
        }
        (Ok(()), Some(field)) => Err(Reject {
            field,
            reason: Reason::Twice,
        }),
        (Ok(()), None) => Ok(fields.values),
    }
}

struct Fields<'k, 'a, F, const N: usize> {
    keys: &'k [&'static str; N],
    find: &'k F,
    values: [Value<'a>; N],
    twice: Option<&'static str>,
    unknown: &'k mut dyn FnMut(&str),
}

impl<'a, F: Fn(&str) -> Option<usize>, const N: usize> DeserializeSeed<'a>
    for &mut Fields<'_, 'a, F, N>
{
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a, F: Fn(&str) -> Option<usize>, const N: usize> Visitor<'a> for &mut Fields<'_, 'a, F, N> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            let found = (self.find)(&key);
            let Some((index, &name)) = found.and_then(|at| Some((at, self.keys.get(at)?))) else {
                (self.unknown)(&key);
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value()?;
            if let Some(place) = self.values.get_mut(index)
                && std::mem::replace(place, value) != Value::Absent
            {
                self.twice = Some(name);
            }
        }
        Ok(())
    }
}

/// A text that borrows where it can, which `Cow` by itself does not.
struct Text<'a>(Cow<'a, str>);

impl<'a> Deserialize<'a> for Text<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("expected a text")),
        }
    }
}

impl<'a> Deserialize<'a> for Value<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'a> Visitor<'a> for AnyValue {
    type Value = Value<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'a str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value<'a>, E> {
        Ok(Value::Integer(number))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value<'a>, E> {
        Ok(Value::Absent)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Value<'a>, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value<'a>, E> {
        Ok(Value::Number)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value<'a>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: de::SeqAccess<'a>>(self, mut seq: A) -> Result<Value<'a>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Value<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: &str, expected: Result<&str, &str>) {
        let mut unknown = Vec::new();
        let read = read(row.as_bytes(), &["a", "b"], |name| {
            unknown.push(name.to_owned())
        });
        let found = match &read {
            Ok(values) => Ok(format!("{values:?} {unknown:?}")),
            Err(reject) => Err(format!("{}: {}", reject.field, reject.reason)),
        };
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{row}");
    }

    #[test]
    fn objects() {
        check("{}", Ok("[Absent, Absent] []"));
        check(
            r#"{"b":"x","c":[1,{"d":2}],"a":null}"#,
            Ok(r#"[Absent, Text("x")] ["c"]"#),
        );
        check(
            r#"{"a":"\u0416\"","b":7}"#,
            Ok(r#"[Text("Ж\""), Integer(7)] []"#),
        );
        check(r#"{"a":-1,"b":{"a":"x"}}"#, Ok("[Number, Other] []"));
        check(r#"{"a":1.5,"b":true}"#, Ok("[Number, Other] []"));
        check(
            r#"{"a":"x","a":"y"}"#,
            Err("a: field given twice: expected once"),
        );
        // Neither case nor blanks count.
        check(r#"{" A ":"x","B":"y"}"#, Ok(r#"[Text("x"), Text("y")] []"#));
        check(
            r#"{"a":"x","A":"y"}"#,
            Err("a: field given twice: expected once"),
        );
        check("[]", Err("row: not a JSON object: expected one"));
        check("7", Err("row: not a JSON object: expected one"));
        check(
            r#"{"a":"x""#,
            Err("row: not a JSON object: error in character 8 of the row"),
        );
        check(
            r#"{"a":"x"} 7"#,
            Err("row: not a JSON object: error in character 11 of the row"),
        );
        check(
            "",
            Err("row: not a JSON object: error in character 0 of the row"),
        );
    }

    #[test]
    fn texts_are_borrowed_unless_escaped() {
        let [plain, escaped] = read(br#"{"a":"x","b":"\n"}"#, &["a", "b"], |_| {}).unwrap();
        assert!(matches!(plain, Value::Text(Cow::Borrowed("x"))));
        assert!(matches!(escaped, Value::Text(Cow::Owned(_))));
    }
}
