//! The layouts of published lists.

use super::*;
use crate::config::{Encoding, Owns, ThirdParty};
use sltd::document::IssuingState;
use sltd::report::ReportStatus;

/// A source of a public list that owns its State's documents.
fn source(layout: Layout) -> SourceConfig {
    let own = IssuingState::parse(layout.issuing_state().unwrap()).unwrap();
    SourceConfig {
        owns: Owns::States(vec![own]),
        ..SourceConfig::for_bytes(layout)
    }
}

#[test]
fn russia() {
    let soviet = "expected a series of four digits, found letters: a passport of the Soviet Union, which Russia has not \
                  issued, or a damaged row";
    let number = "expected a number of six digits; fewer may have lost their leading zeros";
    check(
        &source(Layout::Russia),
        "PASSP_SERIES,PASSP_NUMBER\n0000,000001\r\n0102,000003\nIVМЮ,000002\n0102,3\n01,000003\n0102,00000+\n0102\n\n9999,999999",
        &[
            "0000000001 RUS domestic_passport invalidated",
            "0102000003 RUS domestic_passport invalidated",
            "9999999999 RUS domestic_passport invalidated",
        ],
        &[
            &format!("3,PASSP_SERIES,\"{soviet}\",\"IVМЮ,000002\""),
            &format!("4,PASSP_NUMBER,{number},\"0102,3\""),
            "5,PASSP_SERIES,expected a series of four digits,\"01,000003\"",
            &format!("6,PASSP_NUMBER,{number},\"0102,00000+\""),
            "7,row,1 fields: expected 2,",
        ],
    );
}

#[test]
fn windows_1251_is_read_where_a_source_says_so() {
    let cyrillic = "PASSP_SERIES,PASSP_NUMBER\n0102,000003\nIVМЮ,000002\n";
    let (encoded, _, _) = encoding_rs::WINDOWS_1251.encode(cyrillic);
    let windows = SourceConfig {
        encoding: Encoding::from_label("windows-1251").unwrap(),
        ..source(Layout::Russia)
    };
    let decoded = read_all_ways(&windows, "list", &encoded).unwrap();
    assert_eq!(
        decoded.rows,
        ["0102000003 RUS domestic_passport invalidated"]
    );
    assert!(
        decoded.rejects.ends_with(",\"IVМЮ,000002\"\n"),
        "{}",
        decoded.rejects
    );
    // Read as UTF-8 the row is rejected all the same.
    let raw = read_all_ways(&source(Layout::Russia), "list", &encoded).unwrap();
    assert_eq!(raw.rows, decoded.rows);
    assert_eq!(
        raw.rejects,
        "2,row,\"byte 3 of the row is not UTF-8 text: expected UTF-8, or the encoding stated in the source\",\n"
    );
}

fn ukrainian(fields: &str) -> String {
    format!("\u{feff}[{fields}]")
}

const CITIZEN: &str = "ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ";

#[test]
fn ukraine() {
    let row = |series: &str, number: &str, name: &str, status: &str| {
        format!(
            r#"{{"ID":"0000_{series}_{number}","OVD":"...","D_SERIES":"{series}","D_NUMBER":"{number}","D_TYPE":"{name}","D_STATUS":"{status}","THEFT_DATA":"2020-02-03T00:00:00","INSERT_DATE":"2020-02-04T00:00:00"}}"#
        )
    };
    let dates = "loss=2020-02-03 reported=2020-02-04";
    let rows = [
        row("СН", "000001", CITIZEN, "ВТРАЧЕНО"),
        row("ТT", "000002", "Паспорт  громадянина України", "ВИКРАДЕНО"),
        row("", "000000003", CITIZEN, "ВТРАЧЕНО"),
        row(
            "FE",
            "000004",
            "ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ ДЛЯ ВИЇЗДУ ЗА КОРДОН",
            "ВТРАЧЕНО",
        ),
    ];
    check(
        &source(Layout::Ukraine),
        ukrainian(&rows.join(",\n")),
        &[
            &format!(
                "CH000001 UKR domestic_passport lost word=ВТРАЧЕНО {dates} reference=0000_СН_000001"
            ),
            &format!(
                "TT000002 UKR domestic_passport stolen word=ВИКРАДЕНО {dates} reference=0000_ТT_000002"
            ),
            &format!(
                "000000003 UKR identity_card lost word=ВТРАЧЕНО {dates} reference=0000__000000003"
            ),
            &format!("FE000004 UKR passport lost word=ВТРАЧЕНО {dates} reference=0000_FE_000004"),
        ],
        &[],
    );
}

#[test]
fn ukrainian_rows_that_cannot_be_used() {
    let reject = |fields: &str, expected: &str| {
        let text = format!("{{{fields}}}");
        let outcome = read_all_ways(
            &source(Layout::Ukraine),
            "list",
            ukrainian(&text).as_bytes(),
        )
        .unwrap();
        assert_eq!(outcome.rows, [""; 0]);
        let start = format!("1,{expected}");
        assert!(
            outcome.rejects.starts_with(&start),
            "{}\n{start}",
            outcome.rejects
        );
    };
    let base = |series: &str, number: &str, rest: &str| {
        format!(r#""D_SERIES":"{series}","D_NUMBER":{number},"D_TYPE":"{CITIZEN}"{rest}"#)
    };
    let lost = r#","D_STATUS":"ВТРАЧЕНО""#;
    reject(
        &base("СН", "\"123\"", lost),
        "D_NUMBER,expected six digits after a series; fewer may have lost",
    );
    reject(
        &base("СН", "123", lost),
        "D_NUMBER,expected six digits after a series; fewer may have lost",
    );
    reject(
        &base("", "\"000001\"", lost),
        "D_NUMBER,\"expected nine digits, as on a card without series\"",
    );
    reject(
        &base("СНА", "\"000001\"", lost),
        "D_SERIES,expected a series of two letters",
    );
    reject(
        &base("СН", "null", lost),
        "D_NUMBER,missing: expected a value,",
    );
    reject(
        &base("СН", "\"000001\"", ""),
        "D_STATUS,\"missing: expected",
    );
    reject(
        &base("СН", "\"000001\"", r#","D_STATUS":"ЗНАЙДЕНО""#),
        "D_STATUS,\"not known; expected ВТРАЧЕНО or ВИКРАДЕНО, or a status",
    );
    reject(
        &base(
            "СН",
            "\"000001\"",
            &format!(r#"{lost},"INSERT_DATE":"03.02.2001""#),
        ),
        "INSERT_DATE,\"expected a date and time",
    );
    reject(
        &format!(r#""D_NUMBER":"1","D_TYPE":"ПОСВІДЧЕННЯ ВОДІЯ"{lost}"#),
        "D_TYPE,\"not known; expected the name of a document of Ukraine",
    );
}

#[test]
fn ukrainian_rows_of_other_states_and_other_words() {
    let text = ukrainian(
        r#"{"D_SERIES":"0102","D_NUMBER":"000003","D_TYPE":"Паспорт громадянина Росії","D_STATUS":"ІНШЕ","THEFT_DATA":null}"#,
    );
    let fixed = SourceConfig {
        status: Some(ReportStatus::Invalidated),
        ..source(Layout::Ukraine)
    };
    let outcome = read_all_ways(&fixed, "list", text.as_bytes()).unwrap();
    assert!(
        outcome.rejects.starts_with(
            "1,issuing_state,document of RUS: expected a State that this source owns,"
        )
    );
    let kept = SourceConfig {
        third_party: ThirdParty::Keep,
        ..fixed
    };
    check(
        &kept,
        text,
        &["0102000003 RUS other invalidated word=ІНШЕ third-party"],
        &[],
    );
}

#[test]
fn ukrainian_arrays_that_are_none() {
    let ukraine = source(Layout::Ukraine);
    check(&ukraine, "[]", &[], &[]);
    check(
        &ukraine,
        "[1, [], \"x\"]",
        &[],
        &[
            "1,row,not a JSON object: expected one,",
            "2,row,not a JSON object: expected one,",
            "3,row,not a JSON object: expected one,",
        ],
    );
    check_error(
        &ukraine,
        "{}",
        "list: expected a JSON array, found something else at the beginning",
    );
    check_error(
        &ukraine,
        "[] {}",
        "list: expected a JSON array, found something else after the end of the array",
    );
    check_error(
        &ukraine,
        "[{},{}",
        "list: truncated or damaged after 2 rows were read: a JSON array or object is not closed",
    );
    check_error(
        &ukraine,
        "[{},{\"ID",
        "list: truncated or damaged after 1 rows were read: a JSON array or object is not closed",
    );
}

#[test]
fn czechia() {
    let list = |kind| SourceConfig {
        kind: Some(kind),
        ..source(Layout::Czechia)
    };
    let wrong = "date,\"expected a day of the calendar as d.M.yyyy, found another text\"";
    check(
        &list(0),
        "000000001;5.3.2019\r\n000000002;31.12.2020\n000000003;\n000000004;5.3.19\n000000005;32.1.2020\n000000006\n;1.1.2020\n",
        &[
            "000000001 CZE identity_card invalidated reported=2019-03-05",
            "000000002 CZE identity_card invalidated reported=2020-12-31",
            "000000003 CZE identity_card invalidated",
        ],
        &[
            &format!("4,{wrong},000000004;"),
            &format!("5,{wrong},000000005;32.1.2020"),
            "6,row,1 fields: expected 2,",
            "7,number,missing: expected a value,;1.1.2020",
        ],
    );
    check(
        &list(1),
        "000001;AB12;5.3.2019\n000001;AB13;5.3.2019\n000001;;5.3.2019\n000001;5.3.2019\n1;AB12;5.3.2019\nAB12;000002;5.3.2019\n",
        &[
            "AB12000001 CZE identity_card invalidated reported=2019-03-05",
            "AB13000001 CZE identity_card invalidated reported=2019-03-05",
        ],
        &[
            "3,series,missing: expected a value,000001;;5.3.2019",
            "4,row,2 fields: expected 3,",
            "5,number,expected six digits beside a series; fewer may have lost leading zeros,1;AB12;5.3.2019",
            "6,series,\"expected a series of two letters, or of two letters and two digits\",AB12;;",
        ],
    );
    check(
        &list(2),
        "10000001;1.1.2020\n",
        &["10000001 CZE passport invalidated reported=2020-01-01"],
        &[],
    );
    check(
        &list(3),
        "10000001;1.1.2020\n",
        &["10000001 CZE passport invalidated reported=2020-01-01"],
        &[],
    );
}

#[test]
fn the_kind_of_a_czech_file_is_in_its_name() {
    let czech = SourceConfig {
        kind: None,
        ..source(Layout::Czechia)
    };
    for (name, expected) in [
        ("typ_dokladu=0.csv", Some("identity_card")),
        ("lists/typ_dokladu_2.csv", Some("passport")),
        ("typ_dokladu3", Some("passport")),
        ("typ_dokladu=4.csv", None),
        ("typ_dokladu=20.csv", None),
        ("passports.csv", None),
    ] {
        let found = read_all_ways(&czech, name, b"000000001;1.1.2020\n");
        match expected {
            Some(expected) => assert!(found.unwrap().rows[0].contains(expected), "{name}"),
            None => assert_eq!(
                found.unwrap_err(),
                format!(
                    "{name}: expected the kind of document in the name, as in typ_dokladu=2, or `kind` in the source"
                )
            ),
        }
    }
}
