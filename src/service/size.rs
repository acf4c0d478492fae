//! Sizes as operators write them: `64MiB`.

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no size: expected a whole number followed by KiB, MiB or GiB, such as 512MiB")]
pub struct SizeError(String);

/// Reads a size, in bytes: a whole number and, without a blank, one of `KiB`, `MiB`, `GiB`.
///
/// # Errors
/// If the text has another form, or is more than 64 bits can count.
///
/// ```
/// assert_eq!(sltd::service::parse_size("64MiB"), Ok(64 << 20));
/// assert!(sltd::service::parse_size("64MB").is_err());
/// ```
pub fn parse_size(text: &str) -> Result<u64, SizeError> {
    let error = || SizeError(text.to_owned());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(error)?;
    let shift = match unit {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(error()),
    };
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(1 << shift).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("0KiB"), Ok(0));
        assert_eq!(parse_size("3GiB"), Ok(3 << 30));
        for wrong in [
            "",
            "12",
            "MiB",
            "1MB",
            "1 GiB",
            "-1GiB",
            "99999999999GiB",
            "1.5GiB",
            "1\u{a0}MiB",
        ] {
            assert_eq!(parse_size(wrong), Err(SizeError(wrong.to_owned())));
        }
    }
}
