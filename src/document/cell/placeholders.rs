//! What people and programs enter where they have no number.

use super::text::Text;
use crate::document::characters::{ascii, is_invisible};
use crate::document::transliteration::{base, fold};
use crate::document::{DocumentNumber, IssuingState};
use std::collections::HashSet;
use std::sync::LazyLock;

/// The numbers that stand for "no number": the words of a table, all short words of letters, runs of `0` or `X` of any
/// length, single characters, and those that a source adds; without the numbers that a State really issues.
///
/// ```
/// use sltd::document::{DocumentNumber, Exemption, Placeholders};
///
/// let number = DocumentNumber::normalise("000000")?;
/// assert!(Placeholders::default().contains(&number, None));
///
/// let issued = Exemption { number, issuing_state: None };
/// assert!(!Placeholders::new([], [issued]).contains(&number, None));
/// # Ok::<(), sltd::document::NumberError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placeholders {
    added: Vec<DocumentNumber>,
    exempt: Vec<Exemption>,
}

/// A number that looks like a placeholder and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exemption {
    /// The number.
    pub number: DocumentNumber,
    /// The State that issues it; `None`: every State.
    pub issuing_state: Option<IssuingState>,
}

impl Placeholders {
    /// Those of the table: what holds where nothing is added or exempt.
    pub const EVERYWHERE: Self = Self {
        added: Vec::new(),
        exempt: Vec::new(),
    };

    /// Those of the table, those `added`, and without those that are `exempt`.
    pub fn new(
        added: impl IntoIterator<Item = DocumentNumber>,
        exempt: impl IntoIterator<Item = Exemption>,
    ) -> Self {
        Self {
            added: added.into_iter().collect(),
            exempt: exempt.into_iter().collect(),
        }
    }

    /// The same, without further numbers that are exempt.
    #[must_use]
    pub fn exempt(mut self, more: impl IntoIterator<Item = Exemption>) -> Self {
        self.exempt.extend(more);
        self
    }

    /// Whether a number is a placeholder, of a document of the given issuer. Where none is given, it is enough that one
    /// State issues the number; of the codes of one office, what is exempt under one is under all.
    #[inline]
    pub fn contains(&self, number: &DocumentNumber, issuer: Option<&IssuingState>) -> bool {
        if !may_be_one(number) && self.added.is_empty() {
            return false;
        }
        self.contains_after_all(number, issuer)
    }

    /// [`contains`](Self::contains) with an issuer that is found out only for a number that may be a placeholder.
    #[inline]
    pub(crate) fn contains_of(
        &self,
        number: &DocumentNumber,
        issuer: impl FnOnce() -> Option<IssuingState>,
    ) -> bool {
        (may_be_one(number) || !self.added.is_empty())
            && self.contains_after_all(number, issuer().as_ref())
    }

    /// Whether a cell, of a number or of anything else, holds what is known to stand for nothing: a word of the table,
    /// zeros, or signs alone. It is no name either, unlike the other words that [`contains`](Self::contains) finds.
    pub fn is_cell(raw: &str) -> bool {
        is_known(raw)
    }

    /// What is exempt.
    pub fn exemptions(&self) -> &[Exemption] {
        &self.exempt
    }

    #[cold]
    fn contains_after_all(&self, number: &DocumentNumber, issuer: Option<&IssuingState>) -> bool {
        let known = self.added.contains(number) || is_one(number);
        let issues = |exempt: &Exemption| match (issuer, &exempt.issuing_state) {
            (Some(issuer), Some(state)) => issuer == state || issuer.same_group(state),
            (None, _) | (_, None) => true,
        };
        let mut exempt = self.exempt.iter();
        known && !exempt.any(|exempt| exempt.number == *number && issues(exempt))
    }
}

/// Whether a text that no number can be read from is a placeholder: a word of the table between whatever else (`#N/A`,
/// `(unknown)`), signs alone (`-`, `?`, `***`), words (`(see file)`), or letters that no number has, without a digit
/// (`né`, `未知`). Of other texts it is of more use to hear which character is wrong (`AB?`).
pub(super) fn is_word(raw: &str, text: &Text) -> bool {
    let has_digit = || raw.chars().any(char::is_numeric);
    is_known(raw) || is_phrase(raw, text) || raw.chars().any(is_foreign) && !has_digit()
}

fn is_foreign(character: char) -> bool {
    character.is_alphabetic() && ascii(character).is_none()
}

/// Whether a text is a word of the table between whatever else, zeros, or signs alone.
pub(super) fn is_known(raw: &str) -> bool {
    match letters(raw) {
        Ok(Some(word)) => may_be_one(&word) && is_word_of_table(&word),
        Ok(None) => raw
            .chars()
            .any(|character| !character.is_whitespace() && !is_invisible(character)),
        Err(Unspelt) => false,
    }
}

/// Whether a text that reads as a number is words: without a digit, and several of them or all in a script in which no
/// State prints more of a number than its series. Of random numbers in letters and digits a few have no digit; Germany's
/// have no vowel either, and nobody parts them.
pub(super) fn is_phrase(raw: &str, text: &Text) -> bool {
    let bytes = text.bytes();
    let letters = || bytes.iter().filter(|byte| byte.is_ascii_alphabetic());
    let first = letters().next();
    // One letter over and over is unlikely, and no word.
    if bytes.iter().any(u8::is_ascii_digit) || letters().all(|byte| Some(byte) == first) {
        return false;
    }
    let words = bytes
        .split(|byte| !byte.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .count();
    let has_vowel = || bytes.iter().any(|byte| b"AEIOU".contains(byte));
    (words > 1 && has_vowel())
        || raw.chars().any(is_foreign) && !raw.chars().any(|c| c.is_ascii_alphabetic())
}

/// A text that no word of the table is.
struct Unspelt;

/// The letters and digits of a text, without marks above and below; `None` if there are none.
fn letters(raw: &str) -> Result<Option<DocumentNumber>, Unspelt> {
    let mut letters = [0; DocumentNumber::MAX_LEN];
    let mut length = 0;
    let mut push = |letter: u8| match letters.get_mut(length) {
        Some(slot) => {
            *slot = letter;
            length += 1;
            true
        }
        None => false,
    };
    for character in raw.chars() {
        let bare = base(character);
        let fits = match u8::try_from(bare.to_ascii_uppercase()) {
            Ok(letter) if letter.is_ascii_alphanumeric() => push(letter),
            _ => match fold(character).or_else(|| fold(bare)) {
                Some(spelling) => spelling.bytes().all(&mut push),
                // A letter of another script is part of a word that is not known here.
                None => !character.is_alphanumeric(),
            },
        };
        if !fits {
            return Err(Unspelt);
        }
    }
    Ok(DocumentNumber::from_normalised(
        letters.get(..length).unwrap_or_default(),
    ))
}

/// A first look that costs next to nothing: all placeholders but single characters have no digit but `0`.
#[inline]
fn may_be_one(number: &DocumentNumber) -> bool {
    const LOW: u64 = u64::from_le_bytes([0x0F; 8]);
    const CARRY: u64 = u64::from_le_bytes([0x10; 8]);
    let (words, _) = number.padded().as_chunks();
    // Of eight characters at once: digits lack the bit 0x40 that letters have, and of the digits only `0`, and what
    // stands past the end, have none of the low bits.
    let digits = words.iter().fold(0, |any, word| {
        let word = u64::from_le_bytes(*word);
        any | (((word & LOW) + LOW) & !(word >> 2) & CARRY)
    });
    digits == 0 || number.as_bytes().len() == 1
}

/// The most letters that are a word whatever they say. Each number known to be as short has a digit; random ones, of
/// which a few have none, are of eight characters and more (`format/table.rs`).
pub(in crate::document) const WORD_MAX: usize = 6;

fn is_one(number: &DocumentNumber) -> bool {
    let bytes = number.as_bytes();
    let is_short_word = || {
        bytes.len() <= WORD_MAX
            && bytes.iter().all(u8::is_ascii_alphabetic)
            && bytes.iter().any(|byte| Some(byte) != bytes.first())
    };
    bytes.len() == 1 || is_word_of_table(number) || is_short_word()
}

fn is_word_of_table(number: &DocumentNumber) -> bool {
    let bytes = number.as_bytes();
    bytes.iter().all(|&byte| byte == b'0')
        || bytes.iter().all(|&byte| byte == b'X')
        || KNOWN.contains(number)
}

/// The words of the table as they are when normalised, without marks above and below letters.
static KNOWN: LazyLock<HashSet<DocumentNumber>> = LazyLock::new(|| {
    WORDS
        .iter()
        .filter_map(|(word, _)| letters(word).ok().flatten())
        .collect()
});

/// Where a word was seen.
type Source = &'static str;

const PANDAS: Source = "pandas, read_csv, default na_values";
const PANDAS_TIME: Source = "pandas, a missing time";
const KOTLIN: Source = "Kotlin DataFrame, DEFAULT_DELIM_NULL_STRINGS";
const DATACITE: Source = "datacite/schema-docs appendix 3, standard values for unknown information";
const GBIF: Source = "gbif/pipelines issue 309, values in identifiers";
const GBIF_PARSERS: Source =
    "gbif/parsers dictionaries/parse/countryName.tsv, values seen that name no country";
const GBIF_POLISH: Source = "gbif/portal-feedback issue 4401, 50,000 records";
const VERTNET: Source = "tucotuco/DwCVocabs kurator/sex.txt, values seen in museums' records";
const RANCHERO: Source = "aofarrel/ranchero src/ranchero/statics/null_values.py";
const COGNITIVE: Source = "KleinerBaum/cognitivestaffing core/validation.py";
const PASSYUNK: Source = "CityOfPhiladelphia/passyunk issue 44";
const BRP: Source = "BRP-API/Haal-Centraal-BRP-bevragen issue 213, Dutch population register";
const ZURICH: Source = "openZH/ogd-handbook issue 16";
const DISIC: Source = "DISIC/observatoire issues 569 and 581";
const PREVARISC: Source = "SDIS62/prevarisc issue 35";
const HLIDAC: Source = "HlidacStatu/Hlidac-Statu issue 429";
const DIGIRISK: Source = "Evarisk/Digirisk pull request 3443";
const ODM: Source = "PHES-ODM/PHES-ODM issue 84";
const EXCEL: Source = "Microsoft Excel, error and truth values of cells";
const RUSSIA: Source = "column of the Russian list of invalid passports, where files were joined";
const UKRAINE: Source = "column of the Ukrainian list of lost passports, where files were joined";
/// What Evince 43, Nautilus 43 and Rhythmbox 3.4 show for a property that is not known or not there.
const GNOME: Source = "GNOME, translations of \"Unknown\" and \"None\"";

/// What is entered in place of a number, and where it was seen. Case and the marks of letters do not matter, nor does
/// what is dropped from numbers: `N/A`, `n.a.` and `NA` are one.
///
/// Short words are placeholders whether they stand here or not ([`WORD_MAX`]); those that do are surely no names, so
/// that they can be shown among the rejects.
#[rustfmt::skip] // one source a few lines: it is read and compared as a table
static WORDS: &[(&str, Source)] = &[
    ("NULL", PANDAS), ("N/A", PANDAS), ("N/A N/A", PANDAS), ("NaN", PANDAS), ("None", PANDAS), ("<NA>", PANDAS),
    ("NaT", PANDAS_TIME), ("NIL", KOTLIN),
    ("#REF!", EXCEL), ("#VALUE!", EXCEL), ("#NAME?", EXCEL), ("#NUM!", EXCEL), ("#DIV/0!", EXCEL), ("#SPILL!", EXCEL),
    ("TRUE", EXCEL), ("FALSE", EXCEL), ("WAHR", EXCEL), ("FALSCH", EXCEL),
    ("#WERT!", EXCEL), ("#BEZUG!", EXCEL), ("#NV", EXCEL), ("#ZAHL!", EXCEL), ("#VALEUR!", EXCEL), ("#ND", EXCEL),
    (":UNKN", DATACITE), (":UNAV", DATACITE), (":UNAS", DATACITE), (":UNAP", DATACITE), (":TBA", DATACITE),
    ("UNKNOWN", GBIF), ("NO NUMBER", GBIF), ("NO APLICA", GBIF), ("NO DISPONIBLE", GBIF), ("S.N.", GBIF), ("S/N", GBIF),
    ("ILLEGIBLE", GBIF_PARSERS), ("BLANK", GBIF_PARSERS), ("NO RECORD", GBIF_PARSERS), ("NOT GIVEN", GBIF_PARSERS),
    ("NOT REPORTED", GBIF_PARSERS), ("VARIOUS", GBIF_PARSERS),
    ("INDETERMINATE", VERTNET), ("INDETERMINADO", VERTNET), ("NOT FOUND", VERTNET), ("NOT LISTED", VERTNET), ("UNK", VERTNET),
    ("MISSING", RANCHERO), ("NO DATA", RANCHERO), ("NOT APPLICABLE", RANCHERO), ("NOT AVAILABLE", RANCHERO),
    ("NOT COLLECTED", RANCHERO), ("NOT DETERMINED", RANCHERO), ("NOT KNOWN", RANCHERO), ("NOT PRESENT", RANCHERO),
    ("NOT PROVIDED", RANCHERO), ("NOT RECORDED", RANCHERO), ("NOT SPECIFIED", RANCHERO), ("UNSPECIFIED", RANCHERO),
    ("TBD", COGNITIVE), ("TO BE DEFINED", COGNITIVE), ("k.A.", COGNITIVE), ("KEINE ANGABE", COGNITIVE), ("KEINE ANGABEN", COGNITIVE),
    ("NONE KNOWN", PASSYUNK), ("EMPTY", ODM), ("ABSENT", DIGIRISK),
    ("PASSP_NUMBER", RUSSIA), ("D_NUMBER", UKRAINE),
    // German, Dutch, Danish, Norwegian, Swedish.
    ("UNBEKANNT", ZURICH), ("KEIN", GNOME), ("KEINE", GNOME), ("KEINER", GNOME),
    ("ONBEKEND", BRP), ("GEEN", GNOME),
    ("UKENDT", GNOME), ("UKJENT", GNOME), ("OKÄND", GNOME), ("INGEN", GNOME), ("INGET", GNOME),
    // French, Spanish, Catalan, Portuguese, Italian, Romanian.
    ("NON RENSEIGNÉ", DISIC), ("NON RENSEIGNÉE", DISIC), ("SANS OBJET", DISIC), ("N/R", DISIC), ("NÉANT", PREVARISC),
    ("INCONNU", GNOME), ("INCONNUE", GNOME), ("AUCUN", GNOME),
    ("DESCONOCIDO", GNOME), ("NINGUNO", GNOME), ("NINGUNA", GNOME), ("DESCONEGUT", GNOME),
    ("DESCONHECIDO", GNOME), ("NENHUM", GNOME), ("SCONOSCIUTO", GNOME), ("NESSUNO", GNOME), ("CAMPO VUOTO", GNOME),
    ("NECUNOSCUT", GNOME), ("FĂRĂ", GNOME),
    // Czech, Slovak, Polish, Slovene, Croatian, Serbian.
    ("NEUVEDENO", HLIDAC), ("NEUVEDENA", HLIDAC), ("NEZNÁMO", GNOME), ("NEZNÁMÝ", GNOME), ("NEZNÁMA", GNOME), ("NEZNÁME", GNOME),
    ("ŽÁDNÝ", GNOME), ("ŽÁDNÉ", GNOME), ("ŽIADNE", GNOME), ("ŽIADNY", GNOME),
    ("BRAK", GBIF_POLISH), ("BRAK DANYCH", GBIF_POLISH), ("NIEZNANY", GNOME), ("NIEZNANA", GNOME),
    ("NEZNANO", GNOME), ("NI DOLOČENO", GNOME), ("NEPOZNATO", GNOME), ("NEPOZNAT", GNOME),
    // Russian, Ukrainian, Belarusian, Bulgarian, Macedonian, Serbian.
    ("НЕИЗВЕСТНО", GNOME), ("ОТСУТСТВУЕТ", GNOME), ("НЕТ", GNOME), ("НЕВІДОМО", GNOME), ("НЕМАЄ", GNOME),
    ("НЕВЯДОМА", GNOME), ("НЯМА", GNOME), ("НЕПОЗНАТ", GNOME), ("НЕПОЗНАТО", GNOME),
    // Hungarian, Finnish, Estonian, Latvian, Lithuanian, Turkish.
    ("ISMERETLEN", GNOME), ("NINCS", GNOME), ("TUNTEMATON", GNOME), ("EI MITÄÄN", GNOME),
    ("TEADMATA", GNOME), ("TUNDMATU", GNOME), ("PUUDUB", GNOME),
    ("NEZINĀMS", GNOME), ("NEŽINOMA", GNOME), ("NEŽINOMAS", GNOME), ("NĖRA", GNOME),
    ("BİLİNMİYOR", GNOME), ("BİLİNMEYEN", GNOME), ("HİÇBİRİ", GNOME), ("YOK", GNOME),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_by_itself() {
        for (word, source) in WORDS {
            assert!(is_known(word), "{word}");
            assert!(is_known(&format!("({})", word.to_lowercase())), "{word}");
            assert!(!source.is_empty());
        }
    }

    #[test]
    fn words_are_listed_once() {
        let distinct: HashSet<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(distinct.len(), WORDS.len());
    }
}
