//! Medians with their spread.

/// Median, least and greatest of some measurements.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    pub(crate) fn ratio(dividends: &[f64], divisors: &[f64]) -> Self {
        Self::of(
            dividends
                .iter()
                .zip(divisors)
                .map(|(dividend, divisor)| dividend / divisor),
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([2.0, 1.0]).median, 2.0);
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        // Both rounds agree on a half, though the second was ten times slower.
        let ratio = Spread::ratio(&[1.0, 10.0], &[2.0, 20.0]);
        assert_eq!(ratio, Spread::exact(0.5));
    }

    #[test]
    fn numbers_are_shown_with_what_says_something() {
        for (value, shown) in [
            (2.0, "2"),
            (0.001_234_5, "0.001234"),
            (1.234_56, "1.235"),
            (123.456, "123.5"),
            (123_456.7, "123457"),
        ] {
            assert_eq!(number(value), shown);
        }
        let spread = Spread {
            median: 2.0,
            min: 1.5,
            max: 3.0,
        };
        assert_eq!(spread.show("ns"), "2 ns (1.500-3)");
        assert_eq!(Spread::exact(2.0).show(""), "2");
    }
}
