//! `tubex tenant create`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use provisioner::{
    DomainName, Email, Entrance, InvitationToken, Label, NewTenant, Owner, Placement, Provisioner,
    Slug, TenantName,
};
use time::{Duration, OffsetDateTime};

use super::dealers::{CURRENCY, Dealers, SEEDS, currency};
use super::domains::{entry_json, print_claim};
use super::failure::{Failure, chain};
use super::{actor, output, passwords};

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// First label of the tenant's host name: 2 to 40 letters a-z, digits and single hyphens
    slug: Slug,
    /// The name that people read
    #[arg(long)]
    name: TenantName,
    /// Mail address of the first owner, who signs in with it
    #[arg(long)]
    owner_email: Email,
    /// How to address them; the address if it isn't given
    #[arg(long)]
    owner_name: Option<TenantName>,
    /// Read the owner's password from standard input. Without this it is taken from
    /// TUBEX_OWNER_PASSWORD, and without that the owner is invited: the link is shown once.
    #[arg(long)]
    owner_password_stdin: bool,
    /// How long the owner's invitation stands, days
    #[arg(long, value_name = "DAYS", default_value_t = 7,
        value_parser = clap::value_parser!(i64).range(1..=90))]
    invitation_days: i64,
    /// ISO 4217 code of the tenant's prices
    #[arg(long, default_value = "EUR", value_parser = currency)]
    currency: String,
    /// The plan it is on; one with a lane of its own for each tenant makes that lane too
    #[arg(long)]
    plan: Option<Label>,
    /// The node it will live on; the platform's own if it isn't given
    #[arg(long, value_name = "NAME")]
    node: Option<Label>,
    /// The lane it will be on, by login or id, and so the node too; the emptiest if it isn't given
    #[arg(long)]
    lane: Option<String>,
    /// A domain of its own to claim, such as shop.acme.example; what is shown proves it, and
    /// tubex domain verify looks for that
    #[arg(long, value_name = "DOMAIN")]
    custom_domain: Option<DomainName>,
    /// Rows to begin with
    #[arg(long = "seed", value_name = "SEED", value_parser = SEEDS)]
    seeds: Vec<String>,
}

/// What is to be made, and the invitation to show if there is one.
#[derive(Debug)]
pub(super) struct Prepared {
    new: NewTenant,
    at: Placement,
    domain: Option<DomainName>,
    invitation: Option<InvitationToken>,
}

/// Reads and hashes the password or makes an invitation, and puts everything together; needs no
/// database.
pub(super) async fn prepare(args: CreateArgs) -> Result<Prepared, Failure> {
    let password = passwords::given(
        args.owner_password_stdin,
        "TUBEX_OWNER_PASSWORD",
        "the owner's",
    )
    .await?;
    let (entrance, invitation) = match password {
        Some(hash) => (Entrance::Password { hash }, None),
        None => {
            let (entrance, token) = invite(args.invitation_days)?;
            (entrance, Some(token))
        }
    };
    let owner_name = args
        .owner_name
        .map_or_else(|| args.owner_email.to_string(), |name| name.to_string());
    let at = Placement {
        plan: args.plan,
        node: args.node,
        lane: args.lane,
    };
    let new = NewTenant {
        slug: args.slug,
        name: args.name,
        owner: Some(Owner {
            email: args.owner_email.to_string(),
            name: owner_name,
            entrance,
        }),
        seeds: args.seeds,
        settings: BTreeMap::from([(CURRENCY.to_owned(), args.currency)]),
        actor: actor(),
    };
    Ok(Prepared {
        new,
        at,
        domain: args.custom_domain,
        invitation,
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "a program at its edge: the invitation counts from now"
)]
fn invite(days: i64) -> Result<(Entrance, InvitationToken), Failure> {
    let token = InvitationToken::generate()
        .map_err(|error| Failure::stuck("no_randomness", chain(&error)))?;
    let entrance = Entrance::Invitation {
        token_hash: token.hash(),
        expires_at: OffsetDateTime::now_utc() + Duration::days(days),
    };
    Ok((entrance, token))
}

/// Makes the tenant and shows it.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    prepared: Prepared,
    json: bool,
) -> Result<ExitCode, Failure> {
    let Prepared {
        new,
        at,
        domain,
        invitation,
    } = prepared;
    let created = provisioner.create_at(new, at).await?;
    let claimed = match domain {
        Some(domain) => {
            let id = created.tenant.id.to_string();
            Some(provisioner.claim_domain(&id, &domain, &actor()).await)
        }
        None => None,
    };
    if let Some(pressure) = created.added.and_then(|lane| lane.pressure) {
        output::warn(&pressure);
    }
    if json {
        let mut shown = output::tenant_json(&created.tenant);
        shown["from_spare"] = created.from_spare.into();
        if let Some(token) = &invitation {
            shown["owner_invitation_token"] = token.as_str().into();
        }
        if let Some(Ok(entry)) = &claimed {
            shown["custom_domain"] = entry_json(entry);
        }
        output::say(&shown.to_string());
    } else {
        output::say(&output::tenant_fields(&created.tenant));
        let origin = if created.from_spare {
            " from a spare"
        } else {
            ""
        };
        let took = created.took.as_millis();
        output::say(&format!("\ncreated{origin} in {took} ms"));
        if let Some(token) = &invitation {
            output::say(&format!(
                "the owner's invitation, shown this once; to be opened at the tenant's own host:\n\
                 /account/accept-invitation#token={}",
                token.as_str()
            ));
        }
        if let Some(Ok(entry)) = &claimed {
            output::say("");
            print_claim(entry);
        }
    }
    // The tenant is there and its invitation was shown: only the claim has failed.
    claimed.transpose()?;
    Ok(ExitCode::SUCCESS)
}
