//! Our product: dealers. The only place where the provisioner meets their migrations and seed.

use async_trait::async_trait;
use migration::seed;
use migration::{TenantMigrator, tenant};
use provisioner::{Birth, Declared, Kind, Product, SeedError, Way};
use sea_orm::{DatabaseTransaction, DbErr};

/// Sets of rows that a new dealer can be born with.
pub(super) const SEEDS: [&str; 1] = ["demo"];

/// The setting that carries a new dealer's currency.
pub(super) const CURRENCY: &str = "currency";

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
            tenant::Kind::Contract { since } => Kind::Contract {
                since: since.to_owned(),
            },
        };
        let way = match way {
            tenant::Way::Transaction => Way::Transaction,
            tenant::Way::Index { name, statement } => Way::Index {
                name: name.to_owned(),
                statement: statement.to_owned(),
            },
            tenant::Way::Fill { statement } => Way::Fill {
                statement: statement.to_owned(),
            },
        };
        Some(Declared { kind, way })
    }

    async fn anonymise(&self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        seed::anonymise(tx).await
    }

    async fn seed(&self, tx: &DatabaseTransaction, birth: &Birth) -> Result<(), SeedError> {
        check_words(birth)?;
        let owner = birth.owner.as_ref();
        let birth = seed::Birth {
            owner_name: owner.map(|owner| owner.name.clone()),
            owner_email: owner.map(|owner| owner.email.clone()),
            owner_password_hash: owner.map(|owner| owner.password_hash.clone()),
            currency: birth.settings.get(CURRENCY).cloned(),
            demo: birth.seeds.iter().any(|name| name == "demo"),
        };
        Ok(seed::seed(tx, &birth).await?)
    }
}

/// Refuses words that would otherwise be ignored without a sound.
fn check_words(birth: &Birth) -> Result<(), SeedError> {
    if let Some(name) = birth
        .seeds
        .iter()
        .find(|name| !SEEDS.contains(&name.as_str()))
    {
        let known = SEEDS.map(str::to_owned).to_vec();
        return Err(SeedError::UnknownSeed {
            name: name.clone(),
            known,
        });
    }
    for (key, value) in &birth.settings {
        let reason = match key.as_str() {
            CURRENCY => match currency(value) {
                Ok(_) => continue,
                Err(reason) => reason,
            },
            _ => format!("is not known; known: {CURRENCY}"),
        };
        return Err(SeedError::Setting {
            key: key.clone(),
            reason,
        });
    }
    Ok(())
}

/// Reads an ISO 4217 code by its form; which ones exist is not ours to know.
pub(super) fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    if is_code {
        Ok(text.to_owned())
    } else {
        Err("a currency is three capital letters, as in EUR".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capitals() {
        assert_eq!(currency("EUR").as_deref(), Ok("EUR"));
        for text in ["eur", "EURO", "€", ""] {
            assert!(currency(text).is_err(), "{text}");
        }
    }
}
