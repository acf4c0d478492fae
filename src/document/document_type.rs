//! Document types and which of them can name the same document.

use super::words::Word;

/// The type of a travel document. The discriminants are the codes stored in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DocumentType {
    /// A passport for travel abroad.
    Passport = 1,
    /// A passport for use inside the issuing State only.
    DomesticPassport = 2,
    /// An identity card.
    IdentityCard = 3,
    /// A visa.
    Visa = 4,
    /// A residence permit.
    ResidencePermit = 5,
    /// A refugee's or stateless person's travel document.
    RefugeeTravelDocument = 6,
    /// An emergency travel document.
    EmergencyTravelDocument = 7,
    /// A seafarer's identity document.
    SeafarersDocument = 8,
    /// A laissez-passer.
    LaissezPasser = 9,
    /// Anything else.
    Other = 10,
}

/// The names, in order of the codes.
const NAMES: [&str; 10] = [
    "passport",
    "domestic_passport",
    "identity_card",
    "visa",
    "residence_permit",
    "refugee_travel_document",
    "emergency_travel_document",
    "seafarers_document",
    "laissez_passer",
    "other",
];

/// The words for a type in lists and on forms, without case, blanks and hyphens, and the letters of Doc 9303 parts 4 to
/// 7, which passenger lists use as well (WCO/IATA/ICAO guidelines on advance passenger information).
#[rustfmt::skip] // one type a few lines
const SPELLINGS: [(DocumentType, &[&str]); 10] = [
    (DocumentType::Passport, &[
        "p", "pp", "pd", "po", "passport", "passports", "pass", "epassport", "passportbook", "ordinarypassport",
        "nationalpassport", "diplomaticpassport", "officialpassport", "servicepassport", "travelpassport", "reisepass",
        "passeport", "pasaporte", "passaporto",
    ]),
    (DocumentType::DomesticPassport, &["domesticpassport", "internalpassport"]),
    (DocumentType::IdentityCard, &[
        "i", "a", "c", "id", "ic", "ip", "ac", "identitycard", "identitycards", "idcard", "identificationcard",
        "nationalidentitycard", "nationalidcard", "nationalid", "eid", "eidcard", "identitydocument", "iddocument",
        "passportcard", "personalausweis",
    ]),
    (DocumentType::Visa, &["v", "visa", "visas", "visasticker"]),
    (DocumentType::ResidencePermit, &[
        "residencepermit", "residencepermits", "residentpermit", "residencecard", "residentcard",
        "residencepermitcard", "residencetitle", "permanentresidentcard", "aufenthaltstitel",
    ]),
    (DocumentType::RefugeeTravelDocument, &[
        "refugeetraveldocument", "refugeestraveldocument", "refugeedocument", "refugeepassport",
        "conventiontraveldocument", "statelesstraveldocument", "traveldocumentforrefugees",
    ]),
    (DocumentType::EmergencyTravelDocument, &[
        "emergencytraveldocument", "emergencydocument", "emergencypassport", "emergencytravelcertificate", "etd",
    ]),
    (DocumentType::SeafarersDocument, &[
        "seafarersdocument", "seafarerdocument", "seafarersidentitydocument", "seafareridentitydocument",
        "seafarersid", "seamansbook", "seamanbook", "seafarersbook",
    ]),
    (DocumentType::LaissezPasser, &["laissezpasser", "unlaissezpasser"]),
    (DocumentType::Other, &["other", "others", "otherdocument"]),
];

/// Which types can name the same document. Row: asked about; column: reported; both in
/// order of the codes.
///
/// Zones and lists are coarser than these types, so a coarse word on one side must meet
/// the finer one on the other, while two fine words that differ are two documents:
///
/// - In the zone `P` leads every booklet whatever letter follows (Doc 9303 part 4),
///   those of refugees and stateless persons (guide of ICAO and UNHCR on machine-readable
///   Convention travel documents), emergency documents (Doc 9303 part 8) and
///   laissez-passers included. So `passport` can be each of them, and none of them
///   another.
/// - In the zone `A`, `C` and `I` lead every card (Doc 9303 parts 5 and 6; `AC` is kept for
///   crew members), so `identity_card` can be a residence permit or a seafarer's document,
///   and neither of those the other.
/// - A domestic passport is a card or booklet without travel function. Lists that know no
///   domestic passports call it an identity card, and newer ones are printed as such with
///   `I` (Ukraine). It is never a passport: where a State has both, equal numbers are two
///   documents.
/// - A visa has a zone of its own, `V` (Doc 9303 part 7).
/// - `other` says nothing and can be all.
///
/// Every pair holds both ways.
#[rustfmt::skip]
const COMPATIBLE: [[u8; 10]; 10] = [
    //                              pass dom  card visa perm refu emer seaf lais oth
    /* passport                  */ [1,   0,   0,   0,   0,   1,   1,   0,   1,   1],
    /* domestic_passport         */ [0,   1,   1,   0,   0,   0,   0,   0,   0,   1],
    /* identity_card             */ [0,   1,   1,   0,   1,   0,   0,   1,   0,   1],
    /* visa                      */ [0,   0,   0,   1,   0,   0,   0,   0,   0,   1],
    /* residence_permit          */ [0,   0,   1,   0,   1,   0,   0,   0,   0,   1],
    /* refugee_travel_document   */ [1,   0,   0,   0,   0,   1,   0,   0,   0,   1],
    /* emergency_travel_document */ [1,   0,   0,   0,   0,   0,   1,   0,   0,   1],
    /* seafarers_document        */ [0,   0,   1,   0,   0,   0,   0,   1,   0,   1],
    /* laissez_passer            */ [1,   0,   0,   0,   0,   0,   0,   0,   1,   1],
    /* other                     */ [1,   1,   1,   1,   1,   1,   1,   1,   1,   1],
];

impl DocumentType {
    /// Every type, in order of its code.
    pub const ALL: [Self; 10] = [
        Self::Passport,
        Self::DomesticPassport,
        Self::IdentityCard,
        Self::Visa,
        Self::ResidencePermit,
        Self::RefugeeTravelDocument,
        Self::EmergencyTravelDocument,
        Self::SeafarersDocument,
        Self::LaissezPasser,
        Self::Other,
    ];

    /// The code stored in segments, 1 to 10.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The type of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// The name in lists and on command lines: `identity_card`.
    pub fn name(self) -> &'static str {
        NAMES[self.row()]
    }

    /// The type that a [`name`](Self::name) or another usual word stands for: in whatever
    /// case, with blanks, hyphens or underscores between its parts (`identity-card`, `ID
    /// card`), or the letter of Doc 9303 and of passenger lists (`P`, `V`, `I`, `A`, `C`),
    /// which says what it says in a zone.
    pub fn from_name(name: &str) -> Option<Self> {
        let exact = Self::ALL
            .into_iter()
            .find(|t| t.name().eq_ignore_ascii_case(name));
        exact.or_else(|| {
            let word = Word::new(name)?;
            let known = SPELLINGS
                .iter()
                .find(|(_, words)| words.contains(&word.as_str()));
            known.map(|&(document_type, _)| document_type)
        })
    }

    /// Whether a document asked about as `self` can be the one reported as `reported`,
    /// given that zones and lists use coarser types: a zone that begins with `P` may
    /// belong to a refugee's travel document. Symmetric; not transitive.
    pub fn compatible_with(self, reported: Self) -> bool {
        COMPATIBLE[self.row()][reported.row()] != 0
    }

    /// Whether this word is so coarse that a document of type `finer` may be called by it: `other` covers every type,
    /// `passport` the other booklets of a zone that begins with `P`, `identity_card` the other cards. No type covers
    /// itself. Unlike [`compatible_with`](Self::compatible_with) this holds one way only.
    pub fn covers(self, finer: Self) -> bool {
        match self {
            Self::Other => finer != Self::Other,
            Self::Passport => matches!(
                finer,
                Self::RefugeeTravelDocument | Self::EmergencyTravelDocument | Self::LaissezPasser
            ),
            Self::IdentityCard => matches!(
                finer,
                Self::DomesticPassport | Self::ResidencePermit | Self::SeafarersDocument
            ),
            _ => false,
        }
    }

    fn row(self) -> usize {
        usize::from(self.code()) - 1
    }
}

impl std::fmt::Display for DocumentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::DocumentType::{self, *};

    #[test]
    fn codes_and_names_lead_back() {
        for (at, t) in DocumentType::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(t.code()), at + 1);
            assert_eq!(DocumentType::from_code(t.code()), Some(t));
            assert_eq!(DocumentType::from_name(t.name()), Some(t));
            assert_eq!(DocumentType::from_name(&t.name().to_uppercase()), Some(t));
        }
        for code in [0, 11, 255] {
            assert_eq!(DocumentType::from_code(code), None);
        }
        for name in [
            "",
            "passport?",
            "card",
            "X",
            "PV",
            "passport 2",
            "lost",
            "identity,card",
        ] {
            assert_eq!(DocumentType::from_name(name), None, "{name}");
        }
        for (name, expected) in [
            ("P", Passport),
            ("p", Passport),
            ("P<", Passport),
            ("V", Visa),
            ("I", IdentityCard),
            ("A", IdentityCard),
            ("C", IdentityCard),
            ("ID", IdentityCard),
            ("identity-card", IdentityCard),
            ("Identity Card", IdentityCard),
            ("ID card", IdentityCard),
            ("IDENTITY\u{2011}CARD", IdentityCard),
            ("residence permit", ResidencePermit),
            ("Residence-Permit", ResidencePermit),
            ("refugee travel document", RefugeeTravelDocument),
            ("seafarer's document", SeafarersDocument),
            ("laissez-passer", LaissezPasser),
            ("domestic passport", DomesticPassport),
            ("emergency travel document", EmergencyTravelDocument),
            ("\u{feff}passport", Passport),
            ("ｐａｓｓｐｏｒｔ", Passport),
            ("Other", Other),
        ] {
            assert_eq!(DocumentType::from_name(name), Some(expected), "{name}");
        }
        for t in DocumentType::ALL {
            let spaced = t.name().replace('_', " ");
            assert_eq!(DocumentType::from_name(&spaced), Some(t));
        }
        assert_eq!(
            EmergencyTravelDocument.to_string(),
            "emergency_travel_document"
        );
    }

    #[test]
    fn a_coarse_type_covers_the_finer_ones() {
        for coarse in DocumentType::ALL {
            for fine in DocumentType::ALL {
                // Whatever can be the same document is equal, or one word covers the other.
                let covered = coarse.covers(fine) || fine.covers(coarse);
                assert_eq!(
                    coarse.compatible_with(fine),
                    coarse == fine || covered,
                    "{coarse}, {fine}"
                );
                assert!(!(coarse.covers(fine) && fine.covers(coarse)));
            }
        }
        assert!(Other.covers(Visa) && Passport.covers(RefugeeTravelDocument));
        assert!(!Passport.covers(IdentityCard) && !Visa.covers(Other));
    }

    #[test]
    fn which_types_can_be_one_document() {
        // Written as pairs of a coarse and a fine word, the way the table is argued.
        let related = [
            (Passport, RefugeeTravelDocument),
            (Passport, EmergencyTravelDocument),
            (Passport, LaissezPasser),
            (IdentityCard, DomesticPassport),
            (IdentityCard, ResidencePermit),
            (IdentityCard, SeafarersDocument),
        ];
        for a in DocumentType::ALL {
            for b in DocumentType::ALL {
                let expected = a == b
                    || a == Other
                    || b == Other
                    || related.contains(&(a, b))
                    || related.contains(&(b, a));
                assert_eq!(a.compatible_with(b), expected, "{a} asked, {b} reported");
                assert_eq!(a.compatible_with(b), b.compatible_with(a), "{a} and {b}");
            }
        }
    }
}
