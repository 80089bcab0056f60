//! The `tandem` program: reads the command line, runs one command, tells its caller how that went.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem::command_line::main()
}
