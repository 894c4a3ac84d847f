//! `tubex tenant create`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::ExitCode;

use clap::Args;
use provisioner::password::{self, Cost};
use provisioner::{Label, NewTenant, Owner, Placement, Provisioner, Slug, TenantName};
use secrecy::{ExposeSecret as _, SecretString};

use super::dealers::{CURRENCY, Dealers, SEEDS, currency};
use super::failure::{Failure, chain};
use super::{actor, output};

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// First label of the tenant's host name: 2 to 40 letters a-z, digits and single hyphens
    slug: Slug,
    /// The name that people read
    #[arg(long)]
    name: TenantName,
    /// Mail address of the first member, who signs in with it
    #[arg(long, value_parser = email)]
    owner_email: String,
    /// How to address them; the address if it isn't given
    #[arg(long)]
    owner_name: Option<TenantName>,
    /// Read the owner's password from standard input. Without this it is taken from
    /// TUBEX_OWNER_PASSWORD, and without that one is made and shown once.
    #[arg(long)]
    owner_password_stdin: bool,
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
    /// Rows to begin with
    #[arg(long = "seed", value_name = "SEED", value_parser = SEEDS)]
    seeds: Vec<String>,
}

/// What is to be made, and the password to show if we made it.
#[derive(Debug)]
pub(super) struct Prepared {
    new: NewTenant,
    at: Placement,
    generated: Option<SecretString>,
}

/// Reads and hashes the password, and puts everything together; needs no database.
pub(super) async fn prepare(args: CreateArgs) -> Result<Prepared, Failure> {
    let (password, is_generated) = owner_password(args.owner_password_stdin)?;
    let hashed = password.clone();
    let password_hash =
        tokio::task::spawn_blocking(move || password::hash(&hashed, Cost::default()))
            .await
            .map_err(|_| Failure::stuck("internal", "the thread that hashed the password died"))?
            .map_err(|error| Failure::usage(chain(&error)).hint("it is the owner's password"))?;
    let owner_name = args
        .owner_name
        .map_or(args.owner_email.clone(), |name| name.to_string());
    let at = Placement {
        plan: args.plan,
        node: args.node,
        lane: args.lane,
    };
    let new = NewTenant {
        slug: args.slug,
        name: args.name,
        owner: Some(Owner {
            email: args.owner_email,
            name: owner_name,
            password_hash,
        }),
        seeds: args.seeds,
        settings: BTreeMap::from([(CURRENCY.to_owned(), args.currency)]),
        actor: actor(),
    };
    Ok(Prepared {
        new,
        at,
        generated: is_generated.then_some(password),
    })
}

/// Makes the tenant and shows it.
pub(super) async fn run(
    provisioner: &Provisioner<Dealers>,
    prepared: Prepared,
    json: bool,
) -> Result<ExitCode, Failure> {
    let Prepared { new, at, generated } = prepared;
    let created = provisioner.create_at(new, at).await?;
    if let Some(pressure) = created.added.and_then(|lane| lane.pressure) {
        output::warn(&pressure);
    }
    if json {
        let mut shown = output::tenant_json(&created.tenant);
        shown["from_spare"] = created.from_spare.into();
        if let Some(password) = generated {
            shown["owner_password"] = password.expose_secret().into();
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
        if let Some(password) = generated {
            output::say(&format!(
                "the owner's password, shown this once: {}",
                password.expose_secret()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The password, and whether we made it up.
fn owner_password(from_stdin: bool) -> Result<(SecretString, bool), Failure> {
    if from_stdin {
        let mut text = String::new();
        // One more than the longest password in bytes: no more of an endless stream is read.
        let bound = (password::MAX_LEN * 4 + 3) as u64;
        std::io::stdin()
            .take(bound)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        return Ok((line.strip_suffix('\r').unwrap_or(line).into(), false));
    }
    match std::env::var("TUBEX_OWNER_PASSWORD") {
        Ok(password) if !password.is_empty() => Ok((password.into(), false)),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage("TUBEX_OWNER_PASSWORD is not UTF-8"))
        }
        _ => password::generate()
            .map(|password| (password, true))
            .map_err(|error| Failure::stuck("no_randomness", chain(&error))),
    }
}

/// A coarse look at an address; the only proof is a mail that arrives.
fn email(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = text.len() <= 254 && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    match text.rsplit_once('@') {
        Some((local, domain)) if fits && !local.is_empty() && !domain.is_empty() => {
            Ok(text.to_owned())
        }
        _ => Err("a mail address looks like name@example.com".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_sides() {
        assert_eq!(email(" a@b.example ").as_deref(), Ok("a@b.example"));
        for text in ["", "a", "@b", "a@", "a b@c"] {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
