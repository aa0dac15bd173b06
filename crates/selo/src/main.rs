//! `selo`: the only binary. Reads the command line, and leaves everything else to the library.

use std::process::ExitCode;

use selo::{cli::Cli, commands};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(wrong) => {
            return ExitCode::from(commands::wrong_use(&wrong));
        }
    };
    ExitCode::from(commands::main(&cli))
}
