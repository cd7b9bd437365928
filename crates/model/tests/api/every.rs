//! [`every!`]: examples of an enum, for each of its variants.

/// Makes a function that returns examples of an enum: for each pattern an expression
/// that gives some. A variant that no pattern covers does not compile, a pattern without
/// an example of its own fails.
macro_rules! every {
    ($(#[$doc:meta])* $name:ident: $kind:ty { $($pattern:pat => $examples:expr,)+ }) => {
        $(#[$doc])*
        pub(crate) fn $name() -> Vec<$kind> {
            // Exhaustive, so that the compiler asks for an example of each new variant.
            let _ = |value: &$kind| match value { $($pattern => {})+ };
            let mut all: Vec<$kind> = Vec::new();
            $(
                let examples: Vec<$kind> = $examples.into();
                assert!(!examples.is_empty(), "no example: {}", stringify!($pattern));
                for example in &examples {
                    assert!(
                        matches!(example, $pattern),
                        "not an example of {}: {example:?}",
                        stringify!($pattern)
                    );
                }
                all.extend(examples);
            )+
            all
        }
    };
}
