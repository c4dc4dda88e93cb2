//! Whether the machine was quiet during the measurement.
//!
//! The bare calls never wait. So if more time passes on the clock than this process has used, another process had the
//! processor in the meantime.

use std::time::{Duration, Instant};

use super::report::{CallsResult, NoiseVerdict, Servers};
use super::statistics::{MedianSpread, median};
use crate::os::machine;

/// From this percentage on, the comparisons are not reliable.
const MOST_TAKEN: f64 = 20.0;
const MOST_SPREAD: f64 = 20.0;

/// How long a probe computes.
const PROBE: Duration = Duration::from_millis(15);

/// The disturbances noticed so far.
#[derive(Debug, Default)]
pub(super) struct Noise {
    passed: Duration,
    used: Duration,
}

impl Noise {
    /// Runs work that does not wait, and records which part of the time it had the processor.
    pub(super) fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let used_before = machine::processor_time();
        let result = work();
        self.passed += began.elapsed();
        self.used += machine::processor_time().saturating_sub(used_before);
        result
    }

    /// Computes for a moment, for measurements that wait and so cannot notice disturbances themselves.
    pub(super) fn probe(&mut self) {
        self.during(|| {
            let end = Instant::now() + PROBE;
            while Instant::now() < end {
                std::hint::spin_loop();
            }
        });
    }

    /// How reliable the figures are.
    pub(super) fn verdict(
        &self,
        calls: Option<&CallsResult>,
        servers: Option<&Servers>,
    ) -> NoiseVerdict {
        let passed = self.passed.as_secs_f64();
        let used = self.used.as_secs_f64().min(passed);
        let taken_percent = if passed > 0.0 { (1.0 - used / passed) * 100.0 } else { 0.0 };
        let spread = |summaries: Vec<MedianSpread>| {
            let parts: Vec<_> = summaries.iter().map(|one| one.relative() * 100.0).collect();
            median(&parts)
        };
        // Servers spread more than calls, and their figures have a spread of their own, so they say nothing about the
        // calls.
        let of_calls = calls.map(|calls| calls.measured.iter().map(|one| one.time_us).collect());
        let of_servers =
            || servers.map(|servers| servers.ratios.iter().map(|ratio| ratio.rates).collect());
        let spread_percent = of_calls.or_else(of_servers).map_or(0.0, spread);
        NoiseVerdict {
            taken_percent,
            spread_percent,
            most_taken_percent: MOST_TAKEN,
            most_spread_percent: MOST_SPREAD,
            too_noisy: taken_percent > MOST_TAKEN || spread_percent > MOST_SPREAD,
        }
    }
}
