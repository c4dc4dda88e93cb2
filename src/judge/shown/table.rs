//! A whole class: a row for each program, as a table and as comma-separated values.

use std::fmt::Write;

use serde_json::Value;

/// One program of a class, from its JSON report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassRow {
    /// Its author: the name of its directory.
    pub name: String,
    /// Its points.
    pub points: u64,
    /// The points that were possible.
    pub of: u64,
    /// The cases by name, with their verdicts.
    pub verdicts: Vec<(String, String)>,
    /// Why it could not be judged.
    pub not_judged: Option<String>,
}

/// A row from a JSON report; `None` if the text is not one.
pub fn row_of(name: &str, report: &str) -> Option<ClassRow> {
    let report: Value = serde_json::from_str(report).ok()?;
    let cases = report["cases"].as_array()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    Some(ClassRow {
        name: name.to_string(),
        points: report["points"].as_u64()?,
        of: report["of"].as_u64()?,
        verdicts: cases.iter().map(|case| (text(&case["name"]), text(&case["verdict"]))).collect(),
        not_judged: report["not_judged"].as_str().map(ToString::to_string),
    })
}

/// A table: name, points, and the cases that failed.
pub fn table(rows: &[ClassRow]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(4);
    let mut out = format!("{:width$}  {:>9}  failed\n", "name", "points");
    for row in rows {
        let points = format!("{}/{}", row.points, row.of);
        let failed: Vec<&str> = failed(row).collect();
        let what = match &row.not_judged {
            Some(why) => format!("not judged: {}", why.lines().next().unwrap_or_default()),
            None if failed.is_empty() => "-".to_string(),
            None => failed.join(" "),
        };
        let _ = writeln!(out, "{:width$}  {points:>9}  {what}", row.name);
    }
    out
}

fn failed(row: &ClassRow) -> impl Iterator<Item = &str> {
    row.verdicts.iter().filter(|(_, verdict)| verdict == "fail").map(|(name, _)| name.as_str())
}

/// The same as comma-separated values, with a column for each case.
pub fn csv(rows: &[ClassRow]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.verdicts) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut out = String::from("name,points,of,not judged");
    names.iter().for_each(|name| out.push_str(&format!(",{name}")));
    out.push('\n');
    for row in rows {
        let why = row.not_judged.as_deref().unwrap_or_default();
        let _ = write!(out, "{},{},{},{}", field(&row.name), row.points, row.of, field(why));
        for name in &names {
            let verdict = row.verdicts.iter().find(|(known, _)| known == name);
            out.push(',');
            out.push_str(verdict.map_or("", |(_, verdict)| verdict));
        }
        out.push('\n');
    }
    out
}

/// A field of RFC 4180. A field that a spreadsheet would take for a formula begins with an apostrophe.
fn field(text: &str) -> String {
    let text = match text.chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{text}"),
        _ => text.to_string(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_field_and_no_formula() {
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
    }
}
