//! What an operator accepts although it trips a guard.

use super::trip::Trip;
use std::str::FromStr;

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
    /// Fewer documents of an issuing State.
    Shrink,
    /// More documents of an issuing State.
    Growth,
    /// An issuing State, or source, that was not there before.
    New,
    /// Many withdrawals at once.
    Withdrawals,
    /// Fewer documents in all.
    Overall,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Empty,
        Self::Removed,
        Self::Older,
        Self::SameAsOf,
        Self::RolledBack,
        Self::UnknownSource,
        Self::Owns,
        Self::Shrink,
        Self::Growth,
        Self::New,
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
            Self::Shrink => "shrink",
            Self::Growth => "growth",
            Self::New => "new",
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted(pub Vec<Acceptance>);

impl Accepted {
    /// Whether it lets a trip pass: named by its issuing State or its source.
    pub fn lets_pass(&self, trip: &Trip) -> bool {
        self.0.iter().any(|accepted| {
            let what = accepted.what.as_deref();
            accepted.kind == trip.kind()
                && (what == trip.source() || what.is_some() && what == trip.issuing_state())
        })
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
        let lets_pass = |text: &str| Accepted(vec![text.parse().unwrap()]).lets_pass(&grown);
        assert!(lets_pass("new:GBR") && lets_pass("new:list"));
        assert!(!lets_pass("growth:GBR") && !lets_pass("new:FIN") && !lets_pass("overall"));
        let overall = Trip::Overall {
            before: 2,
            after: 1,
            limit: 0.1,
        };
        assert!(Accepted(vec!["overall".parse().unwrap()]).lets_pass(&overall));
        for wrong in ["", "growth", "growth:", "overall:", "overall:x", "grow:GBR"] {
            let error = wrong.parse::<Acceptance>().unwrap_err();
            assert!(error.contains("growth:GBR"), "{wrong}: {error}");
        }
    }
}
