//! Why nothing was checked, and how to mend it. All of it is exit code 2: exit code 1 speaks of
//! migrations.

use provisioner::check::CheckError;

use super::{Failure, chain};

const NEEDED_RIGHTS: &str = "a scratch database is made by a role with CREATEDB and CREATEROLE; in \
     one that is given with --scratch-url the role needs CREATE on it, and CREATEROLE";

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        let message = chain(&error);
        match error {
            CheckError::Address => Self::usage(message)
                .hint("it looks like postgres://user:password@host:5432/database"),
            CheckError::Silent(_) | CheckError::Lost { .. } => {
                Self::stuck("no_connection", message).hint(
                    "is the server running there, and does it take connections from here? What a \
                     lost check has left behind is removed by the next one",
                )
            }
            CheckError::TooOld(_) => {
                Self::stuck("old_postgres", message).hint("use Postgres 15 or newer")
            }
            CheckError::Denied { .. } => Self::stuck("denied", message).hint(NEEDED_RIGHTS),
            CheckError::NotEmpty(_) => Self::stuck("not_empty", message).hint(
                "give an empty database (createdb), or leave --scratch-url out: then one is made \
                 on the server of --database-url",
            ),
            CheckError::UnknownVersion(_) => Self::stuck("unknown_version", message)
                .hint("--since takes the name of a migration, such as m0002_catalogue"),
            CheckError::Randomness(_) => Self::stuck("no_randomness", message),
            CheckError::Fleet(_) => Self::stuck("fleet", message)
                .hint("--fleet-url takes the platform's own database, as the role that owns it"),
            CheckError::Db(_) => Self::stuck("database", message)
                .hint("pg_trgm and unaccent have to be installed there (postgresql-contrib)"),
        }
    }
}
