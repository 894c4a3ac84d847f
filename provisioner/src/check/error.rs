//! Why a check could not run. What is wrong with a migration is a finding and none of these.

use sea_orm::{DbErr, RuntimeErr};
use sqlx::postgres::PgConnectOptions;

use crate::{RunError, db_error};

/// Why a check could not run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The address can't be read.
    #[error("the address of the scratch database cannot be read")]
    Address,
    /// Nothing answered in time.
    #[error("{0} did not answer in time")]
    Silent(String),
    /// There is no way there, or it was lost.
    #[error("{place} cannot be reached, or the connection was lost")]
    Lost {
        /// Where.
        place: String,
        /// Why.
        #[source]
        cause: DbErr,
    },
    /// The server is too old.
    #[error("Postgres 15 or newer is needed, and the scratch server's version number is {0}")]
    TooOld(i32),
    /// The role lacks a right.
    #[error("the role lacks a right at {place}")]
    Denied {
        /// Where.
        place: String,
        /// Which.
        #[source]
        cause: DbErr,
    },
    /// There is something in the database that was given.
    #[error("the scratch database is not empty; it holds {}", .0.join(", "))]
    NotEmpty(Vec<String>),
    /// There is no migration of that name.
    #[error("there is no migration {0:?}")]
    UnknownVersion(String),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no random number")]
    Randomness(#[source] getrandom::Error),
    /// The migrations could not be recorded, or the fleet not be read.
    #[error("the fleet could not be looked at")]
    Fleet(#[source] RunError),
    /// Something else failed at the scratch database.
    #[error("the scratch database failed")]
    Db(#[source] DbErr),
}

impl CheckError {
    /// Sorts a failure of the driver.
    pub(super) fn of(error: sqlx::Error, options: &PgConnectOptions) -> Self {
        Self::of_db(
            DbErr::Conn(RuntimeErr::SqlxError(std::sync::Arc::new(error))),
            options,
        )
    }

    /// Sorts a failure by what can be done about it.
    pub(super) fn of_db(cause: DbErr, options: &PgConnectOptions) -> Self {
        let place = place(options);
        match db_error::sqlstate(&cause).as_deref() {
            Some("42501" | "28P01" | "28000") => Self::Denied { place, cause },
            // No connection to be had: shut down, not there, full.
            None | Some("57P01" | "57P02" | "57P03" | "08006" | "08003" | "3D000" | "53300") => {
                Self::Lost { place, cause }
            }
            Some(_) => Self::Db(cause),
        }
    }
}

/// Where we tried to go, without the password.
pub(super) fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    format!(
        "database {database:?} at {}:{}",
        options.get_host(),
        options.get_port()
    )
}
