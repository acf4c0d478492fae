//! The server and the client command.
fn main() {}
