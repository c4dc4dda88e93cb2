//! Files that were served recently. Serving a small file again costs at most one `stat`, and no open, read and close, and so
//! does serving a large one while another client is being sent it. (A file of 1 KiB is served twice as often then: measured
//! with wrk, eight connections.)
//!
//! Of a small file the content is cached. A larger file is not read at all, because the kernel sends it; as long as one
//! client is being sent it, others are sent it from the same descriptor. The cache itself keeps no file open, so a file
//! that was deleted takes no room on the disk for longer than a client needs it.
//!
//! A file is cached under the requested path. Before it is served again, the path is checked: device, inode, length and
//! the times of the last changes must be the same. These show every change, except one within the same tick of the
//! clock; so a file that has just changed is not cached.
//!
//! A thousand requests within one millisecond cause one check: for that long, a changed file may be served as it was.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::body::Source;
use super::file::Described;

/// How long a check holds.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(1);
/// The largest file whose content is cached. From about this size on, sending a file costs less than copying it, although it has
/// to be opened.
pub(super) const MOST_OF_FILE: u64 = 64 * 1024;
/// The size of all cached files together, including the cost of each entry.
const MOST_OF_ALL: usize = 32 * 1024 * 1024;
const COST_OF_ONE: usize = 512;
const LONGEST_KEY: usize = 256;
/// Some file systems count in steps of two seconds.
const SETTLED_AFTER_SECONDS: i64 = 3;

/// A cached file.
#[derive(Debug)]
pub(super) struct Remembered {
    described: Described,
    content: Content,
    path: PathBuf,
    identity: Identity,
    /// When it was last found unchanged.
    looked_at: Option<Instant>,
}

#[derive(Debug)]
enum Content {
    InMemory(Rc<[u8]>),
    /// In a file that is open as long as a response is sent from it. The entry stays after that, at the cost of an entry,
    /// until the file is served again or the entry is the oldest.
    InFile(Weak<File>),
}

impl Content {
    fn of(source: &Source) -> Self {
        match source {
            Source::Memory(content) => Self::InMemory(Rc::clone(content)),
            Source::File(file) => Self::InFile(Rc::downgrade(file)),
        }
    }

    fn source(&self) -> Option<Source> {
        match self {
            Self::InMemory(content) => Some(Source::Memory(Rc::clone(content))),
            Self::InFile(file) => file.upgrade().map(Source::File),
        }
    }

    /// How much memory it takes.
    fn bytes(&self) -> usize {
        match self {
            Self::InMemory(content) => content.len(),
            Self::InFile(_) => 0,
        }
    }
}

/// Data that stays the same as long as a file does.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The cached files; the oldest entry is dropped first.
#[derive(Debug, Default)]
pub(super) struct Cache {
    files: HashMap<Box<str>, Remembered>,
    order: VecDeque<Box<str>>,
    bytes: usize,
}

impl Cache {
    /// The file requested by this path, if it is cached and unchanged.
    pub(super) fn get(&mut self, key: &str, now: Instant) -> Option<(&Described, Source)> {
        let file = self.files.get_mut(key)?;
        let source = file.content.source()?;
        let is_fresh = |at: Instant| now.saturating_duration_since(at) < LOOK_AGAIN_AFTER;
        if !file.looked_at.is_some_and(is_fresh) {
            file.looked_at = Some(now);
            let identity = fs::metadata(&file.path).ok().map(|metadata| Identity::of(&metadata));
            if identity.as_ref() != Some(&file.identity) {
                self.order.retain(|other| **other != *key);
                self.forget(key);
                return None;
            }
        }
        self.files.get(key).map(|file| (&file.described, source))
    }

    /// Whether a file should be cached.
    pub(super) fn wants(&self, key: &str, metadata: &Metadata, now: u64) -> bool {
        let settled = |seconds: i64| seconds.saturating_add(SETTLED_AFTER_SECONDS) <= now as i64;
        key.len() <= LONGEST_KEY && settled(metadata.mtime()) && settled(metadata.ctime())
    }

    /// Caches a file, which was found at `path`. It replaces one that the last response has closed.
    pub(super) fn put(
        &mut self,
        key: &str,
        path: PathBuf,
        metadata: &Metadata,
        described: Described,
        source: &Source,
    ) {
        let content = Content::of(source);
        let identity = Identity::of(metadata);
        self.bytes += COST_OF_ONE + content.bytes();
        let file = Remembered { described, content, path, identity, looked_at: None };
        match self.files.insert(key.into(), file) {
            Some(before) => self.bytes -= COST_OF_ONE + before.content.bytes(),
            None => self.order.push_back(key.into()),
        }
        while self.bytes > MOST_OF_ALL
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &str) {
        if let Some(file) = self.files.remove(key) {
            self.bytes -= COST_OF_ONE + file.content.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        cache: Cache,
        path: PathBuf,
    }

    impl Fixture {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("baresock-cache-{name}-{}", std::process::id()));
            fs::write(&path, "before").unwrap();
            Self { cache: Cache::default(), path }
        }

        fn put(&mut self, key: &str) {
            let metadata = fs::metadata(&self.path).unwrap();
            let described =
                Described { len: metadata.len(), fields: String::new(), modified: None };
            let content = Source::Memory(fs::read(&self.path).unwrap().into());
            self.cache.put(key, self.path.clone(), &metadata, described, &content);
        }

        /// The cached content, if it is in memory.
        fn content(&mut self, key: &str, now: Instant) -> Option<Rc<[u8]>> {
            match self.cache.get(key, now)? {
                (_, Source::Memory(content)) => Some(content),
                (_, Source::File(_)) => None,
            }
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.path);
        }
    }

    #[test]
    fn a_file_is_remembered_until_it_changes_or_goes() {
        let mut fixture = Fixture::new("changes");
        let now = Instant::now();
        fixture.put("/a");
        assert_eq!(&*fixture.content("/a", now).unwrap(), b"before");
        assert!(fixture.cache.get("/b", now).is_none());

        // The same length and the same date: only the inode's change time differs.
        let modified = fs::metadata(&fixture.path).unwrap().modified().unwrap();
        let before = Identity::of(&fs::metadata(&fixture.path).unwrap());
        while Identity::of(&fs::metadata(&fixture.path).unwrap()) == before {
            fs::write(&fixture.path, "after!").unwrap();
            fs::File::options()
                .write(true)
                .open(&fixture.path)
                .unwrap()
                .set_modified(modified)
                .unwrap();
        }
        let later = now + Duration::from_secs(1);
        // The last check is too recent; then it is checked again.
        assert_eq!(&*fixture.content("/a", now).unwrap(), b"before");
        assert!(fixture.cache.get("/a", later).is_none());
        fixture.put("/a");
        assert_eq!(&*fixture.content("/a", later).unwrap(), b"after!");

        fs::remove_file(&fixture.path).unwrap();
        assert!(fixture.cache.get("/a", later + LOOK_AGAIN_AFTER).is_none());
        assert_eq!((fixture.cache.bytes, fixture.cache.order.len()), (0, 0));
    }

    #[test]
    fn a_large_file_is_known_as_long_as_a_response_has_it_open() {
        let mut fixture = Fixture::new("large");
        let metadata = fs::metadata(&fixture.path).unwrap();
        let now = Instant::now();
        let put = |cache: &mut Cache| {
            let described = Described { len: 6, fields: String::new(), modified: None };
            let file = Rc::new(File::open(&fixture.path).unwrap());
            let source = Source::File(Rc::clone(&file));
            cache.put("/a", fixture.path.clone(), &metadata, described, &source);
            file
        };
        for _ in 0..3 {
            let file = put(&mut fixture.cache);
            let found = fixture.cache.get("/a", now).map(|(_, source)| source);
            assert!(matches!(found, Some(Source::File(found)) if Rc::ptr_eq(&found, &file)));
            drop(file);
            assert!(fixture.cache.get("/a", now).is_none(), "the cache keeps no file open");
            assert_eq!((fixture.cache.bytes, fixture.cache.order.len()), (COST_OF_ONE, 1));
        }
        let _file = put(&mut fixture.cache);
        fs::remove_file(&fixture.path).unwrap();
        let later = now + LOOK_AGAIN_AFTER;
        assert!(fixture.cache.get("/a", later).is_none(), "it was deleted");
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_the_oldest_goes_first() {
        let mut fixture = Fixture::new("bound");
        fs::write(&fixture.path, vec![7; MOST_OF_FILE as usize]).unwrap();
        let fits = MOST_OF_ALL / (MOST_OF_FILE as usize + COST_OF_ONE);
        for k in 0..=fits {
            fixture.put(&format!("/{k}"));
        }
        assert_eq!(fixture.cache.files.len(), fits);
        assert!(fixture.cache.bytes <= MOST_OF_ALL);
        assert!(fixture.cache.get("/0", Instant::now()).is_none());
        assert!(fixture.cache.get("/1", Instant::now()).is_some());
    }

    #[test]
    fn a_file_that_was_changed_just_now_is_not_remembered() {
        let fixture = Fixture::new("settled");
        let metadata = fs::metadata(&fixture.path).unwrap();
        let changed = metadata.ctime() as u64;
        assert!(!fixture.cache.wants("/a", &metadata, changed + 1));
        assert!(fixture.cache.wants("/a", &metadata, changed + 10));
        assert!(!fixture.cache.wants(&"/a".repeat(200), &metadata, changed + 10));
    }
}
