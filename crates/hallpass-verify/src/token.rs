//! Secrets as types: no `Display`, no `Clone`, a `Debug` that tells nothing, wiped when dropped.

/// Makes a type for a secret text.
///
/// The text comes out by `expose()` alone, so that a search for that word finds every place
/// where a secret leaves its type.
#[macro_export]
macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name($crate::zeroize::Zeroizing<String>);

        impl $name {
            /// Wraps a plain text.
            #[must_use]
            pub fn new(plain: String) -> Self {
                Self($crate::zeroize::Zeroizing::new(plain))
            }

            /// Returns the plain text: for the wire, never for a log or a store.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

secret_text! {
    /// A signed access token as it travels: says who is calling, for minutes.
    AccessToken
}

secret_text! {
    /// An access token as somebody presents it: not verified.
    AccessTokenText
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let token = AccessToken::new("eyJ-secret".into());
        assert_eq!(format!("{token:?}"), "AccessToken(redacted)");
        assert_eq!(token.expose(), "eyJ-secret");
    }
}
