//! The time of a call as a chart of characters: points for measured values, dots along the fitted lines.

use super::report::{AxisName, Call, CallsResult, Comparison};
use super::table::Look;

const ROWS: usize = 12;
/// The width of the label and the axis to the left of the chart.
const MARGIN: usize = 10;

/// The characters of a look: each call, both in one place, the line, and the axes.
struct Marks {
    select: char,
    wide: char,
    poll: char,
    both: char,
    line: char,
    side: char,
    floor: char,
    corner: char,
}

const UNICODE: Marks = Marks {
    select: '●',
    wide: '◆',
    poll: '○',
    both: '◉',
    line: '·',
    side: '│',
    floor: '─',
    corner: '└',
};
const ASCII: Marks = Marks {
    select: 's',
    wide: 'w',
    poll: 'p',
    both: '*',
    line: '.',
    side: '|',
    floor: '-',
    corner: '+',
};

/// A chart for each axis.
pub fn draw(report: &Comparison, look: Look) -> String {
    let Some(calls) = &report.calls else { return String::new() };
    let few = report.method.few;
    let most = calls.along(AxisName::Ready, Call::Poll).map(|one| one.descriptors).max();
    let of = most.map_or(String::new(), |most| format!(", of {most} watched"));
    let charts = [
        chart(calls, AxisName::Descriptors, "descriptors watched, none ready", look),
        chart(calls, AxisName::Highest, &format!("highest number, {few} watched"), look),
        chart(calls, AxisName::Ready, &format!("descriptors ready{of}"), look),
    ];
    charts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A scale from the smallest value to the largest, over a number of places.
#[derive(Clone, Copy)]
struct Scale {
    /// Whether equal distances are equal factors.
    is_logarithmic: bool,
    from: f64,
    to: f64,
    places: usize,
}

impl Scale {
    fn logarithmic(values: impl Iterator<Item = f64>, places: usize) -> Option<Self> {
        let (least, most) = ends(values)?;
        let to = if least < most { most } else { most * 10.0 };
        Some(Self { is_logarithmic: true, from: least, to, places })
    }

    /// Starts at zero if the values differ little: between powers of ten they would all be in one place.
    fn fitting(values: impl Iterator<Item = f64>, places: usize) -> Option<Self> {
        let (least, most) = ends(values)?;
        match most < least * 30.0 {
            true => Some(Self { is_logarithmic: false, from: 0.0, to: most, places }),
            false => Self::logarithmic([least, most].into_iter(), places),
        }
    }

    fn place(&self, value: f64) -> usize {
        let part = match self.is_logarithmic {
            true => (value.max(1e-12) / self.from).ln() / (self.to / self.from).ln(),
            false => (value - self.from) / (self.to - self.from),
        };
        let last = (self.places - 1) as f64;
        (part * last).round().clamp(0.0, last) as usize
    }

    fn value(&self, place: usize) -> f64 {
        let part = place as f64 / (self.places - 1) as f64;
        match self.is_logarithmic {
            true => self.from * (self.to / self.from).powf(part),
            false => self.from + (self.to - self.from) * part,
        }
    }

    /// Round numbers for the scale: powers of ten, or three or four numbers at equal distances.
    fn marks(&self) -> Vec<f64> {
        if self.is_logarithmic {
            let powers = self.from.log10().ceil() as i32..=self.to.log10().floor() as i32;
            return powers.map(|power| 10f64.powi(power)).collect();
        }
        let power = 10f64.powi((self.to / 4.0).log10().floor() as i32);
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
        let step = steps.into_iter().find(|step| self.to / step < 5.0).unwrap_or(self.to);
        (0..5).map(|count| f64::from(count) * step).filter(|mark| *mark <= self.to).collect()
    }
}

/// The smallest value that has a logarithm, and the largest.
fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.filter(|value| *value > 0.0);
    values.fold(None, |ends: Option<(f64, f64)>, value| {
        let (least, most) = ends.unwrap_or((value, value));
        Some((least.min(value), most.max(value)))
    })
}

/// The axis of ready descriptors begins at zero, which has no logarithm: that value is left out.
fn chart(calls: &CallsResult, axis: AxisName, x_name: &str, look: Look) -> Option<String> {
    let marks = if look.ascii { &ASCII } else { &UNICODE };
    let on_axis = calls.measured.iter().filter(|one| one.axis == axis && one.place() > 0);
    let points: Vec<_> = on_axis.collect();
    let width = look.columns.saturating_sub(MARGIN + 1).clamp(30, 140);
    let x = Scale::logarithmic(points.iter().map(|one| one.place() as f64), width)?;
    let y = Scale::fitting(points.iter().map(|one| one.time_us.median), ROWS)?;
    let mut grid = vec![vec![' '; width]; ROWS];
    for line in calls.fits.iter().filter(|line| line.axis == axis) {
        for at in x.place(line.from.max(1) as f64)..=x.place(line.to as f64) {
            grid[y.place(line.fit.at(x.value(at)))][at] = marks.line;
        }
    }
    for one in &points {
        let mark = match one.call {
            Call::Select => marks.select,
            Call::WideSelect => marks.wide,
            Call::Poll => marks.poll,
        };
        let cell = &mut grid[y.place(one.time_us.median)][x.place(one.place() as f64)];
        *cell = if [' ', marks.line, mark].contains(cell) { mark } else { marks.both };
    }
    let has_wide = calls.along(axis, Call::WideSelect).next().is_some();
    Some(written(&grid, (x, y), marks, x_name, look, has_wide))
}

fn written(
    grid: &[Vec<char>],
    (x, y): (Scale, Scale),
    marks: &Marks,
    x_name: &str,
    look: Look,
    has_wide: bool,
) -> String {
    let wide = if has_wide { format!("  {} wide select", marks.wide) } else { String::new() };
    let mut text = format!("{} for a call over {x_name}\n", look.us());
    for (row, cells) in grid.iter().enumerate().rev() {
        let label = y.marks().into_iter().find(|mark| y.place(*mark) == row);
        let label = label.map_or(String::new(), |mark| format!("{} {}", short(mark), look.us()));
        let cells: String = cells.iter().collect();
        text.push_str(&format!("{label:>9}{}{}\n", marks.side, cells.trim_end()));
    }
    let floor = marks.floor.to_string().repeat(x.places);
    text.push_str(&format!("{:9}{}{floor}\n", "", marks.corner));
    let mut labels = vec![' '; MARGIN + x.places];
    for mark in x.marks() {
        let label = short(mark);
        // Below its place, but within the line.
        let at = (MARGIN + x.place(mark)).min(labels.len() - label.len());
        for (cell, letter) in labels[at..].iter_mut().zip(label.chars()) {
            *cell = letter;
        }
    }
    let labels: String = labels.into_iter().collect();
    let Marks { select, poll, both, line, .. } = marks;
    let labels = labels.trim_end();
    text + &format!(
        "{labels}\n{:10}{select} select  {poll} poll  {both} both{wide}  {line} fit\n",
        ""
    )
}

/// A number without the digits that come from adding tenths.
fn short(mark: f64) -> String {
    ((mark * 1e6).round() / 1e6).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::report::Measured;

    #[test]
    fn equal_steps_of_a_logarithmic_scale_are_equal_factors() {
        let scale = Scale::logarithmic([1.0, 1000.0].into_iter(), 31).unwrap();
        assert_eq!([1.0, 10.0, 1000.0, 5000.0].map(|value| scale.place(value)), [0, 10, 30, 30]);
        assert_eq!(scale.marks(), [1.0, 10.0, 100.0, 1000.0]);
        assert!((scale.value(10) - 10.0).abs() < 1e-9);
        assert_eq!(
            Scale::logarithmic([15.0, 1023.0].into_iter(), 31).unwrap().marks(),
            [100.0, 1000.0]
        );
        assert!(Scale::logarithmic([0.0].into_iter(), 10).is_none());
        let single = Scale::logarithmic([10.0].into_iter(), 10).unwrap();
        assert_eq!((single.from, single.to), (10.0, 100.0));
    }

    #[test]
    fn times_that_differ_little_begin_at_zero() {
        let scale = Scale::fitting([48.0, 110.0].into_iter(), 12).unwrap();
        assert_eq!([0.0, 55.0, 110.0].map(|value| scale.place(value)), [0, 6, 11]);
        assert_eq!(scale.marks(), [0.0, 25.0, 50.0, 75.0, 100.0]);
        let small = Scale::fitting([0.28, 0.506].into_iter(), 12).unwrap();
        assert_eq!(small.marks().into_iter().map(short).collect::<Vec<_>>(), ["0", "0.2", "0.4"]);
        assert!(Scale::fitting([0.1, 50.0].into_iter(), 12).unwrap().is_logarithmic);
    }

    #[test]
    fn none_ready_has_no_place_over_how_many_are_ready() {
        let mut measured = Vec::new();
        for ready in [0usize, 1, 10, 100, 1000] {
            for (call, time) in [(Call::Select, 100.0), (Call::Poll, 50.0)] {
                let samples = [time + 0.05 * ready as f64; 9];
                measured.push(Measured::of(AxisName::Ready, call, [1000, ready, 1005], &samples));
            }
        }
        let calls = CallsResult::of(measured, 9, 1.0);
        let look = Look { ascii: true, columns: 80 };
        let shown = chart(&calls, AxisName::Ready, "k", look).unwrap();
        let rows: Vec<_> = shown.lines().skip(1).take(ROWS).collect();
        let count = |mark: char| rows.iter().map(|row| row.matches(mark).count()).sum::<usize>();
        // The label "us" stands beside the chart.
        let labels = rows.iter().filter(|row| row.contains("us|")).count();
        assert_eq!((count('s') - labels, count('p')), (4, 4), "{shown}");
        assert!(rows.iter().filter(|row| row.contains("...")).count() > 3, "no fit in\n{shown}");
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    }
}
