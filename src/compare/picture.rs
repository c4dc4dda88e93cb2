//! The figures as one picture in SVG, for light and dark backgrounds.
//!
//! Its colours are attributes for a light background; a rule in its style sheet gives each a counterpart for readers
//! who prefer dark.

use std::fmt;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::report::{AxisName, Call, CallsResult, Comparison, Server, Servers};
use super::statistics::MedianSpread;

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 760;

const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
const RULE: RGBColor = RGBColor(0xd1, 0xd9, 0xe0);
const SELECT: RGBColor = RGBColor(0x09, 0x69, 0xda);
const POLL: RGBColor = RGBColor(0xbc, 0x4c, 0x00);
const WIDE: RGBColor = RGBColor(0x82, 0x50, 0xdf);

/// Each colour, and its counterpart for a dark background.
const IN_THE_DARK: &[(RGBColor, &str)] = &[
    (INK, "#e6edf3"),
    (PAPER, "#0d1117"),
    (RULE, "#3d444d"),
    (SELECT, "#58a6ff"),
    (POLL, "#f0883e"),
    (WIDE, "#bc8cff"),
];

/// Why there is no picture.
#[derive(Debug)]
pub struct NotDrawn(String);

impl fmt::Display for NotDrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotDrawn {}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws the figures, each part in its quarter.
///
/// # Errors
/// A value has no place on its axis.
pub fn draw(report: &Comparison) -> Result<String, NotDrawn> {
    let mut svg = String::new();
    let drawn = paint(report, &mut svg);
    drawn.map_err(|why| NotDrawn(why.to_string()))?;
    Ok(for_both_surroundings(&svg, &report.machine.system))
}

fn paint(report: &Comparison, svg: &mut String) -> Drawn {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&PAPER)?;
    let title = format!(
        "select and poll, {}{}",
        report.machine.system,
        if report.noise.too_noisy { ": too busy to compare" } else { "" }
    );
    let root = root.titled(&title, text(20))?;
    let quarters = root.split_evenly((2, 2));
    let [over_n, over_h, over_k, of_servers] = &quarters[..] else { return Ok(()) };
    if let Some(calls) = &report.calls {
        let few = report.method.few;
        axis(over_n, calls, AxisName::Descriptors, "descriptors watched, none ready")?;
        axis(over_h, calls, AxisName::Highest, &format!("highest number, {few} watched"))?;
        let most = calls.along(AxisName::Ready, Call::Poll).map(|one| one.descriptors).max();
        let of = most.map_or(String::new(), |most| format!(", of {most} watched"));
        axis(over_k, calls, AxisName::Ready, &format!("descriptors ready{of}"))?;
    }
    if let Some(servers) = &report.servers {
        loads(of_servers, servers)?;
    }
    root.present()?;
    Ok(())
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_text_style(&(WIDTH, HEIGHT)).color(&INK)
}

/// Some room on both sides of a logarithmic axis.
fn around(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (mut least, mut most) = (f64::MAX, 0.0f64);
    for value in values.filter(|value| *value > 0.0) {
        (least, most) = (least.min(value), most.max(value));
    }
    if least > most { 0.1..10.0 } else { least / 1.5..most * 1.5 }
}

/// One axis of the bare calls. The axis of ready descriptors begins at zero, which has no logarithm: that value is left
/// out.
fn axis(area: &Area<'_>, calls: &CallsResult, name: AxisName, x_name: &str) -> Drawn {
    let points = || calls.measured.iter().filter(|one| one.axis == name && one.place() > 0);
    let x = around(points().map(|one| one.place() as f64));
    let y = around(points().map(|one| one.time_us.median));
    let mut builder = ChartBuilder::on(area);
    builder.margin(14).x_label_area_size(42).y_label_area_size(58);
    // If the times differ little, an axis of powers of ten would show no mark.
    if y.end < y.start * 30.0 {
        let mut chart = builder.build_cartesian_2d(x.log_scale(), 0.0..y.end)?;
        mesh(&mut chart, x_name, "µs for a call")?;
        plot(&mut chart, calls, name)
    } else {
        let mut chart = builder.build_cartesian_2d(x.log_scale(), y.log_scale())?;
        mesh(&mut chart, x_name, "µs for a call")?;
        plot(&mut chart, calls, name)
    }
}

/// Draws points with their spreads, and the lines.
fn plot<'a, 'b: 'a, X, Y>(
    chart: &mut Chart<'a, 'b, X, Y>,
    calls: &CallsResult,
    name: AxisName,
) -> Drawn
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
{
    let calls_drawn = [(Call::Select, SELECT), (Call::WideSelect, WIDE), (Call::Poll, POLL)];
    for (call, color) in calls_drawn {
        let points: Vec<_> = calls.along(name, call).filter(|one| one.place() > 0).collect();
        if points.is_empty() {
            continue;
        }
        if let Some(line) = calls.line(name, call) {
            // A straight line is curved on logarithmic axes, so it is drawn in steps.
            let (from, to) = (line.from.max(1) as f64, line.to as f64);
            let (from, to) = (from.ln(), to.ln());
            let steps = (0..=60).map(|step| (from + (to - from) * f64::from(step) / 60.0).exp());
            let steps = steps.map(|x| (x, line.fit.at(x))).collect::<Vec<_>>();
            chart.draw_series([PathElement::new(steps, color.stroke_width(2))])?;
        }
        let radius = radius(call);
        let bars = points.iter().map(|one| spread_bar(one.place() as f64, one.time_us, color));
        chart.draw_series(bars)?;
        let dots = points.iter().map(|one| (one.place() as f64, one.time_us.median));
        chart
            .draw_series(dots.map(|at| Circle::new(at, radius, color.filled())))?
            .label(format!("{call}{}", if calls.line(name, call).is_some() { ", fit" } else { "" }))
            .legend(move |at| Circle::new(at, radius, color.filled()));
    }
    legend(chart)
}

/// Where both calls have the same place, both are visible: the point of select is larger, and that of poll is drawn on
/// top.
const fn radius(call: Call) -> i32 {
    if matches!(call, Call::Poll) { 3 } else { 5 }
}

fn spread_bar(x: f64, y: MedianSpread, color: RGBColor) -> PathElement<(f64, f64)> {
    let ends = [(y.median - y.spread).max(y.median / 10.0), y.median + y.spread];
    PathElement::new(ends.map(|end| (x, end)).to_vec(), color.stroke_width(1))
}

/// The processor time of a request where the system tells it, otherwise the rate; over the number of idle connections.
fn loads(area: &Area<'_>, servers: &Servers) -> Drawn {
    let has_cpu = servers.measured.iter().any(|served| served.cpu_us_per_request.is_some());
    let figure = |served: &super::Served| match has_cpu {
        true => served.cpu_us_per_request,
        false => Some(served.requests_per_second),
    };
    let both = [(Server::Select, SELECT, 5), (Server::Poll, POLL, 3)];
    let of = |server| {
        let of_server = servers.measured.iter().filter(move |served| served.server == server);
        of_server
            .filter_map(move |served| Some(((served.active + served.idle) as f64, figure(served)?)))
    };
    let all = || both.iter().flat_map(|(server, ..)| of(*server));
    let x = around(all().map(|(x, _)| x));
    let y = around(all().map(|(_, y)| y.median));
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(x.clone().log_scale(), y.log_scale())?;
    let y_name =
        if has_cpu { "echo server: µs of CPU for a request" } else { "echo server: requests/s" };
    mesh(&mut chart, "connections, active + idle", y_name)?;
    for (server, color, radius) in both {
        chart.draw_series(of(server).map(|(x, y)| spread_bar(x, y, color)))?;
        chart
            .draw_series(
                of(server).map(|(x, y)| Circle::new((x, y.median), radius, color.filled())),
            )?
            .label(server.to_string())
            .legend(move |at| Circle::new(at, radius, color.filled()));
    }
    // A few active among many idle connections can have the same place as many among few, so labels distinguish them.
    let middle = (x.start * x.end).sqrt();
    let of_poll = servers.measured.iter().filter(|served| served.server == Server::Poll);
    let labels = of_poll.filter_map(|served| {
        let place = (served.active + served.idle) as f64;
        let label = format!("{} + {}", served.active, served.idle);
        // On the side where there is room.
        let (side, gap) = if place > middle { (HPos::Right, -10) } else { (HPos::Left, 10) };
        let style = text(13).pos(Pos::new(side, VPos::Center));
        Some(EmptyElement::at((place, figure(served)?.median)) + Text::new(label, (gap, 0), style))
    });
    chart.draw_series(labels)?;
    legend(&mut chart)
}

type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

fn mesh<X, Y>(chart: &mut Chart<'_, '_, X, Y>, x_name: &str, y_name: &str) -> Drawn
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
{
    let number = |value: &f64| format!("{}", (value * 1e6).round() / 1e6);
    chart
        .configure_mesh()
        .x_desc(x_name)
        .y_desc(y_name)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .x_labels(6)
        .y_labels(6)
        .max_light_lines(0)
        .bold_line_style(RULE)
        .axis_style(INK)
        .label_style(text(13))
        .axis_desc_style(text(15))
        .draw()?;
    Ok(())
}

fn legend<'a, 'b: 'a, X, Y>(chart: &mut Chart<'a, 'b, X, Y>) -> Drawn
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64> + AsRangedCoord,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(RULE)
        .background_style(PAPER)
        .label_font(text(14))
        .legend_area_size(12)
        .draw()?;
    Ok(())
}

fn for_both_surroundings(svg: &str, system: &str) -> String {
    let rules: String = IN_THE_DARK
        .iter()
        .map(|(light, dark)| {
            let light = format!("#{:02X}{:02X}{:02X}", light.0, light.1, light.2);
            format!("[fill=\"{light}\"]{{fill:{dark}}}[stroke=\"{light}\"]{{stroke:{dark}}}")
        })
        .collect();
    let system: String =
        system.chars().filter(|c| c.is_alphanumeric() || " .-_".contains(*c)).collect();
    let head = format!(
        "<title>The time of select and of poll on {system}</title>\n\
         <style>@media (prefers-color-scheme: dark){{{rules}}}</style>\n"
    );
    // After the opening tag.
    match svg.find("<svg").and_then(|tag| Some(tag + svg[tag..].find('>')? + 1)) {
        Some(at) => format!("{}\n{head}{}", &svg[..at], &svg[at..]),
        None => svg.to_string(),
    }
}
