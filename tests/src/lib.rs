//! The harness: an app on a database of its own, actors who use it, and the local stack.
pub mod local;
