//! Files in a bucket, on a server that speaks S3's protocol.

use tests::local::S3Server;

use super::*;

#[actix_web::test]
async fn a_bucket_keeps_files_as_a_whole_or_not_at_all() {
    let server = S3Server::start().unwrap();
    let bucket = format!("{}/tubex-files", server.endpoint());
    let made = reqwest::Client::new().put(&bucket).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.status());
    let storage = storage(&[
        ("TUBEX_STORAGE__KIND", "s3"),
        ("TUBEX_STORAGE__BUCKET", "tubex-files"),
        ("TUBEX_STORAGE__PREFIX", "some/where"),
        ("TUBEX_STORAGE__ENDPOINT", server.endpoint()),
        ("TUBEX_STORAGE__ACCESS_KEY", "test"),
        ("TUBEX_STORAGE__SECRET_KEY", "a secret of the bucket"),
    ])
    .unwrap();

    keeps_its_promises(&storage).await;

    assert!(!format!("{storage:?}").contains("a secret"), "{storage:?}");
}

#[actix_web::test]
async fn a_bucket_that_does_not_answer_is_an_error_and_no_missing_file() {
    let port = tests::local::port::free(None).unwrap();
    let endpoint = format!("http://127.0.0.1:{port}");
    let storage = storage(&[
        ("TUBEX_STORAGE__KIND", "s3"),
        ("TUBEX_STORAGE__BUCKET", "tubex-files"),
        ("TUBEX_STORAGE__ENDPOINT", &endpoint),
        ("TUBEX_STORAGE__ACCESS_KEY", "test"),
        ("TUBEX_STORAGE__SECRET_KEY", "test"),
        ("TUBEX_STORAGE__RETRY_MS", "100"),
    ])
    .unwrap();

    let opened = storage.open_file(&a_key()).await;
    let put = storage.put(&a_key(), pieces(1), u64::MAX).await;

    assert!(matches!(opened, Err(StorageError::Failed(_))), "{opened:?}");
    assert!(matches!(
        put,
        Err(PutError::Storage(StorageError::Failed(_)))
    ));
}

#[test]
fn a_bucket_needs_its_name_and_both_halves_of_its_key() {
    let without_name = storage(&[("TUBEX_STORAGE__KIND", "s3")]).unwrap_err();
    let without_secret = storage(&[
        ("TUBEX_STORAGE__KIND", "s3"),
        ("TUBEX_STORAGE__BUCKET", "files"),
        ("TUBEX_STORAGE__ACCESS_KEY", "half"),
    ])
    .unwrap_err();

    assert!(without_name.contains("needs bucket"), "{without_name}");
    assert!(without_secret.contains("together"), "{without_secret}");
}
