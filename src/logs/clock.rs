//! When calls began and ended, from the time before them.

use super::line::Stamp;

const DAY: u64 = 24 * 3_600 * 1_000_000_000;

/// The time of the first line in a log without dates: not 0, which means unknown.
const BEGINNING: u64 = DAY;

/// The kind of time in a log: of day, since 1970, or since the previous call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The last time seen.
    last: u64,
    /// The days added to the time of day, which starts again at midnight.
    days: u64,
}

impl Clock {
    /// The time of a line, in nanoseconds.
    pub(super) fn time(&mut self, stamp: Stamp) -> u64 {
        let time = match stamp {
            Stamp::SinceEpoch(at) => at,
            Stamp::SincePrevious(since) => self.last.max(BEGINNING).saturating_add(since),
            Stamp::OfDay(at) => {
                let at_day = at + self.days + BEGINNING;
                // Lines of several processes may be a little out of order, but not by half a day.
                if at_day + DAY / 2 < self.last {
                    self.days += DAY;
                    at_day + DAY
                } else {
                    at_day
                }
            }
        };
        self.last = self.last.max(time);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_after_midnight_is_the_next() {
        let mut clock = Clock::default();
        let late = clock.time(Stamp::OfDay(DAY - 5));
        assert_eq!(clock.time(Stamp::OfDay(3)) - late, 8);
        assert_eq!(clock.time(Stamp::OfDay(1)) - late, 6, "a little out of order");
    }

    #[test]
    fn time_from_call_to_call_adds_up() {
        let mut clock = Clock::default();
        let times = [0, 7, 5].map(|since| clock.time(Stamp::SincePrevious(since)));
        assert_eq!((times[1] - times[0], times[2] - times[0]), (7, 12));
    }
}
