//! What the operators' commands of sltd are made of.

pub mod generate;
