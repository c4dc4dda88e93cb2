//! Which errnos a call can give: what the documentation of its wrapper says under `# Errors`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is documented of each wrapper, by its name.
#[derive(Debug)]
pub(crate) struct DocumentedErrors(BTreeMap<String, Section>);

/// What one piece of documentation says: its first paragraph and its table.
#[derive(Debug, Default)]
struct Section {
    errnos: BTreeSet<String>,
    /// "As [`recv`], and": whose errnos hold as well.
    as_other: Option<String>,
}

impl DocumentedErrors {
    /// Reads the sources of the wrappers.
    pub(crate) fn read() -> Self {
        let mut sections = BTreeMap::new();
        read_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sys").as_ref(), &mut sections);
        Self(sections)
    }

    /// Reads one source.
    pub(crate) fn of_source(source: &str) -> Self {
        let mut sections = BTreeMap::new();
        read_source(source, &mut sections);
        Self(sections)
    }

    /// Every errno of this wrapper, its own and those of the other that it names.
    pub(crate) fn of(&self, wrapper: &str) -> BTreeSet<String> {
        let section = self.0.get(wrapper).unwrap_or_else(|| panic!("{wrapper} has no `# Errors`"));
        let mut errnos = section.errnos.clone();
        if let Some(other) = &section.as_other {
            errnos.extend(self.of(other));
        }
        errnos
    }

    /// Every wrapper with its errnos.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, BTreeSet<String>)> {
        self.0.keys().map(|wrapper| (wrapper.as_str(), self.of(wrapper)))
    }
}

fn read_folder(folder: &Path, sections: &mut BTreeMap<String, Section>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // Misuse on purpose is no wrapper: no server makes it, and its consequences are shown by labs. The calls on packet
        // sockets are the program's own: they are in no trace.
        if path.ends_with("wild") || path.ends_with("packet.rs") {
            continue;
        }
        match path.is_dir() {
            true => read_folder(&path, sections),
            false => read_source(&std::fs::read_to_string(path).unwrap(), sections),
        }
    }
}

fn read_source(source: &str, sections: &mut BTreeMap<String, Section>) {
    let mut documentation = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push(text.trim());
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            let name = rest.split(['(', '<']).next().unwrap();
            if let Some(section) = read_section(&documentation) {
                sections.insert(name.to_string(), section);
            }
            documentation.clear();
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            documentation.clear();
        }
    }
}

fn read_section(documentation: &[&str]) -> Option<Section> {
    let begin = documentation.iter().position(|line| *line == "# Errors")?;
    let lines = documentation[begin + 1..].iter().take_while(|line| !line.starts_with("Reference"));
    let mut section = Section::default();
    let mut is_first_paragraph = true;
    for line in lines {
        is_first_paragraph &= !line.is_empty();
        match line.strip_prefix('|') {
            Some(row) => section.errnos.extend(errnos_in(row.split('|').next().unwrap())),
            None if is_first_paragraph => {
                section.errnos.extend(errnos_in(line));
                let other = line.strip_prefix("As [`").and_then(|rest| rest.split('`').next());
                section.as_other = section.as_other.or(other.map(Into::into));
            }
            None => {}
        }
    }
    Some(section)
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
