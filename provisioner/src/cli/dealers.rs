//! Our product: dealers. The only place where the provisioner meets their migrations and seed.

use async_trait::async_trait;
use migration::seed;
use migration::{TenantMigrator, tenant};
use provisioner::check::EntityTable;
use provisioner::{Birth, Declared, Entrance, Kind, Owner, Product, SeedError, Way};
use sea_orm::{DatabaseTransaction, DbErr};

pub(super) use migration::seed::{CURRENCY, SEEDS, currency};

/// The product whose tenants are dealers.
#[derive(Debug)]
pub(super) struct Dealers;

#[async_trait]
impl Product for Dealers {
    type Migrator = TenantMigrator;

    fn migrator(&self) -> &TenantMigrator {
        &TenantMigrator
    }

    fn declared(&self, migration: &str) -> Option<Declared> {
        let (kind, way) = tenant::declared(migration)?;
        let kind = match kind {
            tenant::Kind::Expand => Kind::Expand,
            tenant::Kind::Contract { since } => Kind::contract(since),
        };
        let way = match way {
            tenant::Way::Transaction => Way::Transaction,
            tenant::Way::Index { name, statement } => Way::index(name, statement),
            tenant::Way::Fill { statement } => Way::fill(statement),
        };
        let declared =
            Declared::new(kind, way).written_in(format!("migration/src/tenant/{migration}.rs"));
        let waivers = tenant::waivers(migration).iter();
        Some(waivers.fold(declared, |declared, waiver| {
            declared.waiving(waiver.code, waiver.reason)
        }))
    }

    fn tables(&self) -> Vec<EntityTable> {
        vec![
            EntityTable::of::<entity::tenant::access_state::Entity>(),
            EntityTable::of::<entity::tenant::api_key::Entity>(),
            EntityTable::of::<entity::tenant::api_key_usage::Entity>(),
            EntityTable::of::<entity::tenant::audit_head::Entity>(),
            EntityTable::of::<entity::tenant::audit_record::Entity>(),
            EntityTable::of::<entity::tenant::branch::Entity>(),
            EntityTable::of::<entity::tenant::event::Entity>(),
            EntityTable::of::<entity::tenant::event_head::Entity>(),
            EntityTable::of::<entity::tenant::export::Entity>(),
            EntityTable::of::<entity::tenant::idempotency_key::Entity>(),
            EntityTable::of::<entity::tenant::import::Entity>(),
            EntityTable::of::<entity::tenant::import_change::Entity>(),
            EntityTable::of::<entity::tenant::import_profile::Entity>(),
            EntityTable::of::<entity::tenant::import_row::Entity>(),
            EntityTable::of::<entity::tenant::import_source::Entity>(),
            EntityTable::of::<entity::tenant::invitation::Entity>(),
            EntityTable::of::<entity::tenant::item::Entity>(),
            EntityTable::of::<entity::tenant::item_barcode::Entity>(),
            EntityTable::of::<entity::tenant::item_group::Entity>(),
            EntityTable::of::<entity::tenant::mail::Entity>(),
            EntityTable::of::<entity::tenant::member::Entity>(),
            EntityTable::of::<entity::tenant::notification::Entity>(),
            EntityTable::of::<entity::tenant::notification_preference::Entity>(),
            EntityTable::of::<entity::tenant::one_time_token::Entity>(),
            EntityTable::of::<entity::tenant::recovery_code::Entity>(),
            EntityTable::of::<entity::tenant::refresh_token::Entity>(),
            EntityTable::of::<entity::tenant::role::Entity>(),
            EntityTable::of::<entity::tenant::role_grant::Entity>(),
            EntityTable::of::<entity::tenant::session::Entity>(),
            EntityTable::of::<entity::tenant::setting::Entity>(),
            EntityTable::of::<entity::tenant::sso_connection::Entity>(),
            EntityTable::of::<entity::tenant::sso_domain::Entity>(),
            EntityTable::of::<entity::tenant::sso_identity::Entity>(),
            EntityTable::of::<entity::tenant::team::Entity>(),
            EntityTable::of::<entity::tenant::team_member::Entity>(),
            EntityTable::of::<entity::tenant::totp_credential::Entity>(),
            EntityTable::of::<entity::tenant::unit::Entity>(),
            EntityTable::of::<entity::tenant::webhook_attempt::Entity>(),
            EntityTable::of::<entity::tenant::webhook_delivery::Entity>(),
            EntityTable::of::<entity::tenant::webhook_endpoint::Entity>(),
            EntityTable::of::<entity::tenant::webhook_secret::Entity>(),
        ]
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        seed::anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        birth.check_words(&SEEDS, &[(CURRENCY, currency)])?;
        let birth = seed::Birth {
            owner: birth.owner.as_ref().map(first_owner),
            currency: birth.settings.get(CURRENCY).cloned(),
            demo: birth.seeds.iter().any(|name| name == "demo"),
        };
        Ok(seed::seed(tx, &birth).await?)
    }
}

fn first_owner(owner: &Owner) -> seed::FirstOwner {
    seed::FirstOwner {
        email: owner.email.clone(),
        name: owner.name.clone(),
        entrance: match &owner.entrance {
            Entrance::Password { hash } => seed::Entrance::Password { hash: hash.clone() },
            Entrance::Invitation {
                token_hash,
                expires_at,
            } => seed::Entrance::Invitation {
                token_hash: token_hash.clone(),
                expires_at: *expires_at,
            },
        },
    }
}
