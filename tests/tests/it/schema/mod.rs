//! The database as the migrations make it, beside what the code believes of it.

mod catalogue;
mod demo;
mod entities;
mod migrations;
