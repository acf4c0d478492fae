//! Lists as a whole: what they promise, held against the text that was written.

use super::mix::mix;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A list and its questions as written.
struct Written {
    list: String,
    questions: String,
    generated: Generated,
}

fn generate(records: u64, change: impl FnOnce(&mut GenerateArgs)) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let queries = folder.path().join("queries");
    let mut args = GenerateArgs {
        records,
        seed: 1,
        out: folder.path().join("list"),
        layout: Layout::SltdCsv,
        queries: Some(queries.clone()),
        query_count: 1000,
        hit_share: 0.01,
        ranges: false,
        references: false,
    };
    change(&mut args);
    let generated = super::generate(&args).unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    Written {
        list: read(&args.out),
        questions: read(&queries),
        generated,
    }
}

/// The rows of our CSV, cut into fields: no field is quoted.
fn fields(list: &str) -> impl Iterator<Item = Vec<&str>> {
    list.lines().skip(1).map(|line| line.split(',').collect())
}

fn digest(text: &str) -> u64 {
    text.bytes().fold(0, |hash, byte| mix(hash, byte.into()))
}

/// The bytes are a contract: measurements are made on them. A change of the generator changes these
/// values, and is named in the change log.
#[test]
fn the_bytes_are_pinned() {
    let list = generate(20_000, |_| ());
    let first = list.list.lines().nth(1).unwrap();
    assert_eq!(
        first,
        "AB0018937,FIN,passport,lost,2026-03-22,2026-03-29,,FIN-05,,,"
    );
    assert_eq!(
        (digest(&list.list), digest(&list.questions)),
        (0x1EC6_2BE1_555A_F19F, 0xD7FE_45AC_67B1_AA12)
    );
    let again = generate(20_000, |_| ());
    assert!(list.list == again.list && list.questions == again.questions);
    let other = generate(20_000, |args| args.seed = 2);
    assert_ne!(list.list, other.list);
    let alone = generate(20_000, |args| args.query_count = 7);
    assert_eq!(list.list, alone.list, "questions change the list");
}

/// What questions promise, by brute force over the whole list: reported ones are reported, with
/// State and type; the others' State reports nothing of that number, not even of another type.
#[test]
fn questions_are_what_they_are_said_to_be() {
    for (records, ranges) in [(200_000, false), (50_000, true), (50, false)] {
        let written = generate(records, |args| {
            args.query_count = 50_000;
            args.hit_share = 0.2;
            args.ranges = ranges;
        });
        let mut documents = BTreeSet::new();
        for row in fields(&written.list) {
            for number in expand(row[0], row[10]) {
                documents.insert((number, row[1], row[2]));
            }
        }
        let numbers: BTreeSet<(&str, &str)> = documents
            .iter()
            .map(|(n, state, _)| (n.as_str(), *state))
            .collect();
        let elsewhere: BTreeSet<&str> = documents.iter().map(|(n, ..)| n.as_str()).collect();
        let (mut reported, mut unreported, mut equal) = (0, 0, 0);
        for line in written.questions.lines() {
            let [number, state, kind] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            match documents.contains(&(number.to_owned(), state, kind)) {
                true => reported += 1,
                false => {
                    unreported += 1;
                    assert!(
                        !numbers.contains(&(number, state)),
                        "{line} is reported as another type"
                    );
                    equal += u64::from(elsewhere.contains(number));
                }
            }
        }
        assert_eq!(
            (reported, unreported),
            (10_000, 40_000),
            "{records} records"
        );
        assert_eq!(
            (
                written.generated.queries,
                written.generated.reported_queries
            ),
            (50_000, 10_000)
        );
        assert!(
            equal > 0 || records < 1000,
            "no unreported number is reported by another State"
        );
    }
}

/// The numbers of a row: one, or all of a range, by adding one to a decimal number.
fn expand(first: &str, last: &str) -> Vec<String> {
    if last.is_empty() {
        return vec![first.to_owned()];
    }
    let common = first
        .bytes()
        .zip(last.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let (prefix, width) = (&first[..common], first.len() - common);
    assert_eq!(first.len(), last.len());
    let (from, to): (u32, u32) = (
        first[common..].parse().unwrap(),
        last[common..].parse().unwrap(),
    );
    assert!(from < to && to - from < 1_000_000);
    (from..=to)
        .map(|n| format!("{prefix}{n:0width$}"))
        .collect()
}

#[test]
fn every_row_is_usable() {
    let written = generate(100_000, |args| args.references = true);
    assert_eq!(written.list.lines().count(), 100_001);
    let mut references = BTreeSet::new();
    for row in fields(&written.list) {
        let [
            number,
            _,
            _,
            status,
            loss,
            reported,
            review,
            authority,
            _,
            reference,
            range_end,
        ] = row[..]
        else {
            panic!("{} fields", row.len())
        };
        assert!((1..=24).contains(&number.len()));
        assert!(
            number
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        );
        assert!(
            loss <= reported && reported <= "2026-11-20",
            "{loss} {reported}"
        );
        if status != "stolen_blank" && !reported.is_empty() {
            let ten_years = format!(
                "{}{}",
                reported[..4].parse::<u32>().unwrap() + 10,
                &reported[4..]
            );
            let lapse = if review.is_empty() {
                &ten_years
            } else {
                review
            };
            assert!(lapse >= "2031-01-01", "{reported} {review}");
        }
        assert!(!authority.is_empty() && range_end.is_empty());
        references.insert(reference);
    }
    // Rows repeated byte by byte repeat the reference too.
    assert!(
        references.len() > 99_800 && !references.contains(""),
        "{} references",
        references.len()
    );
}

#[test]
fn shares_are_those_of_the_published_list() {
    let written = generate(200_000, |_| ());
    let mut documents = BTreeSet::new();
    let mut by = BTreeMap::<&str, u32>::new();
    for row in fields(&written.list) {
        documents.insert((row[0], row[1], row[2]));
        for value in [row[1], row[2], row[3], row[8]] {
            *by.entry(value).or_default() += 1;
        }
    }
    let numbers: BTreeSet<&str> = documents.iter().map(|(number, ..)| *number).collect();
    let share = |name: &str| f64::from(by.get(name).copied().unwrap_or(0)) / 200_000.0;
    for (name, from, to) in [
        ("passport", 0.45, 0.57),
        ("identity_card", 0.30, 0.42),
        ("visa", 0.01, 0.05),
        ("ITA", 0.05, 0.08),
        ("LIE", 0.0001, 0.001),
        ("lost", 0.5, 0.65),
        ("stolen", 0.2, 0.3),
        ("stolen_blank", 0.02, 0.1),
        ("silent", 0.002, 0.008),
    ] {
        assert!((from..to).contains(&share(name)), "{name}: {}", share(name));
    }
    let states = by
        .keys()
        .filter(|name| name.len() <= 3 && name.bytes().all(|b| b.is_ascii_uppercase()))
        .count();
    assert!(states > 170, "{states} States");
    // At 40 million rows: more than 39 million documents.
    assert!(
        (196_000..198_500).contains(&documents.len()),
        "{} documents",
        documents.len()
    );
    assert!(
        documents.len() - numbers.len() > 500,
        "{} equal numbers",
        documents.len() - numbers.len()
    );
}

#[test]
fn a_billion_rows_begin_like_a_thousand() {
    let begin = |records| {
        let world = World::new(
            Layout::SltdCsv.states(),
            Layout::SltdCsv.issued(),
            records,
            1,
        )?;
        let mut rows = Rows::new(
            &world,
            Traits {
                repeats: true,
                ranges: false,
                long_retention: true,
            },
            1,
        );
        (0..1000).try_for_each(|_| rows.next_row().map(|_| ()))
    };
    assert!(begin(1000).is_ok());
    assert!(begin(1_000_000_000).is_ok());
    let error = begin(2_000_000_000).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2000000000 records asked for: a list of this layout has at most 1600000000"
    );
}

#[test]
fn layouts_look_like_the_published_files() {
    for (layout, begin, end) in [
        (Layout::SltdJsonl, "{\"number\":\"", "\"}\n"),
        (Layout::Russia, "PASSP_SERIES,PASSP_NUMBER\n", "\n"),
        (Layout::Ukraine, "\u{feff}[\n{\"ID\":\"", "\"}\n]\n"),
    ] {
        let written = generate(1000, |args| args.layout = layout);
        assert!(written.list.starts_with(begin), "{layout:?}");
        assert!(
            written.list.ends_with(end) || layout == Layout::Ukraine,
            "{layout:?}"
        );
    }
    for line in generate(1000, |args| args.layout = Layout::Czechia)
        .list
        .lines()
    {
        let (number, date) = line.split_once(';').unwrap();
        assert!(number.len() == 9 && number.parse::<u32>().is_ok());
        let date: Vec<&str> = date.split('.').collect();
        assert!(
            date.len() == 3 && date[2].len() == 4 && date.iter().all(|part| !part.starts_with('0')),
            "{line}"
        );
    }
    let ukraine = generate(1000, |args| args.layout = Layout::Ukraine).list;
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(ukraine.trim_start_matches('\u{feff}')).unwrap();
    assert_eq!(rows.len(), 1000);
    for line in generate(1000, |args| args.layout = Layout::SltdJsonl)
        .list
        .lines()
    {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(row["issuing_state"].is_string() && row["range_end"].is_null());
    }
}

#[test]
fn shapes_of_one_state_do_not_overlap() {
    for layout in [
        Layout::SltdCsv,
        Layout::Russia,
        Layout::Ukraine,
        Layout::Czechia,
    ] {
        for (state, _, documents) in layout.states() {
            for (_, _, one) in *documents {
                for (_, _, other) in *documents {
                    let (one, other) = (
                        shape::Shape::parse(one).unwrap(),
                        shape::Shape::parse(other).unwrap(),
                    );
                    let equal = one.pattern() == other.pattern();
                    assert!(
                        equal || !one.overlaps(&other),
                        "{state}: {} {}",
                        one.pattern(),
                        other.pattern()
                    );
                }
            }
        }
    }
}

#[test]
fn shares_are_numbers_or_fractions() {
    for (text, expected) in [
        ("0.25", Some(0.25)),
        ("1/4", Some(0.25)),
        ("1", Some(1.0)),
        ("0", Some(0.0)),
    ] {
        assert_eq!(parse_share(text).ok(), expected);
    }
    for text in ["", "2", "-1", "1/0", "0/0", "x", "1/2/3", "nan"] {
        assert!(parse_share(text).is_err(), "{text}");
    }
}

/// Lists without review dates hold no report that the default of ten years would let lapse.
#[test]
fn reports_without_review_dates_are_recent() {
    for (layout, key) in [
        (Layout::Ukraine, "\"INSERT_DATE\":\""),
        (Layout::Czechia, ";"),
    ] {
        let list = generate(20_000, |args| args.layout = layout).list;
        let dates = list
            .lines()
            .filter_map(|line| line.split_once(key))
            .map(|(_, date)| date);
        let mut years = 0;
        for year in dates.filter_map(|date| date.split(['-', '.']).find(|part| part.len() == 4)) {
            assert!(("2021"..="2026").contains(&year), "{layout:?}: {year}");
            years += 1;
        }
        assert!(years > 19_000, "{layout:?}: {years} dates");
    }
}
