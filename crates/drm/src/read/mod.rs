//! Readers of the bytes that this crate writes, and of what other key servers write: for the command line.
