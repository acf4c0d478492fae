//! What the commands have in common: exit codes, standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// `verify`: something is damaged.
pub(crate) const DAMAGED: u8 = 1;
/// Wrong usage, or a file of the operator's that can't be used; clap exits with the same.
pub(crate) const USAGE: u8 = 2;
/// What was asked for could not be done.
pub(crate) const FAILED: u8 = 3;
/// Published, with a source held at what it reported before.
pub(crate) const HELD: u8 = 20;
/// A guard has refused.
pub(crate) const REFUSED: u8 = 21;
/// A pin has withheld it.
pub(crate) const WITHHELD: u8 = 22;
/// Another process is changing the store.
pub(crate) const LOCKED: u8 = 23;

/// Too many rows of a required source can't be used.
pub(crate) const REJECTS: u8 = 24;
/// Published, with rows noted or rejected that `--strict` asks about.
pub(crate) const NOTED: u8 = 25;

/// Says something on standard error. Where `eprintln!` would panic because nobody reads it any more,
/// the exit code has to be enough.
pub(crate) fn say(message: impl Display) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Says what went wrong.
pub(crate) fn complain(message: impl Display) {
    let message = message.to_string();
    say(format_args!("error: {message}"));
    let mut errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
    errors.push(message);
}

/// What has been complained about.
static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Whether something was printed on standard output.
static PRINTED: AtomicBool = AtomicBool::new(false);
/// Whether the command was given `--json`.
static JSON: AtomicBool = AtomicBool::new(false);

/// Remembers whether errors are to be printed as JSON.
pub fn expect_json(json: bool) {
    JSON.store(json, Ordering::Relaxed);
}

/// Prints what has been complained about as one JSON object, unless the command has printed one: with `--json`,
/// standard output holds an object whatever happens.
pub fn print_errors() {
    let errors = ERRORS.lock().unwrap_or_else(PoisonError::into_inner);
    let json = JSON.load(Ordering::Relaxed);
    if json && !errors.is_empty() && !PRINTED.load(Ordering::Relaxed) {
        print_error(&errors.join("\n"));
    }
}

/// Says that a command prints on standard output by itself, errors included.
pub(crate) fn prints_itself() {
    PRINTED.store(true, Ordering::Relaxed);
}

/// Prints an error as a JSON object.
pub fn print_error(message: &str) {
    let object = serde_json::json!({ "error": { "message": message } });
    // Where nobody reads, the exit code has to be enough.
    let _ = print(format_args!("{object}\n"));
}

/// Ends a command because of a file of the operator's that can't be used.
pub(crate) fn unusable(error: impl Display) -> ExitCode {
    complain(error);
    ExitCode::from(USAGE)
}

/// Says what went wrong beside what was done.
pub(crate) fn warn(message: impl Display) {
    say(format_args!("warning: {message}"));
}

/// Prints a text as it is. Where `println!` would panic because whoever reads has seen enough and
/// closed the pipe (`sltd-data inspect | head`), this goes on in silence.
pub(crate) fn print(text: impl Display) -> io::Result<()> {
    PRINTED.store(true, Ordering::Relaxed);
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
