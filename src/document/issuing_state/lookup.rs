//! From the letters of a code to what they mean, in one memory access.
//!
//! A build asks this once a row, tens of millions of times, so every code of one to
//! three letters (27^3, the filler counted as a letter) has its answer in a table
//! computed by the compiler.

use super::codes::STATES;

/// What a code of one to three letters means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing we know.
    Unknown,
    /// The State of this row of [`STATES`].
    State(usize),
    /// The nationality of a holder, never an issuer.
    NationalityOnly,
    /// The specimen State.
    Specimen,
    /// A State that is no more, by its row in [`DISSOLVED`].
    Dissolved(usize),
}

/// Codes seen in lists and zones for an issuer that has another one.
///
/// DEU is Germany's ISO 3166-1 code (its alpha-2 code stands in [`STATES`]). XKX and XK
/// are used for Kosovo by the European Commission and the World Bank, XXK is printed on
/// German residence permits, KOS and XKS occur in lists. INP is INTERPOL's early
/// specimen code. ROM, ZAR, TMP and BUR are former ISO 3166-1 codes (ISO 3166-3) of
/// States that go on under a new one, BAH and ZIM former passport codes.
///
/// UK and EL are what the European Union's institutions write for GB and GR (Interinstitutional Style Guide 7.1.1).
const ALIASES: [(&str, &str); 39] = [
    ("DEU", "D"),
    ("XKX", "RKS"),
    ("XK", "RKS"),
    ("XXK", "RKS"),
    ("KOS", "RKS"),
    ("XKS", "RKS"),
    ("INP", "XPO"),
    ("ROM", "ROU"),
    ("BAH", "BHS"),
    ("ZIM", "ZWE"),
    ("ZAR", "COD"),
    ("TMP", "TLS"),
    ("BUR", "MMR"),
    ("UK", "GBR"),
    ("EL", "GRC"),
    // The two letters of withdrawn codes (ISO 3166-3, as Debian's iso-codes has it), where ISO has not given them to
    // another State since.
    ("ZR", "COD"),
    ("TP", "TLS"),
    ("BU", "MMR"),
    ("AN", "ANT"),
    ("NT", "NTZ"),
    // Further withdrawn codes of States that go on under a new one. Of these, AI and SK are other States' letters now,
    // and BY is still Belarus's.
    ("AFI", "DJI"),
    ("BYS", "BLR"),
    ("DHY", "BEN"),
    ("DY", "BEN"),
    ("FXX", "FRA"),
    ("FX", "FRA"),
    ("HVO", "BFA"),
    ("HV", "BFA"),
    ("NHB", "VUT"),
    ("NH", "VUT"),
    ("RHO", "ZWE"),
    ("RH", "ZWE"),
    ("SKM", "IND"),
    ("VDR", "VNM"),
    ("VD", "VNM"),
    ("YMD", "YEM"),
    ("YD", "YEM"),
    ("PCZ", "PAN"),
    ("PZ", "PAN"),
];

/// Two-letter codes that are read where somebody typed or listed them, and not in a zone: there a withdrawn or
/// informal code is more likely a misread one.
const TYPED_ONLY: [&str; 15] = [
    "UK", "EL", "ZR", "TP", "BU", "AN", "NT", "DY", "FX", "HV", "NH", "RH", "VD", "YD", "PZ",
];

/// Whether a padded code of two letters is no code of a zone.
pub(super) fn is_typed_only(padded: [u8; 3]) -> bool {
    TYPED_ONLY.iter().any(|code| pad(code.as_bytes()) == padded)
}

/// Codes of Doc 9303 part 3 section 5, parts D and E, for stateless persons, refugees
/// and unspecified nationalities. The issuer of such a document is the State that
/// printed it. XAA is a known misprint of XXA.
const NATIONALITY_ONLY: [&str; 5] = ["XXA", "XXB", "XXC", "XXX", "XAA"];

/// The code of Utopia, the State of Doc 9303's specimens.
pub(super) const SPECIMEN: [u8; 3] = *b"UTO";

/// Former States whose code says too little to tell who answers for the document, and
/// what to write instead. The codes are those of ISO 3166-3.
///
/// Their two letters stand beside them. CS was Czechoslovakia's, then Serbia and Montenegro's.
pub(super) static DISSOLVED: [(&str, &str); 10] = [
    (
        "SUN",
        "ARM, AZE, BLR, EST, GEO, KAZ, KGZ, LTU, LVA, MDA, RUS, TJK, TKM, UKR or UZB",
    ),
    ("CSK", "CZE or SVK"),
    ("DDR", "D, where Germany answers for the document"),
    ("YUG", "BIH, HRV, MKD, MNE, RKS, SRB or SVN"),
    ("SCG", "MNE or SRB"),
    (
        "SU",
        "ARM, AZE, BLR, EST, GEO, KAZ, KGZ, LTU, LVA, MDA, RUS, TJK, TKM, UKR or UZB",
    ),
    ("CS", "CZE, MNE, SRB or SVK"),
    ("DD", "D, where Germany answers for the document"),
    ("YU", "BIH, HRV, MKD, MNE, RKS, SRB or SVN"),
    ("GEL", "KIR or TUV"),
];

const LETTERS: usize = 27;
const SLOTS: usize = LETTERS * LETTERS * LETTERS;

// A slot holds 0 for an unknown code, 1 + row for a State, and these.
const SLOT_NATIONALITY_ONLY: u16 = 0xFF00;
const SLOT_SPECIMEN: u16 = 0xFF01;
const SLOT_DISSOLVED: u16 = 0xFF10;

static TABLE: [u16; SLOTS] = build();

/// Pads one to three letters with `<` to three bytes.
pub(in crate::document) const fn pad(letters: &[u8]) -> [u8; 3] {
    let mut padded = [b'<'; 3];
    let mut at = 0;
    while at < padded.len() && at < letters.len() {
        padded[at] = letters[at];
        at += 1;
    }
    padded
}

/// The slot of a padded code; `None` for bytes other than `A-Z` and `<`.
const fn slot(padded: [u8; 3]) -> Option<usize> {
    let [a, b, c] = padded;
    let [a, b, c] = [VALUES[a as usize], VALUES[b as usize], VALUES[c as usize]];
    if (a | b | c) & NO_LETTER != 0 {
        return None;
    }
    Some((a as usize * LETTERS + b as usize) * LETTERS + c as usize)
}

/// No value of a letter has this bit.
const NO_LETTER: u8 = 0x80;

/// The values of the bytes of a code: 0 for `<`, from 1 for `A` to `Z`, else [`NO_LETTER`]. Each check and each row of a
/// list looks up codes.
static VALUES: [u8; 256] = {
    let mut values = [NO_LETTER; 256];
    values[b'<' as usize] = 0;
    let mut letter = b'A';
    while letter <= b'Z' {
        values[letter as usize] = letter - b'A' + 1;
        letter += 1;
    }
    values
};

// Evaluated by the compiler only: a malformed or doubled code in a table above is a
// compile error, never a panic at run time.
const fn build() -> [u16; SLOTS] {
    let mut table = [0; SLOTS];
    let mut row = 0;
    while row < STATES.len() {
        let value = row as u16 + 1;
        set(&mut table, STATES[row].padded, value);
        if !STATES[row].alpha2.is_empty() {
            set(&mut table, pad(STATES[row].alpha2.as_bytes()), value);
        }
        row += 1;
    }
    let mut at = 0;
    while at < ALIASES.len() {
        let (alias, code) = ALIASES[at];
        let value = get(&table, pad(code.as_bytes()));
        assert!(value != 0, "an alias of a code that is not in the table");
        set(&mut table, pad(alias.as_bytes()), value);
        at += 1;
    }
    at = 0;
    while at < NATIONALITY_ONLY.len() {
        set(
            &mut table,
            pad(NATIONALITY_ONLY[at].as_bytes()),
            SLOT_NATIONALITY_ONLY,
        );
        at += 1;
    }
    at = 0;
    while at < DISSOLVED.len() {
        set(
            &mut table,
            pad(DISSOLVED[at].0.as_bytes()),
            SLOT_DISSOLVED + at as u16,
        );
        at += 1;
    }
    set(&mut table, SPECIMEN, SLOT_SPECIMEN);
    table
}

const fn get(table: &[u16; SLOTS], padded: [u8; 3]) -> u16 {
    match slot(padded) {
        Some(slot) => table[slot],
        None => 0,
    }
}

const fn set(table: &mut [u16; SLOTS], padded: [u8; 3], value: u16) {
    let slot = slot(padded);
    assert!(slot.is_some(), "a code that is not made of capital letters");
    if let Some(slot) = slot {
        assert!(table[slot] == 0, "a code that stands in the tables twice");
        table[slot] = value;
    }
}

/// The row of [`STATES`] of a padded code.
#[inline]
pub(super) fn row(padded: [u8; 3]) -> Option<usize> {
    let row = usize::from(get(&TABLE, padded)).wrapping_sub(1);
    (row < STATES.len()).then_some(row)
}

/// What a padded code means.
pub(super) fn meaning(padded: [u8; 3]) -> Meaning {
    match get(&TABLE, padded) {
        0 => Meaning::Unknown,
        SLOT_NATIONALITY_ONLY => Meaning::NationalityOnly,
        SLOT_SPECIMEN => Meaning::Specimen,
        value if value >= SLOT_DISSOLVED => Meaning::Dissolved(usize::from(value - SLOT_DISSOLVED)),
        value => Meaning::State(usize::from(value) - 1),
    }
}
