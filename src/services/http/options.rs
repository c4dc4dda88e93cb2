//! The options of the service: `root=DIR`, `header-timeout=SECONDS`, `keep-alive=SECONDS`.

use std::path::PathBuf;
use std::time::Duration;

use crate::services::spec::time_limit;

/// The options of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteOptions {
    /// The directory whose files are served.
    pub root: PathBuf,
    /// How long a request may take, from its first byte to its last.
    pub header_timeout: Duration,
    /// How long a connection may be silent between requests.
    pub keep_alive: Duration,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            root: ".".into(),
            header_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
        }
    }
}

impl SiteOptions {
    /// The names of the options.
    pub(in crate::services) const NAMES: &[&str] = &["root", "header-timeout", "keep-alive"];

    /// Reads options as they were written.
    ///
    /// # Errors
    /// One line that says what can be written instead.
    pub fn read(written: &[(String, String)]) -> Result<Self, String> {
        let mut options = Self::default();
        for (name, value) in written {
            match name.as_str() {
                "root" => options.root = value.into(),
                "header-timeout" => options.header_timeout = time(name, value)?,
                "keep-alive" => options.keep_alive = time(name, value)?,
                _ => {}
            }
        }
        Ok(options)
    }
}

fn time(name: &str, value: &str) -> Result<Duration, String> {
    time_limit(value).map_err(|why| format!("{name}={}: {why}", value.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<SiteOptions, String> {
        SiteOptions::read(&[(name.to_string(), value.to_string())])
    }

    #[test]
    fn what_is_not_written_has_a_sound_value() {
        assert_eq!(SiteOptions::read(&[]).unwrap(), SiteOptions::default());
        let options = read("keep-alive", "0.5").unwrap();
        assert_eq!(
            options,
            SiteOptions { keep_alive: Duration::from_millis(500), ..SiteOptions::default() }
        );
    }

    #[test]
    fn a_time_has_a_measure() {
        for value in ["", "soon", "0", "-1", "NaN", "inf", "1e300"] {
            let why = read("header-timeout", value).unwrap_err();
            assert!(why.starts_with("header-timeout=") && why.contains("seconds"), "{why}");
        }
    }
}
