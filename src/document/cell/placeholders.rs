//! What people and programs enter where they have no number.

use crate::document::characters::is_invisible;
use crate::document::transliteration::{base, fold};
use crate::document::{DocumentNumber, IssuingState, NumberError};
use std::collections::HashSet;
use std::sync::LazyLock;

/// The numbers that stand for "no number": the words of a table, runs of `0` or `X` of any length, single characters,
/// and those that a source adds; without the numbers that a State really issues.
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

    /// Whether a cell holds a placeholder, of a number or of anything else.
    pub fn is_cell(&self, raw: &str) -> bool {
        match DocumentNumber::from_cell(raw) {
            Ok(number) => self.contains(&number, None),
            Err(error) => error == NumberError::Placeholder,
        }
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

/// Whether a text without a number in it is a placeholder: a word of the table between whatever else (`#N/A`,
/// `(unknown)`, `k.A.`), or signs alone (`-`, `?`, `***`).
pub(super) fn is_word(raw: &str) -> bool {
    match letters(raw) {
        Ok(Some(word)) => may_be_one(&word) && is_one(&word),
        Ok(None) => raw
            .chars()
            .any(|character| !character.is_whitespace() && !is_invisible(character)),
        Err(Unspelt) => false,
    }
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

fn is_one(number: &DocumentNumber) -> bool {
    let bytes = number.as_bytes();
    bytes.len() == 1
        || bytes.iter().all(|&byte| byte == b'0')
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
const KOTLIN: Source = "Kotlin DataFrame, DEFAULT_DELIM_NULL_STRINGS";
const CATBOOST: Source = "CatBoost documentation, missing values";
const GBIF: Source = "gbif/pipelines issue 309, values in identifiers";
const GBIF_POLISH: Source = "gbif/portal-feedback issue 4401, 50,000 records";
const RANCHERO: Source = "aofarrel/ranchero src/statics/null_values.py";
const COGNITIVE: Source = "KleinerBaum/cognitivestaffing core/validation.py";
const PASSYUNK: Source = "CityOfPhiladelphia/passyunk issue 44";
const BRP: Source = "BRP-API/Haal-Centraal-BRP-bevragen issue 213, Dutch population register";
const ZURICH: Source = "openZH/ogd-handbook issue 16";
const DISIC: Source = "DISIC/observatoire issues 569 and 581";
const PREVARISC: Source = "SDIS62/prevarisc issue 35";
const HLIDAC: Source = "HlidacStatu/Hlidac-Statu issue 429";
const DIGIRISK: Source = "Evarisk/Digirisk pull request 3443";
const ODM: Source = "PHES-ODM/PHES-ODM issue 84";
const EXCEL: Source = "Microsoft Excel, error values of cells";
/// Everyday words for "unknown", "none" or "without" and the like. No published list has been found with them yet;
/// whoever sees one puts it here.
const NOT_SEEN: Source = "no published list so far: an everyday word";

/// What is entered in place of a number, and where it was seen, if it was. Case and the marks of letters do not matter, nor does
/// what is dropped from numbers: `N/A`, `n.a.` and `NA` are one.
///
/// A word is listed only if no State issues a number like it: numbers hold digits.
#[rustfmt::skip] // one entry a row: it is read and compared as a table
static WORDS: &[(&str, Source)] = &[
    ("NULL", PANDAS), ("N/A", PANDAS), ("N/A N/A", PANDAS), ("NaN", PANDAS), ("None", PANDAS), ("<NA>", PANDAS),
    ("NIL", KOTLIN),
    ("-IND", PANDAS), ("-QNAN", PANDAS),
    ("NaT", PANDAS),
    ("#REF!", EXCEL), ("#VALUE!", EXCEL), ("#NAME?", EXCEL), ("#NUM!", EXCEL), ("#DIV/0!", EXCEL), ("#SPILL!", EXCEL),
    ("TRUE", EXCEL), ("FALSE", EXCEL), ("WAHR", EXCEL), ("FALSCH", EXCEL),
    ("#WERT!", EXCEL), ("#BEZUG!", EXCEL), ("#NV", EXCEL), ("#ZAHL!", EXCEL), ("#VALEUR!", EXCEL), ("#ND", EXCEL),
    ("UNKNOWN", GBIF), ("NO NUMBER", GBIF), ("NO APLICA", GBIF), ("NO DISPONIBLE", GBIF), ("S.N.", GBIF), ("S/N", GBIF),
    ("EMPTY", ODM), ("MISSING", RANCHERO), ("NO DATA", RANCHERO), ("NOT APPLICABLE", RANCHERO), ("NOT AVAILABLE", RANCHERO),
    ("NOT COLLECTED", RANCHERO), ("NOT PROVIDED", RANCHERO), ("NOT SPECIFIED", RANCHERO), ("UNSPECIFIED", RANCHERO),
    ("TBD", COGNITIVE), ("TO BE DEFINED", COGNITIVE), ("k.A.", COGNITIVE), ("KEIN", COGNITIVE), ("KEINE", COGNITIVE),
    ("NONE KNOWN", PASSYUNK), ("UNDEFINED", CATBOOST),
    ("UNK", NOT_SEEN), ("UNKN", NOT_SEEN), ("NOT KNOWN", NOT_SEEN), ("NO", NOT_SEEN), ("NO PASSPORT", NOT_SEEN), ("NO DOCUMENT", NOT_SEEN),
    ("WITHOUT", NOT_SEEN), ("WITHOUT NUMBER", NOT_SEEN), ("UNNUMBERED", NOT_SEEN), ("ILLEGIBLE", NOT_SEEN), ("UNREADABLE", NOT_SEEN),
    ("TEST", NOT_SEEN), ("TESTING", NOT_SEEN), ("DUMMY", NOT_SEEN), ("EXAMPLE", NOT_SEEN), ("SAMPLE", NOT_SEEN), ("SPECIMEN", NOT_SEEN),
    ("TBA", NOT_SEEN), ("TBC", NOT_SEEN), ("PENDING", NOT_SEEN), ("ABSENT", DIGIRISK), ("BLANK", NOT_SEEN), ("DELETED", NOT_SEEN),
    // The name of the column, where files with a header each were joined into one.
    ("NUMBER", NOT_SEEN), ("DOCUMENT NUMBER", NOT_SEEN), ("PASSPORT NUMBER", NOT_SEEN), ("PASSPORT NO", NOT_SEEN), ("PASSP_NUMBER", NOT_SEEN), ("D_NUMBER", NOT_SEEN),
    // German.
    ("UNBEKANNT", ZURICH), ("KEINE ANGABE", COGNITIVE), ("KEINE ANGABEN", COGNITIVE), ("OHNE", NOT_SEEN), ("OHNE NUMMER", NOT_SEEN), ("FEHLT", NOT_SEEN),
    ("ENTFÄLLT", NOT_SEEN), ("NICHT BEKANNT", NOT_SEEN), ("NICHT VORHANDEN", NOT_SEEN), ("KEINE NUMMER", NOT_SEEN), ("UNLESERLICH", NOT_SEEN),
    // Dutch.
    ("ONBEKEND", BRP), ("GEEN", NOT_SEEN), ("NVT", NOT_SEEN),
    // French.
    ("NON RENSEIGNÉ", DISIC), ("NON RENSEIGNÉE", DISIC), ("SANS OBJET", DISIC), ("NÉANT", PREVARISC), ("INCONNU", NOT_SEEN), ("INCONNUE", NOT_SEEN), ("SANS", NOT_SEEN), ("SANS NUMÉRO", NOT_SEEN),
    ("AUCUN", NOT_SEEN), ("AUCUNE", NOT_SEEN), ("N/R", DISIC),
    // Spanish, Portuguese, Italian, Romanian.
    ("DESCONOCIDO", NOT_SEEN), ("DESCONOCIDA", NOT_SEEN), ("SIN NÚMERO", NOT_SEEN), ("SIN DATOS", NOT_SEEN), ("NINGUNO", NOT_SEEN),
    ("DESCONHECIDO", NOT_SEEN), ("DESCONHECIDA", NOT_SEEN), ("SEM NÚMERO", NOT_SEEN),
    ("SCONOSCIUTO", NOT_SEEN), ("SCONOSCIUTA", NOT_SEEN), ("IGNOTO", NOT_SEEN), ("NESSUNO", NOT_SEEN), ("SENZA NUMERO", NOT_SEEN), ("N.D.", NOT_SEEN), ("N.N.", NOT_SEEN),
    ("NECUNOSCUT", NOT_SEEN), ("NECUNOSCUTĂ", NOT_SEEN), ("FĂRĂ", NOT_SEEN),
    // Czech, Slovak, Polish, Slovene, Croatian, Serbian.
    ("NEUVEDENO", HLIDAC), ("NEUVEDENA", HLIDAC), ("NEZNÁMÝ", NOT_SEEN), ("NEZNÁMÉ", NOT_SEEN), ("NEZNÁMÁ", NOT_SEEN), ("NEZNÁMO", NOT_SEEN), ("NENÍ", NOT_SEEN), ("BEZ ČÍSLA", NOT_SEEN), ("NEZJIŠTĚNO", NOT_SEEN),
    ("NEZNÁMY", NOT_SEEN), ("NEZNÁMA", NOT_SEEN), ("NEUVEDENÉ", NOT_SEEN), ("NEZISTENÉ", NOT_SEEN), ("BEZ", NOT_SEEN),
    ("BRAK", GBIF_POLISH), ("BRAK DANYCH", GBIF_POLISH), ("NIEZNANY", NOT_SEEN), ("NIEZNANA", NOT_SEEN), ("NIEZNANE", NOT_SEEN), ("NIE DOTYCZY", NOT_SEEN), ("NIE MA", NOT_SEEN), ("BEZ NUMERU", NOT_SEEN),
    ("NEZNAN", NOT_SEEN), ("NEZNANO", NOT_SEEN), ("NEPOZNATO", NOT_SEEN), ("NEPOZNAT", NOT_SEEN), ("NEMA", NOT_SEEN), ("НЕПОЗНАТО", NOT_SEEN), ("НЕМА", NOT_SEEN),
    // Russian, Ukrainian, Belarusian, Bulgarian.
    ("НЕИЗВЕСТНО", NOT_SEEN), ("НЕИЗВЕСТЕН", NOT_SEEN), ("НЕИЗВЕСТНЫЙ", NOT_SEEN), ("НЕТ", NOT_SEEN), ("НЕТ ДАННЫХ", NOT_SEEN), ("БЕЗ НОМЕРА", NOT_SEEN), ("Б/Н", NOT_SEEN), ("ОТСУТСТВУЕТ", NOT_SEEN), ("НЕ УКАЗАН", NOT_SEEN),
    ("НЕВІДОМО", NOT_SEEN), ("НЕВІДОМИЙ", NOT_SEEN), ("НЕМАЄ", NOT_SEEN), ("ВІДСУТНІЙ", NOT_SEEN), ("НЕ ВКАЗАНО", NOT_SEEN), ("НЯМА", NOT_SEEN), ("НЕВЯДОМА", NOT_SEEN),
    // Hungarian, Finnish, Estonian, Latvian, Lithuanian, Nordic languages, Turkish, Greek.
    ("ISMERETLEN", NOT_SEEN), ("NINCS", NOT_SEEN), ("TUNTEMATON", NOT_SEEN), ("TEADMATA", NOT_SEEN), ("PUUDUB", NOT_SEEN), ("NEZINĀMS", NOT_SEEN), ("NEZINĀMA", NOT_SEEN), ("NAV", NOT_SEEN), ("NEŽINOMA", NOT_SEEN), ("NEŽINOMAS", NOT_SEEN), ("NĖRA", NOT_SEEN),
    ("OKÄND", NOT_SEEN), ("UKENDT", NOT_SEEN), ("UKJENT", NOT_SEEN), ("INGEN", NOT_SEEN), ("SAKNAS", NOT_SEEN), ("BİLİNMİYOR", NOT_SEEN), ("BİLİNMEYEN", NOT_SEEN), ("YOK", NOT_SEEN), ("AGNOSTO", NOT_SEEN),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_by_itself() {
        for (word, source) in WORDS {
            assert!(is_word(word), "{word}");
            assert!(is_word(&format!("({})", word.to_lowercase())), "{word}");
            assert!(!source.is_empty());
        }
    }

    #[test]
    fn words_are_listed_once() {
        let distinct: HashSet<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(distinct.len(), WORDS.len());
    }
}
