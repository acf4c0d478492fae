//! The operators' commands.
fn main() {}
