//! The figures as a table for other programs: a row for each case; a column that does not apply is empty.

use super::report::{AxisName, Comparison, Measured, Served};
use super::statistics::MedianSpread;

const COLUMNS: &str = "part,name,axis,descriptors,ready,highest,active,idle,time_us,time_spread_us,bytes_in,bytes_out,\
                       requests_per_second,requests_spread,p50_us,p99_us,calls_per_request,cpu_us_per_request";

/// Every measured figure. No value needs quoting: the names are ours, the rest are numbers.
pub fn write(report: &Comparison) -> String {
    let mut lines = vec![COLUMNS.to_string()];
    lines.extend(report.calls.iter().flat_map(|calls| &calls.measured).map(call));
    lines.extend(report.servers.iter().flat_map(|servers| &servers.measured).map(server));
    lines.join("\n") + "\n"
}

fn call(one: &Measured) -> String {
    let axis = match one.axis {
        AxisName::Descriptors => "descriptors",
        AxisName::Highest => "highest",
        AxisName::Ready => "ready",
    };
    let MedianSpread { median, spread } = one.time_us;
    format!(
        "call,{},{axis},{},{},{},,,{median:.6},{spread:.6},{},{},,,,,,",
        one.call, one.descriptors, one.ready, one.highest, one.bytes_in, one.bytes_out
    )
}

fn server(one: &Served) -> String {
    let number =
        |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.3}"));
    let median = |summary: Option<MedianSpread>| number(summary.map(|summary| summary.median));
    format!(
        "server,{},,,,,{},{},,,,,{:.3},{:.3},{},{},{},{}",
        one.server,
        one.active,
        one.idle,
        one.requests_per_second.median,
        one.requests_per_second.spread,
        median(one.p50_us),
        median(one.p99_us),
        number(one.calls_per_request),
        median(one.cpu_us_per_request)
    )
}
