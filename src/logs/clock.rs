//! When calls began and ended, from what stands before them.

use super::line::Stamp;

const DAY: u64 = 24 * 3_600 * 1_000_000_000;

/// Where a log without dates begins: not at 0, which is a time that is not known.
const BEGINNING: u64 = DAY;

/// The time of a log: of day, since 1970, or from call to call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The last time that was seen.
    last: u64,
    /// What is added to the time of day, which begins again at midnight.
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
                // Lines of several processes may be out of order by a little, not by half a day.
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
