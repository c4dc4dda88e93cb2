//! The figures as tables for a terminal of 80 columns.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use super::report::{AxisName, Call, CallsResult, Comparison, Measured, Served, Servers};
use super::rounding::{figure, with_error, with_spread};

/// How tables look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Only ASCII characters.
    pub ascii: bool,
    /// The longest line.
    pub columns: usize,
}

impl Look {
    pub(super) const fn us(self) -> &'static str {
        if self.ascii { "us" } else { "µs" }
    }

    pub(super) const fn plus_minus(self) -> &'static str {
        if self.ascii { "+-" } else { "±" }
    }

    /// Replaces characters that this look does not allow.
    pub fn plain(self, text: &str) -> String {
        if self.ascii { text.replace('µ', "u").replace('±', "+-") } else { text.to_string() }
    }
}

/// Every table for which there are figures.
pub fn draw(report: &Comparison, look: Look) -> String {
    let mut parts = Vec::new();
    if let Some(calls) = &report.calls {
        let few = report.method.few;
        let watched = report.method.watched;
        for (axis, title) in [
            (
                AxisName::Descriptors,
                format!("A call that looks at N descriptors ({watched}), none ready; bytes in/out"),
            ),
            (AxisName::Highest, format!("{few} watched; h is the highest number")),
            (AxisName::Ready, format!("k of {} ready", most(calls))),
        ] {
            let has_wide = calls.along(axis, Call::WideSelect).next().is_some();
            let title = title + if has_wide { "; w: wide" } else { "" };
            parts.push(format!("{title}\n{}", axis_table(calls, axis, look)));
        }
    }
    if let Some(servers) = &report.servers {
        let bytes = servers.message_bytes;
        parts.push(format!(
            "Echo servers, {bytes} bytes each way: A active and I idle connections; calls and\nprocessor time for each request\n{}",
            servers_table(servers, look)
        ));
    }
    parts.join("\n")
}

/// The number of descriptors on the axis of ready ones.
fn most(calls: &CallsResult) -> u64 {
    calls.along(AxisName::Ready, Call::Poll).map(|one| one.descriptors).max().unwrap_or(0)
}

fn empty(look: Look, heads: &[&str]) -> Table {
    let rule = if look.ascii { '-' } else { '─' };
    let rule = LineStyle::none().fill(rule).junction(rule);
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(rule));
    table.set_header(heads);
    table
}

/// Writes a table whose figures end in the same column.
fn written(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_padding((1, 0));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn axis_table(calls: &CallsResult, axis: AxisName, look: Look) -> String {
    let us = look.us();
    let letter = match axis {
        AxisName::Descriptors => "N",
        AxisName::Highest => "h",
        AxisName::Ready => "k",
    };
    let (select, poll) = (format!("select {us}"), format!("poll {us}"));
    // Bytes in and out, below the call that copies them.
    let mut table = empty(look, &[letter, &select, "in/out", &poll, "in/out", "poll/select"]);
    let mut places: Vec<u64> =
        calls.measured.iter().filter(|one| one.axis == axis).map(Measured::place).collect();
    places.dedup();
    for place in places {
        let find = |call| calls.along(axis, call).find(|one| one.place() == place);
        let (select, wide, poll) = (find(Call::Select), find(Call::WideSelect), find(Call::Poll));
        let ratio = calls.ratios.iter().find(|one| (one.axis, one.place) == (axis, place));
        let time = |one: Option<&Measured>, mark: &str| {
            one.map_or(String::new(), |one| {
                format!("{mark}{}", with_spread(one.time_us, look.plus_minus()))
            })
        };
        let copies = |one: Option<&Measured>| {
            one.map_or(String::new(), |one| format!("{}/{}", one.bytes_in, one.bytes_out))
        };
        table.add_row([
            place.to_string(),
            if wide.is_some() { time(wide, "w ") } else { time(select, "") },
            copies(select.or(wide)),
            time(poll, ""),
            copies(poll),
            ratio.map_or(String::new(), |ratio| {
                with_spread(ratio.poll_to_select, look.plus_minus())
            }),
        ]);
    }
    let lines = calls.fits.iter().filter(|line| line.axis == axis).map(|line| {
        let fit = line.fit;
        let base = with_error(fit.base_us, fit.base_error_us, look.plus_minus());
        let slope = with_error(fit.slope_us, fit.slope_error_us, look.plus_minus());
        let off = figure(fit.farthest_percent);
        format!(
            "{:>8}: {base} {us}, and {slope} for each (within {off} %)\n",
            line.call.to_string()
        )
    });
    written(&mut table) + &lines.collect::<String>()
}

fn servers_table(servers: &Servers, look: Look) -> String {
    let us = look.us();
    let p50 = format!("p50 {us}");
    let p99 = format!("p99 {us}");
    let cpu = format!("CPU {us}");
    let mut table = empty(look, &["A", "I", "server", "requests/s", &p50, &p99, "calls", &cpu]);
    for served in &servers.measured {
        table.add_row(server_row(served, look));
    }
    written(&mut table)
}

fn server_row(served: &Served, look: Look) -> [String; 8] {
    let short = |number: Option<f64>| number.map_or("-".to_string(), figure);
    let median =
        |summary: Option<super::MedianSpread>| short(summary.map(|summary| summary.median));
    [
        served.active.to_string(),
        served.idle.to_string(),
        served.server.to_string(),
        with_spread(served.requests_per_second, look.plus_minus()),
        median(served.p50_us),
        median(served.p99_us),
        short(served.calls_per_request),
        median(served.cpu_us_per_request),
    ]
}
