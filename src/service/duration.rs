//! Durations as operators write them: `500ms`, `8s`, `2m`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a whole number followed by a unit.
    #[error(
        "`{0}` is no duration: expected a whole number and a unit, such as 500ms, 8s, 2m, 6h or 7d"
    )]
    Form(String),
    /// More than a duration can hold.
    #[error("`{0}` is too long a duration: expected at most 36500d")]
    TooLong(String),
}

/// The longest duration that can be written: a hundred years, so that sums of instants stay in range.
const MAX: Duration = Duration::from_secs(36_500 * 86_400);

/// Reads a duration: a whole number and, without a blank, one of `ms`, `s`, `m`, `h`, `d`.
///
/// # Errors
/// If the text has another form or is longer than a hundred years.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(sltd::service::parse_duration("500ms"), Ok(Duration::from_millis(500)));
/// assert!(sltd::service::parse_duration("8").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let form = || DurationError::Form(text.to_owned());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(form)?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(form()),
    };
    if number.is_empty() {
        return Err(form());
    }
    // All that can fail from here on is the size.
    let too_long = || DurationError::TooLong(text.to_owned());
    let count: u64 = number.parse().map_err(|_| too_long())?;
    let duration = Duration::from_millis(count.checked_mul(unit_ms).ok_or_else(too_long)?);
    if duration > MAX {
        Err(too_long())
    } else {
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let ms = |ms| Ok(Duration::from_millis(ms));
        let form = |text: &str| Err(DurationError::Form(text.to_owned()));
        let long = |text: &str| Err(DurationError::TooLong(text.to_owned()));
        let cases = [
            ("500ms", ms(500)),
            ("8s", ms(8_000)),
            ("2m", ms(120_000)),
            ("6h", ms(21_600_000)),
            ("7d", ms(604_800_000)),
            ("0s", ms(0)),
            ("36500d", Ok(MAX)),
            ("36501d", long("36501d")),
            ("99999999999999999999s", long("99999999999999999999s")),
            ("18446744073709551615d", long("18446744073709551615d")),
            ("", form("")),
            ("8", form("8")),
            ("s", form("s")),
            ("8 s", form("8 s")),
            (" 8s", form(" 8s")),
            ("-8s", form("-8s")),
            ("1.5s", form("1.5s")),
            ("8S", form("8S")),
            ("٣s", form("٣s")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
