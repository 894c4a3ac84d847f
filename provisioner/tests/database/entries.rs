//! What operators change of an entry, and how they find tenants by it.

use entity::platform::tenant::Status;
use provisioner::life::{LifeError, Tags};
use provisioner::{Label, ListTenants, Slug};

use crate::export::on_n2;
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn tags(add: &[&str], remove: &[&str]) -> Tags {
    let words = |words: &[&str]| words.iter().map(|word| label(word)).collect();
    Tags {
        add: words(add),
        remove: words(remove),
    }
}

#[tokio::test]
async fn a_renamed_tenant_keeps_everything_but_its_slug() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        provisioner.create(tenant("other")).await.unwrap();

        let renamed = provisioner
            .rename("acme", slug("emca"), "test")
            .await
            .unwrap();
        let same = provisioner
            .rename("emca", slug("emca"), "test")
            .await
            .unwrap();
        let taken = provisioner
            .rename("emca", slug("other"), "test")
            .await
            .unwrap_err();
        let free = provisioner.create(tenant("acme")).await;
        scratch
            .run("UPDATE platform.tenant SET status = 'provisioning' WHERE slug = 'other'")
            .await;
        let early = provisioner
            .rename("other", slug("later"), "test")
            .await
            .unwrap_err();

        assert_eq!(
            (renamed.id, &renamed.schema_name),
            (acme.id, &acme.schema_name)
        );
        assert_eq!(renamed.slug, "emca");
        assert_eq!(same, renamed);
        assert!(matches!(taken, LifeError::SlugTaken(_)), "{taken:?}");
        assert!(matches!(early, LifeError::Standing { .. }), "{early:?}");
        assert_ne!(free.unwrap().tenant.id, acme.id);
        assert_eq!(
            told(&scratch, "renamed").await,
            [r#"{"to": "emca", "from": "acme"}"#]
        );
    })
    .await;
}

#[tokio::test]
async fn tenants_are_found_by_tag_plan_lane_node_and_version() {
    scratch::ready(|scratch| async move {
        scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let aa = provisioner.create(tenant("aa")).await.unwrap().tenant;
        provisioner.create_at(tenant("bb"), on_n2()).await.unwrap();
        provisioner.create(tenant("gone")).await.unwrap();
        provisioner.create(tenant("spare")).await.unwrap();
        scratch
            .run(
                "UPDATE platform.tenant SET status = slug WHERE slug IN ('gone', 'spare');
                  INSERT INTO platform.tenant_vitals (tenant_id, size_bytes)
                  SELECT id, 4096 FROM platform.tenant WHERE slug = 'aa'",
            )
            .await;

        let tagged = provisioner
            .tag("aa", tags(&["pilot", "eu"], &["none"]), "test")
            .await
            .unwrap();
        let again = provisioner
            .tag("aa", tags(&["eu"], &[]), "test")
            .await
            .unwrap();
        let off = provisioner
            .tag("aa", tags(&[], &["eu"]), "test")
            .await
            .unwrap();
        let many: Vec<_> = (0..50).map(|n| label(&format!("w{n}"))).collect();
        let many = Tags {
            add: many,
            remove: vec![],
        };
        let many = provisioner.tag("aa", many, "test").await.unwrap_err();

        assert_eq!(
            (tagged.tags.join(","), again.tags.join(",")),
            ("eu,pilot".into(), "eu,pilot".into())
        );
        assert_eq!(
            (off.tags.join(","), off.size_bytes),
            ("pilot".into(), Some(4096))
        );
        assert!(matches!(many, LifeError::TooManyTags(51)), "{many:?}");
        assert_eq!(told(&scratch, "tagged").await.len(), 2);
        let all = ListTenants::default;
        let which = [
            (all(), "aa,bb"),
            (
                ListTenants {
                    tag: Some(label("pilot")),
                    ..all()
                },
                "aa",
            ),
            (
                ListTenants {
                    tag: Some(label("eu")),
                    ..all()
                },
                "",
            ),
            (
                ListTenants {
                    node: Some(label("n2")),
                    ..all()
                },
                "bb",
            ),
            (
                ListTenants {
                    lane: Some(aa.lane),
                    ..all()
                },
                "aa",
            ),
            (
                ListTenants {
                    plan: Some(label("big")),
                    ..all()
                },
                "",
            ),
            (
                ListTenants {
                    version: Some("w0001_widget".into()),
                    ..all()
                },
                "aa,bb",
            ),
            (
                ListTenants {
                    version: Some("x".into()),
                    ..all()
                },
                "",
            ),
            (
                ListTenants {
                    status: Some(Status::Spare),
                    ..all()
                },
                "spare",
            ),
            (
                ListTenants {
                    status: Some(Status::Gone),
                    ..all()
                },
                "gone",
            ),
        ];
        for (which, slugs) in which {
            let page = provisioner.list(&which).await.unwrap();
            let found: Vec<_> = page.tenants.into_iter().map(|one| one.slug).collect();
            assert_eq!(found.join(","), slugs, "{which:?}");
        }
    })
    .await;
}

async fn told(scratch: &Scratch, kind: &str) -> Vec<String> {
    let sql =
        format!("SELECT detail::text FROM platform.tenant_event WHERE kind = '{kind}' ORDER BY id");
    scratch.column(&sql).await
}
