//! SQL texts: constants that register themselves, so that a test can prepare every one of them on both engines.
//!
//! A text is a literal; there is no way to make one at run time, so nothing that a stranger sends becomes SQL.
//! Its first line is a comment with its name (`-- credential.find`), which metrics, logs and `pg_stat_activity` show.

use crate::engine::Engine;

/// A registered SQL text.
#[derive(Debug)]
pub struct Sql {
    /// The text, with `$1 …` placeholders.
    pub text: &'static str,
    /// Where it stands.
    pub file: &'static str,
    /// Where it stands.
    pub line: u32,
    /// The only engine it is for; `None` for both, which is the rule.
    pub engine: Option<Engine>,
}

/// Every text that is linked into the program.
#[linkme::distributed_slice]
pub static STATEMENTS: [&'static Sql];

impl Sql {
    /// Made by [`sql!`](crate::sql!) only.
    #[doc(hidden)]
    pub const fn new(text: &'static str, file: &'static str, line: u32, engine: Option<Engine>) -> Self {
        Self { text, file, line, engine }
    }

    /// The name in the first line's comment; the text's beginning when it has none.
    pub fn name(&self) -> &'static str {
        let first = self.text.trim_start().lines().next().unwrap_or_default();
        match first.strip_prefix("--") {
            Some(name) => name.trim(),
            None => first.trim_end(),
        }
    }

    /// Whether the first line names it.
    pub fn is_named(&self) -> bool {
        self.text.trim_start().starts_with("--")
    }
}

/// Registers an SQL text and gives a `&'static Sql`. `sql!("…")` is for both engines;
/// `sql!(sqlite: "…")` and `sql!(postgres: "…")` are the few fragments inside `store`.
#[macro_export]
macro_rules! sql {
    (sqlite: $text:literal) => {
        $crate::sql!(@register $text, ::core::option::Option::Some($crate::Engine::Sqlite))
    };
    (postgres: $text:literal) => {
        $crate::sql!(@register $text, ::core::option::Option::Some($crate::Engine::Postgres))
    };
    ($text:literal) => {
        $crate::sql!(@register $text, ::core::option::Option::None)
    };
    (@register $text:literal, $engine:expr) => {{
        static SQL: $crate::Sql = $crate::Sql::new($text, ::core::file!(), ::core::line!(), $engine);
        #[expect(unsafe_code, reason = "linkme places a static in a link section; no unsafe block is ours")]
        const _: () = {
            #[$crate::linkme::distributed_slice($crate::STATEMENTS)]
            #[linkme(crate = $crate::linkme)]
            static ENTRY: &$crate::Sql = &SQL;
        };
        &SQL
    }};
}
