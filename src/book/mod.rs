//! The labs, the words and the manual as a web site: static files that link to each other, and load nothing else.
//!
//! A [`Book`] is what was recorded while the labs ran; [`files`] makes its pages. `frame` is what all pages share;
//! `contents`, `lab_page`, `word_pages`, `manual` and `sheets` are the kinds of pages; `search_index` is what the search
//! looks through. Everything that a lab recorded becomes text through [`escaped`](crate::ladder::html::escaped).

mod contents;
mod frame;
mod lab_page;
mod links;
mod manual;
mod mdoc;
mod search_index;
mod sheets;
mod systems_table;
mod word_pages;

use crate::labs::Lab;
use crate::labs::run::LabEvent;
use crate::labs::verdict::LabVerdict;
use frame::{PageFrame, Place};

/// What goes into a book.
#[derive(Debug)]
pub struct Book {
    /// The labs, in the order of reading.
    pub labs: Vec<LabRecord>,
    /// On which system and when the labs ran: a sentence.
    pub made: String,
    /// Why it has no packets.
    pub no_packets: Option<String>,
    /// Whether it has worksheets.
    pub sheets: Sheets,
}

/// Whether a book has worksheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheets {
    /// A sheet without answers for each lab, and one with the answers to all.
    With,
    /// None.
    Without,
}

/// What happened in a lab.
#[derive(Debug)]
pub struct LabRecord {
    /// The lab.
    pub lab: &'static Lab,
    /// Its events, in order.
    pub events: Vec<LabEvent>,
    /// The verdict of an earlier run, which this run replaces.
    pub replaced: Option<String>,
    /// The verdict of a run with packets, in a network of the lab's own, if that run does not count.
    pub without_packets: Option<String>,
}

impl LabRecord {
    /// How it ended.
    pub fn verdict(&self) -> LabVerdict {
        let mut verdict = LabVerdict::default();
        self.events.iter().for_each(|event| verdict.hear(event));
        verdict
    }

    /// Whether it ran, and nothing differed.
    pub fn is_as_predicted(&self) -> bool {
        self.verdict().word() == "as predicted"
    }
}

/// A file of a book.
#[derive(Debug)]
pub struct BookFile {
    /// Its path below the book's directory.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// A page before it has its frame.
#[derive(Debug)]
struct BookPage {
    place: Place,
    body: String,
    /// What its ladder needs, if it has one.
    ladder: Option<String>,
}

/// Every file of the book.
pub fn files(book: &Book) -> Vec<BookFile> {
    let mut pages = vec![contents::page(book)];
    pages.extend(book.labs.iter().map(|record| lab_page::page(book, record)));
    pages.extend(word_pages::pages(book));
    pages.extend(manual::pages());
    if book.sheets == Sheets::With {
        pages.extend(sheets::pages(book));
    }
    let places: Vec<Place> = pages.iter().map(|page| page.place.clone()).collect();
    let framed = pages.into_iter().enumerate().map(|(at, page)| {
        let before = at.checked_sub(1).and_then(|before| places.get(before));
        let frame = PageFrame { before, next: places.get(at + 1), made: &book.made };
        BookFile { content: frame.around(&page), path: page.place.path }
    });
    let mut files: Vec<BookFile> = framed.collect();
    files.push(search_index::page(&book.made));
    let texts = [
        ("book.css", frame::STYLE),
        ("book.js", frame::SCRIPT),
        ("ladder.css", crate::ladder::html::STYLE),
        ("ladder.js", crate::ladder::html::SCRIPT),
        ("search.js", search_index::SCRIPT),
    ];
    files.extend(
        texts.map(|(path, text)| BookFile { path: path.to_string(), content: text.to_string() }),
    );
    files.push(search_index::index(book));
    files
}
