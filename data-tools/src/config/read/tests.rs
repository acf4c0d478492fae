use super::*;
use crate::config::Encoding;

const SOURCE: &str =
    "[[source]]\nname = \"one\"\npath = \"a/*.csv\"\nlayout = \"sltd-csv\"\nowns = [\"FRA\"]\n";

fn state(code: &str) -> IssuingState {
    IssuingState::parse(code).unwrap()
}

#[test]
fn a_source_with_nothing_but_what_it_needs() {
    let file = parse(SOURCE, Path::new("/lists")).unwrap();
    let expected = SourceConfig {
        name: "one".to_owned(),
        path: "a/*.csv".to_owned(),
        folder: "/lists".into(),
        compression: None,
        owns: Owns::States(vec![state("FRA")]),
        ..SourceConfig::for_bytes(Layout::SltdCsv)
    };
    assert_eq!(file.sources, [expected]);
    assert_eq!(file.authorities, []);
}

#[test]
fn a_source_with_everything() {
    let text = r#"
        [[source]]
        name = "two_2-b"
        path = "/lists/**/*.txt"
        layout = "czechia"
        as_of = "2026-11-01T06:00:00+01:00"
        stale_after = "36h"
        compression = "zip"
        encoding = "windows-1251"
        owns = ["*"]
        third_party = "keep"
        status = "revoked"
        authority = "PRAHA"
        restriction = "R1"
        kind = 3
        delimiter = "tab"
        files = 4
        archive_entry = "*.csv"

        [[authority]]
        code = "PRAHA"
        name = "National Central Bureau, Prague"
        contact = "+420 000 000 000"
        issuing_state = "CZ"
    "#;
    let file = parse(text, Path::new("")).unwrap();
    let expected = SourceConfig {
        name: "two_2-b".to_owned(),
        path: "/lists/**/*.txt".to_owned(),
        as_of: Some("2026-11-01T05:00:00Z".parse().unwrap()),
        stale_after: Duration::from_secs(36 * 3600),
        compression: Some(Compression::Zip),
        encoding: Encoding::from_label("windows-1251").unwrap(),
        owns: Owns::All,
        third_party: ThirdParty::Keep,
        status: Some(ReportStatus::Revoked),
        authority: Some("PRAHA".to_owned()),
        restriction: Some("R1".to_owned()),
        kind: Some(3),
        delimiter: Some(b'\t'),
        files: Some(4),
        archive_entry: Some(glob::Pattern::new("*.csv").unwrap()),
        ..SourceConfig::for_bytes(Layout::Czechia)
    };
    assert_eq!(file.sources, [expected]);
    let expected = AuthorityConfig {
        code: "PRAHA".to_owned(),
        name: "National Central Bureau, Prague".to_owned(),
        contact: "+420 000 000 000".to_owned(),
        issuing_state: state("CZE"),
    };
    assert_eq!(file.authorities, [expected]);
}

#[test]
fn a_list_of_one_state_is_owned_by_it() {
    for (fields, owner) in [
        ("layout = \"ukraine\"", "UKR"),
        ("layout = \"russia\"", "RUS"),
        ("layout = \"sltd-csv\"\nissuing_state = \"DEU\"", "D"),
    ] {
        let file = parse(
            &format!("[[source]]\nname = \"a\"\npath = \"a\"\n{fields}"),
            Path::new(""),
        )
        .unwrap();
        assert_eq!(
            file.sources[0].owns,
            Owns::States(vec![state(owner)]),
            "{fields}"
        );
    }
}

#[test]
fn the_form_of_files() {
    let form = "columns = { number = \"Doc No\", type = \"kind\" }\ndate_format = \"dd.mm.yyyy\"\ndelimiter = \";\"\n";
    let file = parse(&format!("{SOURCE}{form}"), Path::new("")).unwrap();
    let source = &file.sources[0];
    assert_eq!(source.columns.name_of("number"), "Doc No");
    assert_eq!(source.columns.name_of("status"), "status");
    assert_eq!(source.date_format.as_ref().unwrap().as_str(), "%d.%m.%Y");
    assert_eq!(source.delimiter, Some(b';'));
    // The name of a file may be no pattern.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list[1.csv"), "").unwrap();
    let text = SOURCE.replace("a/*.csv", "list[1.csv");
    assert!(parse(&text, folder.path()).is_ok());
    assert!(parse(&text, Path::new("/nowhere")).is_err());
}

#[test]
fn errors_name_source_field_and_what_was_expected() {
    let base = |field: &str, value: &str| {
        let line = format!("{field} = {value}\n");
        let kept: String = SOURCE
            .lines()
            .filter(|kept| !kept.starts_with(field))
            .map(|kept| format!("{kept}\n"))
            .collect();
        kept + &line
    };
    for (text, expected) in [
        (
            String::new(),
            "expected at least one [[source]], found none",
        ),
        (
            "sources = 1".to_owned(),
            "sources: not known; expected [[source]], [[authority]] and [guards]",
        ),
        (
            "source = 1".to_owned(),
            "the file: field source: expected tables [[source]], found integer",
        ),
        (
            "source = [1]".to_owned(),
            "the file: field source: expected tables [[source]], found integer",
        ),
        (
            "[[source]]\n".to_owned(),
            "source 1: field name is missing; expected a name of 1 to 64 characters a-z, 0-9, _ and -",
        ),
        (
            base("name", "\"A b\""),
            "source 1: field name: expected a name of 1 to 64 characters a-z, 0-9, _ and -, found `A b`",
        ),
        (
            base("name", "7"),
            "source 1: field name: expected a text, found integer",
        ),
        (
            format!("{SOURCE}{SOURCE}"),
            "source one: described twice; expected each name once",
        ),
        (
            base("path", "\"a[\""),
            "source one: field path: expected a glob pattern, found `a[` (Pattern syntax error near position 1: invalid range pattern)",
        ),
        (
            base("path", "\" \""),
            "source one: field path: expected a text that is not empty, on one line, found ` `",
        ),
        (
            base("layout", "\"csv\""),
            "source one: field layout: expected one of sltd-csv, sltd-jsonl, sltd-parquet, russia, ukraine, ukraine-inactive, czechia, found `csv`",
        ),
        (
            base("as_of", "\"yesterday\""),
            "source one: field as_of: expected an instant as in RFC 3339, such as 2026-11-01T06:00:00Z, found `yesterday`",
        ),
        (
            base("as_of", "2026-11-01"),
            "source one: field as_of: expected an instant as in RFC 3339, such as 2026-11-01T06:00:00Z, found `2026-11-01`",
        ),
        (
            base("as_of", "7"),
            "source one: field as_of: expected an instant as in RFC 3339, such as 2026-11-01T06:00:00Z, found integer",
        ),
        (
            base("stale_after", "\"1.5s\""),
            "source one: field stale_after: expected a duration such as 500ms, 8s, 2m, 12h or 7d, found `1.5s`",
        ),
        (
            base("stale_after", "\"7 days\""),
            "source one: field stale_after: expected a duration such as 500ms, 8s, 2m, 12h or 7d, found `7 days`",
        ),
        (
            base("compression", "\"rar\""),
            "source one: field compression: expected one of none, gzip, bzip2, zstd, zip, found `rar`",
        ),
        (
            base("encoding", "\"latin\""),
            "source one: field encoding: expected utf-8, windows-1250, windows-1251, windows-1252, latin-1, utf-16le, utf-16be, or another label of the WHATWG Encoding Standard, found `latin`",
        ),
        (
            base("delimiter", "\":\""),
            "source one: field delimiter: expected one of `,`, `;`, `|` and `tab`, found `:`",
        ),
        (
            base("files", "0"),
            "source one: field files: expected a whole number from 1, found 0",
        ),
        (
            base("date_format", "\"dd.mm\""),
            "source one: field date_format: expected a form of days such as dd.mm.yyyy, ddmmyyyy or %d.%m.%Y, found `dd.mm`",
        ),
        (
            base("columns", "{ numbr = \"doc_no\" }"),
            "source one: field columns: expected names of our columns (number, issuing_state, type, status, date_of_loss, \
             date_reported, review_date, authority, restriction, owner_reference, range_end, action, reason), found `numbr`",
        ),
        (
            base("columns", "{ number = \"no\", type = \"NO\" }"),
            "source one: field columns: expected each name of the file once, found \"NO\" twice",
        ),
        (
            base("archive_entry", "\"[\""),
            "source one: field archive_entry: expected a glob pattern such as *.csv, found `[`",
        ),
        (
            base("owns", "[]"),
            "source one: field owns: expected a list of issuing States such as [\"UKR\"], or [\"*\"], found array",
        ),
        (
            base("owns", "[\"*\", \"FRA\"]"),
            "source one: field owns: expected the code of an issuing State (ICAO Doc 9303 part 3 section 5), found `*`",
        ),
        (
            base("third_party", "\"drop\""),
            "source one: field third_party: expected one of reject, keep, found `drop`",
        ),
        (
            base("type", "\"pass\""),
            "source one: field type: expected one of passport, domestic_passport, identity_card, visa, residence_permit, refugee_travel_document, emergency_travel_document, seafarers_document, laissez_passer, other, found `pass`",
        ),
        (
            base("status", "\"gone\""),
            "source one: field status: expected one of stolen, lost, stolen_blank, revoked, invalidated, found `gone`",
        ),
        (
            base("authority", "\"\""),
            "source one: field authority: expected a text that is not empty, on one line, found ``",
        ),
        (
            base("kind", "1"),
            "source one: field kind: expected a number 0 to 3, with layout czechia only, found 1",
        ),
        (
            base("layout", "\"russia\"") + "type = \"visa\"\n",
            "source one: field type: expected nothing: every row of layout russia has its own, found a value",
        ),
        (
            base("colour", "1"),
            "source one: field colour is not known; expected one of name, path, layout, issuing_state, placeholders, placeholder_exemptions, files, archive_entry, as_of, as_of_name, stale_after, required, compression, encoding, delimiter, columns, date_format, owns, third_party, type, status, authority, restriction, kind",
        ),
        (
            format!("{SOURCE}[[authority]]\nname = \"x\""),
            "authority 1: field code is missing; expected the code that reports name it by",
        ),
        (
            SOURCE.to_owned()
                + &["FRA", "D"].map(|state| format!("[[authority]]\ncode = \"x\"\nname = \"x\"\nissuing_state = \"{state}\"\n")).concat(),
            "authority x: described twice; expected each name once",
        ),
        (
            format!("{SOURCE}[[authority]]\ncode = \"x\""),
            "authority x: field name is missing; expected its name",
        ),
    ] {
        let found = parse(&text, Path::new("")).unwrap_err().to_string();
        assert_eq!(found, expected, "{text}");
    }
    let owns = parse(
        "[[source]]\nname=\"a\"\npath=\"a\"\nlayout=\"sltd-csv\"",
        Path::new(""),
    )
    .unwrap_err();
    assert!(
        owns.to_string()
            .starts_with("source a: field owns is missing; expected a list of issuing States")
    );
    assert!(matches!(
        parse("[[source]", Path::new("")),
        Err(ConfigError::Syntax(_))
    ));
}

/// TOML has dates and times of its own: nobody should have to know that ours are texts.
#[test]
fn an_instant_may_be_written_with_or_without_quotes() {
    for value in ["\"2026-11-01T06:00:00+01:00\"", "2026-11-01T06:00:00+01:00"] {
        let file = parse(&format!("{SOURCE}as_of = {value}\n"), Path::new("")).unwrap();
        let expected = "2026-11-01T05:00:00Z".parse().unwrap();
        assert_eq!(file.sources[0].as_of, Some(expected), "{value}");
    }
}
