//! Which errnos a call can give: what the documentation of its wrapper says, in the table under `# Errors`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The tables of all wrappers, by the wrapper's name.
#[derive(Debug)]
pub(crate) struct Errors(BTreeMap<String, Table>);

/// What one piece of documentation says.
#[derive(Debug, Default)]
struct Table {
    errnos: BTreeSet<String>,
    /// "As [`recv`]": whose table holds as well.
    as_others: Vec<String>,
}

impl Errors {
    /// Reads the sources of the wrappers.
    pub(crate) fn documented() -> Self {
        let mut tables = BTreeMap::new();
        read_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sys").as_ref(), &mut tables);
        Self(tables)
    }

    /// Every errno of this wrapper, its own and those of the others that it names.
    pub(crate) fn of(&self, wrapper: &str) -> BTreeSet<String> {
        let table = self.0.get(wrapper).unwrap_or_else(|| panic!("{wrapper} has no `# Errors`"));
        let others = table.as_others.iter().flat_map(|other| self.of(other));
        table.errnos.iter().cloned().chain(others).collect()
    }
}

fn read_folder(folder: &Path, tables: &mut BTreeMap<String, Table>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // Misuse on purpose is no wrapper, and no server makes it.
        if path.ends_with("wild") {
            continue;
        }
        match path.is_dir() {
            true => read_folder(&path, tables),
            false => read_source(&std::fs::read_to_string(path).unwrap(), tables),
        }
    }
}

fn read_source(source: &str, tables: &mut BTreeMap<String, Table>) {
    let mut documentation = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push(text.trim());
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            let name = rest.split(['(', '<']).next().unwrap();
            if let Some(table) = read_table(&documentation) {
                tables.insert(name.to_string(), table);
            }
            documentation.clear();
        } else if !line.starts_with("#[") {
            documentation.clear();
        }
    }
}

fn read_table(documentation: &[&str]) -> Option<Table> {
    let begin = documentation.iter().position(|line| *line == "# Errors")?;
    let mut table = Table::default();
    for line in documentation[begin + 1..].iter().take_while(|line| !line.starts_with("Reference"))
    {
        if let Some(row) = line.strip_prefix('|') {
            table.errnos.extend(errnos_in(row.split('|').next().unwrap()));
        } else if line.starts_with("As [") {
            table.as_others.extend(names_in(line));
            table.errnos.extend(errnos_in(line));
        }
    }
    Some(table)
}

fn errnos_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split('`').skip(1).step_by(2);
    let is_errno = |word: &&str| {
        word.starts_with('E')
            && word.len() > 2
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    words.filter(is_errno).map(ToString::to_string)
}

fn names_in(text: &str) -> impl Iterator<Item = String> {
    text.split("[`").skip(1).filter_map(|rest| rest.split_once("`]")).map(|(name, _)| name.into())
}

#[test]
fn the_tables_are_read_as_they_are_written() {
    let errors = Errors::documented();
    assert!(errors.of("recv").is_superset(&["EAGAIN", "ENOMEM", "ENOBUFS"].map(Into::into).into()));
    assert!(errors.of("read").is_superset(&errors.of("recv")) && errors.of("read").contains("EIO"));
    assert!(errors.of("accept4").contains("EMFILE") && errors.of("accept4").contains("EINVAL"));
    assert_eq!(errors.of("fcntl_setfl"), ["EPERM".to_string()].into());
    assert!(errors.of("fcntl_getfl").is_empty());
}
