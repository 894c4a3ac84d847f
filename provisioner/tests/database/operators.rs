//! Operators: added, changed, and never without somebody who may do everything.

use provisioner::operators::{ChangeOperator, NewOperator, OperatorError, Role, Status};
use provisioner::{Email, TenantName};

use crate::scratch;
use crate::toy::Toy;

fn operator(email: &str, role: Role) -> NewOperator {
    NewOperator {
        email: Email::parse(email).unwrap(),
        name: TenantName::parse("Somebody").unwrap(),
        role,
        password_hash: "$argon2id$".to_owned(),
    }
}

fn disabled() -> ChangeOperator {
    ChangeOperator {
        status: Some(Status::Disabled),
        ..ChangeOperator::default()
    }
}

#[tokio::test]
async fn an_address_is_one_operators_however_it_is_typed() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let added = provisioner
            .add_operator(operator("Ann@Ops.Example", Role::Viewer), "test")
            .await
            .unwrap();

        let again = operator("ann@ops.EXAMPLE", Role::Admin);
        let refused = provisioner.add_operator(again, "test").await;

        assert!(matches!(refused, Err(OperatorError::EmailTaken(_))));
        assert_eq!(provisioner.operators().await.unwrap(), [added]);
    })
    .await;
}

#[tokio::test]
async fn two_admins_can_not_disable_each_other_at_the_same_moment() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        for email in ["ann@ops.example", "bob@ops.example"] {
            let added = provisioner.add_operator(operator(email, Role::Admin), "test");
            added.await.unwrap();
        }

        let (one, other) = tokio::join!(
            provisioner.change_operator("ann@ops.example", disabled(), "bob"),
            provisioner.change_operator("bob@ops.example", disabled(), "ann"),
        );

        let refused = [one, other]
            .into_iter()
            .filter(|outcome| matches!(outcome, Err(OperatorError::LastAdmin(_))));
        assert_eq!(refused.count(), 1);
        let active: Vec<i64> = scratch
            .column("SELECT count(*) FROM platform.operator WHERE status = 'active'")
            .await;
        assert_eq!(active, [1]);
    })
    .await;
}

#[tokio::test]
async fn a_change_voids_all_that_was_issued_and_no_change_voids_nothing() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let ann = operator("ann@ops.example", Role::Viewer);
        let ann = provisioner.add_operator(ann, "test").await.unwrap();
        scratch
            .run(
                "INSERT INTO platform.operator_session
                     (id, operator_id, created_at, last_used_at, expires_at)
                 SELECT gen_random_uuid(), id, now(), now(), now() FROM platform.operator",
            )
            .await;
        let standing = "SELECT token_version FROM platform.operator o
             JOIN platform.operator_session s ON s.operator_id = o.id AND s.revoked_at IS NULL";
        let id = ann.id.to_string();

        let same = ChangeOperator {
            role: Some(Role::Viewer),
            ..ChangeOperator::default()
        };
        provisioner
            .change_operator(&id, same, "test")
            .await
            .unwrap();
        assert_eq!(scratch.column::<i32>(standing).await, [0]);
        provisioner
            .change_operator(&id, disabled(), "test")
            .await
            .unwrap();
        assert!(scratch.column::<i32>(standing).await.is_empty());

        let nobody = provisioner.change_operator("nobody@ops.example", disabled(), "test");
        assert!(matches!(nobody.await, Err(OperatorError::NotFound(_))));
        let kinds: Vec<String> = scratch
            .column("SELECT kind FROM platform.security_event ORDER BY id")
            .await;
        assert_eq!(kinds, ["operator_added", "operator_changed"]);
    })
    .await;
}
