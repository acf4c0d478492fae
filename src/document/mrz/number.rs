//! The document number of a zone and its check digit.

use super::check_digit::compute;
use super::layout::Plan;
use crate::document::DocumentNumber;

/// What the number's own check digit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberCheck {
    /// It is right, in the place the layout gives it.
    Verified,
    /// It is right, after the end of a number longer than its field.
    VerifiedLong(LongNumberForm),
    /// It is wrong or missing: the number was misread, or the zone is not what it claims to be.
    Failed,
    /// There is none: the layout has none, or the number is empty.
    Absent,
}

/// How issuers compute the check digit of a number that continues in the optional data.
///
/// The place of the ordinary check digit then holds a filler. Doc 9303 part 5 does not say whether that filler
/// counts as a position, so documents of both kinds are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LongNumberForm {
    /// Over the number alone (Belgian cards since 2020).
    WithoutFiller,
    /// Over the number with the filler at its place, a position of value 0 (Belgian cards before 2020).
    WithFiller,
    /// Both give the same digit, as in the worked example of Doc 9303 part 11.
    Either,
}

/// The number and what its check digit says. The number never contains the filler.
pub(super) fn read(plan: &Plan, zone: &[u8]) -> (Option<DocumentNumber>, NumberCheck) {
    let field = plan.field(zone, plan.number);
    let Some(check) = &plan.number_check else {
        return (number(field, b""), NumberCheck::Absent);
    };
    if let Some((rest, digit)) = continuation(plan, zone) {
        let long = || field.iter().chain(rest).copied();
        let without_filler = digit == compute(long());
        let with_filler = digit == compute(field.iter().chain(b"<").chain(rest).copied());
        let form = match (without_filler, with_filler) {
            (true, true) => NumberCheck::VerifiedLong(LongNumberForm::Either),
            (true, false) => NumberCheck::VerifiedLong(LongNumberForm::WithoutFiller),
            (false, true) => NumberCheck::VerifiedLong(LongNumberForm::WithFiller),
            (false, false) => NumberCheck::Failed,
        };
        return (number(field, rest), form);
    }
    let number = number(field, b"");
    let verdict = match (plan.verify(zone, check), number) {
        (false, _) => NumberCheck::Failed,
        (true, None) => NumberCheck::Absent,
        (true, Some(_)) => NumberCheck::Verified,
    };
    (number, verdict)
}

/// The rest of a long number and its check digit: the field is full, a filler stands in place of the check digit,
/// and the optional data begins with at least one character of the number, then the digit, then a filler.
fn continuation<'z>(plan: &Plan, zone: &'z [u8]) -> Option<(&'z [u8], u8)> {
    let field = plan.field(zone, plan.number);
    let check = plan.number_check.as_ref()?;
    let optional = plan.field(zone, plan.continuation?);
    if plan.field(zone, check.at) != b"<" || field.ends_with(b"<") {
        return None;
    }
    let end = optional.iter().position(|&character| character == b'<')?;
    match optional.get(..end)?.split_last()? {
        (_, []) => None,
        (&digit, rest) => Some((rest, digit)),
    }
}

fn number(field: &[u8], rest: &[u8]) -> Option<DocumentNumber> {
    let mut bytes = [0; DocumentNumber::MAX_LEN];
    let mut length = 0;
    for &character in field
        .iter()
        .chain(rest)
        .filter(|&&character| character != b'<')
    {
        *bytes.get_mut(length)? = character;
        length += 1;
    }
    DocumentNumber::from_normalised(bytes.get(..length)?)
}
