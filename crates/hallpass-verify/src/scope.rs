//! Which scope covers which.

/// Tells whether a scope that is provided covers one that is asked for: they are the same, or the
/// provided one ends in `:*`, and the other is its namespace or under it.
///
/// Scopes are compared as they are, with case (RFC 6749 §3.3).
pub(crate) fn covers(provided: &str, asked: &str) -> bool {
    if provided == asked {
        return true;
    }
    let namespace = provided.strip_suffix(":*").filter(|name| !name.is_empty());
    let under = namespace.and_then(|namespace| asked.strip_prefix(namespace));
    under.is_some_and(|under| under.is_empty() || under.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_itself_and_a_wildcard_its_namespace_at_any_depth() {
        for (provided, asked) in [
            ("users:read", "users:read"),
            ("users:*", "users"),
            ("users:*", "users:read"),
            ("users:*", "users:read:own"),
            ("users:read:*", "users:read"),
            ("users:read:*", "users:read:own"),
            ("users:*", "users:*"),
            ("users:*", "users:read:*"),
            ("*", "*"),
        ] {
            assert!(covers(provided, asked), "{provided} {asked}");
        }
    }

    #[test]
    fn nothing_else_is_covered() {
        for (provided, asked) in [
            ("users:read", "users"),
            ("users:read", "users:read:own"),
            ("users", "users:read"),
            ("users:*", "users2"),
            ("users:*", "users2:read"),
            ("users:*", "posts:read"),
            ("users:read:*", "users"),
            ("users:read:*", "users:write"),
            ("users:*", "Users:read"),
            ("Users:Read", "users:read"),
            // Asked for, a wildcard is a name like any other.
            ("admin:users", "admin:*"),
            ("admin", "admin:*"),
            // A lone star, a star in the middle, and a namespace without a name are none.
            ("*", "users"),
            ("*", "users:read"),
            ("users*", "users"),
            ("users:*:own", "users:read:own"),
            (":*", "users"),
            (":*", ""),
            (":*", ":users"),
            ("", "users"),
        ] {
            assert!(!covers(provided, asked), "{provided} {asked}");
        }
    }
}
