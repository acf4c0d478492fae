//! One list in every form: line ends, encodings, delimiters, names of columns, forms of days.

use super::streams::{ROWS, TEXT};
use super::*;
use crate::config::{ColumnNames, DateFormat, Encoding};

fn csv() -> SourceConfig {
    SourceConfig::for_bytes(Layout::SltdCsv)
}

fn encoded(label: &str) -> SourceConfig {
    SourceConfig {
        encoding: Encoding::from_label(label).unwrap(),
        ..csv()
    }
}

fn utf_16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let units = mark.encode_utf16().chain(text.encode_utf16());
    let bytes = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

#[test]
fn lines_may_end_with_carriage_returns_alone() {
    check(&csv(), TEXT.replace('\n', "\r"), &ROWS, &[]);
    check(&csv(), TEXT.trim_end().replace('\n', "\r"), &ROWS, &[]);
    check(
        &csv(),
        format!("\u{feff}{}", TEXT.replace('\n', "\r")),
        &ROWS,
        &[],
    );
    let quoted =
        "number,issuing_state,type,status,x\rA1,FRA,visa,lost,\"a\rb\"\rA2,FRA,visa,lost,\r";
    check(&csv(), quoted, &ROWS[..2], &[]);
    let czech = SourceConfig::for_bytes(Layout::Czechia);
    check(
        &czech,
        "000001;AB12;5.3.2019\r000002;AB12;5.3.2019\r",
        &[
            "AB12000001 CZE identity_card invalidated reported=2019-03-05",
            "AB12000002 CZE identity_card invalidated reported=2019-03-05",
        ],
        &[],
    );
    let json = r#"{"number":"A1","issuing_state":"FRA","type":"visa","status":"lost"}"#;
    let jsonl = SourceConfig::for_bytes(Layout::SltdJsonl);
    check(
        &jsonl,
        format!("{json}\r{}\r", json.replace("A1", "A2")),
        &ROWS[..2],
        &[],
    );
    check(
        &SourceConfig::for_bytes(Layout::Russia),
        "PASSP_SERIES,PASSP_NUMBER\r0102,000003\r",
        &["0102000003 RUS domestic_passport invalidated"],
        &[],
    );
}

/// Where lines end with line feeds a carriage return is no line end.
#[test]
fn a_carriage_return_among_line_feeds_ends_no_line() {
    let text = "number,issuing_state,type,status,owner_reference\nA1,FRA,visa,lost,a\rb\nA2,FRA,visa,lost,\n";
    check(
        &csv(),
        text,
        &["A1 FRA visa lost reference=a\rb", ROWS[1]],
        &[],
    );
    // Only a megabyte without a line feed tells that there is none.
    let long = "x".repeat(ROW_BYTES_MAX);
    let text = format!(
        "number,issuing_state,type,status,x\rA1,FRA,visa,lost,{long}\rA2,FRA,visa,lost,\nA3,FRA,visa,lost,\n"
    );
    let outcome = read_all_ways(&csv(), "list", text.as_bytes()).unwrap();
    assert_eq!(outcome.rows, ROWS[1..]);
    assert!(
        outcome.rejects.starts_with("1,row,row of "),
        "{}",
        outcome.rejects
    );
}

#[test]
fn text_in_other_encodings_is_read_as_stated() {
    let text = "number,issuing_state,type,status,owner_reference\nA1,FRA,visa,lost,Žďár č. 5\n";
    for label in ["windows-1250", "iso-8859-2"] {
        let (bytes, _, errors) = encoding_rs::Encoding::for_label(label.as_bytes())
            .unwrap()
            .encode(text);
        assert!(!errors);
        check(
            &encoded(label),
            bytes,
            &["A1 FRA visa lost reference=Žďár č. 5"],
            &[],
        );
    }
    let text = text.replace("Žďár č. 5", "Zürich à 5 €");
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
    for label in ["windows-1252", "latin-1", "iso-8859-1"] {
        check(
            &encoded(label),
            &bytes,
            &["A1 FRA visa lost reference=Zürich à 5 €"],
            &[],
        );
    }
    // Where it is not stated, the row is no UTF-8.
    let outcome = read_all_ways(&csv(), "list", &bytes).unwrap();
    assert!(
        outcome.rejects.contains("is not UTF-8"),
        "{}",
        outcome.rejects
    );
    // What a mark says counts before what is stated.
    check(
        &encoded("windows-1250"),
        format!("\u{feff}{TEXT}"),
        &ROWS,
        &[],
    );
    check(
        &encoded("windows-1250"),
        utf_16(TEXT, false, true),
        &ROWS,
        &[],
    );
}

#[test]
fn utf_16_is_known_by_its_mark_or_stated() {
    for big in [false, true] {
        check(&csv(), utf_16(TEXT, big, true), &ROWS, &[]);
        check(&encoded("utf-16"), utf_16(TEXT, big, true), &ROWS, &[]);
        check(
            &csv(),
            utf_16(&TEXT.replace('\n', "\r\n"), big, true),
            &ROWS,
            &[],
        );
        let label = if big { "utf-16be" } else { "utf-16le" };
        check(&encoded(label), utf_16(TEXT, big, false), &ROWS, &[]);
        check(&encoded(label), utf_16(TEXT, big, true), &ROWS, &[]);
        let error = read_all_ways(&csv(), "list", &utf_16(TEXT, big, false)).unwrap_err();
        assert!(
            error.contains("UTF-16 without a byte order mark") && error.contains(label),
            "{error}"
        );
        let error =
            read_all_ways(&encoded("utf-16"), "list", &utf_16(TEXT, big, false)).unwrap_err();
        assert!(error.contains("state utf-16le or utf-16be"), "{error}");
        // In the other order each letter would be another, and the whole text one name of a column.
        let other = if big { "utf-16le" } else { "utf-16be" };
        let error = read_all_ways(&encoded(other), "list", &utf_16(TEXT, big, false)).unwrap_err();
        assert!(error.contains(&format!("state {label}")), "{error}");
        let error = read_all_ways(&encoded(label), "list", TEXT.as_bytes()).unwrap_err();
        assert!(error.contains("a text that is no UTF-16"), "{error}");
        let mut cut = utf_16(TEXT, big, true);
        cut.pop();
        let error = read_all_ways(&csv(), "list", &cut).unwrap_err();
        assert!(error.contains("ends inside a character"), "{error}");
    }
    check_error(
        &csv(),
        b"\xff\xfe\0\0n\0\0\0",
        "list: expected the `encoding` stated in the source, or UTF-8 if none is; found the byte order mark of UTF-32, \
         which is not read",
    );
}

#[test]
fn columns_are_separated_by_what_makes_sense_or_is_stated() {
    for delimiter in [';', '\t', '|'] {
        let text = TEXT.replace(',', &delimiter.to_string());
        check(&csv(), &text, &ROWS, &[]);
        let stated = SourceConfig {
            delimiter: Some(delimiter as u8),
            ..csv()
        };
        check(&stated, &text, &ROWS, &[]);
        check(&csv(), format!("sep={delimiter}\r\n{text}"), &ROWS, &[]);
        let error = read_all_ways(&stated, "list", TEXT.as_bytes()).unwrap_err();
        assert!(error.contains("expected delimiter = \",\""), "{error}");
        // Quoted fields hold the delimiter.
        let quoted =
            format!("{text}\"A{delimiter}4\"{delimiter}FRA{delimiter}visa{delimiter}lost\n");
        let outcome = read_all_ways(&csv(), "list", quoted.as_bytes()).unwrap();
        assert_eq!(outcome.account.rows_read, 4);
        assert!(!outcome.rejects.contains("fields:"), "{}", outcome.rejects);
    }
    check(
        &SourceConfig::for_bytes(Layout::Russia),
        "passp_series;passp_number\n0102;000003\n",
        &["0102000003 RUS domestic_passport invalidated"],
        &[],
    );
    check(
        &SourceConfig::for_bytes(Layout::Czechia),
        "sep=,\n000001,AB12,5.3.2019\n",
        &["AB12000001 CZE identity_card invalidated reported=2019-03-05"],
        &[],
    );
    let czech = SourceConfig {
        delimiter: Some(b','),
        ..SourceConfig::for_bytes(Layout::Czechia)
    };
    check(
        &czech,
        "000001,AB12,5.3.2019\n",
        &["AB12000001 CZE identity_card invalidated reported=2019-03-05"],
        &[],
    );
}

#[test]
fn columns_have_the_names_that_the_source_says() {
    let columns = |names: &[(&'static str, &str)]| {
        let names = names.iter().map(|&(ours, name)| (ours, name.to_owned()));
        ColumnNames(names.collect())
    };
    let named = SourceConfig {
        columns: columns(&[("number", "Doc No"), ("date_reported", "Číslo dne")]),
        date_format: DateFormat::new("dd.mm.yyyy"),
        ..csv()
    };
    let text = "NUMBER;doc_no;Issuing State;TYPE;status;číslo  DNE\n1;A1;FRA;visa;lost;05.03.2024\n2;A2;FRA;visa;lost;\n";
    check(
        &named,
        text,
        &["A1 FRA visa lost reported=2024-03-05", ROWS[1]],
        &[],
    );
    let json = SourceConfig {
        layout: Layout::SltdJsonl,
        ..named.clone()
    };
    let text = r#"[{"number":"1","DocNo":"A1","issuingState":"FRA","Type":"visa","STATUS":"lost","Číslo dne":"5.3.2024"}]"#;
    check(&json, text, &["A1 FRA visa lost reported=2024-03-05"], &[]);
    let error = read_all_ways(&named, "list", TEXT.as_bytes()).unwrap_err();
    assert!(
        error.contains("found number, issuing_state, type, status"),
        "{error}"
    );
    let text = text.replace("5.3.2024", "2024-03-05");
    let outcome = read_all_ways(&json, "list", text.as_bytes()).unwrap();
    assert!(
        outcome.rejects.contains("date_format"),
        "{}",
        outcome.rejects
    );
}

#[test]
fn objects_come_in_lines_in_an_array_or_spread() {
    let jsonl = SourceConfig::for_bytes(Layout::SltdJsonl);
    let object = |number: &str| {
        format!(
            "{{\"number\":\"{number}\",\"issuing_state\":\"FRA\",\"type\":\"visa\",\"status\":\"lost\"}}"
        )
    };
    let objects = ["A1", "A2", "A3"].map(object);
    let pretty = |object: &String| {
        let value: serde_json::Value = serde_json::from_str(object).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    let spread = objects.each_ref().map(pretty);
    for text in [
        objects.join("\n"),
        format!("[{}]", objects.join(",")),
        format!("[\n{}\n]\n", objects.join(",\n")),
        format!("\u{feff} [ {} ]", spread.join(" , ")),
        spread.join("\n"),
        spread.join("\r\n").replace('\n', "\r"),
        spread.join("\n").replace("{\n ", "{"),
    ] {
        check(&jsonl, &text, &ROWS, &[]);
    }
    let cut = format!("[{}", objects.join(","));
    let error = read_all_ways(&jsonl, "list", cut.as_bytes()).unwrap_err();
    assert!(
        error.contains("a JSON array or object is not closed"),
        "{error}"
    );
    // One bad line among others is one reject.
    let outcome = read_all_ways(
        &jsonl,
        "list",
        format!("{{\"number\n{}\n", objects[0]).as_bytes(),
    )
    .unwrap();
    assert_eq!((outcome.rows.len(), outcome.account.rejected), (1, 1));
}

#[test]
fn a_list_packed_twice_is_named() {
    let twice = super::streams::zip(&[("list.csv.gz", &super::streams::gzip(TEXT.as_bytes()))]);
    let source = super::streams::any_packing(Layout::SltdCsv);
    let error = read_all_ways(&source, "list.zip", &twice).unwrap_err();
    assert!(
        error.contains("packed file inside another packing"),
        "{error}"
    );
}

#[test]
fn an_object_around_a_list_is_named() {
    let jsonl = SourceConfig::for_bytes(Layout::SltdJsonl);
    let object = r#"{"number":"A1","issuing_state":"FRA","type":"visa","status":"lost"}"#;
    for text in [
        format!("{{\"data\":[{object}]}}"),
        format!("{{\n  \"count\": 1, \"page\": {{}},\n  \"items\": [\n{object}\n]\n}}\n"),
    ] {
        let error = read_all_ways(&jsonl, "list", text.as_bytes()).unwrap_err();
        assert!(error.contains("with the list inside it"), "{error}");
    }
    // A row may have such a field.
    let row = object.replace("}", ",\"visas\":[{}]}");
    check(&jsonl, &row, &ROWS[..1], &[]);
    let row = object.replace("{", "{\"visas\":[{}],");
    check(&jsonl, &row, &ROWS[..1], &[]);
    let outcome = read_all_ways(&jsonl, "list", b"{\"error\":\"not found\"}").unwrap();
    assert!(
        outcome
            .rejects
            .starts_with("1,row,\"a JSON object with none of the columns"),
        "{}",
        outcome.rejects
    );
    assert!(outcome.account.files[0].is_no_list());
}

#[test]
fn what_is_no_list_stops_the_source() {
    for layout in [
        Layout::SltdCsv,
        Layout::SltdJsonl,
        Layout::Russia,
        Layout::Ukraine,
        Layout::UkraineInactive,
        Layout::Czechia,
        Layout::SltdParquet,
    ] {
        check_error(
            &SourceConfig::for_bytes(layout),
            "<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n",
            "list: expected a list, found an HTML page",
        );
    }
}

#[test]
fn what_stands_in_a_header_is_no_way_to_a_terminal() {
    let header = format!("doc\u{1b}[2Jno,{}", "x".repeat(1000));
    let error = read_all_ways(&csv(), "list", header.as_bytes()).unwrap_err();
    assert!(
        error.ends_with(&format!("found doc\u{fffd}[2Jno, {}…", "x".repeat(40))),
        "{error}"
    );
}
