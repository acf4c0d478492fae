//! Figures, and how they are written down.

use std::fmt::Write as _;

/// Median, least and greatest of some measurements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of an odd number of measurements the median is one of them, of an even number the upper of the middle two.
    pub(crate) fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        Self {
            median: at(sorted.len() / 2),
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
        }
    }

    /// Of the quotients of measurements made in the same rounds: what the machine did to a whole round cancels out.
    pub(crate) fn ratio(ours: &[f64], theirs: &[f64]) -> Self {
        Self::of(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
    }

    /// One exact value.
    pub(crate) fn exact(value: f64) -> Self {
        Self {
            median: value,
            min: value,
            max: value,
        }
    }

    /// `median unit (min-max)`, or the value alone where there is nothing to spread.
    pub(crate) fn show(&self, unit: &str) -> String {
        let value = number(self.median);
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(" {unit}")
        };
        if self.min == self.max {
            return format!("{value}{unit}");
        }
        format!("{value}{unit} ({}-{})", number(self.min), number(self.max))
    }
}

/// A number with as many decimals as say something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size == size.trunc() => format!("{value:.0}"),
        size if size < 0.01 => format!("{value:.6}"),
        size if size < 10.0 => format!("{value:.3}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The median is this or less.
    AtMost(f64),
    /// The median is this or more.
    AtLeast(f64),
    /// The median is less than this.
    Below(f64),
    /// None: the figure explains another one.
    None,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    /// `what/how/whom`.
    pub(crate) name: String,
    /// What was measured of ours.
    pub(crate) ours: String,
    /// What was measured of the contender; empty where there is none.
    pub(crate) other: String,
    /// What the goal is about: ours divided by the other's, or ours alone.
    pub(crate) value: Spread,
    /// Unit of `value`; empty for a ratio.
    pub(crate) unit: &'static str,
    /// The goal.
    pub(crate) goal: Goal,
}

impl Figure {
    /// Ours against a contender's, measured in the same rounds.
    pub(crate) fn ratio(name: &str, unit: &str, ours: &[f64], theirs: &[f64], goal: Goal) -> Self {
        Self {
            name: name.to_owned(),
            ours: Spread::of(ours.iter().copied()).show(unit),
            other: Spread::of(theirs.iter().copied()).show(unit),
            value: Spread::ratio(ours, theirs),
            unit: "",
            goal,
        }
    }

    /// A figure that stands alone.
    pub(crate) fn alone(name: &str, value: Spread, unit: &'static str, goal: Goal) -> Self {
        Self {
            name: name.to_owned(),
            ours: value.show(unit),
            other: String::new(),
            value,
            unit,
            goal,
        }
    }

    fn met(&self) -> Option<bool> {
        let median = self.value.median;
        match self.goal {
            Goal::AtMost(most) => Some(median <= most),
            Goal::AtLeast(least) => Some(median >= least),
            Goal::Below(limit) => Some(median < limit),
            Goal::None => None,
        }
    }

    fn row(&self) -> String {
        let goal = match self.goal {
            Goal::AtMost(most) => format!("at most {}", number(most)),
            Goal::AtLeast(least) => format!("at least {}", number(least)),
            Goal::Below(limit) => format!("below {}", number(limit)),
            Goal::None => String::new(),
        };
        let met = self
            .met()
            .map_or("", |met| if met { "yes" } else { "**no**" });
        let ratio = if self.unit.is_empty() {
            self.value.show("")
        } else {
            String::new()
        };
        format!(
            "| {} | {} | {} | {ratio} | {goal} | {met} |",
            self.name, self.ours, self.other
        )
    }
}

/// What one section of the report found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Its heading.
    pub(crate) title: &'static str,
    /// How it was measured: commands, counts, what was asserted.
    pub(crate) notes: Vec<String>,
    /// Its figures.
    pub(crate) figures: Vec<Figure>,
}

impl Findings {
    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text.push_str(
            "\n| figure | ours | other | ratio | goal | met |\n|---|---|---|---|---|---|\n",
        );
        for figure in &self.figures {
            let _ = writeln!(text, "{}", figure.row());
        }
        text
    }
}
