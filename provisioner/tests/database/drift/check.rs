//! The fleet part of the check: another server's references, a login that may only read, and
//! nothing changed.

use migration::PlatformMigrator;
use provisioner::check::{CheckError, CheckOptions, Code, Part, Report, ScratchAt, check};
use provisioner::{Provisioner, login_password};
use secrecy::ExposeSecret as _;

use super::{shops, stray};
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

/// A login that makes its own databases, and owns what is in them.
async fn checker(scratch: &Scratch) -> (String, ScratchAt) {
    let name = format!("checker_{}", &stray()[2..]);
    let password = login_password(&scratch::secret(), &name);
    scratch
        .run(&format!(
            "CREATE ROLE {name} LOGIN CREATEDB CREATEROLE PASSWORD '{}'",
            password.expose_secret()
        ))
        .await;
    let mut url: url::Url = std::env::var("TUBEX_TEST_DATABASE_URL")
        .unwrap()
        .parse()
        .unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some(password.expose_secret())).unwrap();
    (name, ScratchAt::made(url.to_string().into()))
}

/// Only the fleet's part.
async fn look(fleet: &Provisioner<Toy>, toy: Toy, at: &ScratchAt) -> Result<Report, CheckError> {
    let options = CheckOptions {
        parts: [Part::Fleet].into(),
        ..CheckOptions::default()
    };
    check(toy, &PlatformMigrator, at, Some(fleet), &options).await
}

/// A login that may read the directory and nothing else.
async fn reader(scratch: &Scratch) -> String {
    let name = format!("reader_{}", &stray()[2..]);
    let password = login_password(&scratch::secret(), &name);
    scratch
        .run(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{}';
             ALTER ROLE {name} SET default_transaction_read_only = on;
             GRANT CONNECT ON DATABASE {} TO {name};
             GRANT USAGE ON SCHEMA platform TO {name};
             GRANT SELECT ON platform.node, platform.lane, platform.tenant TO {name}",
            password.expose_secret(),
            scratch.name
        ))
        .await;
    name
}

/// All that is written in the platform and in the catalogues, in one number.
async fn written(scratch: &Scratch) -> Vec<String> {
    scratch
        .column(
            "SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
                 SELECT t::text AS line FROM platform.tenant t
                 UNION ALL SELECT v::text FROM platform.tenant_vitals v
                 UNION ALL SELECT e::text FROM platform.tenant_event e
                 UNION ALL SELECT xmin || ' ' || oid || ' ' || relname FROM pg_class
                 UNION ALL SELECT xmin || ' ' || oid || ' ' || nspname FROM pg_namespace) all_lines",
        )
        .await
}

#[tokio::test]
async fn a_login_that_may_only_read_checks_a_fleet_against_another_servers_references() {
    scratch::ready(|scratch| async move {
        let (checker, at) = checker(&scratch).await;
        let schemas = shops(&scratch, Toy::grown(5), 4).await;
        let orphan = stray();
        scratch
            .run(&format!(
                "ALTER TABLE {0}.widget ADD COLUMN mine text;
                 ALTER TABLE {1}.widget ADD COLUMN mine text;
                 UPDATE pg_index SET indisvalid = false
                     WHERE indexrelid = '{2}.widget_colour_idx'::regclass;
                 DROP SCHEMA {3} CASCADE; CREATE SCHEMA {orphan}",
                schemas[0], schemas[1], schemas[2], schemas[3]
            ))
            .await;
        let ahead = scratch.provisioner(Toy::grown(6));
        ahead.create(tenant("ahead")).await.unwrap();
        let reader = reader(&scratch).await;
        let login = scratch.log_in_pooled(&reader);
        let before = written(&scratch).await;

        let provisioner = Provisioner::new(login, scratch::secret(), Toy::grown(5));
        let looked = look(&provisioner, Toy::grown(5), &at).await;

        let after = written(&scratch).await;
        let gone = format!("DROP OWNED BY {reader}; DROP ROLE {reader}");
        scratch.run(&gone).await;
        scratch.run(&format!("DROP ROLE {checker}")).await;
        let report = looked.unwrap();
        let findings = report.findings;
        assert_eq!(before, after);
        assert_eq!(
            report.parts[0].examined, 5,
            "{:?} {findings:#?}",
            report.parts
        );
        let codes: Vec<_> = findings.iter().map(|one| one.code).collect();
        assert_eq!(
            codes,
            [
                Code::Drift,
                Code::InvalidIndex,
                Code::OrphanSchema,
                Code::SchemaMissing,
                Code::TenantAhead,
            ],
            "{findings:#?}"
        );
        let drift = &findings[0];
        assert_eq!(
            drift.message,
            "at w0005_colour_idx: widget: column `mine` text is extra"
        );
        assert_eq!(drift.object.as_deref(), Some("column widget.mine"));
        assert_eq!(drift.tenant_count, 2);
        let mut named = drift.tenants.clone();
        named.sort_unstable();
        assert_eq!(named, ["shop-0", "shop-1"]);
        assert_eq!(findings[1].tenants, ["shop-2"]);
        assert_eq!(findings[2].object, Some(orphan));
        assert_eq!(findings[3].tenants, ["shop-3"]);
        assert_eq!(findings[4].object.as_deref(), Some("w0006_no_unique"));
    })
    .await;
}

#[tokio::test]
async fn a_fleet_that_is_well_has_no_findings() {
    scratch::ready(|scratch| async move {
        scratch.second_node().await;
        shops(&scratch, Toy::shelved(), 2).await;
        let provisioner = scratch.provisioner_with_nodes(Toy::shelved());
        let (checker, at) = checker(&scratch).await;

        let looked = look(&provisioner, Toy::shelved(), &at).await;

        scratch.run(&format!("DROP ROLE {checker}")).await;
        let report = looked.unwrap();
        assert_eq!(report.findings, []);
        assert_eq!(report.parts[0].examined, 2);
    })
    .await;
}
