//! Whether checks are to be sent to a server.

/// What the decision rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// Whether a snapshot is served, and if so, whether it is past its hard age.
    pub(super) too_old: Option<bool>,
    /// Whether a snapshot has been served before.
    pub(super) served_before: bool,
    /// Whether the operator wants no answers from a snapshot past its hard age.
    pub(super) fail_when_too_old: bool,
    /// Whether the server is ending.
    pub(super) draining: bool,
}

/// Why no checks are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotReady {
    /// The first snapshot is being verified.
    Starting,
    /// The snapshot served was damaged, and there is no sound one.
    Damaged,
    /// The snapshot is past its hard age.
    TooOld,
    /// The server is ending.
    Draining,
}

impl NotReady {
    /// The reason for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Starting => "the first snapshot is being verified",
            Self::Damaged => "the snapshot was damaged, and there is no sound one",
            Self::TooOld => "the snapshot is past its hard age",
            Self::Draining => "the server is ending",
        }
    }
}

/// Decides.
pub(super) fn readiness(facts: Facts) -> Result<(), NotReady> {
    if facts.draining {
        return Err(NotReady::Draining);
    }
    match facts.too_old {
        None if facts.served_before => Err(NotReady::Damaged),
        None => Err(NotReady::Starting),
        Some(true) if facts.fail_when_too_old => Err(NotReady::TooOld),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination() {
        let fact = |too_old, served_before, fail_when_too_old| Facts {
            too_old,
            served_before,
            fail_when_too_old,
            draining: false,
        };
        let cases = [
            (fact(None, false, false), Err(NotReady::Starting)),
            (fact(None, false, true), Err(NotReady::Starting)),
            (fact(None, true, false), Err(NotReady::Damaged)),
            (fact(None, true, true), Err(NotReady::Damaged)),
            (fact(Some(false), true, false), Ok(())),
            (fact(Some(false), true, true), Ok(())),
            (fact(Some(true), true, false), Ok(())),
            (fact(Some(true), true, true), Err(NotReady::TooOld)),
        ];
        for (facts, expected) in cases {
            assert_eq!(readiness(facts), expected, "{facts:?}");
            let draining = Facts {
                draining: true,
                ..facts
            };
            assert_eq!(readiness(draining), Err(NotReady::Draining), "{facts:?}");
        }
    }
}
