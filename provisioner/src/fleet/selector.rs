//! Which tenants: `tag=pilot,plan=pro,size<10MB`. All that is said must hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Tenants chosen by what the directory knows of them. An empty one chooses all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selector {
    /// These, by slug.
    pub slugs: Vec<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// On this plan.
    pub plan: Option<String>,
    /// On the lane with this login.
    pub lane: Option<String>,
    /// On this node.
    pub node: Option<String>,
    /// At this version.
    pub version: Option<String>,
    /// Smaller than this, in bytes.
    pub smaller_than: Option<i64>,
    /// Larger than this, in bytes.
    pub larger_than: Option<i64>,
    /// With a request in the last so many hours.
    pub active_within_hours: Option<i32>,
    /// Without a request in the last so many hours.
    pub idle_for_hours: Option<i32>,
}

/// What a selector says, as a condition on `t` (`platform.tenant`), `l` (`lane`), `n` (`node`),
/// `p` (`plan`, may be missing) and `v` (`tenant_vitals`, may be missing). The first value is `$1`
/// and all of the selector as JSON.
pub(crate) const CONDITION: &str = "
    (coalesce(jsonb_array_length($1 -> 'slugs'), 0) = 0 OR $1 -> 'slugs' ? t.slug)
    AND t.tags @> ARRAY(SELECT jsonb_array_elements_text($1 -> 'tags'))
    AND coalesce($1 ->> 'plan' = p.name, $1 ->> 'plan' IS NULL)
    AND coalesce($1 ->> 'lane' = l.login_role, $1 ->> 'lane' IS NULL)
    AND coalesce($1 ->> 'node' = n.name, $1 ->> 'node' IS NULL)
    AND coalesce($1 ->> 'version' = t.schema_version, $1 ->> 'version' IS NULL)
    AND ($1 ->> 'smaller_than' IS NULL OR v.size_bytes < ($1 ->> 'smaller_than')::bigint)
    AND ($1 ->> 'larger_than' IS NULL OR v.size_bytes > ($1 ->> 'larger_than')::bigint)
    AND ($1 ->> 'active_within_hours' IS NULL OR v.last_active_at >= now()
        - make_interval(hours => ($1 ->> 'active_within_hours')::integer))
    AND ($1 ->> 'idle_for_hours' IS NULL OR coalesce(v.last_active_at, '-infinity') < now()
        - make_interval(hours => ($1 ->> 'idle_for_hours')::integer))";

impl Selector {
    /// Whether it chooses everybody.
    pub fn is_everybody(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, term: &str) -> Result<(), String> {
        let at = term.find(['=', '<', '>']).ok_or_else(|| unknown(term))?;
        let (key, sign, value) = (&term[..at], &term[at..=at], &term[at + 1..]);
        if value.is_empty() {
            return Err(unknown(term));
        }
        let once = |place: &mut Option<String>| match place.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(format!("{key} is said twice, and both can't hold")),
        };
        match (key, sign) {
            ("tag", "=") => self.tags.push(value.to_owned()),
            ("slug", "=") => self.slugs.push(value.to_owned()),
            ("plan", "=") => once(&mut self.plan)?,
            ("lane", "=") => once(&mut self.lane)?,
            ("node", "=") => once(&mut self.node)?,
            ("version", "=") => once(&mut self.version)?,
            ("size", "<") => self.smaller_than = Some(bytes(value)?),
            ("size", ">") => self.larger_than = Some(bytes(value)?),
            ("active", "<") => self.active_within_hours = Some(hours(value)?),
            ("idle", ">") => self.idle_for_hours = Some(hours(value)?),
            _ => return Err(unknown(term)),
        }
        Ok(())
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut selector = Self::default();
        for term in text.split(',') {
            selector.take(term.trim())?;
        }
        Ok(selector)
    }
}

/// The form that it is read from.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms = vec![];
        terms.extend(self.slugs.iter().map(|slug| format!("slug={slug}")));
        terms.extend(self.tags.iter().map(|tag| format!("tag={tag}")));
        let words = [
            ("plan", &self.plan),
            ("lane", &self.lane),
            ("node", &self.node),
            ("version", &self.version),
        ];
        for (key, value) in words {
            terms.extend(value.iter().map(|value| format!("{key}={value}")));
        }
        terms.extend(self.smaller_than.map(|bytes| format!("size<{bytes}")));
        terms.extend(self.larger_than.map(|bytes| format!("size>{bytes}")));
        terms.extend(
            self.active_within_hours
                .map(|hours| format!("active<{hours}h")),
        );
        terms.extend(self.idle_for_hours.map(|hours| format!("idle>{hours}h")));
        f.write_str(&terms.join(","))
    }
}

fn unknown(term: &str) -> String {
    format!(
        "{term:?} chooses nothing: say slug=, tag=, plan=, lane=, node=, version=, size<10MB, \
         size>1GB, active<24h or idle>30d, and put commas between"
    )
}

/// `500`, `10kB`, `10MB`, `1GB`.
fn bytes(text: &str) -> Result<i64, String> {
    let (number, factor) = match text {
        _ if text.ends_with("kB") => (&text[..text.len() - 2], 1_000),
        _ if text.ends_with("MB") => (&text[..text.len() - 2], 1_000_000),
        _ if text.ends_with("GB") => (&text[..text.len() - 2], 1_000_000_000),
        _ => (text, 1),
    };
    let number: Option<i64> = number.parse().ok().filter(|number| *number >= 0);
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| format!("{text:?} is no size: say 500, 10kB, 10MB or 1GB"))
}

/// `24h`, `30d`.
fn hours(text: &str) -> Result<i32, String> {
    let wrong = || format!("{text:?} is no time: say 24h or 30d");
    let (number, factor) = match text.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (text.strip_suffix('h').ok_or_else(wrong)?, 1),
    };
    let number: Option<i32> = number.parse().ok().filter(|number| *number >= 0);
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_and_written_alike() {
        let text = "slug=acme,tag=pilot,tag=eu,plan=pro,node=n2,size<10000000,active<24h,idle>720h";

        let selector: Selector = text.parse().unwrap();

        assert_eq!(selector.tags, ["pilot", "eu"]);
        assert_eq!(selector.idle_for_hours, Some(720));
        assert_eq!(selector.to_string(), text);
        assert_eq!(
            "size<10MB,idle>30d"
                .parse::<Selector>()
                .unwrap()
                .smaller_than,
            Some(10_000_000)
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_an_example() {
        for text in [
            "",
            "tag",
            "tag=",
            "size=5",
            "size<ten",
            "active<5",
            "plan=a,plan=b",
            "x=y",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
