//! Canaries through the pooler.
