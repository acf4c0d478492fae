//! What an operator accepts although it trips a guard.

use super::trip::Trip;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is left of a source.
    Empty,
    /// A source is no longer listed.
    Removed,
    /// A list is older than the one in force.
    Older,
    /// Another list than the one in force has the same as-of.
    SameAsOf,
    /// A list is one that a rollback has taken out.
    RolledBack,
    /// Changes are of a source that the store does not know.
    UnknownSource,
    /// Changes are of a source that owns other States than in the store.
    Owns,
    /// Very many reports of one document.
    Reports,
    /// Fewer documents of an issuing State.
    Shrink,
    /// More documents of an issuing State.
    Growth,
    /// An issuing State, or source, that was not there before.
    New,
    /// Numbers of another form than before.
    Format,
    /// Other documents than before.
    Turnover,
    /// Many withdrawals at once.
    Withdrawals,
    /// Fewer documents in all.
    Overall,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Empty,
        Self::Removed,
        Self::Older,
        Self::SameAsOf,
        Self::RolledBack,
        Self::UnknownSource,
        Self::Owns,
        Self::Reports,
        Self::Shrink,
        Self::Growth,
        Self::New,
        Self::Format,
        Self::Turnover,
        Self::Withdrawals,
        Self::Overall,
    ];

    /// Its name in `--accept`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Removed => "removed",
            Self::Older => "older",
            Self::SameAsOf => "same-as-of",
            Self::RolledBack => "rolled-back",
            Self::UnknownSource => "unknown-source",
            Self::Owns => "owns",
            Self::Reports => "reports",
            Self::Shrink => "shrink",
            Self::Growth => "growth",
            Self::New => "new",
            Self::Format => "format",
            Self::Turnover => "turnover",
            Self::Withdrawals => "withdrawals",
            Self::Overall => "overall",
        }
    }
}

/// One thing accepted: `growth:GBR`, `removed:some-source`, `overall`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    kind: Kind,
    /// A source, or the code of an issuing State; `None` of what is about the whole.
    what: Option<String>,
}

impl fmt::Display for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match &self.what {
            Some(what) => write!(f, ":{what}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Acceptance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, what) = match text.split_once(':') {
            Some((kind, what)) => (kind, Some(what)),
            None => (text, None),
        };
        let expected = || {
            let names = Kind::ALL.map(Kind::name).join(", ");
            format!(
                "expected one of {names}, followed, but for overall, by a colon and the source or issuing State, \
                 such as growth:GBR"
            )
        };
        let kind = Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(expected)?;
        let of_all = kind == Kind::Overall;
        if what.is_none_or(str::is_empty) != of_all || of_all && what.is_some() {
            return Err(expected());
        }
        Ok(Self {
            kind,
            what: what.map(str::to_owned),
        })
    }
}

/// All that is accepted.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    all: Vec<Acceptance>,
    /// How many of them, at the end, were accepted when the base was built that is published now.
    kept: usize,
    asked: Arc<Mutex<Asked>>,
}

/// What it was asked about.
#[derive(Debug, Default)]
struct Asked {
    /// Places of those that have let something pass.
    used: BTreeSet<usize>,
    /// What would let pass what it did not.
    missing: BTreeSet<String>,
}

impl Accepted {
    /// All that is accepted.
    pub fn new(all: Vec<Acceptance>) -> Self {
        Self {
            all,
            kept: 0,
            asked: Arc::default(),
        }
    }

    /// The same, and what was accepted when a base was built and put aside, as [`flags`](Self::flags) has it. Nobody is
    /// told that it was not needed.
    #[must_use]
    pub fn with_kept(mut self, flags: &[String]) -> Self {
        let kept = flags.iter().filter_map(|flag| flag.parse().ok());
        let before = self.all.len();
        self.all.extend(kept);
        self.kept += self.all.len() - before;
        self
    }

    /// All of it as arguments of `--accept`.
    pub fn flags(&self) -> Vec<String> {
        self.all.iter().map(ToString::to_string).collect()
    }

    /// The same, of which nothing has been asked yet.
    pub fn anew(&self) -> Self {
        Self {
            asked: Arc::default(),
            ..self.clone()
        }
    }

    /// Whether it lets a trip pass: named by its issuing State or its source.
    pub fn lets_pass(&self, trip: &Trip) -> bool {
        let mut asked = self.asked();
        let mut passes = false;
        for (place, accepted) in self.all.iter().enumerate() {
            let what = accepted.what.as_deref();
            if accepted.kind == trip.kind()
                && (what == trip.source() || what.is_some() && what == trip.issuing_state())
            {
                asked.used.insert(place);
                passes = true;
            }
        }
        if !passes {
            asked.missing.insert(trip.flag());
        }
        passes
    }

    /// What has let nothing pass so far.
    pub fn unused(&self) -> Vec<&Acceptance> {
        let asked = self.asked();
        let given = self.all.len() - self.kept;
        let all = self.all.iter().enumerate().take(given);
        let unused = all.filter(|(place, _)| !asked.used.contains(place));
        unused.map(|(_, accepted)| accepted).collect()
    }

    /// What would let pass all that tripped a guard so far and was not accepted.
    pub fn missing(&self) -> Vec<String> {
        self.asked().missing.iter().cloned().collect()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Parts trips into those that are accepted and those that are not.
    pub fn part(&self, trips: Vec<Trip>) -> (Vec<Trip>, Vec<Trip>) {
        trips.into_iter().partition(|trip| self.lets_pass(trip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acceptances_are_named() {
        let grown = Trip::New {
            source: "list".to_owned(),
            issuing_state: "GBR".to_owned(),
            after: 5000,
            source_is_new: false,
        };
        assert_eq!(grown.flag(), "new:GBR");
        let accepted = |text: &str| Accepted::new(vec![text.parse().unwrap()]);
        let lets_pass = |text: &str| accepted(text).lets_pass(&grown);
        assert!(lets_pass("new:GBR") && lets_pass("new:list"));
        assert!(!lets_pass("growth:GBR") && !lets_pass("new:FIN") && !lets_pass("overall"));
        let overall = Trip::Overall {
            before: 2,
            after: 1,
            limit: 0.1,
        };
        let both = Accepted::new(
            ["overall", "new:FIN"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
        );
        assert!(both.lets_pass(&overall) && !both.lets_pass(&grown));
        assert_eq!(both.missing(), ["new:GBR"]);
        let unused: Vec<_> = both.unused().iter().map(ToString::to_string).collect();
        assert_eq!(unused, ["new:FIN"]);
        for wrong in ["", "growth", "growth:", "overall:", "overall:x", "grow:GBR"] {
            let error = wrong.parse::<Acceptance>().unwrap_err();
            assert!(error.contains("growth:GBR"), "{wrong}: {error}");
        }
    }
}
