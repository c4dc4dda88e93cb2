//! From samples to figures: median, spread, and a straight line with its errors.
//!
//! On a machine that others use too, the mean tells how busy they were. The median of many rounds is not moved by a few
//! bad ones.

use serde::Serialize;

/// A median, and how far the rounds differ from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MedianSpread {
    /// Half of the rounds were below it.
    pub median: f64,
    /// Half the distance between the lowest and the highest tenth of the rounds, and at least 2 % of the median: runs
    /// of one program differ by that much only because of where their memory lies.
    pub spread: f64,
}

const LEAST_SPREAD: f64 = 0.02;

impl MedianSpread {
    /// The figures of these rounds.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5);
        let tenths = (quantile(&sorted, 0.9) - quantile(&sorted, 0.1)) / 2.0;
        Self { median, spread: tenths.max(median.abs() * LEAST_SPREAD) }
    }

    /// The spread divided by the median.
    pub fn relative(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { self.spread / self.median.abs() }
    }

    /// The same figures in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { median: self.median * factor, spread: self.spread * factor }
    }

    /// Whether it is less than 1 or more than 1; `None` if the spread is too large to say.
    pub fn against_one(&self) -> Option<std::cmp::Ordering> {
        let ordering = self.median.partial_cmp(&1.0)?;
        ((self.median - 1.0).abs() > self.spread).then_some(ordering)
    }
}

/// The number below which this part of the sorted numbers lies.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = part * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// The median of numbers in any order.
pub(super) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// A straight line: a base cost, and a cost for each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The base.
    pub base_us: f64,
    /// The standard error of the base.
    pub base_error_us: f64,
    /// The slope: the cost for each.
    pub slope_us: f64,
    /// The standard error of the slope.
    pub slope_error_us: f64,
    /// The distance of the farthest point from the line, as a percentage of the line's value.
    pub farthest_percent: f64,
}

impl Fit {
    /// The line through these points, each weighted by its spread relative to its value: a point that is known to a
    /// percent counts the same wherever it lies. `None` for fewer than three points.
    pub fn through(points: &[(f64, MedianSpread)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let weighed = points.iter().map(|(x, y)| (*x, y.median, y.spread.powi(-2)));
        let (mut s, mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, y, weight) in weighed.clone() {
            s += weight;
            sx += weight * x;
            sy += weight * y;
            sxx += weight * x * x;
            sxy += weight * x * y;
        }
        let determinant = s * sxx - sx * sx;
        // All points in one place, apart from rounding.
        if determinant.is_nan() || determinant <= s * sxx * 1e-9 {
            return None;
        }
        let base = (sxx * sy - sx * sxy) / determinant;
        let slope = (s * sxy - sx * sy) / determinant;
        let at = |x: f64| base + slope * x;
        // If the points lie farther from the line than their spreads explain, the line is known less precisely.
        let squares: f64 = weighed.map(|(x, y, weight)| weight * (y - at(x)).powi(2)).sum();
        let excess = (squares / (points.len() - 2) as f64).max(1.0);
        let off = points.iter().map(|(x, y)| (y.median - at(*x)).abs() / at(*x).abs() * 100.0);
        Some(Self {
            base_us: base,
            base_error_us: (excess * sxx / determinant).sqrt(),
            slope_us: slope,
            slope_error_us: (excess * s / determinant).sqrt(),
            farthest_percent: off.fold(0.0, f64::max),
        })
    }

    /// The line's value at a point.
    pub fn at(&self, x: f64) -> f64 {
        self.base_us + self.slope_us * x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_rounds_move_neither_median_nor_spread() {
        let mut samples = vec![10.0; 50];
        samples.extend([500.0, 900.0, 0.1]);
        assert_eq!(MedianSpread::of(&samples), MedianSpread { median: 10.0, spread: 0.2 });
        let wide: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(MedianSpread::of(&wide), MedianSpread { median: 50.0, spread: 40.0 });
    }

    #[test]
    fn a_line_is_found_again() {
        let on_line =
            |x: f64| (x, MedianSpread { median: 0.3 + 0.05 * x, spread: 0.02 * (0.3 + x) });
        let fit = Fit::through(&[1.0, 10.0, 100.0, 1000.0].map(on_line)).unwrap();
        assert!((fit.base_us - 0.3).abs() < 1e-9 && (fit.slope_us - 0.05).abs() < 1e-9, "{fit:?}");
        assert!(fit.farthest_percent < 1e-6 && fit.slope_error_us > 0.0, "{fit:?}");
        assert!((fit.at(100.0) - 5.3).abs() < 1e-9);
        assert_eq!(Fit::through(&[1.0, 2.0].map(on_line)), None);
        assert_eq!(Fit::through(&[7.0, 7.0, 7.0].map(on_line)), None);
    }

    #[test]
    fn points_off_the_line_widen_its_error() {
        let exact: Vec<_> =
            (1..9).map(|x| (x.into(), MedianSpread { median: x.into(), spread: 0.01 })).collect();
        let mut off = exact.clone();
        off[3].1.median += 1.0;
        let [exact, off] = [exact, off].map(|points| Fit::through(&points).unwrap());
        assert!(off.slope_error_us > 10.0 * exact.slope_error_us, "{exact:?} {off:?}");
        assert!(off.farthest_percent > 10.0, "{off:?}");
    }

    #[test]
    fn a_ratio_within_its_spread_says_nothing() {
        use std::cmp::Ordering::{Greater, Less};
        let ratio = |median, spread| MedianSpread { median, spread }.against_one();
        assert_eq!(ratio(1.03, 0.05), None);
        assert_eq!(ratio(1.1, 0.05), Some(Greater));
        assert_eq!(ratio(0.9, 0.05), Some(Less));
        assert_eq!(ratio(f64::NAN, 0.05), None);
    }
}
