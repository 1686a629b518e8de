//! The `xrefd` binary: parses arguments, runs, and turns an error into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    xrefd::cli::main()
}
