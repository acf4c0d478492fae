//! Writes the sample lists of `data-tools/samples/`: `cargo run -p sltd-data --example make-samples`.
//!
//! Every number is made up. Most rows come from `sltd-data generate` with fixed seeds; the rows that
//! the quickstart asks about and the rows that cannot be used are written out below. The same sources
//! give the same bytes.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use sltd_data::generate::{self, GenerateArgs, Layout};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const HEADER: &str = "number,issuing_state,type,status,date_of_loss,date_reported,review_date,authority,restriction,owner_reference,range_end";

/// Rows the quickstart asks about; no generated row may have one of these numbers.
const ASKED_WORLD: &str = "\
99ZZ90001,FRA,passport,stolen,2026-10-02,2026-10-03,2036-10-03,FRA-01,,FRA-01/2026/900001,
 99 zz-90002 ,FRA,passport,lost,2026-10-05,2026-10-05,,FRA-01,,,
909090909,USA,passport,stolen,2026-08-14,2026-08-20,,USA-01,,,
";
const ASKED_BLANKS: &str =
    "Z900000,PRT,passport,stolen_blank,2026-06-30,2026-07-02,,PRT-01,,PRT-01/2026/000017,Z900499\n";
const ASKED_CARDS: &str = "{\"number\":\"L9ZZ90001\",\"issuing_state\":\"D\",\"type\":\"identity_card\",\"status\":\"lost\",\"date_of_loss\":\"2026-09-11\",\"date_reported\":\"2026-09-12\",\"authority\":\"D-01\"}\n";
const ASKED_UKRAINE: &str = r#"{"ID":"0007_СН_900001","OVD":"ВІДДІЛ ПОЛІЦІЇ № 7","D_SERIES":"СН","D_NUMBER":"900001","D_TYPE":"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ","D_STATUS":"ВИКРАДЕНО","THEFT_DATA":"2026-05-17T00:00:00","INSERT_DATE":"2026-05-18T00:00:00"}"#;
const ASKED_RUSSIA: &str = "9999,900001\n";
/// Dutch police found a Belgian card: a third party's report.
const ASKED_NETHERLANDS: &str = "990009000150,BEL,identity_card,stolen,,2026-11-02,,NLD-01,,,\n";
/// Numbers that stand in no list, and those that stand in one by the rows above only.
const FIXED: [&str; 11] = [
    "99ZZ9000",
    "909090909",
    "Z9000",
    "L9ZZ9000",
    "YA900000",
    "YA90O0001",
    "T900001",
    "900001,",
    "990009000150",
    "\"900001\"",
    "999990000",
];

/// Rows that cannot be used, one reason each.
const UNUSABLE_WORLD: &str = "\
990000001,ZZZ,passport,lost,2026-01-05,2026-01-06,,FRA-01,,,
990000002,YUG,passport,lost,2026-01-05,2026-01-06,,FRA-01,,,
990000003,FRA,passport,misappropriated,2026-01-05,2026-01-06,,FRA-01,,,
990000004,FRA,driving_licence,lost,2026-01-05,2026-01-06,,FRA-01,,,
990000005,FRA,passport,lost,2026-02-30,2026-03-01,,FRA-01,,,
99*000006,FRA,passport,lost,2026-01-05,2026-01-06,,FRA-01,,,
,FRA,passport,lost,2026-01-05,2026-01-06,,FRA-01,,,
990000008,FRA
9900000000000000000000000009,FRA,passport,lost,2026-01-05,2026-01-06,,FRA-01,,,
";
const UNUSABLE_BLANKS: &str = "\
Y900500,PRT,passport,stolen_blank,2026-06-30,2026-07-02,,PRT-01,,,Y900400
Y900000,PRT,passport,stolen_blank,2026-06-30,2026-07-02,,PRT-01,,,X900499
Y0000000,PRT,passport,stolen_blank,2026-06-30,2026-07-02,,PRT-01,,,Y9000000
";
const UNUSABLE_CARDS: &str = "\
{\"number\":\"L9ZZ9\",\"issuing_state\":\"D\",\"type\":\"identity_card\",\"status\":\"lost\"
{\"number\":\"L9ZZ8\",\"issuing_state\":\"D\",\"type\":\"identity_card\",\"status\":\"lost\",\"date_reported\":\"12.09.2026\"}
{\"issuing_state\":\"D\",\"type\":\"identity_card\",\"status\":\"lost\"}
";
const UNUSABLE_RUSSIA: &str = "\
6004,2718
III-АБ,512345
6004,3+]456
60,041234
6004
";
const UNUSABLE_UKRAINE: [&str; 3] = [
    r#"{"ID":"0007__1","OVD":"ВІДДІЛ ПОЛІЦІЇ № 7","D_SERIES":"6004","D_NUMBER":"512345","D_TYPE":"Паспорт громадянина Росії","D_STATUS":"ВТРАЧЕНО","THEFT_DATA":null,"INSERT_DATE":"2025-02-04T00:00:00"}"#,
    r#"{"ID":"0007_КМ_1234","OVD":"ВІДДІЛ ПОЛІЦІЇ № 7","D_SERIES":"КМ","D_NUMBER":"1234","D_TYPE":"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ","D_STATUS":"ВТРАЧЕНО","THEFT_DATA":null,"INSERT_DATE":"2025-02-04T00:00:00"}"#,
    r#"{"ID":"0007_КМ_123456","OVD":"ВІДДІЛ ПОЛІЦІЇ № 7","D_SERIES":"КМ","D_NUMBER":"123456","D_TYPE":"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ","D_STATUS":"ЗНИЩЕНО","THEFT_DATA":null,"INSERT_DATE":"2025-02-04T00:00:00"}"#,
];
const UKRAINE_SCHEMA: &str = "\u{feff}{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"ID\":{\"type\":\"string\"},\"OVD\":{\"type\":\"string\"},\"D_SERIES\":{\"type\":\"string\"},\"D_NUMBER\":{\"type\":\"string\"},\"D_TYPE\":{\"type\":\"string\"},\"D_STATUS\":{\"type\":\"string\"},\"THEFT_DATA\":{\"type\":\"string\"},\"INSERT_DATE\":{\"type\":\"string\"}}}}\n";
const UNUSABLE_CZECHIA: &str = "12345678A!;5.3.2024\n123456789;31.2.2024\n;5.3.2024\n";

fn main() -> Outcome {
    let samples = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"),
    };
    let folder = |name: &str| -> Outcome<PathBuf> {
        let path = samples.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    };
    world(&folder("world")?)?;
    netherlands(&folder("netherlands")?)?;
    russia(&folder("russia")?)?;
    ukraine(&folder("ukraine")?)?;
    czechia(&folder("czechia")?)
}

/// A generated list as text, without the numbers that stand for cases of their own.
fn generated(records: u64, seed: u64, layout: Layout, ranges: bool) -> Outcome<String> {
    let out = std::env::temp_dir().join(format!("sltd-samples-{}", std::process::id()));
    let args = GenerateArgs {
        records,
        seed,
        out: out.clone(),
        layout,
        queries: None,
        query_count: 0,
        hit_share: 0.0,
        ranges,
        references: false,
    };
    generate::generate(&args)?;
    let text = fs::read_to_string(&out)?;
    fs::remove_file(&out)?;
    match FIXED.iter().find(|fixed| text.contains(**fixed)) {
        Some(fixed) => {
            Err(format!("seed {seed}: {fixed} is in the list; take another seed").into())
        }
        None => Ok(text),
    }
}

/// Our own layouts: a CSV in two parts, ranges of blanks, cards as JSON Lines, permits as Parquet.
fn world(folder: &Path) -> Outcome {
    let list = generated(8_000, 71, Layout::SltdCsv, false)?;
    let rows: Vec<&str> = list.lines().skip(1).collect();
    let kind = |row: &str| row.split(',').nth(2).unwrap_or_default().to_owned();
    let (permits, others): (Vec<&str>, Vec<&str>) = rows
        .into_iter()
        .partition(|row| matches!(kind(row).as_str(), "residence_permit" | "visa"));
    let (first, second) = others.split_at(others.len().min(1_000));

    let plain = format!(
        "{HEADER}\n{}\n{ASKED_WORLD}{UNUSABLE_WORLD}",
        first.join("\n")
    );
    fs::write(folder.join("part-1.csv"), plain)?;
    let packed = format!("\u{feff}{HEADER}\r\n{}\r\n", second.join("\r\n"));
    fs::write(
        folder.join("part-2.csv.zst"),
        zstd::encode_all(packed.as_bytes(), 19)?,
    )?;

    let ranges = generated(100_000, 72, Layout::SltdCsv, true)?;
    let ranges: Vec<&str> = ranges
        .lines()
        .skip(1)
        .filter(|row| !row.ends_with(','))
        .collect();
    let text = format!(
        "{HEADER}\n{}\n{ASKED_BLANKS}{UNUSABLE_BLANKS}",
        ranges.join("\n")
    );
    fs::write(folder.join("stolen-blanks.csv"), text)?;

    let cards = generated(6_000, 73, Layout::SltdJsonl, false)?;
    let cards: Vec<&str> = cards
        .lines()
        .filter(|row| row.contains("\"identity_card\""))
        .collect();
    let (early, late) = cards.split_at(cards.len() / 2);
    // Two members, as `cat a.gz b.gz` makes them.
    let mut packed = gzip(format!("{}\n", early.join("\n")).as_bytes())?;
    packed.extend(gzip(
        format!("{}\n{ASKED_CARDS}{UNUSABLE_CARDS}", late.join("\n")).as_bytes(),
    )?);
    fs::write(folder.join("cards.jsonl.gz"), packed)?;

    parquet(&permits, &folder.join("permits.parquet"))
}

/// Rows of our CSV as Parquet: eleven optional columns of text.
fn parquet(rows: &[&str], path: &Path) -> Outcome {
    let columns: Vec<&str> = HEADER.split(',').collect();
    let fields: String = columns
        .iter()
        .map(|name| format!("OPTIONAL BYTE_ARRAY {name} (UTF8); "))
        .collect();
    let schema = parse_message_type(&format!("message reports {{ {fields} }}"))?;
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_created_by("sltd-data samples".to_owned());
    let file = fs::File::create(path)?;
    let mut writer = SerializedFileWriter::new(file, schema.into(), properties.build().into())?;
    let mut group = writer.next_row_group()?;
    let mut column = 0;
    while let Some(mut out) = group.next_column()? {
        let cells = rows
            .iter()
            .map(|row| row.split(',').nth(column).unwrap_or_default());
        let present: Vec<i16> = cells
            .clone()
            .map(|cell| i16::from(!cell.is_empty()))
            .collect();
        let values: Vec<ByteArray> = cells
            .filter(|cell| !cell.is_empty())
            .map(ByteArray::from)
            .collect();
        out.typed::<ByteArrayType>()
            .write_batch(&values, Some(&present), None)?;
        out.close()?;
        column += 1;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// What Dutch police list: their own documents, and some of other States.
fn netherlands(folder: &Path) -> Outcome {
    let list = generated(60_000, 74, Layout::SltdCsv, false)?;
    let (mut text, mut others) = (format!("{HEADER}\n"), 0);
    for row in list.lines().skip(1) {
        let own = row.split(',').nth(1) == Some("NLD");
        if own || others < 40 && row.contains(",DNK,passport,lost,") {
            others += u32::from(!own);
            text.extend([row, "\n"]);
        }
    }
    fs::write(
        folder.join("reported.csv.gz"),
        gzip(format!("{text}{ASKED_NETHERLANDS}").as_bytes())?,
    )?;
    Ok(())
}

fn russia(folder: &Path) -> Outcome {
    let list = generated(5_000, 75, Layout::Russia, false)?;
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    packed.write_all(format!("{list}{ASKED_RUSSIA}{UNUSABLE_RUSSIA}").as_bytes())?;
    fs::write(
        folder.join("list_of_expired_passports.csv.bz2"),
        packed.finish()?,
    )?;
    Ok(())
}

fn ukraine(folder: &Path) -> Outcome {
    let packed = generated(2_500, 76, Layout::Ukraine, false)?;
    fs::write(
        folder.join("mvswantedpassport_1.json.gz"),
        gzip(packed.as_bytes())?,
    )?;
    let plain = generated(100, 77, Layout::Ukraine, false)?;
    let mut rows = vec![
        plain.trim_end().trim_end_matches(']').trim_end(),
        ASKED_UKRAINE,
    ];
    rows.extend(UNUSABLE_UKRAINE);
    fs::write(
        folder.join("mvswantedpassport_2.json"),
        format!("{}\n]\n", rows.join(",\n")),
    )?;
    fs::write(folder.join("mvswantedpassport_shema.json"), UKRAINE_SCHEMA)?;
    Ok(())
}

/// One archive with a file for each kind; numbers of the other kinds are cut from those of kind 0.
fn czechia(folder: &Path) -> Outcome {
    let list = generated(4_000, 78, Layout::Czechia, false)?;
    let rows: Vec<(&str, &str)> = list.lines().filter_map(|row| row.split_once(';')).collect();
    let (cards, others) = rows.split_at(rows.len() / 2);
    let plain = |rows: &[(&str, &str)], digits: usize| -> String {
        rows.iter()
            .map(|(number, date)| format!("{};{date}\n", &number[9 - digits..]))
            .collect()
    };
    let with_series: String = others
        .iter()
        .take(800)
        .zip(0u32..)
        .map(|((number, date), at)| {
            format!(
                "{};A{}{:02};{date}\n",
                &number[3..],
                char::from(b'A' + (at % 26) as u8),
                at % 90 + 10
            )
        })
        .collect();
    let files = [
        plain(cards, 9) + UNUSABLE_CZECHIA,
        with_series + "900001;AB12;5.3.2024\n123456;;5.3.2024\n",
        plain(others.get(800..1_600).unwrap_or_default(), 8),
        plain(others.get(1_600..).unwrap_or_default(), 7),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (kind, text) in files.iter().enumerate() {
        let options =
            zip::write::SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
        archive.start_file(format!("typ_dokladu_{kind}.csv"), options)?;
        archive.write_all(text.as_bytes())?;
    }
    fs::write(
        folder.join("neplatne-doklady.zip"),
        archive.finish()?.into_inner(),
    )?;
    Ok(())
}

fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}
