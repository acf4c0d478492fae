//! The report: every figure that the project promises, measured in one run and written down.
//!
//! ```text
//! cargo bench --bench report -- --list LIST.csv --queries FILE --out benches/RESULTS.md
//! ```
//! Contenders of a figure take turns in one run, so that what the machine does beside hits all of them; medians are
//! told with the least and the greatest, ratios are taken round by round. Every contender's answers are held against one
//! expected answer, and a wrong one ends the run. Without `--list` a list of a million rows is generated: enough to see
//! that everything works, too small to mean much. `--only` picks sections.
//!
//! `index_lookup` beside this measures single steps of a lookup in depth, with criterion.

mod build;
mod list;
mod lookups;
mod machine;
mod process;
mod questions;
mod rivals;
mod serving;
mod table;
mod unary;

use clap::{Parser, ValueEnum};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// A measurement fails as a whole: whoever runs it reads the text.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Rows of the list that is generated where none is given.
const ROWS: &str = "1000000";

/// Measure what the project promises
#[derive(Debug, Parser)]
struct Arguments {
    /// The list, as `sltd-data generate` writes it [default: a million rows are generated]
    #[arg(long, value_name = "FILE", requires = "queries")]
    list: Option<PathBuf>,
    /// Questions about the list, as `sltd-data generate --queries` writes them
    #[arg(long, value_name = "FILE", requires = "list")]
    queries: Option<PathBuf>,
    /// A store built from the list [default: it is built]
    #[arg(long, value_name = "DIR", requires = "list")]
    store: Option<PathBuf>,
    /// Where to work, with room for twice the list [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Also write the report here, such as benches/RESULTS.md
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only these sections
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// A section of the report, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// From list to published snapshot, against sort
    Build,
    /// Bytes a document
    Bytes,
    /// A server's start and memory
    Start,
    /// Absent and present documents in process
    Lookups,
    /// Calls over gRPC, against tonic echoes
    Unary,
    /// Every row looked up; verdicts of all questions
    List,
}

/// What the sections work with.
#[derive(Debug)]
pub(crate) struct Given {
    list: PathBuf,
    queries: PathBuf,
    store: PathBuf,
    /// An existing folder that is removed afterwards.
    scratch: PathBuf,
    /// The program that builds and generates.
    sltd_data: PathBuf,
    /// Cores.
    threads: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == unary::ECHO => unary::echo_main(rest),
        Some((first, rest)) if first == unary::LOAD => unary::load_main(rest),
        _ => report(&Arguments::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(arguments: &Arguments) -> Result<()> {
    let scratch = match &arguments.scratch {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let given = prepare(arguments, scratch.path())?;
    let mut text = heading(&given)?;
    print!("{text}");
    for section in Section::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(section) {
            continue;
        }
        let findings = match section {
            Section::Build => build::run(&given),
            Section::Bytes => build::bytes(&given),
            Section::Start => serving::run(&given),
            Section::Lookups => lookups::run(&given),
            Section::Unary => unary::run(&given),
            Section::List => list::run(&given),
        }?;
        let markdown = findings.markdown();
        println!("\n{markdown}");
        write!(text, "\n{markdown}")?;
    }
    if let Some(path) = &arguments.out {
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// Makes what was not given.
fn prepare(arguments: &Arguments, scratch: &Path) -> Result<Given> {
    let sltd_data = build_sltd_data()?;
    let (list, queries) = match (&arguments.list, &arguments.queries) {
        (Some(list), Some(queries)) => (list.canonicalize()?, queries.canonicalize()?),
        _ => {
            let (list, queries) = (
                scratch.join("generated.csv"),
                scratch.join("generated.queries"),
            );
            let mut command = Command::new(&sltd_data);
            command
                .args(["generate", "--records", ROWS, "--out"])
                .arg(&list)
                .arg("--queries")
                .arg(&queries);
            succeed(&mut command)?;
            (list, queries)
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let store = arguments
        .store
        .clone()
        .unwrap_or_else(|| scratch.join("store"));
    let given = Given {
        list,
        queries,
        store,
        scratch: scratch.to_owned(),
        sltd_data,
        threads,
    };
    // Timing builds needs no store; everything else does.
    if arguments.store.is_none() && arguments.only != [Section::Build] {
        build::build_list(&given, &given.store, threads, "2GiB")?;
    }
    Ok(given)
}

/// The operators' program, of this source: cargo builds a bench's own package only.
fn build_sltd_data() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    succeed(
        command
            .args(["build", "--release", "--quiet", "-p", "sltd-data"])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    )?;
    Ok(Path::new(env!("CARGO_BIN_EXE_sltd")).with_file_name("sltd-data"))
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}").into())
    }
}

/// What was measured, on what, and how to do it again.
fn heading(given: &Given) -> Result<String> {
    // File names only: where they lie on this machine is nobody's business.
    let shown = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|argument| {
            let path = Path::new(&argument);
            let name = path
                .file_name()
                .filter(|_| path.is_absolute() || path.starts_with(".."));
            name.map_or(argument.clone(), |name| name.to_string_lossy().into_owned())
        });
    let command = ["cargo bench --bench report --".to_owned()]
        .into_iter()
        .chain(shown)
        .collect::<Vec<_>>()
        .join(" ");
    let bytes = std::fs::metadata(&given.list)?.len();
    Ok(format!(
        "# Results\n\nWritten by the command below; medians, with the least and the greatest in parentheses. A ratio is \
         ours divided by the other's, round by round.\n\n- command: `{command}`\n- list: {bytes} bytes\n{}",
        machine::describe()
    ))
}
