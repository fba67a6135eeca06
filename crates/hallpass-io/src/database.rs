//! Which database an operator asked for.

use std::path::PathBuf;

/// A database, as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// One file: `sqlite://app.db` beside the program, `sqlite:///var/lib/app.db` anywhere.
    Sqlite(PathBuf),
}

/// Tells why a text names no database. The text itself is never repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlFault {
    /// It has no scheme.
    #[error(
        "expected a database URL such as sqlite://hallpass.db or sqlite:///var/lib/hallpass.db"
    )]
    NoScheme,
    /// Its scheme is one that Hallpass has no store for.
    #[error("expected a database URL that starts with sqlite://, got the scheme `{scheme}`")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// It names no file.
    #[error("expected the path of a file after sqlite://")]
    NoPath,
    /// It has parameters, or names a database in memory.
    #[error(
        "expected nothing but the path of a file after sqlite://: no parameters, no `:memory:`"
    )]
    NotAFile,
}

impl Database {
    /// Reads a database URL. What follows `sqlite://` is a path, taken as it is.
    ///
    /// # Errors
    /// When the scheme is unknown or the path is missing.
    ///
    /// # Examples
    /// ```
    /// use hallpass_io::Database;
    /// let database = Database::parse("sqlite:///var/lib/app.db")?;
    /// assert_eq!(database, Database::Sqlite("/var/lib/app.db".into()));
    /// # Ok::<(), hallpass_io::DatabaseUrlFault>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self, DatabaseUrlFault> {
        let (scheme, path) = url.split_once("://").ok_or(DatabaseUrlFault::NoScheme)?;
        if !is_scheme(scheme) {
            return Err(DatabaseUrlFault::NoScheme);
        }
        if !scheme.eq_ignore_ascii_case("sqlite") {
            return Err(DatabaseUrlFault::UnknownScheme {
                scheme: scheme.to_owned(),
            });
        }
        if path.is_empty() || path.ends_with(std::path::is_separator) {
            return Err(DatabaseUrlFault::NoPath);
        }
        if path.contains(['?', '#', '\0']) || path == ":memory:" {
            return Err(DatabaseUrlFault::NotAFile);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

// RFC 3986 §3.1. What is no scheme is not repeated either: a password may stand in front of `://`.
fn is_scheme(text: &str) -> bool {
    text.len() <= 20
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_url_is_a_path() {
        for (url, path) in [
            ("sqlite://app.db", "app.db"),
            ("SQLITE://app.db", "app.db"),
            ("sqlite://data/app.db", "data/app.db"),
            ("sqlite:///var/lib/app.db", "/var/lib/app.db"),
            ("sqlite:///with blank/100%25.db", "/with blank/100%25.db"),
        ] {
            assert_eq!(
                Database::parse(url),
                Ok(Database::Sqlite(path.into())),
                "{url}"
            );
        }
    }

    #[test]
    fn another_url_is_refused_and_never_repeated() {
        for url in [
            "",
            "app.db",
            "sqlite:app.db",
            "://x",
            "alice:hunter2@host://x",
        ] {
            assert_eq!(
                Database::parse(url),
                Err(DatabaseUrlFault::NoScheme),
                "{url}"
            );
        }
        for url in ["sqlite://", "sqlite:///", "sqlite://data/"] {
            assert_eq!(Database::parse(url), Err(DatabaseUrlFault::NoPath), "{url}");
        }
        for url in [
            "sqlite://app.db?mode=rwc",
            "sqlite://:memory:",
            "sqlite://a#b",
        ] {
            assert_eq!(
                Database::parse(url),
                Err(DatabaseUrlFault::NotAFile),
                "{url}"
            );
        }
        let fault = Database::parse("postgres://alice:hunter2@db/app").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "expected a database URL that starts with sqlite://, got the scheme `postgres`"
        );
    }
}
