//! Machine-readable zones, with check digits.

/// A passport's zone (Doc 9303 part 4) with all check digits right.
pub(crate) fn passport(issuer: &str, number: &str) -> String {
    let (birth, expiry) = ("800101", "310101");
    let number = with_digit(number);
    let dates = [with_digit(birth), with_digit(expiry)];
    let optional = "<".repeat(15);
    let composite = digit(
        &[&number, &dates[0], &dates[1], &optional]
            .map(String::as_str)
            .concat(),
    );
    let first = format!("{:<<44}", format!("P<{issuer:<<3}SPECIMEN<<ANNA"));
    format!(
        "{first}\n{number}{issuer:<<3}{}F{}{optional}{composite}\n",
        dates[0], dates[1]
    )
}

fn with_digit(field: &str) -> String {
    format!("{field}{}", digit(field))
}

/// The check digit: weights 7, 3, 1 over the values of digits, letters and fillers.
pub(crate) fn digit(text: &str) -> u32 {
    let values = text.chars().map(|c| c.to_digit(36).unwrap_or(0));
    let weighted = values.zip([7, 3, 1].into_iter().cycle());
    weighted.map(|(value, weight)| value * weight).sum::<u32>() % 10
}

/// A card's zone, three lines of 30.
pub(crate) const LOST_CARD: &str = "\
IDD<<L9ZZ900012<<<<<<<<<<<<<<<
8001014F3101012D<<<<<<<<<<<<<8
SPECIMEN<<ANNA<<<<<<<<<<<<<<<<
";
