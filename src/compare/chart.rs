//! The time of a call as a picture of characters: both axes logarithmic, points where it was measured, dots along the
//! fitted lines.

use super::report::{AxisName, Call, Calls, Report};
use super::table::Look;

const ROWS: usize = 12;
/// What stands left of the picture: a label and the axis.
const MARGIN: usize = 10;

/// The marks of one look: each call, both in one place, the line, and the axes.
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

/// The charts over the number of descriptors and over the highest number.
pub fn draw(report: &Report, look: Look) -> String {
    let Some(calls) = &report.calls else { return String::new() };
    let few = report.method.few;
    let over_n = chart(calls, AxisName::Descriptors, "descriptors watched", look);
    let over_h = chart(calls, AxisName::Highest, &format!("highest number, {few} watched"), look);
    [over_n, over_h].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A logarithmic axis from one power of ten to another, over so many places.
#[derive(Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
    places: usize,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>, places: usize) -> Option<Self> {
        let (mut least, mut most) = (f64::MAX, f64::MIN_POSITIVE);
        for value in values.filter(|value| *value > 0.0) {
            least = least.min(value);
            most = most.max(value);
        }
        let (from, to) = (least.log10().floor(), (most.log10() - 1e-9).ceil());
        (least <= most).then_some(Self { from, to: to.max(from + 1.0), places })
    }

    fn place(&self, value: f64) -> usize {
        let part = (value.max(1e-12).log10() - self.from) / (self.to - self.from);
        (part * (self.places - 1) as f64).round().clamp(0.0, (self.places - 1) as f64) as usize
    }

    fn value(&self, place: usize) -> f64 {
        let part = place as f64 / (self.places - 1) as f64;
        10f64.powf(self.from + part * (self.to - self.from))
    }

    /// The powers of ten on it.
    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| 10f64.powi(power))
    }
}

fn chart(calls: &Calls, axis: AxisName, x_name: &str, look: Look) -> Option<String> {
    let marks = if look.ascii { &ASCII } else { &UNICODE };
    let points: Vec<_> = calls.measured.iter().filter(|one| one.axis == axis).collect();
    let width = look.columns.saturating_sub(MARGIN + 1).clamp(30, 140);
    let x = Scale::over(points.iter().map(|one| one.place() as f64), width)?;
    let y = Scale::over(points.iter().map(|one| one.time_us.median), ROWS)?;
    let mut grid = vec![vec![' '; width]; ROWS];
    for line in calls.fits.iter().filter(|line| line.axis == axis) {
        for at in x.place(line.from as f64)..=x.place(line.to as f64) {
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
        let label = y.decades().find(|decade| y.place(*decade) == row);
        let label = label.map_or(String::new(), |decade| format!("{decade} {}", look.us()));
        let cells: String = cells.iter().collect();
        text.push_str(&format!("{label:>9}{}{}\n", marks.side, cells.trim_end()));
    }
    let floor = marks.floor.to_string().repeat(x.places);
    text.push_str(&format!("{:9}{}{floor}\n", "", marks.corner));
    let mut labels = vec![' '; MARGIN + x.places];
    for decade in x.decades() {
        let label = decade.to_string();
        // Under its place, but within the line.
        let at = (MARGIN + x.place(decade)).min(labels.len() - label.len());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_goes_from_one_power_of_ten_to_another() {
        let scale = Scale::over([3.0, 900.0].into_iter(), 31).unwrap();
        assert_eq!((scale.from, scale.to), (0.0, 3.0));
        assert_eq!([1.0, 10.0, 1000.0, 5000.0].map(|value| scale.place(value)), [0, 10, 30, 30]);
        assert_eq!(scale.decades().collect::<Vec<_>>(), [1.0, 10.0, 100.0, 1000.0]);
        assert!((scale.value(10) - 10.0).abs() < 1e-9);
        assert!(Scale::over([0.0].into_iter(), 10).is_none());
        let single = Scale::over([10.0].into_iter(), 10).unwrap();
        assert_eq!((single.from, single.to), (1.0, 2.0));
    }
}
