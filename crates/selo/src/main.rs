//! `selo`: the only binary. Reads the command line, and leaves everything else to the library.

use std::process::ExitCode;

use clap::Parser;
use selo::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => {
            // Help and version are no errors; wrong use is 2.
            let code = if wrong.use_stderr() { 2 } else { 0 };
            let _ = wrong.print();
            return ExitCode::from(code);
        }
    };
    ExitCode::from(commands::main(&cli))
}
