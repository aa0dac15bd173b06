//! The project's own commands, `cargo xtask …`: standard library only, so that they are there wherever Rust is.
//!
//! `test` builds everything, starts what the tests need, runs every leg and adds the results up; `demo` shows the
//! main job; `tidy` keeps the promises of `house.toml`; `openapi` and `schema` write generated files; `fuzz`
//! gives the parsers hostile bytes; `bench` measures in ratios. Nothing here starts a process that the guard (`guard.rs`) does not know, so nothing is left
//! running or lying about, however a command ends. No command ever asks a question.

mod bench;
mod bench_house;
mod bench_ocsp;
mod cargo_toml;
mod counts;
mod demo;
mod dependencies;
mod fuzz;
mod generate;
mod guard;
mod legs;
mod licences;
mod load;
mod place;
mod postgres;
mod process;
mod python;
mod run;
mod tidy;
mod tidy_text;
mod tools;

use std::process::ExitCode;

/// What each command is for; printed for `cargo xtask`, `help` and anything not understood.
const USAGE: &str = "\
cargo xtask test [--sqlite-only] [--rust-only] [-- FILTER]   build, start what the tests need, run everything
cargo xtask demo [--once] [--keep]                           build the web and the binary, run the main job, print the links
cargo xtask tidy                                             check what house.toml and the style promise
cargo xtask openapi [--check]                                write (or compare) openapi/selo.json
cargo xtask schema                                           write the committed dumps of the database schema
cargo xtask fuzz [TARGET…] [--seconds N] [--install]         give every parser hostile bytes, 60 s each
cargo xtask bench [NAME…]                                    measure against goals and peers, in ratios";

/// Exit code of wrong use and of a machine that lacks something.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = words.split_first() else {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    };
    let outcome = match command.as_str() {
        "test" => legs::command(rest),
        "demo" => demo::command(rest),
        "tidy" => tidy::command(rest),
        "openapi" => generate::openapi(rest),
        "schema" => generate::schema(rest),
        "fuzz" => fuzz::command(rest),
        "bench" => bench::command(rest),
        guard::COMMAND => guard::serve(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(true)
        }
        other => Err(Trouble::wrong_use(format!("there is no command `{other}`\n{USAGE}"))),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("xtask: {}", trouble.sentence);
            ExitCode::from(trouble.exit)
        }
    }
}

/// Why a command could not do its work: one sentence with the remedy, and the exit code.
#[derive(Debug)]
pub struct Trouble {
    sentence: String,
    exit: u8,
}

impl Trouble {
    /// Trouble of our own: exit code 1.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: 1 }
    }

    /// Wrong words on the command line, or something missing on the machine: exit code 2.
    pub fn wrong_use(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), exit: WRONG_USE }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.sentence)
    }
}

/// What every command gives back: whether it found everything in order, or why it could not tell.
pub type Outcome = Result<bool, Trouble>;
