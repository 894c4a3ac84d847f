//! A thousand dealers, made by the real provisioner from the real migrations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use provisioner::password::{self, Cost};
use provisioner::{Entrance, NewTenant, Owner, Provisioner, Slug, TenantName};
use sea_orm::{ConnectOptions, Database};
use server::platform::Dealers;
use tests::{Scratch, tubex};
use tokio::task::JoinSet;

use super::say;

/// The password of every owner; hashing a thousand of them would be time lost.
pub const PASSWORD: &str = "a fine password for benches";
/// More creators at once gain nothing on two cores.
const CREATORS: usize = 2;

/// The dealers, by number. Each has an owner who can sign in.
#[derive(Debug)]
pub struct Fleet {
    size: usize,
    next: AtomicUsize,
}

impl Fleet {
    /// Makes the platform and `size` dealers.
    ///
    /// # Errors
    ///
    /// When one can't be made.
    pub async fn create(database: &Scratch, size: usize) -> Result<Self> {
        let begun = Instant::now();
        let migrated = tubex(&database.owner_url(), &["platform", "migrate"], &[]);
        ensure!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
        let provisioner = provisioner(database).await?;
        let hash = Arc::new(password::hash(&PASSWORD.into(), Cost::default())?);
        let mut creators = JoinSet::new();
        for first in 0..CREATORS {
            let (provisioner, hash) = (provisioner.clone(), hash.clone());
            creators.spawn(async move {
                for number in (first..size).step_by(CREATORS) {
                    provisioner.create(dealer(number, &hash)?).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = creators.join_next().await {
            done??;
        }
        say(format!(
            "{size} dealers made in {} s",
            begun.elapsed().as_secs()
        ));
        Ok(Self {
            size,
            next: AtomicUsize::new(0),
        })
    }

    /// What the dealer of this number is called.
    pub fn slug(number: usize) -> String {
        format!("dealer-{number}")
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The slug of one that nobody has had yet.
    ///
    /// # Panics
    ///
    /// When all have been had.
    pub fn take(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(number < self.size, "more dealers are needed than were made");
        Self::slug(number)
    }
}

/// A provisioner of dealers with two connections.
///
/// # Errors
///
/// When the database can't be reached.
pub async fn provisioner(database: &Scratch) -> Result<Provisioner<Dealers>> {
    let mut options = ConnectOptions::new(database.owner_url());
    options.max_connections(2).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    Ok(Provisioner::new(
        connection,
        database.secret().into(),
        Dealers,
    ))
}

fn dealer(number: usize, password_hash: &str) -> Result<NewTenant> {
    called(&Fleet::slug(number), password_hash)
}

/// A dealer of that slug, with an owner.
///
/// # Errors
///
/// When nobody can be called that.
pub fn called(slug: &str, password_hash: &str) -> Result<NewTenant> {
    Ok(NewTenant {
        name: TenantName::parse(slug)?,
        owner: Some(Owner {
            email: format!("owner@{slug}.example"),
            name: "Owner".to_owned(),
            entrance: Entrance::Password {
                hash: password_hash.to_owned(),
            },
        }),
        slug: Slug::parse(slug)?,
        seeds: Vec::new(),
        settings: BTreeMap::new(),
        actor: "bench".to_owned(),
    })
}
