//! What a plan gives, and how a tenant is switched off and on.

use entity::platform::tenant::Status;
use provisioner::life::LifeError;
use provisioner::plans::{Change, PlanError, SetPlan};
use provisioner::{CreateError, Label, Placement};

use crate::scratch;
use crate::toy::{Toy, tenant};

fn name(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn plan(text: &str) -> SetPlan {
    SetPlan {
        name: name(text),
        concurrency: Change::Keep,
        statement_timeout_ms: Change::Keep,
        idle_in_transaction_timeout_ms: Change::Keep,
        requests_per_minute: Change::Keep,
        dedicated_lane: None,
    }
}

#[tokio::test]
async fn a_plan_is_made_once_and_changed_limit_by_limit() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());

        let made = provisioner
            .set_plan(SetPlan {
                concurrency: Change::To(8),
                statement_timeout_ms: Change::To(5_000),
                ..plan("big")
            })
            .await
            .unwrap();
        let changed = provisioner
            .set_plan(SetPlan {
                concurrency: Change::Default,
                dedicated_lane: Some(true),
                ..plan("big")
            })
            .await
            .unwrap();
        let absurd = provisioner
            .set_plan(SetPlan {
                concurrency: Change::To(0),
                ..plan("big")
            })
            .await
            .unwrap_err();

        assert_eq!(
            (made.concurrency, made.statement_timeout_ms),
            (Some(8), Some(5_000))
        );
        assert!(!made.dedicated_lane);
        assert_eq!(
            (changed.concurrency, changed.statement_timeout_ms),
            (None, Some(5_000))
        );
        assert!(changed.dedicated_lane);
        assert!(matches!(absurd, PlanError::OutOfRange { .. }), "{absurd:?}");
        assert_eq!(provisioner.plans().await.unwrap(), [changed]);
    })
    .await;
}

#[tokio::test]
async fn two_who_make_one_plan_at_once_make_one() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());

        let (one, two) = tokio::join!(
            provisioner.set_plan(plan("big")),
            provisioner.set_plan(plan("big"))
        );

        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!(provisioner.plans().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_is_born_on_a_plan_and_can_change_it() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.set_plan(plan("small")).await.unwrap();
        let own = SetPlan {
            dedicated_lane: Some(true),
            ..plan("big")
        };
        provisioner.set_plan(own).await.unwrap();
        let on = |plan| Placement {
            plan: Some(name(plan)),
            ..Placement::default()
        };

        let small = provisioner
            .create_at(tenant("acme"), on("small"))
            .await
            .unwrap();
        let big = provisioner
            .create_at(tenant("bolt"), on("big"))
            .await
            .unwrap();
        let unknown = provisioner
            .create_at(tenant("core"), on("huge"))
            .await
            .unwrap_err();
        let moved = provisioner
            .change_plan("acme", Some(name("big")), "test")
            .await
            .unwrap();
        let none = provisioner.change_plan("bolt", None, "test").await.unwrap();
        provisioner.change_plan("bolt", None, "test").await.unwrap();
        let lost = provisioner
            .change_plan("acme", Some(name("huge")), "test")
            .await
            .unwrap_err();

        assert_eq!(small.tenant.plan.as_deref(), Some("small"));
        assert!(small.added.is_none());
        assert_eq!(big.added.unwrap().login, big.tenant.lane);
        assert_ne!(big.tenant.lane, small.tenant.lane);
        assert!(matches!(unknown, CreateError::NoPlan(_)), "{unknown:?}");
        assert_eq!(
            (moved.plan.as_deref(), &moved.lane),
            (Some("big"), &small.tenant.lane)
        );
        assert_eq!(none.plan, None);
        assert!(matches!(lost, PlanError::NotFound(_)), "{lost:?}");
        let told: Vec<String> = scratch
            .column(
                "SELECT coalesce(detail ->> 'from', '-') || ' ' || coalesce(detail ->> 'to', '-')
                 FROM platform.tenant_event WHERE kind = 'plan_changed' ORDER BY id",
            )
            .await;
        assert_eq!(told, ["small big", "big -"]);
        scratch.assert_memberships().await;
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_tenant_is_suspended_with_a_reason_and_resumed() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();

        let early = provisioner.resume("acme", "test").await.unwrap_err();
        let mute = provisioner.suspend("acme", " ", "test").await.unwrap_err();
        let off = provisioner
            .suspend("acme", " unpaid ", "test")
            .await
            .unwrap();
        let twice = provisioner
            .suspend("acme", "again", "test")
            .await
            .unwrap_err();
        let on = provisioner.resume("acme", "test").await.unwrap();
        let nobody = provisioner
            .suspend("nobody", "x", "test")
            .await
            .unwrap_err();
        scratch
            .run("UPDATE platform.tenant SET status = 'closing'")
            .await;
        let closing = provisioner
            .suspend("acme", "late", "test")
            .await
            .unwrap_err();

        assert!(matches!(early, LifeError::Standing { .. }), "{early:?}");
        assert!(matches!(mute, LifeError::Reason(0)), "{mute:?}");
        assert_eq!((off.status, on.status), (Status::Suspended, Status::Active));
        assert_eq!(
            twice.to_string(),
            "tenant acme is suspended, and only one that is active can be suspended"
        );
        assert!(matches!(nobody, LifeError::NotFound(_)), "{nobody:?}");
        assert!(matches!(closing, LifeError::Standing { .. }), "{closing:?}");
        let told: Vec<String> = scratch
            .column(
                "SELECT kind || ' ' || coalesce(detail ->> 'reason', '-')
                 FROM platform.tenant_event WHERE kind <> 'created' ORDER BY id",
            )
            .await;
        assert_eq!(told, ["suspended unpaid", "resumed -"]);
    })
    .await;
}
