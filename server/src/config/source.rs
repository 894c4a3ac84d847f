//! Where the configuration comes from, and how its mistakes are told.

use std::collections::HashMap;

use config::{Environment, File, FileFormat};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::Config;

const DEFAULTS: &str = include_str!("defaults.toml");
const PREFIX: &str = "TUBEX_";
/// Keys without a default.
const REQUIRED: [&str; 3] = ["database.url", "database.secret", "auth.token_secret"];
/// Variables of ours that are no keys of the configuration, by their beginnings.
const OTHERS: [&str; 4] = [
    "TUBEX_CONFIG",
    "TUBEX_TEST_",
    "TUBEX_OWNER_",
    "TUBEX_OPERATOR_",
];

/// The configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable that looks like a key but can't be one.
    #[error("{variable} is no configuration key; write {suggestion}")]
    Variable {
        /// As it was given.
        variable: String,
        /// How it should probably read.
        suggestion: String,
    },
    /// Keys without a default that nobody has set.
    #[error("not set: {}; all keys are explained in server/src/config/defaults.toml", .0.join(", "))]
    Missing(Vec<String>),
    /// A key is unknown, or of the wrong type.
    #[error("{0}; all keys are explained in server/src/config/defaults.toml")]
    Key(#[from] config::ConfigError),
    /// A value is outside its range.
    #[error("{key}: {reason}")]
    Value {
        /// Such as `http.workers`.
        key: String,
        /// What it must be.
        reason: String,
    },
}

/// The variables of ours. Those of others may be anything, even no text.
pub(super) fn environment() -> Result<Vec<(String, String)>, ConfigError> {
    let named = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with(PREFIX).then_some((name, value))
    });
    named
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::Value {
                key: name,
                reason: "must be UTF-8".to_owned(),
            }),
        })
        .collect()
}

/// Puts the sources together and checks every value.
pub(super) fn load(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let ours: HashMap<String, String> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let mut keys = HashMap::new();
    for (name, value) in &ours {
        if name[PREFIX.len()..].contains("__") {
            keys.insert(name.clone(), value.clone());
        } else if !OTHERS.iter().any(|known| name.starts_with(known)) {
            return Err(ConfigError::Variable {
                variable: name.clone(),
                suggestion: with_section(name),
            });
        }
    }
    let mut builder =
        config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = ours.get("TUBEX_CONFIG") {
        builder = builder.add_source(File::new(path, FileFormat::Toml));
    }
    let environment = Environment::with_prefix("TUBEX")
        .prefix_separator("_")
        .separator("__")
        .source(Some(keys));
    let sources = builder.add_source(environment).build()?;
    let missing = missing_from(&sources);
    if !missing.is_empty() {
        return Err(ConfigError::Missing(missing));
    }
    let config: Config = sources.try_deserialize()?;
    config.validate().map_err(|errors| first_of(&errors, ""))?;
    Ok(config)
}

/// All required keys that are missing, so that they can be mended in one go.
fn missing_from(config: &config::Config) -> Vec<String> {
    let missing = REQUIRED
        .iter()
        .filter(|key| config.get_string(key).is_err());
    missing
        .map(|key| format!("{key} ({PREFIX}{})", key.to_uppercase().replace('.', "__")))
        .collect()
}

/// `TUBEX_HTTP_LISTEN` was meant as `TUBEX_HTTP__LISTEN`.
fn with_section(variable: &str) -> String {
    match variable[PREFIX.len()..].split_once('_') {
        Some((section, key)) => format!("{PREFIX}{section}__{key}"),
        None => format!("{PREFIX}<SECTION>__<KEY>"),
    }
}

/// The first broken rule with its path. The value isn't told: it may be a secret.
fn first_of(errors: &ValidationErrors, path: &str) -> ConfigError {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by(|a, b| a.0.cmp(b.0));
    let Some((field, kind)) = fields.first() else {
        return ConfigError::Value {
            key: path.to_owned(),
            reason: "is invalid".to_owned(),
        };
    };
    // A rule over several keys of a section stands under this name.
    let key = if *field == "__all__" {
        path.to_owned()
    } else if path.is_empty() {
        field.to_string()
    } else {
        format!("{path}.{field}")
    };
    match kind {
        ValidationErrorsKind::Struct(inner) => first_of(inner, &key),
        ValidationErrorsKind::List(_) => ConfigError::Value {
            key,
            reason: "is invalid".to_owned(),
        },
        ValidationErrorsKind::Field(broken) => {
            let reason = broken
                .first()
                .map_or_else(|| "is invalid".to_owned(), reason_of);
            ConfigError::Value { key, reason }
        }
    }
}

fn reason_of(error: &validator::ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("must be between {min} and {max}"),
        (Some(min), None) => format!("must be at least {min}"),
        (None, Some(max)) => format!("must be at most {max}"),
        (None, None) => format!("breaks the rule `{}`", error.code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(more: &[(&str, &str)]) -> Vec<(String, String)> {
        let secret = "0123456789abcdef0123456789abcdef";
        [
            (
                "TUBEX_DATABASE__URL",
                "postgres://tubex_server@localhost/tubex",
            ),
            ("TUBEX_DATABASE__SECRET", secret),
            ("TUBEX_AUTH__TOKEN_SECRET", secret),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
    }

    #[test]
    fn the_environment_wins_over_the_defaults() {
        let config = load(environment(&[("TUBEX_HTTP__WORKERS", "3")])).unwrap();

        assert_eq!(config.http.workers, 3);
        assert_eq!(config.http.base_domain, "localhost");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = load(environment(&[("TUBEX_HTTP__LISTENN", "x")]))
            .unwrap_err()
            .to_string();

        assert!(
            error.contains("listenn") && error.contains("listen"),
            "{error}"
        );
    }

    #[test]
    fn a_single_underscore_is_noticed_and_mended() {
        let error = load(environment(&[("TUBEX_HTTP_LISTEN", "x")]))
            .unwrap_err()
            .to_string();

        assert!(error.contains("write TUBEX_HTTP__LISTEN"), "{error}");
    }

    #[test]
    fn all_missing_keys_are_named_at_once_as_they_are_written_in_the_environment() {
        let error = load([]).unwrap_err().to_string();

        for key in [
            "TUBEX_DATABASE__URL",
            "TUBEX_DATABASE__SECRET",
            "TUBEX_AUTH__TOKEN_SECRET",
        ] {
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_names_its_key_and_range_but_never_a_secret() {
        let workers = load(environment(&[("TUBEX_HTTP__WORKERS", "999")])).unwrap_err();
        let secret = load(environment(&[("TUBEX_DATABASE__SECRET", "hunter2")])).unwrap_err();

        assert!(
            workers.to_string().starts_with("http.workers: must be"),
            "{workers}"
        );
        assert!(secret.to_string().contains("32 characters"), "{secret}");
        assert!(secret.to_string().contains("database.secret"), "{secret}");
        assert!(!secret.to_string().contains("hunter2"));
    }
}
