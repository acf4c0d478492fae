//! How everything grows with the list, and what would break first if it went on.

use super::ask;
use super::start::{absent_traffic, start_serving};
use crate::Result;
use crate::given::{BUILD_MEMORY, Given};
use crate::programs;
use crate::report::{Curve, Figure, Findings, Line, Spread, curves, number};
use crate::rivals::Draw;
use crate::turns::{Contender, in_turns};
use sltd::document::DocumentNumber;
use sltd::index::Segment;
use sltd::snapshot::Warm;

/// Rounds of the lookups, and starts that are measured.
const ROUNDS: usize = 5;
/// Absent and present numbers asked about, each.
const ASKED: usize = 200_000;
/// Documents of the extrapolation.
const FAR: f64 = 1e9;
/// A build that takes longer does not fit between two nights' lists with room to do it again.
const BUILD_MAX: f64 = 3600.0;
/// A server that takes longer to start is taken for dead by those who watch it.
const START_MAX: f64 = 60.0;

/// What was measured at one size.
#[derive(Debug)]
struct Point {
    documents: f64,
    list_bytes: f64,
    /// One for each of [`MEASURES`].
    values: [Spread; MEASURES.len()],
}

/// What is measured, its unit, and how it grows: with the documents, or with their logarithm.
const MEASURES: [(&str, &str, bool); 6] = [
    ("build", "s", true),
    ("file", "MB", true),
    ("start", "s", true),
    ("memory", "MB", true),
    ("absent", "ns", false),
    ("present", "ns", false),
];

/// Measures one size after the other.
///
/// # Errors
/// When a size can't be measured.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let mut points = Vec::new();
    let mut failed = Vec::new();
    for records in &given.scale {
        eprintln!("  {records} rows");
        match point(given, *records) {
            Ok(point) => points.push(point),
            // Larger ones would fail alike, and smaller ones are worth telling.
            Err(error) => {
                failed.push(format!("**{records} rows could not be measured**: {error}"));
                break;
            }
        }
    }
    let mut findings = Findings {
        notes: vec![format!(
            "build: `sltd-data build --threads {} --memory {BUILD_MEMORY}`, once; start: to SERVING, the file in the page cache; memory: anonymous memory and resident filter of a server with `warm = \"filter\"` after calls about absent documents; absent and present: in process, one at a time, nanoseconds a number, {} rounds",
            given.threads,
            given.rounds(ROUNDS)
        )],
        ..Findings::default()
    };
    findings.notes.append(&mut failed);
    for point in &points {
        for ((name, unit, _), value) in MEASURES.iter().zip(point.values) {
            let id = format!("scale/{name}/{}", millions(point.documents));
            findings.figures.push(Figure::alone(&id, unit, value));
        }
    }
    findings.notes.extend(extrapolate(given, &points));
    if !given.quick && !points.is_empty() {
        findings.plots = draw(&points)?;
    }
    Ok(findings)
}

/// Generates, builds and asks one size, and removes it again.
fn point(given: &Given, records: u64) -> Result<Point> {
    let folder = tempfile::tempdir_in(&given.scratch)?;
    let mut sized = Given {
        list: folder.path().join("list.csv"),
        queries: folder.path().join("list.queries"),
        store: folder.path().join("store"),
        scratch: folder.path().to_owned(),
        programs: given.programs.clone(),
        scale: Vec::new(),
        records,
        ..*given
    };
    if records == given.records {
        sized.list.clone_from(&given.list);
        sized.queries.clone_from(&given.queries);
    } else {
        sized.generate(records, &sized.list, &sized.queries)?;
    }
    let list_bytes = std::fs::metadata(&sized.list)?.len() as f64;
    let build = sized.build_store(&sized.list, &sized.store, sized.threads, BUILD_MEMORY)?;

    let mut starts = Vec::new();
    for start in 0..=given.rounds(ROUNDS) {
        let (_server, seconds) = start_serving(&sized, "", None)?;
        // The first brings the segment into the page cache.
        if start > 0 {
            starts.push(seconds);
        }
    }
    let memory = absent_traffic(&sized)?.after;

    let snapshot = sized.snapshot(Warm::All)?;
    let segment = ask::only_segment(&snapshot)?;
    let [absent, present] = lookups(&sized, segment)?;
    Ok(Point {
        documents: segment.documents() as f64,
        list_bytes,
        values: [
            Spread::exact(build.wall),
            Spread::exact(segment.file_len() as f64 / 1e6),
            Spread::of(starts),
            Spread::exact((memory.anonymous + memory.filter) as f64 / 1e6),
            Spread::of(absent),
            Spread::of(present),
        ],
    })
}

/// Nanoseconds of an absent and of a present number, by round.
fn lookups(sized: &Given, segment: &Segment) -> Result<[Vec<f64>; 2]> {
    let absent: Vec<_> = ask::absent(sized, segment)?
        .iter()
        .filter_map(|query| query.number)
        .take(ASKED)
        .collect();
    let present = sample(segment)?;
    let rounds = sized.rounds(ROUNDS);
    let count = |numbers: &[DocumentNumber]| {
        let mut found = 0;
        for number in numbers {
            let mut reports = 0;
            ask::each_report(segment, number, |_| reports += 1)?;
            found += usize::from(reports > 0);
        }
        Ok(found)
    };
    let [absent_times] = in_turns(
        rounds,
        absent.len(),
        [Contender::fallible("absent", 0, || count(&absent))],
    )?;
    let [present_times] = in_turns(
        rounds,
        present.len(),
        [Contender::fallible("present", present.len(), || {
            count(&present)
        })],
    )?;
    Ok([absent_times, present_times])
}

/// About [`ASKED`] numbers of a segment, each as likely as any other, in random order.
fn sample(segment: &Segment) -> Result<Vec<DocumentNumber>> {
    let documents = usize::try_from(segment.documents())?;
    let (mut draw, mut sample) = (Draw(1), Vec::new());
    segment.for_each(|number, _| {
        if draw.below(documents) < ASKED {
            sample.push(number);
        }
    })?;
    for last in (1..sample.len()).rev() {
        sample.swap(last, draw.below(last + 1));
    }
    Ok(sample)
}

fn millions(documents: f64) -> String {
    format!(
        "{}-million",
        number((documents / 1e6 * 100.0).round() / 100.0)
    )
}

/// Lines through the points: over documents, or over their logarithm to base two.
fn lines(points: &[Point]) -> Option<[Line; MEASURES.len()]> {
    let mut lines = Vec::with_capacity(MEASURES.len());
    for (at, (_, _, linear)) in MEASURES.iter().enumerate() {
        let of = |point: &Point| {
            let x = if *linear {
                point.documents
            } else {
                point.documents.log2()
            };
            Some((x, point.values.get(at)?.median))
        };
        lines.push(Line::through(
            &points.iter().filter_map(of).collect::<Vec<_>>(),
        )?);
    }
    lines.try_into().ok()
}

/// What a billion documents would take, and what breaks first on this machine; nothing where there are too few points.
fn extrapolate(given: &Given, points: &[Point]) -> Vec<String> {
    let Some([build, file, start, memory, absent, present]) = lines(points) else {
        return Vec::new();
    };
    let far = format!(
        "a billion documents, extrapolated (absent and present with the logarithm, all else in proportion): build {} s, file {} GB, start {} s, memory under absent traffic {} GB, absent {} ns, present {} ns",
        number(build.at(FAR).round()),
        number(file.at(FAR) / 1e3),
        number(start.at(FAR)),
        number(memory.at(FAR) / 1e3),
        number(absent.at(FAR.log2())),
        number(present.at(FAR.log2()))
    );
    let machine = crate::report::memory_bytes() as f64 / 1e6;
    let mut breaks = vec![
        (
            file.reaches(machine),
            format!("the file is larger than this machine's {} GB of memory: present documents and what passes the filter wait for the disk", number(machine / 1e3)),
        ),
        (
            memory.reaches(machine),
            "the filter no longer fits into this machine's memory: every question waits for the disk".to_owned(),
        ),
        (
            start.reaches(START_MAX),
            format!("a start takes more than {} s, all of it verifying", number(START_MAX)),
        ),
        (
            build.reaches(BUILD_MAX),
            format!("a build takes more than {} minutes", number(BUILD_MAX / 60.0)),
        ),
    ];
    let lists: Vec<_> = points
        .iter()
        .map(|point| (point.documents, point.list_bytes / 1e6))
        .collect();
    if let (Some(list), Some(free)) = (Line::through(&lists), free_megabytes(given)) {
        // A build holds its runs, which are no larger than the list, and two files: the current one and the new one.
        let disk = |documents: f64| 2.0 * list.at(documents) + 2.0 * file.at(documents);
        let line = Line::through(&[(1e6, disk(1e6)), (FAR, disk(FAR))]);
        breaks.push((
            line.and_then(|line| line.reaches(free)),
            format!(
                "list, runs and two files no longer fit on the disk, of which {} GB are free",
                number((free / 1e3).round())
            ),
        ));
    }
    breaks.retain(|(at, _)| at.is_some_and(|at| at > 0.0));
    breaks.sort_by(|one, other| {
        one.0
            .unwrap_or(f64::MAX)
            .total_cmp(&other.0.unwrap_or(f64::MAX))
    });
    let told: Vec<String> = breaks
        .iter()
        .filter_map(|(at, what)| {
            Some(format!(
                "at {} million documents {what}",
                number((at.as_ref()? / 1e6).round())
            ))
        })
        .collect();
    vec![far, format!("what breaks, in order: {}", told.join("; "))]
}

/// Free disk, MB.
fn free_megabytes(given: &Given) -> Option<f64> {
    let disk = rustix::fs::statvfs(&given.scratch).ok()?;
    Some(disk.f_bavail as f64 * disk.f_frsize as f64 / 1e6)
}

/// A plot of what grows with the documents and one of what hardly grows; their file names.
fn draw(points: &[Point]) -> Result<Vec<String>> {
    let folder = programs::benches().join("plots");
    std::fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for (file, title, up, linear) in [
        ("scale.svg", "What grows with the documents", "s, MB", true),
        (
            "scale-lookups.svg",
            "Lookups in process",
            "ns a number",
            false,
        ),
    ] {
        let measures = MEASURES
            .iter()
            .enumerate()
            .filter(|(_, measure)| measure.2 == linear);
        let drawn: Vec<Curve> = measures
            .map(|(at, (name, unit, _))| Curve {
                name: format!("{name}, {unit}"),
                points: points
                    .iter()
                    .filter_map(|point| Some((point.documents / 1e6, point.values.get(at)?.median)))
                    .collect(),
            })
            .collect();
        curves(&folder.join(file), title, "million documents", up, &drawn)?;
        files.push(file.to_owned());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_followed_to_a_billion() {
        let point = |documents: f64| Point {
            documents,
            list_bytes: documents * 70.0,
            values: [
                documents / 1e6,
                documents / 1e5,
                0.1 + documents / 1e9,
                30.0 + documents / 5e5,
                20.0 + documents.log2(),
                900.0 + 10.0 * documents.log2(),
            ]
            .map(Spread::exact),
        };
        let points = [point(1e6), point(1e7)];
        let Some([build, file, start, ..]) = lines(&points) else {
            panic!("two points give lines");
        };
        assert!((build.at(FAR) - 1000.0).abs() < 1e-6);
        assert!((file.at(FAR) - 10_000.0).abs() < 1e-6);
        assert!((start.at(FAR) - 1.1).abs() < 1e-6);
        assert!(lines(&points[..1]).is_none());
        assert_eq!(millions(987_654.0), "0.990-million");
    }
}
