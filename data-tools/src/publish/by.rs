//! Who does something, for the history.

use clap::Args;

/// Who publishes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Who {
    /// Who does this, for the history [default: the system's user]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    by: Option<String>,
}

impl Who {
    /// Whether the command line says it.
    pub(crate) fn is_given(&self) -> bool {
        self.by.is_some()
    }
}

/// The name given, else the system's user.
pub(crate) fn by(who: &Who) -> String {
    let system = || whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    who.by.clone().unwrap_or_else(system)
}

fn parse_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err("expected a name on one line".to_owned());
    }
    Ok(text.to_owned())
}
