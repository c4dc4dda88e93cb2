//! The rules of the layout, each a test that names the file and the line where it is broken.
//!
//! The rules look at *code*: comments are blanked and the text of literals is replaced before anything is searched for,
//! so that this sentence may contain `unsafe`. Each rule is a function from a source to its violations; tests below
//! give each rule something wrong to find.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use baresock::trace::Function;
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The chapters in the order of reading: each uses only those above it. (`lib.rs` is the table of contents; `core.rs` lists those
/// that are compiled with optimisation.)
const CHAPTERS: &[&str] = &[
    "byteorder",
    "values",
    "names",
    "addr",
    "trace",
    "sys",
    "bare_select",
    "bare_poll",
    "os",
    "poller",
    "conn",
    "framing",
    "events",
    "event_loop",
    "services",
    "client",
    "packets",
    "labs",
    "logs",
    "report",
    "explain",
    "ladder",
    "view",
    "compare",
    "judge",
    "book",
    "cli",
    "commands",
    "main",
];

/// The files of the loop in the order of reading: each uses only those after it, also by a method. (`mod.rs` is its table of
/// contents.)
const LOOP_FILES: &[&str] = &[
    // For a program that shows the loop: it is read last.
    "watching",
    "turn",
    "tasks",
    "actions",
    "splicing",
    "report",
    "waiting",
    "opening",
    "closing",
    "deadlines",
    "state",
    "agenda",
    "endpoints",
    "stream",
    "listener",
    "connecting",
    "datagram",
    "observer",
    "notice",
    "limits",
];

/// What goes against the order, and why it may.
const AGAINST_THE_ORDER: &[(&str, &str, &str)] = &[
    ("values", "names", "a row of poll holds flags"),
    (
        "trace",
        "sys",
        "a name that is read leads to its page, and the pages stand beside their wrappers",
    ),
];

/// Public functions of `sys` that wrap no function of C, and what they are.
const NOT_OF_C: &[(&str, &str)] = &[
    ("hold_terminal", "what a handler restores: in C a global variable"),
    ("release_terminal", "the same"),
    ("self_pipe", "where a handler writes: in C a global variable"),
    ("inherited", "a number that the parent process gave, as an argument"),
    ("sockaddr_bytes", "an address as it lies in memory, to be looked at"),
    ("socket_state", "several calls that only look, which differ by system"),
    ("retransmissions", "a call that only looks, which differs by system"),
];

/// Types that have the name of another type, and why.
const SHARED_NAMES: &[(&str, &str)] = &[(
    "Client",
    "bare_select.rs and bare_poll.rs are one program over two calls, to be read side by side",
)];

const MOST_LINES_OF_A_FILE: usize = 299;
const MOST_LINES_WITH_COMMENTS: usize = 400;
const MOST_LINES_OF_A_BARE_LOOP: usize = 80;
const MOST_LINES_OF_A_FUNCTION: usize = 70;
/// Parameters that are `bool`: each argument has a name that says what `true` means.
const MOST_BOOLEAN_PARAMETERS: usize = 36;
/// `let (a, b) = (x, y);`: right for the two ends of one thing, or for an address in memory with its length. Independent
/// things have a statement each, even if a limit on lines is near.
const MOST_LETS_OF_TUPLES: usize = 80;
const MOST_PACKAGES: usize = 55;
/// Two of them are the library itself.
const MOST_PACKAGES_OF_THE_LIBRARY: usize = 9;

#[test]
fn unsafe_stands_in_sys_only() {
    keep(&["src", "tests", "build.rs"], unsafe_outside_sys);
}

fn unsafe_outside_sys(source: &Source) -> Vec<Finding> {
    if source.path.starts_with("src/sys/") {
        return Vec::new();
    }
    let found = find(&source.code, "unsafe");
    found.map(|at| source.finding(at, "`unsafe` belongs into src/sys/")).collect()
}

#[test]
fn cfg_stands_where_systems_differ_only() {
    keep(&["src"], cfg_elsewhere);
}

fn cfg_elsewhere(source: &Source) -> Vec<Finding> {
    if ["src/names/", "src/sys/", "src/os/"].iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    // The tables of contents also say which chapters belong to the program and are not in the library alone.
    let lists_chapters =
        ["src/lib.rs", "src/core.rs", "src/trace/mod.rs"].contains(&source.path.as_str());
    let names_a_chapter = move |argument: &str| {
        let condition = argument.trim_start_matches("(not");
        lists_chapters && condition.starts_with("(feature")
    };
    let conditions = ["cfg", "cfg_attr"].into_iter().flat_map(|word| {
        find(&source.code, word).filter(move |at| {
            let argument = source.code[at + word.len()..].trim_start_matches('!');
            argument.starts_with('(')
                && !argument.starts_with("(test)")
                && !names_a_chapter(argument)
        })
    });
    // One table of contents says, once, for which systems the book is.
    let free = usize::from(source.path == "src/core.rs" && source.code.contains("compile_error!"));
    let why = "a `cfg` other than cfg(test) belongs into names/, sys/ or os/";
    conditions.skip(free).map(|at| source.finding(at, why)).collect()
}

#[test]
fn the_c_library_is_called_from_sys_only() {
    keep(&["src"], libc_called_elsewhere);
}

fn libc_called_elsewhere(source: &Source) -> Vec<Finding> {
    if source.path.starts_with("src/sys/") {
        return Vec::new();
    }
    let calls = find(&source.code, "libc").filter(|at| {
        let path = source.code[at + "libc".len()..].strip_prefix("::");
        path.is_some_and(|path| path[word_at(path).len()..].starts_with('('))
    });
    calls.map(|at| source.finding(at, "calls of libc belong into src/sys/")).collect()
}

#[test]
fn threads_of_labs_leave_the_alarm_to_the_thread_that_makes_the_calls() {
    keep(&["src"], threads_that_hear_the_alarm);
}

fn threads_that_hear_the_alarm(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with("src/labs/") || source.path == "src/labs/peers.rs" {
        return Vec::new();
    }
    let found = find(&source.code, "thread").filter(|at| {
        let item = source.code[at + "thread".len()..].strip_prefix("::").map(str::trim_start);
        let starts = |item: &str| ["spawn", "scope", "Builder", "*"].contains(&item);
        item.is_some_and(|item| {
            match item.strip_prefix('{').and_then(|list| list.split_once('}')) {
                Some((list, _)) => list.split(',').any(|item| starts(item.trim())),
                None => starts(word_at(item)) || item.starts_with('*'),
            }
        })
    });
    found.map(|at| source.finding(at, "a lab's thread starts with peers::spawn")).collect()
}

#[test]
fn a_file_is_a_chapter() {
    keep(&["src"], long_file);
}

fn long_file(source: &Source) -> Vec<Finding> {
    let most = match source.chapter() {
        "bare_select" | "bare_poll" => MOST_LINES_OF_A_BARE_LOOP,
        _ => MOST_LINES_OF_A_FILE,
    };
    let (lines, in_all) = (lines_of_code(&source.untested), source.text.lines().count());
    let too_long = [
        (lines, most, "lines of code"),
        (in_all, MOST_LINES_WITH_COMMENTS, "lines with comments and tests"),
    ];
    let too_long = too_long.into_iter().filter(|(lines, most, _)| lines > most);
    too_long
        .map(|(lines, most, of)| source.finding(0, &format!("{lines} {of}, of at most {most}")))
        .collect()
}

#[test]
fn a_function_fits_on_a_page() {
    keep(&["src"], long_functions);
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let code = &source.untested;
    let functions = find(code, "fn").filter(|at| !word_at(code[at + 2..].trim_start()).is_empty());
    let bodies = functions.filter_map(|at| Some((at, item_end(code, at)?)));
    let lines = bodies.map(|(at, end)| (at, lines_of_code(&code[at..end])));
    let too_long = lines.filter(|(_, lines)| *lines > MOST_LINES_OF_A_FUNCTION);
    let why = |lines| format!("{lines} lines; a page has {MOST_LINES_OF_A_FUNCTION}");
    too_long.map(|(at, lines)| source.finding(at, &why(lines))).collect()
}

#[test]
fn a_chapter_uses_only_what_stands_above_it() {
    keep(&["src"], uses_from_below);
}

fn uses_from_below(source: &Source) -> Vec<Finding> {
    let place = |chapter: &str| CHAPTERS.iter().position(|known| *known == chapter);
    let chapter = source.chapter();
    if ["lib", "core"].contains(&chapter) {
        return Vec::new();
    }
    let Some(own) = place(chapter) else {
        return vec![source.finding(0, &format!("`{chapter}` is not in the table of chapters"))];
    };
    let mut findings = Vec::new();
    for at in find(&source.untested, "crate") {
        for used in roots(&source.untested[at + "crate".len()..]) {
            let excepted =
                AGAINST_THE_ORDER.iter().any(|(user, of, _)| (*user, *of) == (chapter, used));
            if !excepted && place(used).is_none_or(|used| used > own) {
                findings.push(source.finding(at, &format!("`{chapter}` may not use `{used}`")));
            }
        }
    }
    findings
}

#[test]
fn the_files_of_the_loop_have_no_circle_also_not_by_methods() {
    let mut files = sources(&["src/event_loop"]);
    files.retain(|file| !file.path.ends_with("tests.rs"));
    let findings = calls_upwards(&files);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Every use of a file of the loop that stands above, by its name or by a method that only it defines.
fn calls_upwards<S: Borrow<Source>>(files: &[S]) -> Vec<Finding> {
    /// Every type may have one of these.
    const OF_EVERY_TYPE: [&str; 3] = ["new", "default", "fmt"];
    let place = |name: &str| LOOP_FILES.iter().position(|known| *known == name);
    let mut defined: Vec<(&str, usize)> = Vec::new();
    let mut findings = Vec::new();
    let files: Vec<&Source> = files.iter().map(Borrow::borrow).collect();
    for file in &files {
        let Some(own) = place(file.stem()) else {
            if file.stem() != "mod" || file.untested.contains("fn ") {
                findings.push(file.finding(0, "it is not in the table of the loop's files"));
            }
            continue;
        };
        for at in find(&file.untested, "fn") {
            let name = word_at(file.untested[at + 2..].trim_start());
            match defined.iter().find(|(known, _)| *known == name) {
                _ if name.is_empty() || OF_EVERY_TYPE.contains(&name) => {}
                Some((_, other)) if *other != own => {
                    let why = format!("`{name}` is also a function of {}.rs", LOOP_FILES[*other]);
                    findings.push(file.finding(at, &why));
                }
                _ => defined.push((name, own)),
            }
        }
    }
    for file in &files {
        let Some(own) = place(file.stem()) else { continue };
        let code = &file.untested;
        let by_path = find(code, "super").flat_map(|at| {
            let used = roots(&code[at + "super".len()..]);
            used.into_iter().filter_map(place).map(move |used| (at, used))
        });
        let by_call = defined.iter().flat_map(|(name, used)| {
            let calls = find(code, name).filter(|at| {
                code[..*at].ends_with(['.', ':']) && code[at + name.len()..].starts_with('(')
            });
            calls.map(|at| (at, *used))
        });
        for (at, used) in by_path.chain(by_call).filter(|(_, used)| *used < own) {
            let why = format!("{}.rs stands above it", LOOP_FILES[used]);
            findings.push(file.finding(at, &why));
        }
    }
    findings
}

#[test]
fn the_walk_of_a_byte_goes_through_each_file_once() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("it can be read");
    let (_, walk) = text.split_once("## The walk of a byte").expect("it has the walk");
    let walk = &walk[..walk.find("\n## ").expect("another section follows")];
    let files: Vec<_> = walk.split('`').filter(|word| word.ends_with(".rs")).collect();
    assert!(files.len() > 5, "{files:?}");
    for (at, file) in files.iter().enumerate() {
        assert!(root().join(file).is_file(), "there is no {file}");
        assert!(!files[..at].contains(file), "{file} is passed twice");
    }
}

#[test]
fn a_circle_in_the_loop_is_found() {
    let file = |path: &str, text: &str| Source::new(format!("src/event_loop/{path}"), text.into());
    let turn = || file("turn.rs", "impl L { fn turn(&mut self) { self.state.end(); } }");
    let fine = file("state.rs", "impl S { fn end(&mut self) { self.agenda.push(1); } }");
    assert_eq!(calls_upwards(&[turn(), fine]), [""; 0]);
    for (path, text) in [
        ("state.rs", "use super::turn::L;"),
        ("state.rs", "impl S { fn end(&mut self) { self.turn(); } }"),
        ("state.rs", "impl S { fn turn(&mut self) {} }"),
        ("mod.rs", "fn f() {}"),
        ("unheard.rs", ""),
    ] {
        assert_eq!(calls_upwards(&[turn(), file(path, text)]).len(), 1, "{text:?}");
    }
}

/// The first names of what follows `crate`: of `::a::b` it is `a`, of `::{a::b, c}` they are `a` and `c`.
fn roots(path: &str) -> Vec<&str> {
    let Some(path) = path.strip_prefix("::") else { return Vec::new() };
    let Some(group) = path.strip_prefix('{') else { return vec![word_at(path)] };
    let mut roots = vec![word_at(group.trim_start())];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => roots.push(word_at(group[at + 1..].trim_start())),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    roots.retain(|root| !root.is_empty());
    roots
}

#[test]
fn a_first_build_stays_modest() {
    let packages = packages_of_a_build(&[]);
    assert!(packages.len() <= MOST_PACKAGES, "{} packages: {packages:#?}", packages.len());
}

#[test]
fn the_library_alone_needs_little() {
    let packages = packages_of_a_build(&["--no-default-features"]);
    assert!(packages.len() <= MOST_PACKAGES_OF_THE_LIBRARY, "{packages:#?}");
}

fn packages_of_a_build(features: &[&str]) -> Vec<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = "tree --locked --offline --package baresock --edges normal,build --prefix none";
    let arguments = arguments.split(' ').chain(features.iter().copied());
    let run = Command::new(cargo).args(arguments).current_dir(root()).output();
    let output = run.expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8_lossy(&output.stdout);
    let packages = listed.lines().map(|line| line.trim_end_matches(" (*)").to_string());
    let mut packages: Vec<_> = packages.collect();
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.len() > 1, "{listed}");
    packages
}

#[test]
fn every_unsafe_block_says_why_it_is_safe() {
    keep(&["src/sys"], unargued_unsafe);
}

fn unargued_unsafe(source: &Source) -> Vec<Finding> {
    let lines: Vec<_> = source.text.lines().collect();
    let unargued = find(&source.code, "unsafe").filter(|at| {
        let after = source.code[at + "unsafe".len()..].trim_start();
        let argument = match after {
            _ if after.starts_with('{') || after.starts_with("impl") => "SAFETY:",
            _ if after.starts_with("fn") => "# Safety",
            _ => return false,
        };
        !comment_above(&lines[..source.line(*at) - 1]).contains(argument)
    });
    unargued.map(|at| source.finding(at, "`unsafe` without its argument above it")).collect()
}

/// The comment above a line, or above the statement that the line goes on with.
fn comment_above(above: &[&str]) -> String {
    let is_comment = |line: &&&str| line.trim_start().starts_with("//");
    let upwards = above.iter().rev();
    let statement =
        upwards.skip_while(|line| !is_comment(line) && !line.ends_with([';', '{', '}']));
    statement.take_while(is_comment).copied().collect()
}

#[test]
fn every_wrapper_documents_its_function_of_c() {
    keep(&["src/sys"], undocumented_wrappers);
}

fn undocumented_wrappers(source: &Source) -> Vec<Finding> {
    let lines: Vec<_> = source.text.lines().collect();
    let mut findings = Vec::new();
    for at in find(&source.untested, "fn") {
        let name = word_at(source.untested[at + 2..].trim_start());
        let line = source.line(at) - 1;
        let is_wrapper = lines[line].starts_with("pub ") && !name.is_empty();
        if !is_wrapper || NOT_OF_C.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let above = lines[..line].iter().rev().take_while(|line| line.starts_with(['/', '#']));
        let mut docs: Vec<_> = above.filter_map(|line| line.strip_prefix("///")).collect();
        docs.reverse();
        let docs = docs.concat();
        for (part, is_there) in [
            ("the prototype in C first", opens_with_prototype(&docs)),
            ("`# Errors`", docs.contains(" # Errors")),
            ("`References:`, links", docs.contains(" References: [`")),
        ] {
            if !is_there {
                findings.push(source.finding(at, &format!("`{name}` does not document {part}")));
            }
        }
    }
    findings
}

/// Whether these docs open with something like `int listen(int sockfd, int backlog);`
fn opens_with_prototype(docs: &str) -> bool {
    let mut parts = docs.split('`');
    let (before, prototype) = (parts.next(), parts.next().unwrap_or_default());
    before == Some(" ") && prototype.contains('(') && prototype.ends_with(");")
}

#[test]
fn every_function_that_a_trace_can_show_has_its_wrapper() {
    let mut sources = sources(&["src/sys"]);
    // Misuse on purpose is not a wrapper, nor is the list of pages.
    sources.retain(|source| {
        !source.path.starts_with("src/sys/wild") && source.path != "src/sys/mod.rs"
    });
    let lacking: Vec<_> =
        Function::all().filter(|function| !is_wrapped(*function, &sources)).collect();
    assert!(lacking.is_empty(), "no wrapper makes a line of {lacking:?}");
    let written = sources.iter().flat_map(|source| find(&source.untested, "Page {"));
    assert_eq!(written.count(), Function::all().count(), "a page is not in the list");
}

/// Whether some code names it, in order to trace it.
fn is_wrapped<S: Borrow<Source>>(function: Function, sources: &[S]) -> bool {
    let named = format!("Function::{}", function.name().to_uppercase());
    sources.iter().any(|source| find(&source.borrow().untested, &named).next().is_some())
}

#[test]
fn a_function_without_a_wrapper_is_missed() {
    let named = |text: &str| [Source::new("src/sys/x.rs".into(), text.into())];
    assert!(is_wrapped(Function::RECV, &named("begin(Function::RECV)")));
    for text in
        ["begin(Function::RECVMSG)", "// Function::RECV", "\"Function::RECV\"", "fn recv() {}"]
    {
        assert!(!is_wrapped(Function::RECV, &named(text)), "{text}");
    }
}

#[test]
fn a_name_stands_for_one_type() {
    let shared = shared_names(names_of_sources());
    assert!(shared.is_empty(), "\n{}\n", shared.join("\n"));
}

/// Types of different files that have one name. (A file may have one for each kind of system.)
fn shared_names(files: &[(&Source, Names)]) -> Vec<Finding> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (source, names) in files {
        for (name, line) in &names.types {
            let places = places.entry(name).or_default();
            let is_here = |place: &String| place.starts_with(&format!("{}:", source.path));
            if !places.iter().any(is_here) {
                places.push(format!("{}:{line}", source.path));
            }
        }
    }
    places.retain(|name, places| {
        places.len() > 1 && !SHARED_NAMES.iter().any(|(known, _)| known == name)
    });
    let told = places.iter().map(|(name, places)| {
        let (first, others) = (&places[0], places[1..].join(", "));
        format!(
            "{first}: a type `{name}` is also in {others}: each gets the noun that says of what"
        )
    });
    told.collect()
}

#[test]
fn a_boolean_argument_says_what_it_means() {
    let unreadable = unreadable_booleans(names_of_sources());
    assert!(unreadable.is_empty(), "\n{}\n", unreadable.join("\n"));
    let taken: usize =
        names_of_sources().iter().map(|(_, names)| names.boolean_parameters.len()).sum();
    assert!(
        taken <= MOST_BOOLEAN_PARAMETERS,
        "{taken} parameters are `bool`, of at most {MOST_BOOLEAN_PARAMETERS}: use an enum, or two functions"
    );
}

#[test]
fn independent_things_have_a_statement_each() {
    let places = names_of_sources().iter().flat_map(|(source, names)| {
        names.lets_of_tuples.iter().map(|line| format!("{}:{line}", source.path))
    });
    let places: Vec<_> = places.collect();
    let many = places.len();
    assert!(
        many <= MOST_LETS_OF_TUPLES,
        "{many} times `let (a, b) = (x, y)`, of at most {MOST_LETS_OF_TUPLES}. Write two statements where your change has one of \
         these:\n{}",
        places.join("\n")
    );
}

/// Calls of functions of this crate that are given a bare `true` or `false`.
fn unreadable_booleans(files: &[(&Source, Names)]) -> Vec<Finding> {
    let takes_boolean =
        |name: &String| files.iter().any(|(_, names)| names.boolean_parameters.contains(name));
    let mut findings = Vec::new();
    for (source, names) in files {
        for (called, line) in names.bare_booleans.iter().filter(|(called, _)| takes_boolean(called))
        {
            let why = "is given a bare boolean, which does not say what it means";
            findings.push(format!("{}:{line}: `{called}` {why}", source.path));
        }
    }
    findings
}

fn names_of_sources() -> &'static [(&'static Source, Names)] {
    static NAMES: LazyLock<Vec<(&Source, Names)>> = LazyLock::new(|| {
        sources(&["src"]).into_iter().map(|source| (source, Names::of(source))).collect()
    });
    &NAMES
}

/// What a source names.
#[derive(Default)]
struct Names {
    /// Its types, and the lines where they are defined.
    types: Vec<(String, usize)>,
    /// The functions and the variants that have a `bool` without a name at the place where one is given; a function once
    /// for each.
    boolean_parameters: Vec<String>,
    /// What is called with `true` or `false`, and in which line.
    bare_booleans: Vec<(String, usize)>,
    /// The lines where a tuple is written only to be taken apart.
    lets_of_tuples: Vec<usize>,
}

impl Names {
    /// Those of the source without its tests.
    fn of(source: &Source) -> Self {
        let mut names = Self::default();
        if !source.is_tests {
            let file = syn::parse_file(&source.text).expect(&source.path);
            names.visit_file(&file);
        }
        names
    }

    fn defines(&mut self, name: &syn::Ident) {
        self.types.push((name.to_string(), name.span().start().line));
    }

    fn calls<'a>(&mut self, name: &syn::Ident, arguments: impl Iterator<Item = &'a syn::Expr>) {
        for argument in arguments {
            if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. }) = argument {
                self.bare_booleans.push((name.to_string(), value.span.start().line));
            }
        }
    }
}

fn is_bool(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident("bool"))
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    let is_test =
        |list: &syn::MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attributes.iter().any(|attribute| attribute.meta.require_list().is_ok_and(is_test))
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.defines(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.defines(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.defines(&item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.defines(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.defines(&item.ident);
        visit::visit_item_type(self, item);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let syn::Pat::Tuple(names) = &local.pat
            && let Some(syn::LocalInit { expr, diverge: None, .. }) = &local.init
            && let syn::Expr::Tuple(_) = &**expr
        {
            self.lets_of_tuples.push(names.paren_token.span.open().start().line);
        }
        visit::visit_local(self, local);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if let syn::Fields::Unnamed(fields) = &variant.fields {
            for _ in fields.unnamed.iter().filter(|field| is_bool(&field.ty)) {
                self.boolean_parameters.push(variant.ident.to_string());
            }
        }
        visit::visit_variant(self, variant);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        for input in &signature.inputs {
            if let syn::FnArg::Typed(typed) = input
                && is_bool(&typed.ty)
            {
                self.boolean_parameters.push(signature.ident.to_string());
            }
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            self.calls(&last.ident, call.args.iter());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.calls(&call.method, call.args.iter());
        visit::visit_expr_method_call(self, call);
    }
}

#[test]
fn shared_names_bare_booleans_and_tuples_are_found() {
    let files = [
        (
            "src/a.rs",
            "struct Plan;\nfn go(slowly: bool) {}\n#[cfg(test)]\nmod tests { enum Way {} }",
        ),
        (
            "src/b.rs",
            "fn f() {\n    enum Plan {}\n    go(true);\n    x.go(slowly);\n}\ntype Way = u8;",
        ),
        (
            "src/c.rs",
            "enum Action { Hold(u8, bool) }\nfn f() { set_nodelay(true); a.hold(1, true) }",
        ),
        ("src/d.rs", "#[cfg(a)]\ntype Word = u32;\n#[cfg(b)]\ntype Word = u64;"),
        ("src/e.rs", "fn f() { Action::Hold(1, false) }"),
    ];
    let sources = files.map(|(path, text)| Source::new(path.into(), text.into()));
    let files = sources.each_ref().map(|source| (source, Names::of(source)));
    let shared = shared_names(&files);
    assert!(matches!(&shared[..], [one] if one.starts_with("src/a.rs:1: ")), "{shared:?}");
    let unreadable = unreadable_booleans(&files);
    assert_eq!(unreadable.len(), 2, "{unreadable:?}");
    assert!(unreadable[0].starts_with("src/b.rs:3: `go` "), "{unreadable:?}");
    assert!(unreadable[1].starts_with("src/e.rs:1: `Hold` "), "{unreadable:?}");
    let text = "fn f() {\n let (a, b) = g();\n let (c, d) = (a, b);\n let e = (c, d);\n let (Ok(a), Ok(b)) = e else { return };\n}";
    let names = Names::of(&Source::new("src/f.rs".into(), text.into()));
    assert_eq!(names.lets_of_tuples, [3]);
}

#[test]
fn every_rule_can_fail() {
    let repeated = |line: &str, lines: usize| format!("{line}\n").repeat(lines);
    let function = |lines: usize| format!("\nfn f() {{\n{}}}", repeated("work();", lines - 2));
    let long = MOST_LINES_OF_A_FUNCTION + 1;
    let rules: &[(Rule, &str, &str, usize)] = &[
        (unsafe_outside_sys, "src/conn.rs", "// unsafe\nfn f() { unsafe { g() } }", 2),
        (cfg_elsewhere, "src/conn.rs", "#[cfg(test)]\nuse a;\n#[cfg(linux)]\nuse b;", 3),
        (cfg_elsewhere, "src/conn.rs", "if\ncfg!(linux) {}", 2),
        (cfg_elsewhere, "src/core.rs", "#[cfg(x)] compile_error!();\n#[cfg(y)] mod y;", 2),
        (cfg_elsewhere, "src/conn.rs", "#[cfg(feature = \"program\")] mod y;", 1),
        (libc_called_elsewhere, "src/os/x.rs", "\"libc::fork()\";\nlibc::fork()", 2),
        (threads_that_hear_the_alarm, "src/labs/x.rs", "thread::sleep(a);\nthread::spawn(f);", 2),
        (threads_that_hear_the_alarm, "src/labs/x.rs", "\nthread::scope(|scope| f);", 2),
        (threads_that_hear_the_alarm, "src/labs/x.rs", "\nuse std::thread::spawn;", 2),
        (threads_that_hear_the_alarm, "src/labs/x.rs", "\nuse std::thread::{self, Builder};", 2),
        (long_file, "src/conn.rs", &repeated("work();", MOST_LINES_OF_A_FILE + 1), 1),
        (long_file, "src/conn.rs", &repeated("// so", MOST_LINES_WITH_COMMENTS + 1), 1),
        (long_file, "src/bare_poll.rs", &repeated("work();", MOST_LINES_OF_A_BARE_LOOP + 1), 1),
        (long_functions, "src/conn.rs", &function(long), 2),
        (uses_from_below, "src/names/x.rs", "use crate::addr;", 1),
        (uses_from_below, "src/sys/x.rs", "use crate::trace;\nuse crate::{names::{A, B}, os};", 2),
        (uses_from_below, "src/unheard.rs", "", 1),
        (unargued_unsafe, "src/sys/x.rs", "// SAFETY: so\nunsafe { a() };\nunsafe { b() };", 3),
        (unargued_unsafe, "src/sys/x.rs", "/// A trap.\npub unsafe fn f() {}", 2),
        (undocumented_wrappers, "src/sys/x.rs", "/// Sends.\npub fn send() {}", 2),
    ];
    for (rule, path, text, line) in rules {
        let found = rule(&Source::new((*path).into(), (*text).into()));
        let place = format!("{path}:{line}: ");
        assert!(!found.is_empty(), "nothing is found in {text:?}");
        assert!(found.iter().all(|found| found.starts_with(&place)), "{place}? {found:#?}");
    }
    let page = Source::new("src/conn.rs".into(), function(MOST_LINES_OF_A_FUNCTION));
    assert_eq!(long_functions(&page), [""; 0]);
}

#[test]
fn strings_and_comments_are_not_code() {
    for said in [
        "// unsafe",
        "/* a /* nested */ unsafe */",
        r#""\" unsafe""#,
        "r#\"\" unsafe\"#",
        "'\"'; // unsafe",
        "'\\''; /* unsafe */",
        "fn f<'a>() {} /* ' unsafe */",
    ] {
        let code = code_of(&format!("{said}\nis_code"));
        assert!(!code.contains("unsafe") && code.ends_with("\nis_code"), "{said} gave {code:?}");
    }
}

type Finding = String;
type Rule = fn(&Source) -> Vec<Finding>;

/// Keeps a rule in every source of these places.
fn keep(places: &[&str], rule: Rule) {
    let findings: Vec<_> = sources(places).into_iter().flat_map(rule).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn sources(places: &[&str]) -> Vec<&'static Source> {
    /// They are read once for all rules.
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut paths = Vec::new();
        for place in ["src", "tests", "build.rs"] {
            collect(&root().join(place), &mut paths);
        }
        paths.iter().map(|path| Source::read(path)).collect()
    });
    let stands_there = |path: &str, place: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found =
        ALL.iter().filter(|source| places.iter().any(|place| stands_there(&source.path, place)));
    let found: Vec<_> = found.collect();
    assert!(!found.is_empty(), "there are no sources in {places:?}");
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(place: &Path, sources: &mut Vec<PathBuf>) {
    if place.is_dir() {
        let entries = fs::read_dir(place).expect("a directory of the project can be read");
        entries.for_each(|entry| collect(&entry.expect("so can its entries").path(), sources));
    } else if place.extension().is_some_and(|extension| extension == "rs") {
        sources.push(place.to_path_buf());
    }
}

struct Source {
    /// From the project's root: `src/sys/fd.rs`.
    path: String,
    text: String,
    /// The text without what is only said in it: see [`code_of`].
    code: String,
    /// The code without its `#[cfg(test)]` items.
    untested: String,
    /// Whether all of it is an item that its parent has only in tests.
    is_tests: bool,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source can be read");
        let path = path.strip_prefix(root()).expect("it is the project's");
        Self::new(path.to_string_lossy().into_owned(), text)
    }

    fn new(path: String, text: String) -> Self {
        const TEST: &str = "#[cfg(test)]";
        let code = code_of(&text);
        let is_tests = path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
        let mut untested = if is_tests { String::new() } else { code.clone() };
        while let Some(at) = untested.find(TEST) {
            let end = item_end(&untested, at + TEST.len()).unwrap_or(code.len());
            let blank = untested[at..end].replace(|c: char| c.is_ascii() && c != '\n', " ");
            untested.replace_range(at..end, &blank);
        }
        Self { path, text, code, untested, is_tests }
    }

    /// The chapter that it belongs to: of `src/sys/fd.rs` it is `sys`.
    fn chapter(&self) -> &str {
        word_at(self.path.strip_prefix("src/").unwrap_or(&self.path))
    }

    /// Its name without directory and ending: of `src/sys/fd.rs` it is `fd`.
    fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    fn finding(&self, at: usize, why: &str) -> Finding {
        format!("{}:{}: {why}", self.path, self.line(at))
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word that a text begins with.
fn word_at(text: &str) -> &str {
    &text[..text.find(|c| !is_of_word(c)).unwrap_or(text.len())]
}

/// Where a whole word stands.
fn find<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        !code[..*at].ends_with(is_of_word) && !code[at + word.len()..].starts_with(is_of_word)
    })
}

fn lines_of_code(code: &str) -> usize {
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Where the item that begins here ends: behind the brace that closes its body, or behind its semicolon.
fn item_end(code: &str, at: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        if (c == '}' && braces <= 0) || (c == ';' && (brackets, braces) == (0, 0)) {
            return Some(at + offset + 1);
        }
    }
    None
}

/// A source without what is only said in it: comments become blanks, and every character of a text an `x`.
/// Each line stays where it is.
fn code_of(text: &str) -> String {
    let mut tokens = Vec::new();
    collect_tokens(text.parse().expect("a source is made of tokens"), &mut tokens);
    let blank = |text: &str| text.replace(|c: char| !c.is_whitespace(), " ");
    let mut code = String::with_capacity(text.len());
    let mut end = 0;
    for (span, is_literal) in tokens {
        let range = span.byte_range();
        let token = &text[range.clone()];
        // A comment that is documentation is made of several tokens, each of which stands for the whole of it.
        if range.start < end {
            continue;
        }
        code.push_str(&blank(&text[end..range.start]));
        if token.starts_with("//") || token.starts_with("/*") {
            code.push_str(&blank(token));
        } else if is_literal && token.contains(['"', '\'']) {
            code.extend(token.chars().map(|c| if c.is_whitespace() { c } else { 'x' }));
        } else {
            code.push_str(token);
        }
        end = range.end;
    }
    code + &blank(&text[end..])
}

/// Every token with its place, and whether it is a literal.
fn collect_tokens(stream: TokenStream, tokens: &mut Vec<(Span, bool)>) {
    for token in stream {
        if let TokenTree::Group(group) = token {
            tokens.push((group.span_open(), false));
            collect_tokens(group.stream(), tokens);
            tokens.push((group.span_close(), false));
        } else {
            tokens.push((token.span(), matches!(token, TokenTree::Literal(_))));
        }
    }
}
