//! Files of tenants, on a disk and in a bucket: the same promises on both.

mod bucket;
mod disk;
mod full;
mod leftovers;

use std::io::Read;

use actix_web::web::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::{self, Stream};
use server::config::Config;
use server::kernel::TenantKey;
use server::storage::{PutError, Shelf, Storage, StorageError, StorageKey};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// A storage by the keys of its configuration.
fn storage(keys: &[(&str, &str)]) -> Result<Storage, String> {
    let secret = "0123456789abcdef0123456789abcdef";
    let needed = [
        (
            "TUBEX_DATABASE__URL",
            "postgres://tubex_server@localhost/tubex",
        ),
        ("TUBEX_DATABASE__SECRET", secret),
        ("TUBEX_AUTH__TOKEN_SECRET", secret),
    ];
    let all = needed.iter().chain(keys);
    let config = Config::from_environment(
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let config = config.map_err(|error| error.to_string())?;
    Storage::open(&config.storage).map_err(|error| format!("{error:#}"))
}

fn a_key() -> StorageKey {
    let tenant = TenantKey::of(Uuid::now_v7());
    StorageKey::of(tenant, Shelf::Imports, Uuid::now_v7())
}

/// So many pieces of 256 KiB, all different.
fn pieces(count: u64) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter((0..count).map(|number| Ok(piece(number))))
}

fn piece(number: u64) -> Bytes {
    Bytes::from(number.to_le_bytes().repeat(32 * 1024))
}

/// What every storage promises.
async fn keeps_its_promises(storage: &Storage) {
    let (key, other) = (a_key(), a_key());
    let length = 80 * 256 * 1024;
    let whole: Vec<u8> = (0..80).flat_map(piece).collect();

    // Nothing is there before, and deleting nothing is fine.
    assert!(matches!(
        storage.open_file(&key).await,
        Err(StorageError::Missing)
    ));
    storage.delete(&key).await.unwrap();

    let stored = storage.put(&key, pieces(80), length).await.unwrap();

    assert_eq!(stored.bytes, length);
    assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(&whole)));
    let opened = storage.open_file(&key).await.unwrap();
    assert_eq!(opened.bytes, length);
    let read: Vec<Bytes> = opened.pieces.try_collect().await.unwrap();
    assert!(read.concat() == whole);
    assert!(matches!(
        storage.to_file(&other).await,
        Err(StorageError::Missing)
    ));

    // A file that is too long, or whose sender goes away, leaves the one that was there.
    let too_long = storage.put(&key, pieces(81), length).await;
    assert!(matches!(too_long, Err(PutError::TooLarge { limit }) if limit == length));
    let gone = stream::iter([Ok(piece(0)), Err(std::io::Error::other("gone"))]);
    let broken = storage.put(&key, gone, length).await;
    assert!(matches!(broken, Err(PutError::Source(_))));
    let broken = storage
        .put(
            &other,
            stream::iter([Err(std::io::Error::other("gone"))]),
            1,
        )
        .await;
    assert!(matches!(broken, Err(PutError::Source(_))));
    assert!(matches!(
        storage.open_file(&other).await,
        Err(StorageError::Missing)
    ));

    // A file in hand stays readable when the one in storage goes.
    let mut file = storage.to_file(&key).await.unwrap();
    storage.put(&key, pieces(1), length).await.unwrap();
    storage.delete(&key).await.unwrap();
    let mut kept = Vec::new();
    file.read_to_end(&mut kept).unwrap();
    assert!(kept == whole);
    assert!(matches!(
        storage.to_file(&key).await,
        Err(StorageError::Missing)
    ));

    finds_what_lies_there(storage).await;

    // An empty file is a file.
    let stored = storage.put(&key, pieces(0), 0).await.unwrap();
    assert_eq!(stored.bytes, 0);
    assert_eq!(storage.open_file(&key).await.unwrap().bytes, 0);
}

/// What lies there is found by whoever looks after it, and removed.
async fn finds_what_lies_there(storage: &Storage) {
    let (tenant, id) = (TenantKey::of(Uuid::now_v7()), Uuid::now_v7());
    let key = StorageKey::of(tenant, Shelf::Exports, id);
    let (now, hour) = (OffsetDateTime::now_utc(), time::Duration::HOUR);
    storage.put(&key, pieces(1), u64::MAX).await.unwrap();

    let tenants = storage.tenants().await.unwrap();
    let young = storage.lying(tenant, Shelf::Exports, now - hour).await;
    let other = storage.lying(tenant, Shelf::Imports, now + hour).await;
    let found = storage.lying(tenant, Shelf::Exports, now + hour).await;

    assert!(tenants.contains(&tenant));
    assert_eq!((young.unwrap().len(), other.unwrap().len()), (0, 0));
    let found = found.unwrap();
    assert_eq!(found.iter().map(|file| file.id).collect::<Vec<_>>(), [id]);
    storage.remove(&found[0]).await.unwrap();
    storage.remove(&found[0]).await.unwrap();
    assert!(matches!(
        storage.open_file(&key).await,
        Err(StorageError::Missing)
    ));
    storage.remove_folders(tenant).await;
    assert!(!storage.tenants().await.unwrap().contains(&tenant));
}
