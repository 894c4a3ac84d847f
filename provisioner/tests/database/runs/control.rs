//! What people can say to a run.

use provisioner::fleet::{Canary, PlaceState, RunState};
use provisioner::{RunError, Started, WorkOptions};

use super::{assert_at, shops, standing, start};
use crate::scratch;
use crate::toy::Toy;
use provisioner::RunOptions;

#[tokio::test]
async fn canaries_go_first_and_each_wave_needs_a_word() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 12).await;
        scratch
            .run("UPDATE platform.tenant SET tags = '{pilot}' WHERE slug = 'shop-05'")
            .await;
        let new = scratch.provisioner(Toy::grown(3));
        let options = RunOptions {
            canary: Some("tag=pilot".parse::<Canary>().unwrap()),
            waves: vec![50, 100],
            approve: true,
            ..RunOptions::default()
        };

        let begun = start(&new, options).await;
        let first = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        let canaries = standing(&new, &begun, PlaceState::Done).await;
        new.approve_run(begun.id, "test").await.unwrap();
        let second = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        new.approve_run(begun.id, "test").await.unwrap();
        let third = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        let too_late = new.approve_run(begun.id, "test").await.unwrap_err();

        assert_eq!(
            (first.state, first.waves),
            (RunState::Waiting, 3),
            "{first:?}"
        );
        assert_eq!(canaries, ["shop-05"]);
        assert_eq!(
            (second.state, second.counts.done),
            (RunState::Waiting, 6),
            "{second:?}"
        );
        assert_eq!(
            (third.state, third.counts.done),
            (RunState::Done, 12),
            "{third:?}"
        );
        assert!(matches!(too_late, RunError::Standing { .. }), "{too_late}");
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_is_paused_gone_on_with_and_cancelled() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 6).await;
        let new = scratch.provisioner(Toy::grown(3));
        let begun = start(&new, RunOptions::default()).await;

        let paused = new.pause_run(begun.id, "test").await.unwrap();
        let nothing = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        let second = new.start_run(RunOptions::default(), "test").await.unwrap();
        let elsewhere = RunOptions {
            to: Some("w0002_unique".to_owned()),
            ..RunOptions::default()
        };
        let other = new.start_run(elsewhere, "test").await.unwrap_err();
        new.resume_run(begun.id, "test").await.unwrap();
        let left_out = new
            .skip_tenant(begun.id, "shop-03", "is being looked at", "test")
            .await
            .unwrap();
        let cancelled = new.cancel_run(begun.id, "test").await.unwrap();
        let over = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        let fresh = new
            .migrate(RunOptions::default(), "test")
            .await
            .unwrap()
            .unwrap();

        assert_eq!(paused.state, RunState::Paused);
        assert_eq!(nothing.counts.pending, 6, "{nothing:?}");
        assert!(matches!(second, Started::Joined(run) if run.id == begun.id));
        assert!(matches!(other, RunError::InProgress { .. }), "{other}");
        assert_eq!(left_out.counts.skipped, 1);
        assert_eq!(
            (cancelled.state, cancelled.counts.skipped),
            (RunState::Cancelled, 6)
        );
        assert_eq!(over.counts, cancelled.counts);
        assert_eq!(fresh.counts.done, 6, "{fresh:?}");
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}

#[tokio::test]
async fn a_wave_that_servers_call_worse_than_before_halts_the_run() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 4).await;
        let new = scratch.provisioner(Toy::grown(3));
        let options = RunOptions {
            canary: Some(Canary::Count(1)),
            ..RunOptions::default()
        };
        let begun = start(&new, options).await;
        scratch
            .run("INSERT INTO platform.server_process (id, build, knows, needs) VALUES
                      ('00000000-0000-7000-8000-000000000001', 'b', 'w0003_colour', 'w0001_widget')")
            .await;
        scratch
            .run("INSERT INTO platform.tenant_traffic (server_id, tenant_id, requests, failures, slow_ms)
                  SELECT '00000000-0000-7000-8000-000000000001', id, 100, 40, 10
                  FROM platform.tenant WHERE slug = 'shop-01'")
            .await;

        let halted = new.work(begun.id, WorkOptions::quietly()).await.unwrap();
        new.resume_run(begun.id, "test").await.unwrap();
        let done = new.work(begun.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!((halted.state, halted.counts.done), (RunState::Halted, 1), "{halted:?}");
        assert!(halted.reason.unwrap().contains("40 of 100 requests failed"));
        assert_eq!((done.state, done.counts.done), (RunState::Done, 4), "{done:?}");
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}
