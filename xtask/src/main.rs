//! The house rules as tests, and the commands of whoever works on Hallpass.

#[cfg(test)]
mod house;

fn main() {}
