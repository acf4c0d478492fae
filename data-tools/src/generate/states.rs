//! Who reports documents, how many, and what their numbers look like.
//!
//! No table of records by State is published. The weights here are estimates that hang on what is
//! public: about half of all records are not passports (INTERPOL, July 2009: 10.5 of 19 million were);
//! 174 to 179 States contribute; European States, who report every loss, contribute most; Germany
//! missed 1.15 million passports at the end of 2013, ten years' stock (Federal Ministry of the
//! Interior); Ukraine lists 2.9 million domestic passports and 0.2 million for travel, Czechia
//! 852,000 identity cards without a series (both as open data); Slovakia lost 30,000 passports and
//! 50,000 cards in 2021; Turkey cancelled 300,000 passports since 2016. Elsewhere population times
//! documents a head times a guess at how regularly the State reports.
//!
//! Shapes of passports are those of public format lists (validator.js `isPassportNumber`, corrected
//! where its issues say so, and national notices); those of cards, permits and visas are public for
//! some States and plausible stand-ins for the others. Shapes of one State never overlap, so that a
//! number says which kind of document it is; equal ones share a shape in disjoint parts.

use sltd::document::DocumentType::{self, *};

/// The kinds of documents of a State: type, weight among its documents, shape (see `Shape`).
pub(super) type Documents = &'static [(DocumentType, u32, &'static str)];

/// One State of the table: Doc 9303 code, weight among all, its documents.
pub(super) type StateRow = (&'static str, u32, Documents);

/// States without an entry of their own follow one of these.
const SMALL_A: Documents = &[
    (Passport, 55, "ln7"),
    (IdentityCard, 35, "n10"),
    (ResidencePermit, 6, "l2n6"),
    (EmergencyTravelDocument, 4, "En6"),
];
const SMALL_B: Documents = &[
    (Passport, 50, "l2n7"),
    (IdentityCard, 38, "n9"),
    (Visa, 12, "n8"),
];
const SMALL_C: Documents = &[
    (Passport, 60, "n9"),
    (IdentityCard, 30, "n8"),
    (ResidencePermit, 8, "ln8"),
    (SeafarersDocument, 2, "Sn6"),
];
const SMALL_D: Documents = &[
    (Passport, 50, "ln8"),
    (IdentityCard, 42, "n12"),
    (Visa, 6, "ln7"),
    (RefugeeTravelDocument, 2, "RTn6"),
];
const SMALL_E: Documents = &[
    (Passport, 70, "l2n6"),
    (IdentityCard, 20, "n11"),
    (Visa, 10, "l3n6"),
];

/// The States of the list, largest first, weights about a ten-thousandth each.
#[rustfmt::skip] // One State a line is how a table is read.
pub(super) const WORLD: &[StateRow] = &[
    ("ITA", 780, &[(Passport, 22, "l2n7"), (IdentityCard, 50, "Cln5l2"), (IdentityCard, 18, "l2n5"),
        (ResidencePermit, 7, "In8"), (Visa, 3, "n9")]),
    ("FRA", 760, &[(Passport, 36, "n2l2n5"), (IdentityCard, 44, "n12"), (IdentityCard, 6, "x9l"),
        (ResidencePermit, 10, "n10"), (Visa, 3, "n9"), (RefugeeTravelDocument, 1, "l2n6")]),
    ("D", 720, &[(Passport, 34, "pg8"), (IdentityCard, 52, "qg8"), (ResidencePermit, 6, "n10"),
        (EmergencyTravelDocument, 3, "An7"), (Visa, 3, "n9"), (RefugeeTravelDocument, 2, "Zg8")]),
    ("GBR", 620, &[(Passport, 86, "n9"), (Visa, 5, "n8"), (ResidencePermit, 7, "l2n7"),
        (EmergencyTravelDocument, 1, "En7"), (RefugeeTravelDocument, 1, "Tn7")]),
    ("USA", 580, &[(Passport, 72, "n9"), (Passport, 9, "ln8"), (ResidencePermit, 9, "l3n10"),
        (Visa, 9, "ln7"), (RefugeeTravelDocument, 1, "Tn9")]),
    ("ESP", 520, &[(Passport, 24, "l3n6"), (IdentityCard, 66, "n8l"), (ResidencePermit, 9, "En8"), (Visa, 1, "n9")]),
    ("UKR", 420, &[(DomesticPassport, 44, "u2n6"), (Passport, 13, "Fln6"), (Passport, 9, "Gln6"),
        (IdentityCard, 33, "n9"), (Visa, 1, "n8")]),
    ("POL", 340, &[(Passport, 24, "l2n7"), (IdentityCard, 72, "l3#n5"),
        (ResidencePermit, 3, "Pn8"), (Visa, 1, "n9")]),
    ("ROU", 300, &[(Passport, 30, "n9"), (IdentityCard, 66, "l2n6"), (ResidencePermit, 3, "ln7"), (Visa, 1, "n8")]),
    ("TUR", 280, &[(Passport, 58, "ln8"), (IdentityCard, 36, "ln2ln5"),
        (ResidencePermit, 4, "n10"), (SeafarersDocument, 2, "n7")]),
    ("CAN", 240, &[(Passport, 68, "l2n6"), (Passport, 8, "ln6l2"), (ResidencePermit, 20, "l2n7"), (Visa, 4, "ln9")]),
    ("NLD", 230, &[(Passport, 46, "l2x6n"), (IdentityCard, 48, "l2x6n"), (ResidencePermit, 6, "n9")]),
    ("BEL", 220, &[(Passport, 22, "l2n6"), (IdentityCard, 66, "n10%"), (ResidencePermit, 12, "Bn9")]),
    ("CHN", 220, &[(Passport, 30, "Gn8"), (Passport, 24, "En8"), (Passport, 30, "Een7"),
        (Passport, 4, "PEn7"), (SeafarersDocument, 4, "An8"), (Other, 8, "Cn8")]),
    ("IND", 200, &[(Passport, 84, "ln7"), (Visa, 8, "l2n7"),
        (IdentityCard, 6, "n12"), (SeafarersDocument, 2, "l3n6")]),
    ("BRA", 190, &[(Passport, 52, "l2n6"), (IdentityCard, 44, "n9"), (ResidencePermit, 4, "ln6l")]),
    ("CZE", 180, &[(Passport, 22, "n8"), (IdentityCard, 70, "n9"),
        (ResidencePermit, 7, "l2n7"), (EmergencyTravelDocument, 1, "CDn6")]),
    ("CHE", 170, &[(Passport, 50, "ln7"), (IdentityCard, 42, "En7x"),
        (ResidencePermit, 7, "n9"), (RefugeeTravelDocument, 1, "RSn6")]),
    ("AUS", 160, &[(Passport, 90, "ln7"), (Visa, 7, "n13"), (RefugeeTravelDocument, 3, "l2n7")]),
    ("MEX", 150, &[(Passport, 58, "ln8"), (IdentityCard, 38, "n13"), (Visa, 4, "n9")]),
    ("JPN", 150, &[(Passport, 78, "l2n7"), (ResidencePermit, 20, "l2n8l2"), (EmergencyTravelDocument, 2, "l2n6")]),
    ("KOR", 140, &[(Passport, 40, "Mn8"), (Passport, 14, "Sn8"),
        (IdentityCard, 42, "n13"), (SeafarersDocument, 4, "PSn7")]),
    ("ARG", 140, &[(Passport, 40, "l3n6"), (IdentityCard, 58, "n8"), (Visa, 2, "n7")]),
    ("SWE", 140, &[(Passport, 64, "n8"), (IdentityCard, 26, "Wn8"),
        (ResidencePermit, 8, "n9"), (RefugeeTravelDocument, 2, "Xn7")]),
    ("AUT", 140, &[(Passport, 52, "ln7"), (IdentityCard, 36, "n8"), (ResidencePermit, 10, "ln8"), (Visa, 2, "n9")]),
    ("PRT", 130, &[(Passport, 34, "ln6"), (IdentityCard, 58, "n9l2n"), (ResidencePermit, 8, "n9")]),
    ("RUS", 130, &[(Passport, 60, "n9"), (DomesticPassport, 36, "n10"),
        (SeafarersDocument, 2, "RUSn7"), (Visa, 2, "n8")]),
    ("GRC", 130, &[(Passport, 34, "l2n7"), (IdentityCard, 58, "l2n6"),
        (ResidencePermit, 7, "l3n6"), (SeafarersDocument, 1, "Sn7")]),
    ("HUN", 120, &[(Passport, 34, "l2n6"), (IdentityCard, 60, "n6l2"), (ResidencePermit, 6, "l2n7")]),
    ("SVK", 110, &[(Passport, 34, "xn7"), (IdentityCard, 62, "l2n6"), (ResidencePermit, 4, "l2n7")]),
    ("DNK", 90, &[(Passport, 88, "n9"), (ResidencePermit, 10, "l2n7"), (RefugeeTravelDocument, 2, "Dn7")]),
    ("FIN", 90, &[(Passport, 58, "l2n7"), (IdentityCard, 34, "n8l"),
        (ResidencePermit, 7, "ln7"), (SeafarersDocument, 1, "n6")]),
    ("NOR", 90, &[(Passport, 72, "n8"), (ResidencePermit, 20, "l2n7"),
        (Visa, 5, "n9"), (RefugeeTravelDocument, 3, "l3n6")]),
    ("IRL", 90, &[(Passport, 88, "x2n7"), (ResidencePermit, 10, "l3n6l"), (Visa, 2, "n8")]),
    ("BGR", 90, &[(Passport, 34, "n9"), (IdentityCard, 58, "l2n7"), (ResidencePermit, 8, "n8")]),
    ("HRV", 80, &[(Passport, 40, "n9"), (IdentityCard, 54, "n8"), (ResidencePermit, 6, "l2n7")]),
    ("IRN", 80, &[(Passport, 72, "ln8"), (IdentityCard, 28, "n10")]),
    ("ISR", 80, &[(Passport, 66, "n8"), (IdentityCard, 28, "n9"), (Other, 6, "n7")]),
    ("ZAF", 80, &[(Passport, 40, "An8"), (Passport, 20, "Mn8"), (IdentityCard, 36, "n13"), (Visa, 4, "l3n6")]),
    ("COL", 80, &[(Passport, 60, "l2n6"), (IdentityCard, 40, "n10")]),
    ("MYS", 80, &[(Passport, 50, "An8"), (Passport, 20, "Hn8"), (Passport, 10, "Kn8"), (IdentityCard, 20, "n12")]),
    ("PHL", 80, &[(Passport, 70, "ln7l"), (Passport, 10, "ln6"), (SeafarersDocument, 20, "l2n7")]),
    ("PAK", 80, &[(Passport, 60, "l2n7"), (IdentityCard, 38, "n13"), (Visa, 2, "n8")]),
    ("IDN", 70, &[(Passport, 30, "An7"), (Passport, 30, "Bn7"),
        (Passport, 30, "Cn7"), (SeafarersDocument, 10, "ln6")]),
    ("THA", 70, &[(Passport, 40, "ln7"), (Passport, 40, "l2n7"), (IdentityCard, 20, "n13")]),
    ("VNM", 70, &[(Passport, 66, "ln8"), (Passport, 14, "ln7"), (IdentityCard, 20, "n12")]),
    ("EGY", 70, &[(Passport, 78, "ln8"), (IdentityCard, 20, "n14"), (Other, 2, "n7")]),
    ("MAR", 70, &[(Passport, 50, "l2n7"), (IdentityCard, 48, "l2n6"), (ResidencePermit, 2, "ln6l")]),
    ("DZA", 70, &[(Passport, 60, "n9"), (IdentityCard, 40, "n18")]),
    ("TWN", 60, &[(Passport, 86, "n9"), (ResidencePermit, 14, "l2n8")]),
    ("LTU", 60, &[(Passport, 46, "n8"), (IdentityCard, 48, "l2n6"), (ResidencePermit, 6, "l2n7")]),
    ("LVA", 50, &[(Passport, 60, "x2n7"), (IdentityCard, 36, "l3n6"), (Other, 4, "n8")]),
    ("EST", 50, &[(Passport, 46, "l2n7"), (IdentityCard, 50, "x2n7x"), (ResidencePermit, 4, "RPn6")]),
    ("SVN", 50, &[(Passport, 40, "Pln7"), (IdentityCard, 58, "n9"), (ResidencePermit, 2, "l2n6")]),
    ("SRB", 60, &[(Passport, 60, "n9"), (IdentityCard, 38, "n8"), (Visa, 2, "ln7")]),
    ("BLR", 50, &[(Passport, 90, "l2n7"), (ResidencePermit, 8, "l2n6"), (RefugeeTravelDocument, 2, "ln6")]),
    ("KAZ", 60, &[(Passport, 46, "Nn8"), (IdentityCard, 52, "n9"), (ResidencePermit, 2, "ln7")]),
    ("UZB", 60, &[(Passport, 70, "l2n7"), (IdentityCard, 30, "l2n8")]),
    ("GEO", 40, &[(Passport, 56, "n2l2n5"), (IdentityCard, 44, "n2l3n4")]),
    ("MDA", 40, &[(Passport, 60, "l2n7"), (IdentityCard, 40, "n13")]),
    ("ARM", 30, &[(Passport, 76, "l2n7"), (IdentityCard, 24, "n9")]),
    ("AZE", 40, &[(Passport, 50, "ln8"), (IdentityCard, 50, "l2n7")]),
    ("ISL", 12, &[(Passport, 94, "An7"), (ResidencePermit, 6, "l2n6")]),
    ("LUX", 20, &[(Passport, 50, "l2x6"), (IdentityCard, 48, "l2n8"), (ResidencePermit, 2, "n9")]),
    ("CYP", 20, &[(Passport, 50, "Kn8"), (Passport, 10, "ln6"), (IdentityCard, 40, "n10")]),
    ("MLT", 16, &[(Passport, 60, "n7"), (IdentityCard, 38, "n7l"), (Visa, 2, "n9")]),
    ("LIE", 4, &[(Passport, 60, "ln5"), (IdentityCard, 40, "l2n7")]),
    ("NZL", 60, &[(Passport, 94, "l2n6"), (RefugeeTravelDocument, 2, "Rn7"), (Visa, 4, "n9")]),
    ("HKG", 40, &[(Passport, 50, "Kn8"), (Passport, 20, "Hn8"), (IdentityCard, 30, "ln6x")]),
    ("MAC", 12, &[(Passport, 60, "Mn8"), (Passport, 20, "MAn7"), (IdentityCard, 20, "n8")]),
    ("DOM", 30, &[(Passport, 70, "RDn7"), (IdentityCard, 30, "n11")]),
    ("MOZ", 16, &[(Passport, 60, "n2l2n5"), (IdentityCard, 40, "n12l")]),
    ("JAM", 12, &[(Passport, 96, "An7"), (EmergencyTravelDocument, 4, "En6")]),
    ("LBY", 16, &[(Passport, 90, "x8"), (IdentityCard, 10, "n12")]),
    ("RKS", 20, &[(Passport, 56, "Pn8"), (IdentityCard, 44, "n9")]),
    ("UNO", 6, &[(LaissezPasser, 100, "n7")]),
    ("EUE", 4, &[(LaissezPasser, 100, "l2n6")]),
    ("XPO", 2, &[(Passport, 100, "n8")]),
    ("XOM", 2, &[(Passport, 100, "n6")]),
    ("CHL", 60, SMALL_C), ("PER", 50, SMALL_C), ("ECU", 40, SMALL_D), ("VEN", 50, SMALL_C), ("BOL", 24, SMALL_B),
    ("PRY", 20, SMALL_E), ("URY", 20, SMALL_D), ("CRI", 16, SMALL_A), ("PAN", 16, SMALL_E), ("GTM", 24, SMALL_C),
    ("SLV", 20, SMALL_D), ("HND", 20, SMALL_A), ("NIC", 14, SMALL_A), ("CUB", 20, SMALL_A), ("HTI", 16, SMALL_B),
    ("TTO", 10, SMALL_A), ("BHS", 6, SMALL_B), ("BRB", 5, SMALL_A), ("GUY", 5, SMALL_A), ("SUR", 5, SMALL_A),
    ("BLZ", 4, SMALL_A), ("ATG", 2, SMALL_E), ("DMA", 2, SMALL_E), ("GRD", 2, SMALL_E), ("KNA", 2, SMALL_E),
    ("LCA", 2, SMALL_E), ("VCT", 2, SMALL_E), ("ALB", 40, SMALL_B), ("MKD", 24, SMALL_A), ("MNE", 14, SMALL_B),
    ("BIH", 30, SMALL_A), ("AND", 3, SMALL_A), ("MCO", 3, SMALL_B), ("SMR", 2, SMALL_B), ("VAT", 1, SMALL_E),
    ("KGZ", 24, SMALL_B), ("TJK", 16, SMALL_C), ("TKM", 12, SMALL_A), ("MNG", 14, SMALL_A), ("SAU", 50, SMALL_A),
    ("ARE", 40, SMALL_A), ("QAT", 14, SMALL_D), ("KWT", 20, SMALL_A), ("BHR", 10, SMALL_E), ("OMN", 14, SMALL_B),
    ("YEM", 24, SMALL_A), ("JOR", 30, SMALL_A), ("LBN", 40, SMALL_E), ("SYR", 50, SMALL_C), ("IRQ", 50, SMALL_D),
    ("AFG", 40, SMALL_D), ("PSE", 14, SMALL_A), ("BGD", 50, SMALL_B), ("LKA", 30, SMALL_A), ("NPL", 24, SMALL_A),
    ("BTN", 2, SMALL_A), ("MDV", 4, SMALL_B), ("MMR", 20, SMALL_B), ("KHM", 14, SMALL_A), ("LAO", 8, SMALL_B),
    ("SGP", 40, SMALL_D), ("BRN", 4, SMALL_A), ("TLS", 3, SMALL_A), ("PNG", 5, SMALL_A), ("FJI", 5, SMALL_A),
    ("WSM", 2, SMALL_A), ("TON", 2, SMALL_A), ("VUT", 2, SMALL_B), ("TUN", 40, SMALL_A), ("SDN", 20, SMALL_A),
    ("ETH", 24, SMALL_B), ("ERI", 8, SMALL_A), ("SOM", 8, SMALL_A), ("DJI", 3, SMALL_C), ("KEN", 30, SMALL_E),
    ("UGA", 20, SMALL_A), ("TZA", 20, SMALL_B), ("RWA", 10, SMALL_B), ("BDI", 6, SMALL_B), ("NGA", 60, SMALL_D),
    ("GHA", 30, SMALL_A), ("CIV", 20, SMALL_C), ("SEN", 20, SMALL_D), ("MLI", 14, SMALL_B), ("BFA", 10, SMALL_A),
    ("NER", 8, SMALL_C), ("TCD", 6, SMALL_A), ("CMR", 20, SMALL_A), ("GAB", 6, SMALL_C), ("COG", 6, SMALL_B),
    ("COD", 20, SMALL_B), ("CAF", 4, SMALL_B), ("GNQ", 3, SMALL_A), ("AGO", 20, SMALL_A), ("ZMB", 10, SMALL_B),
    ("ZWE", 14, SMALL_E), ("MWI", 6, SMALL_B), ("BWA", 5, SMALL_B), ("NAM", 5, SMALL_A), ("LSO", 4, SMALL_B),
    ("SWZ", 3, SMALL_C), ("MDG", 8, SMALL_A), ("MUS", 6, SMALL_B), ("SYC", 2, SMALL_A), ("COM", 2, SMALL_B),
    ("CPV", 4, SMALL_B), ("GMB", 4, SMALL_B), ("GNB", 3, SMALL_B), ("GIN", 8, SMALL_A), ("SLE", 5, SMALL_A),
    ("LBR", 4, SMALL_B), ("TGO", 6, SMALL_A), ("BEN", 6, SMALL_B), ("MRT", 5, SMALL_B), ("STP", 1, SMALL_A),
];

/// The Russian list of invalid domestic passports: series and number are ten digits.
pub(super) const RUSSIA: &[StateRow] = &[("RUS", 1, &[(DomesticPassport, 1, "n10")])];
/// The Ukrainian list of lost and stolen citizens' passports: booklets with a series, cards without.
pub(super) const UKRAINE: &[StateRow] = &[(
    "UKR",
    1,
    &[(DomesticPassport, 85, "u2n6"), (IdentityCard, 15, "n9")],
)];
/// The Czech list of invalid identity cards without a series.
pub(super) const CZECHIA: &[StateRow] = &[("CZE", 1, &[(IdentityCard, 1, "n9")])];
