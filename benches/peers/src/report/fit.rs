//! Straight lines through measured points, to tell what has not been measured.

/// `y = base + slope * x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    base: f64,
    slope: f64,
}

impl Line {
    /// The line with the least squared relative distances from points above zero; `None` for fewer than two different
    /// ones.
    ///
    /// Relative, because points lie far apart: a curve of absolute distances would follow the greatest alone.
    pub(crate) fn through(points: &[(f64, f64)]) -> Option<Self> {
        let weigh = |value: fn(f64, f64) -> f64| {
            points
                .iter()
                .map(|(x, y)| value(*x, *y) / (y * y))
                .sum::<f64>()
        };
        let (w, wx, wy) = (weigh(|_, _| 1.0), weigh(|x, _| x), weigh(|_, y| y));
        let (wxx, wxy) = (weigh(|x, _| x * x), weigh(|x, y| x * y));
        let slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
        let base = (wy - slope * wx) / w;
        (slope.is_finite() && base.is_finite()).then_some(Self { base, slope })
    }

    /// `y` at `x`.
    pub(crate) fn at(self, x: f64) -> f64 {
        self.base + self.slope * x
    }

    /// Where it reaches `y`; `None` where it does not rise.
    pub(crate) fn reaches(self, y: f64) -> Option<f64> {
        (self.slope > 0.0).then(|| (y - self.base) / self.slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_give_the_line() -> Result<(), &'static str> {
        let line = Line::through(&[(1.0, 5.0), (10.0, 23.0), (100.0, 203.0)]).ok_or("no line")?;
        assert!((line.at(1000.0) - 2003.0).abs() < 1e-6);
        assert!((line.reaches(2003.0).ok_or("it rises")? - 1000.0).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn too_few_points_give_none() {
        assert_eq!(Line::through(&[]), None);
        assert_eq!(Line::through(&[(1.0, 2.0)]), None);
        assert_eq!(Line::through(&[(1.0, 2.0), (1.0, 2.0)]), None);
    }

    #[test]
    fn what_does_not_rise_reaches_nothing() -> Result<(), &'static str> {
        let flat = Line::through(&[(1.0, 2.0), (2.0, 2.0)]).ok_or("no line")?;
        assert_eq!(flat.reaches(10.0), None);
        Ok(())
    }
}
