//! Any bytes, in chunks of any size.

use super::*;
use proptest::prelude::*;

/// What lists are made of, so that random texts reach further than the first error.
fn text_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"\""[..],
        b"\"\"",
        b",",
        b";",
        b"\n",
        b"\r\n",
        b"\r",
        b"A1",
        b"0102",
        b"000003",
        b"FRA",
        b"visa",
        b"lost",
        b" ",
        b"2024-01-02",
        b"5.3.2019",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\\",
        b"\"number\":\"A1\"",
        b"\"D_NUMBER\":\"000001\"",
        b"\"D_SERIES\":null",
        b"{\"a\":1}",
        b"A1,FRA,visa,lost,x\n",
        b"0102,000003\n",
        b"000001;AB12;5.3.2019\n",
        b"IP;AA;000001;407;;;;;;;;;01022024;;;;\n",
        "ВТ".as_bytes(),
        b"\xd0",
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

/// The beginning that lets a reader go on to the rows.
fn beginning(layout: Layout) -> &'static [u8] {
    match layout {
        Layout::SltdCsv => b"number,issuing_state,type,status,owner_reference\n",
        Layout::Russia => b"PASSP_SERIES,PASSP_NUMBER\n",
        Layout::Ukraine => b"[",
        Layout::SltdJsonl | Layout::SltdParquet | Layout::UkraineInactive | Layout::Czechia => b"",
    }
}

fn rows_of_csv(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new();
    reader
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'));
    let records = reader.from_reader(text).into_byte_records();
    let mut rows: Vec<Vec<Vec<u8>>> = records
        .map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect();
    for row in &mut rows {
        if row.last().is_some_and(|field| field.ends_with(b"\r")) {
            row.last_mut().unwrap().pop();
        }
    }
    // A line of nothing but a carriage return is a blank one.
    rows.retain(|row| *row != [b""]);
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic_or_lose_a_row(
        layout in prop::sample::select(Layout::ALL.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(account) = read_bytes(layout, &bytes) {
            prop_assert!(account.adds_up());
        }
    }

    #[test]
    fn the_size_of_chunks_and_the_number_of_threads_change_nothing(
        layout in prop::sample::select(Layout::ALL.to_vec()),
        bytes in text_like(),
        marked in any::<bool>(),
        chunk in 1..40_usize,
        threads in 1..4_usize,
    ) {
        let mark: &[u8] = if marked { b"\xef\xbb\xbf" } else { b"" };
        let bytes = [mark, beginning(layout), &bytes].concat();
        let source = SourceConfig::for_bytes(layout);
        let once = |chunk, threads| read(&source, "list", &bytes, chunk, threads).map_err(|error| error.to_string());
        prop_assert_eq!(once(chunk, threads), once(CHUNK_BYTES, 1));
    }

    /// Rows that close their quotation marks are those that the `csv` crate reads.
    #[test]
    fn quoted_rows_are_those_of_the_csv_crate(
        rows in prop::collection::vec(prop::collection::vec("([ab\", \r\n;ж]{0,6}[ab\";ж])?", 5), 0..8),
        quote in prop::sample::select(vec![csv::QuoteStyle::Necessary, csv::QuoteStyle::Always, csv::QuoteStyle::NonNumeric]),
    ) {
        let mut writer = csv::WriterBuilder::new().quote_style(quote).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let format = super::super::delimited::Format { delimiter: b',', quoted: true, columns: vec![0, 1, 2, 3, 4] };
        let mut found = Vec::new();
        super::super::delimited::each_row(&format, &text, |cells| {
            found.push(cells.unwrap()[..5].iter().map(|cell| cell.as_bytes().to_vec()).collect::<Vec<_>>());
            true
        });
        prop_assert_eq!(found, rows_of_csv(&text));
    }

    /// The path for rows without quotation marks reads what the other one reads.
    #[test]
    fn plain_rows_are_those_of_the_csv_crate(text in "[ab, \r\n;ж]{0,80}") {
        let format = super::super::delimited::Format { delimiter: b',', quoted: true, columns: vec![0, 1, 2] };
        let (mut found, mut rejected) = (Vec::new(), 0);
        super::super::delimited::each_row(&format, text.as_bytes(), |cells| {
            match cells {
                Ok(cells) => found.push(cells[..3].iter().map(|cell| cell.as_bytes().to_vec()).collect::<Vec<_>>()),
                Err(_) => rejected += 1,
            }
            true
        });
        let (expected, others): (Vec<_>, Vec<_>) = rows_of_csv(text.as_bytes()).into_iter().partition(|row| row.len() == 3);
        prop_assert_eq!((found, rejected), (expected, others.len()));
    }
}

/// Every key that goes in comes out, with its own series, type and State: no row is put together
/// from two.
#[test]
fn every_key_of_a_list_comes_back() {
    let mut text = "type,number,status,owner_reference,issuing_state\n".to_owned();
    let mut expected = Vec::new();
    // From 1: a number of nothing but zeros is a placeholder.
    for row in 1..=30_000_u64 {
        let state = ["FRA", "D", "UKR", "GBD"][usize::try_from(row % 4).unwrap()];
        let kind = ["visa", "passport", "other"][usize::try_from(row % 3).unwrap()];
        let quoted = if row % 17 == 0 {
            format!("\"{row}\n{row}\"")
        } else {
            row.to_string()
        };
        text.push_str(&format!("{kind},{row:09},lost,{quoted},{state}\n"));
        expected.push(format!(
            "{row:09} {state} {kind} lost reference={}",
            quoted.trim_matches('"')
        ));
    }
    let outcome = read_all_ways(
        &SourceConfig::for_bytes(Layout::SltdCsv),
        "list",
        text.as_bytes(),
    )
    .unwrap();
    assert_eq!(outcome.rows, expected);
}
