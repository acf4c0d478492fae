//! One step of a case: a command, a question, a look into a file, or a file that comes.

use crate::case::CaseFile;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Each step has exactly one of the first five keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Arguments of `sltd-data`, parted by blanks; the folder of the case is the current one.
    run: Option<String>,
    /// `number[,issuer[,type]]` to look up in `store`.
    check: Option<String>,
    /// A zone to look up in `store`.
    mrz: Option<String>,
    /// A file to look into.
    read: Option<String>,
    /// A file that comes, or takes the place of one.
    write: Option<CaseFile>,

    /// The store of a question.
    #[serde(default = "default_store")]
    store: String,
    /// What a command reads from standard input.
    #[serde(default)]
    stdin: String,
    /// The exit code of a command; of a question the one of its verdict, unless it is refused.
    exit: Option<i32>,
    /// Parts of standard output, or of the file.
    #[serde(default)]
    stdout: Vec<String>,
    /// Parts of standard error.
    #[serde(default)]
    stderr: Vec<String>,
    /// What is nowhere in the output, or in the file; a file that is not there has nothing in it.
    #[serde(default)]
    absent: Vec<String>,
    /// Values in the account of a source, by the source's name: adds `--json` to the command.
    #[serde(default)]
    account: BTreeMap<String, BTreeMap<String, Value>>,
    /// Values in what is printed as JSON, by JSON pointer: adds `--json` to the command.
    #[serde(default)]
    json: BTreeMap<String, Value>,
    /// The verdict, without `VERDICT_`.
    verdict: Option<String>,
    /// All reasons of the verdict, without `REASON_`.
    reasons: Option<Vec<String>>,
    /// The status of every match, without `REPORT_STATUS_`, in any order.
    matches: Option<Vec<String>>,
}

fn default_store() -> String {
    "store".to_owned()
}

impl Step {
    /// Does it below the folder of the case, and says what was not as expected.
    pub(crate) fn run(&self, folder: &Path) -> Result<(), String> {
        match (&self.run, &self.check, &self.mrz, &self.read, &self.write) {
            (Some(arguments), None, None, None, None) => self.command(folder, arguments),
            (None, Some(question), None, None, None) => self.question(folder, question),
            (None, None, Some(zone), None, None) => self.zone(folder, zone),
            (None, None, None, Some(file), None) => self.file(&folder.join(file)),
            (None, None, None, None, Some(file)) => {
                file.write(folder);
                Ok(())
            }
            _ => Err("expected one of run, check, mrz, read and write".to_owned()),
        }
    }

    fn command(&self, folder: &Path, arguments: &str) -> Result<(), String> {
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        let json = !self.account.is_empty() || !self.json.is_empty();
        if json && !arguments.contains(&"--json") {
            arguments.push("--json");
        }
        let output = sltd_data(folder, &arguments, &self.stdin);
        self.expect_output(&output, self.exit.or(Some(0)))?;
        if json {
            self.expect_json(&output)?;
        }
        Ok(())
    }

    fn question(&self, folder: &Path, question: &str) -> Result<(), String> {
        let mut parts = question.splitn(3, ',');
        let mut arguments = vec!["--number", parts.next().unwrap_or_default()];
        for (name, part) in ["--issuer", "--type"].into_iter().zip(parts) {
            if !part.is_empty() {
                arguments.extend([name, part]);
            }
        }
        self.look_up(folder, &arguments, "")
    }

    fn zone(&self, folder: &Path, zone: &str) -> Result<(), String> {
        self.look_up(folder, &["--mrz-file", "-"], zone)
    }

    fn look_up(&self, folder: &Path, arguments: &[&str], stdin: &str) -> Result<(), String> {
        let mut all = vec!["lookup", "--store", &self.store, "--json"];
        all.extend(arguments);
        let output = sltd_data(folder, &all, stdin);
        self.expect_output(&output, self.exit)?;
        if self.exit.is_none() && !output.stdout.starts_with(b"{\"verdict\"") {
            return Err(format!("expected an answer: {}", shown(&output)));
        }
        self.expect_json(&output)?;
        let answer = parsed(&output)?;
        if let Some(verdict) = &self.verdict {
            let found = short(answer.get("verdict"), "VERDICT_");
            expect(*verdict == found, || {
                format!("verdict: expected {verdict}: {answer}")
            })?;
        }
        if let Some(reasons) = &self.reasons {
            let found = names(answer.get("reasons"), "REASON_");
            expect(sorted(reasons) == sorted(&found), || {
                format!("reasons: expected {reasons:?}: {answer}")
            })?;
        }
        if let Some(matches) = &self.matches {
            let found = answer.get("matches").and_then(Value::as_array);
            let found = found.into_iter().flatten();
            let found: Vec<String> = found
                .map(|one| short(one.get("status"), "REPORT_STATUS_"))
                .collect();
            expect(sorted(matches) == sorted(&found), || {
                format!("matches: expected {matches:?}: {answer}")
            })?;
        }
        Ok(())
    }

    fn file(&self, path: &Path) -> Result<(), String> {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) if self.stdout.is_empty() => String::new(),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        expect_parts(&self.stdout, &text)?;
        self.expect_absent(&text)
    }

    fn expect_output(&self, output: &Output, exit: Option<i32>) -> Result<(), String> {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        expect(!stderr.contains("panicked"), || shown(output))?;
        expect(exit.is_none() || output.status.code() == exit, || {
            format!("expected exit code {exit:?}: {}", shown(output))
        })?;
        expect_parts(&self.stdout, &stdout)?;
        expect_parts(&self.stderr, &stderr)?;
        self.expect_absent(&stdout)?;
        self.expect_absent(&stderr)
    }

    fn expect_absent(&self, text: &str) -> Result<(), String> {
        let found = self.absent.iter().find(|part| text.contains(*part));
        match found {
            Some(part) => Err(format!("did not expect {part:?} in:\n{text}")),
            None => Ok(()),
        }
    }

    fn expect_json(&self, output: &Output) -> Result<(), String> {
        let printed = parsed(output)?;
        let sources = printed.get("sources").and_then(Value::as_array);
        for (name, expected) in &self.account {
            let mut sources = sources.into_iter().flatten();
            let account = sources.find(|source| source.get("source").is_some_and(|it| it == name));
            let account = account.ok_or_else(|| format!("no account of {name}: {printed}"))?;
            for (key, value) in expected {
                expect(account.get(key) == Some(value), || {
                    format!("{name}: expected {key} = {value}: {account}")
                })?;
            }
        }
        for (pointer, value) in &self.json {
            expect(printed.pointer(pointer) == Some(value), || {
                format!("expected {pointer} = {value}: {printed}")
            })?;
        }
        Ok(())
    }
}

fn sltd_data(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sltd-data"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn expect_parts(parts: &[String], text: &str) -> Result<(), String> {
    match parts.iter().find(|part| !text.contains(*part)) {
        Some(part) => Err(format!("expected {part:?} in:\n{text}")),
        None => Ok(()),
    }
}

fn parsed(output: &Output) -> Result<Value, String> {
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("expected JSON ({error}): {}", shown(output)))
}

fn shown(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// An enum's value without what all of its names begin with.
fn short(value: Option<&Value>, prefix: &str) -> String {
    let name = value.and_then(Value::as_str).unwrap_or_default();
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

fn names(values: Option<&Value>, prefix: &str) -> Vec<String> {
    let values = values.and_then(Value::as_array).into_iter().flatten();
    values.map(|value| short(Some(value), prefix)).collect()
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    names
}
