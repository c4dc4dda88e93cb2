//! Figures in a form that people can read.

use std::fmt;

use super::report::{Call, Server};
use super::statistics::MedianSpread;

/// Three significant digits, without an exponent: `0.191`, `4.37`, `51.3`, `17024`.
pub(super) fn figure(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (2 - magnitude).clamp(0, 6) as usize;
    format!("{value:.decimals$}")
}

/// A median with its spread, rounded alike: `4.37 ±0.09`.
pub(super) fn with_spread(summary: MedianSpread, plus_minus: &str) -> String {
    let median = figure(summary.median);
    let decimals = median.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{median} {plus_minus}{:.decimals$}", summary.spread)
}

/// A figure with its error, with as many digits as the error allows: `0.0401 ±0.0011`.
pub(super) fn with_error(value: f64, error: f64, plus_minus: &str) -> String {
    let magnitude = error.abs().max(1e-9).log10().floor() as i32;
    let decimals = (1 - magnitude).clamp(0, 9) as usize;
    format!("{value:.decimals$} {plus_minus}{error:.decimals$}")
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "select",
            Self::WideSelect => "wide select",
            Self::Poll => "poll",
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "select",
            Self::Poll => "poll",
            Self::Tiers => "poll in tiers",
            Self::BareSelect => "bare select",
            Self::BarePoll => "bare poll",
            Self::OneAtATime => "one at a time",
            Self::ThreadEach => "a thread each",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits_that_matter() {
        for (value, written) in [
            (0.0, "0"),
            (0.000_448, "0.000448"),
            (0.0448, "0.0448"),
            (0.191_26, "0.191"),
            (4.371, "4.37"),
            (51.26, "51.3"),
            (513.4, "513"),
            (17_024.4, "17024"),
            (-0.5, "-0.500"),
        ] {
            assert_eq!(figure(value), written);
        }
        let summary = MedianSpread { median: 4.371, spread: 0.0912 };
        assert_eq!(with_spread(summary, "±"), "4.37 ±0.09");
        assert_eq!(with_error(0.040_12, 0.001_07, "±"), "0.0401 ±0.0011");
        assert_eq!(with_error(-0.000_014, 0.000_011, "+-"), "-0.000014 +-0.000011");
    }
}
