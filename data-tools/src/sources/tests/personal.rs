//! No name and no date of birth reaches a file that is written.

use super::*;

const NAME: &str = "ZWEITNAME";
const BORN: &str = "1980-05-05";

/// Reads a list and gives its rejects, of which there are so many.
#[track_caller]
fn rejects(source: &SourceConfig, text: &str, expected: u64) -> String {
    let outcome = read_all_ways(source, "list", text.as_bytes()).unwrap();
    assert_eq!(outcome.account.rejected, expected, "{}", outcome.rejects);
    outcome.rejects
}

#[track_caller]
fn check_nothing_personal(rejects: &str) {
    for part in [
        "ZWEIT", "NAME", "MARIA", "1980", "80-05", "5.5.80", "5.5.1980",
    ] {
        assert!(!rejects.contains(part), "{part}: {rejects}");
    }
}

#[test]
fn unknown_columns_are_dropped() {
    let text = format!(
        "surname,number,issuing_state,birth_date,type,status,date_reported\n\
         {NAME},A1,FRA,{BORN},passport,no word,2024-01-02\n\
         \"{NAME}, MARIA\",A2,QQQ,{BORN},passport,lost,2024-01-02\n\
         {NAME},A3,FRA,{BORN},passport,lost,2024-02-30\n"
    );
    let rejects = rejects(&SourceConfig::for_bytes(Layout::SltdCsv), &text, 3);
    check_nothing_personal(&rejects);
    assert!(
        rejects.contains("\"A2,QQQ,passport,lost,2024-01-02\""),
        "{rejects}"
    );
    assert!(
        rejects.contains("\"A3,FRA,passport,lost,2024-02-30\""),
        "{rejects}"
    );
}

#[test]
fn a_row_whose_columns_cannot_be_told_apart_keeps_nothing() {
    let header = "surname,number,issuing_state,birth_date,type,status,date_reported,authority\n";
    for row in [
        // One field too many, one too few, and a quotation mark without its pair.
        format!("{NAME}, MARIA,A1,FRA,{BORN},passport,lost,2024-01-02,X"),
        format!("A1,FRA,{BORN},passport,lost,{NAME}"),
        format!("\"{NAME},A1,FRA,{BORN},passport,lost,2024-01-02,X"),
        format!("{NAME},A1,FRA,{BORN},passport,lost,2024-01-02,\"{NAME}"),
        // The right number of fields, slipped by one.
        format!("{NAME}, MARIA,A1,FRA,{BORN},passport,lost,X"),
        format!("A1,FRA,{BORN},passport,lost,,{BORN},{NAME}"),
        format!("{NAME},A1,passport,lost,{BORN},2024-01-02,{NAME},MARIA"),
        "x".repeat(ROW_BYTES_MAX) + NAME,
    ] {
        let text = format!("{header}{row}\nx,A9,FRA,x,passport,lost,2024-01-02,X\n");
        let rejects = rejects(&SourceConfig::for_bytes(Layout::SltdCsv), &text, 1);
        check_nothing_personal(&rejects);
        assert!(rejects.starts_with("1,"), "{rejects}");
    }
    // Text in another encoding.
    let row = [
        header.as_bytes(),
        NAME.as_bytes(),
        b"\xe9,A1,FRA,1980-05-05,visa,lost,,X\n",
    ]
    .concat();
    let outcome = read_all_ways(&SourceConfig::for_bytes(Layout::SltdCsv), "list", &row).unwrap();
    assert_eq!(outcome.account.rejected, 1);
    check_nothing_personal(&outcome.rejects);
}

#[test]
fn fields_of_json_that_are_not_read_are_dropped() {
    let rows = [
        format!(
            r#"{{"number":"A1","surname":"{NAME}","born":"{BORN}","status":"no word","issuing_state":"FRA","type":"visa"}}"#
        ),
        format!(r#"{{"number":{{"surname":"{NAME}"}},"status":["{BORN}"]}}"#),
        format!(r#"{{"number":"A1","surname":"{NAME}","#),
        format!(r#"["{NAME}"]"#),
        format!(r#"{{"number":"A1","number":"{NAME}"}}"#),
    ];
    let lines = rejects(
        &SourceConfig::for_bytes(Layout::SltdJsonl),
        &rows.join("\n"),
        5,
    );
    check_nothing_personal(&lines);
    let row = format!(
        r#"{{"D_NUMBER":"12","D_SERIES":"СН","PIB":"{NAME}","BIRTH":"{BORN}","OVD":"{NAME}","D_TYPE":"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ"}}"#
    );
    let broken = format!(r#"["{NAME}","{BORN}"]"#);
    let text = format!("[{row},{broken}]");
    let array = rejects(&SourceConfig::for_bytes(Layout::Ukraine), &text, 2);
    check_nothing_personal(&array);
    assert!(array.contains("12"), "{array}");
}

#[test]
fn columns_beyond_those_of_a_headerless_list_are_dropped() {
    for (kind, row) in [
        (0, format!("000000001;5.3.2019;{NAME};5.5.1980")),
        (0, format!("{NAME};5.5.1980;000000001")),
        (1, format!("000001;AB12;5.3.2019;{NAME}")),
        (1, format!("000001;{NAME};5.5.80")),
    ] {
        let source = SourceConfig {
            kind: Some(kind),
            ..SourceConfig::for_bytes(Layout::Czechia)
        };
        check_nothing_personal(&rejects(&source, &format!("{row}\n"), 1));
    }
    let text = format!("PASSP_SERIES,PASSP_NUMBER\n0102,000003,{NAME},{BORN}\n{NAME},12\n");
    check_nothing_personal(&rejects(&SourceConfig::for_bytes(Layout::Russia), &text, 2));
}
