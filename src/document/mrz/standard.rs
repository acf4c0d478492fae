//! The layouts of Doc 9303: part 4 (TD3), part 5 (TD1), part 6 (TD2), part 7 (visas).

use super::check_digit::CheckDigit;
use super::layout::{MrzLayout, Plan, at, check};

fn any(_: &[u8]) -> bool {
    true
}

fn visa(zone: &[u8]) -> bool {
    zone.starts_with(b"V")
}

pub(super) const TD1: Plan = Plan {
    layout: MrzLayout::Td1,
    lines: &[30, 30, 30],
    recognises: any,
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(1, 6, 14),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(1, 15, 15),
        &[at(1, 6, 14)],
    )),
    continuation: Some(at(1, 16, 30)),
    nationality: Some(at(2, 16, 18)),
    expiry: Some(at(2, 9, 14)),
    names: &[at(3, 1, 30)],
    checks: &[
        check(CheckDigit::DateOfBirth, at(2, 7, 7), &[at(2, 1, 6)]),
        check(CheckDigit::DateOfExpiry, at(2, 15, 15), &[at(2, 9, 14)]),
        check(
            CheckDigit::Composite,
            at(2, 30, 30),
            &[at(1, 6, 30), at(2, 1, 7), at(2, 9, 15), at(2, 19, 29)],
        ),
    ],
};

pub(super) const TD2: Plan = Plan {
    layout: MrzLayout::Td2,
    lines: &[36, 36],
    recognises: any,
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(2, 1, 9),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(2, 10, 10),
        &[at(2, 1, 9)],
    )),
    continuation: Some(at(2, 29, 35)),
    nationality: Some(at(2, 11, 13)),
    expiry: Some(at(2, 22, 27)),
    names: &[at(1, 6, 36)],
    checks: &[
        check(CheckDigit::DateOfBirth, at(2, 20, 20), &[at(2, 14, 19)]),
        check(CheckDigit::DateOfExpiry, at(2, 28, 28), &[at(2, 22, 27)]),
        check(
            CheckDigit::Composite,
            at(2, 36, 36),
            &[at(2, 1, 10), at(2, 14, 20), at(2, 22, 35)],
        ),
    ],
};

pub(super) const TD3: Plan = Plan {
    layout: MrzLayout::Td3,
    lines: &[44, 44],
    recognises: any,
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(2, 1, 9),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(2, 10, 10),
        &[at(2, 1, 9)],
    )),
    continuation: None,
    nationality: Some(at(2, 11, 13)),
    expiry: Some(at(2, 22, 27)),
    names: &[at(1, 6, 44)],
    checks: &[
        check(CheckDigit::DateOfBirth, at(2, 20, 20), &[at(2, 14, 19)]),
        check(CheckDigit::DateOfExpiry, at(2, 28, 28), &[at(2, 22, 27)]),
        check(CheckDigit::OptionalData, at(2, 43, 43), &[at(2, 29, 42)]),
        check(
            CheckDigit::Composite,
            at(2, 44, 44),
            &[at(2, 1, 10), at(2, 14, 20), at(2, 22, 43)],
        ),
    ],
};

/// Visas have no composite check digit, and no number longer than its field.
pub(super) const MRV_A: Plan = Plan {
    layout: MrzLayout::MrvA,
    lines: &[44, 44],
    recognises: visa,
    code: at(1, 1, 2),
    issuer: at(1, 3, 5),
    number: at(2, 1, 9),
    number_check: Some(check(
        CheckDigit::DocumentNumber,
        at(2, 10, 10),
        &[at(2, 1, 9)],
    )),
    continuation: None,
    nationality: Some(at(2, 11, 13)),
    expiry: Some(at(2, 22, 27)),
    names: &[at(1, 6, 44)],
    checks: &[
        check(CheckDigit::DateOfBirth, at(2, 20, 20), &[at(2, 14, 19)]),
        check(CheckDigit::DateOfExpiry, at(2, 28, 28), &[at(2, 22, 27)]),
    ],
};

pub(super) const MRV_B: Plan = Plan {
    layout: MrzLayout::MrvB,
    lines: &[36, 36],
    names: &[at(1, 6, 36)],
    ..MRV_A
};
