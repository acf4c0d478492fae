//! Figures: ours beside a peer's, and the goal that the ratio is held against.

use super::goals::{Goal, goal_of};
use super::spread::{Spread, number};

/// What a greater measurement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    /// Less is better: seconds, bytes.
    Less,
    /// More is better: calls a second.
    More,
}

/// What was measured, or why there is nothing.
#[derive(Debug, Clone)]
enum Measured {
    /// Ours beside a peer's.
    Beside {
        ours: Spread,
        peer: Spread,
        ratio: Spread,
    },
    /// Ours, with nothing to be held against.
    Alone(Spread),
    /// The peer could not be had.
    Missing,
}

/// One figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// `what/how/whom`.
    pub(crate) id: String,
    /// Unit of what was measured of ours and the peer's.
    pub(crate) unit: &'static str,
    measured: Measured,
}

impl Figure {
    /// Times, bytes: less is better. Both were measured in the same rounds.
    pub(crate) fn less(id: &str, unit: &'static str, ours: &[f64], peer: &[f64]) -> Self {
        Self::beside(id, unit, ours, peer, Better::Less)
    }

    /// Rates: more is better. Both were measured in the same rounds.
    pub(crate) fn more(id: &str, unit: &'static str, ours: &[f64], peer: &[f64]) -> Self {
        Self::beside(id, unit, ours, peer, Better::More)
    }

    /// A figure that is only stated.
    pub(crate) fn alone(id: &str, unit: &'static str, value: Spread) -> Self {
        Self {
            id: id.to_owned(),
            unit,
            measured: Measured::Alone(value),
        }
    }

    /// A figure whose peer could not be had.
    pub(crate) fn missing(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            unit: "",
            measured: Measured::Missing,
        }
    }

    fn beside(id: &str, unit: &'static str, ours: &[f64], peer: &[f64], better: Better) -> Self {
        // A goal of "at most" is about ours divided by the peer's; all other ratios rise with what is better of ours.
        let ratio = match (goal_of(id), better) {
            (Goal::AtMost(_) | Goal::Below(_), _) | (_, Better::More) => Spread::ratio(ours, peer),
            (_, Better::Less) => Spread::ratio(peer, ours),
        };
        Self {
            id: id.to_owned(),
            unit,
            measured: Measured::Beside {
                ours: Spread::of(ours.iter().copied()),
                peer: Spread::of(peer.iter().copied()),
                ratio,
            },
        }
    }

    /// Whether it has a ratio, so that it belongs among the results.
    pub(crate) fn is_compared(&self) -> bool {
        !matches!(self.measured, Measured::Alone(_))
    }

    /// Median measurement of ours.
    pub(crate) fn ours(&self) -> Option<f64> {
        match self.measured {
            Measured::Beside { ours, .. } | Measured::Alone(ours) => finite(ours.median),
            Measured::Missing => None,
        }
    }

    /// Median measurement of the peer.
    pub(crate) fn peer(&self) -> Option<f64> {
        match self.measured {
            Measured::Beside { peer, .. } => finite(peer.median),
            Measured::Alone(_) | Measured::Missing => None,
        }
    }

    /// The ratio, which is 0 where there is none.
    pub(crate) fn ratio(&self) -> Spread {
        match self.measured {
            Measured::Beside { ratio, .. } if ratio.median.is_finite() => ratio,
            _ => Spread::exact(0.0),
        }
    }

    /// The goal.
    pub(crate) fn goal(&self) -> Goal {
        goal_of(&self.id)
    }

    /// Whether the interval of the ratios reaches the goal.
    pub(crate) fn met(&self) -> bool {
        match &self.measured {
            Measured::Missing => false,
            Measured::Alone(_) => true,
            Measured::Beside { .. } => self.goal().is_met(&self.ratio()),
        }
    }

    /// Its line of a table in Markdown.
    pub(crate) fn row(&self) -> String {
        let (ours, peer, ratio) = match &self.measured {
            Measured::Beside { ours, peer, ratio } => {
                (ours.show(self.unit), peer.show(self.unit), ratio.show(""))
            }
            Measured::Alone(ours) => (ours.show(self.unit), String::new(), String::new()),
            Measured::Missing => (String::new(), "not to be had".to_owned(), number(0.0)),
        };
        let goal = self.goal();
        let met = match (&goal, self.met()) {
            (Goal::None, true) => "",
            (_, true) => "yes",
            (_, false) => "**no**",
        };
        format!(
            "| {} | {ours} | {peer} | {ratio} | {goal} | {met} |",
            self.id
        )
    }
}

/// What JSON can say.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// What one section of the report found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// How it was measured: commands, counts, settings of peers, what was asserted.
    pub(crate) notes: Vec<String>,
    /// Its figures.
    pub(crate) figures: Vec<Figure>,
    /// File names of its plots.
    pub(crate) plots: Vec<String>,
}

impl Findings {
    /// As Markdown under a heading.
    pub(crate) fn markdown(&self, title: &str) -> String {
        let notes: String = self
            .notes
            .iter()
            .map(|note| format!("- {note}\n"))
            .collect();
        let rows: String = self
            .figures
            .iter()
            .map(|figure| figure.row() + "\n")
            .collect();
        let plots: String = self
            .plots
            .iter()
            .map(|plot| format!("\n![{}](plots/{plot})\n", plot.trim_end_matches(".svg")))
            .collect();
        let table = if rows.is_empty() {
            String::new()
        } else {
            format!(
                "\n| figure | ours | peer | ratio | goal | met |\n|---|---|---|---|---|---|\n{rows}"
            )
        };
        format!("## {title}\n\n{notes}{table}{plots}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_rise_with_what_is_better_of_ours_unless_the_goal_is_at_most() {
        let least = Figure::less("absent/one-at-a-time/hashbrown", "ns", &[10.0], &[20.0]);
        assert_eq!(least.ratio(), Spread::exact(2.0));
        assert!(least.met());
        let most = Figure::less("build/wall/sort", "s", &[10.0], &[20.0]);
        assert_eq!(most.ratio(), Spread::exact(0.5));
        assert!(most.met());
        let rate = Figure::more("not in the table", "/s", &[10.0], &[20.0]);
        assert_eq!(rate.ratio(), Spread::exact(0.5));
        assert!(rate.met(), "without a goal");
    }

    #[test]
    fn an_interval_that_reaches_the_goal_meets_it() {
        let met = |peer: &[f64]| {
            Figure::less(
                "absent/one-at-a-time/hashbrown",
                "ns",
                &[10.0, 10.0, 10.0],
                peer,
            )
            .met()
        };
        assert!(met(&[8.0, 9.0, 10.0]));
        assert!(!met(&[8.0, 9.0, 9.9]));
    }

    #[test]
    fn a_peer_that_is_missing_is_not_met_and_has_the_ratio_0() {
        let missing = Figure::missing("bytes/whole/redis");
        assert!(!missing.met());
        assert_eq!(missing.ratio(), Spread::exact(0.0));
        assert!(missing.row().ends_with("| **no** |"), "{}", missing.row());
    }

    #[test]
    fn a_ratio_is_always_a_number() {
        let none = Figure::less("not in the table", "ns", &[0.0], &[0.0]);
        assert_eq!(none.ratio(), Spread::exact(0.0));
    }
}
