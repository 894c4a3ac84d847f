//! What each migration of a dealer's schema says of itself: who can live with it, and how it is
//! carried over a fleet that is being used.

use super::{
    m0002_catalogue, m0003_barcode_kind, m0004_barcode_kind_fill, m0005_session_recent_idx,
    m0007_people, m0015_item_updated_at_idx,
};

/// Whether older code can live with a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code that does not know it is not harmed by it.
    Expand,
    /// It takes away what code needs that does not know migration `since`.
    Contract {
        /// The oldest migration whose code can do without.
        since: &'static str,
    },
}

/// How a migration is carried over dealers that are being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As it is, in one transaction.
    Transaction,
    /// Beside traffic: an index that is built by `statement`, outside any transaction.
    Index {
        /// Its name.
        name: &'static str,
        /// What builds it.
        statement: &'static str,
    },
    /// Row by row: `statement` changes at most `$1` rows, and none when all is done.
    Fill {
        /// One batch.
        statement: &'static str,
    },
}

/// What a migration says of itself. Nothing for names that this build doesn't know.
pub fn declared(name: &str) -> Option<(Kind, Way)> {
    Some(match name {
        "m0001_team"
        | "m0002_catalogue"
        | "m0003_barcode_kind"
        | "m0007_people"
        | "m0008_access"
        | "m0009_record"
        | "m0010_references_proven"
        | "m0011_events"
        | "m0012_imports"
        | "m0013_webhooks"
        | "m0014_notifications" => (Kind::Expand, Way::Transaction),
        "m0004_barcode_kind_fill" => {
            let statement = m0004_barcode_kind_fill::BATCH;
            (Kind::Expand, Way::Fill { statement })
        }
        "m0005_session_recent_idx" => {
            let (name, statement) = (
                m0005_session_recent_idx::INDEX,
                m0005_session_recent_idx::CONCURRENTLY,
            );
            (Kind::Expand, Way::Index { name, statement })
        }
        "m0015_item_updated_at_idx" => {
            let (name, statement) = (
                m0015_item_updated_at_idx::INDEX,
                m0015_item_updated_at_idx::CONCURRENTLY,
            );
            (Kind::Expand, Way::Index { name, statement })
        }
        "m0006_session_member_id_idx" => {
            let since = "m0005_session_recent_idx";
            (Kind::Contract { since }, Way::Transaction)
        }
        _ => return None,
    })
}

/// Something that `tubex check` finds in a migration, and that may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The finding's code.
    pub code: &'static str,
    /// Why it may stay.
    pub reason: &'static str,
}

/// What may stay; it is written beside the migration that does it.
pub fn waivers(name: &str) -> &'static [Waiver] {
    match name {
        "m0002_catalogue" => m0002_catalogue::WAIVERS,
        "m0003_barcode_kind" => m0003_barcode_kind::WAIVERS,
        "m0007_people" => m0007_people::WAIVERS,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::MigratorTrait as _;

    use super::*;
    use crate::TenantMigrator;

    #[test]
    fn every_migration_says_what_it_is() {
        for step in TenantMigrator::migrations() {
            assert!(declared(step.name()).is_some(), "{}", step.name());
        }
    }
}
