//! What is known of runs: where they stand, and who stands where in them.

use entity::platform::migration_run::State;
use entity::platform::migration_run_tenant::State as Place;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbErr, QueryResult};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::RunError;
use super::options::RunOptions;
use crate::query::{all, one};
use crate::{Product, Provisioner};

/// How many stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Their turn comes.
    pub pending: i64,
    /// Somebody is at them.
    pub running: i64,
    /// They stand where they should.
    pub done: i64,
    /// They stayed where they were.
    pub failed: i64,
    /// They are left alone.
    pub skipped: i64,
    /// They were moved, and look different than they should.
    pub quarantined: i64,
}

impl Counts {
    /// Everybody.
    pub fn all(&self) -> i64 {
        self.open() + self.done + self.failed + self.skipped + self.quarantined
    }

    /// Those whose turn is not over.
    pub fn open(&self) -> i64 {
        self.pending + self.running
    }
}

/// A run as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Never changes.
    pub id: Uuid,
    /// The run that this one takes back.
    pub reverts: Option<Uuid>,
    /// Where it leads; for one that takes back, where the other one led.
    pub target_version: String,
    /// Where it stands.
    pub state: State,
    /// Why it stands there.
    pub reason: Option<String>,
    /// How it goes about it.
    pub options: RunOptions,
    /// The wave that has its turn, from 0.
    pub wave: i32,
    /// How many waves there are.
    pub waves: i32,
    /// What was found when each wave was over.
    pub verdicts: Value,
    /// Who began it.
    pub actor: String,
    /// When it was begun.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// When it was over.
    pub finished_at: Option<OffsetDateTime>,
    /// How many of its tenants stand where.
    pub counts: Counts,
    /// Rows that back-fills have changed.
    pub rows_filled: i64,
    /// How often a lock was not to be had.
    pub lock_waits: i64,
    /// Milliseconds since it was begun, by the database's clock; until its end.
    pub elapsed_ms: i64,
    /// The rehearsal that it was begun after.
    pub rehearsal: Option<RunRehearsal>,
}

/// What a rehearsal said of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRehearsal {
    /// Which.
    pub id: Uuid,
    /// What was to be expected, if anything came through.
    pub prediction: Option<Value>,
}

impl RunEntry {
    /// What was to be expected beside what came, once the run is over; for machines.
    pub fn compared(&self) -> Option<Value> {
        let rehearsal = self.rehearsal.as_ref()?;
        let is_over = matches!(self.state, State::Cancelled | State::Done);
        let actual = is_over.then(
            || json!({ "duration_us": self.elapsed_ms * 1_000, "lock_waits": self.lock_waits }),
        );
        Some(json!({
            "id": rehearsal.id,
            "predicted": rehearsal.prediction,
            "actual": actual,
        }))
    }
}

/// A tenant's place in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceEntry {
    /// The tenant.
    pub tenant_id: Uuid,
    /// What people type.
    pub slug: String,
    /// Its wave, from 0.
    pub wave: i32,
    /// Where it stands.
    pub state: Place,
    /// Where it stood before.
    pub from_version: String,
    /// Where it should go.
    pub target_version: String,
    /// How far the run has moved it.
    pub reached: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// How often a lock was not to be had.
    pub lock_waits: i32,
    /// Rows that back-fills have changed.
    pub rows_filled: i64,
    /// What went wrong last: `sqlstate`, `message`, `statement`, `hint`, or `difference`.
    pub error: Option<Value>,
    /// When it was first tried.
    pub started_at: Option<OffsetDateTime>,
    /// When its state became final.
    pub finished_at: Option<OffsetDateTime>,
}

/// Which places of a run to list.
#[derive(Clone, Debug)]
pub struct ListPlaces {
    /// Only those that stand here.
    pub state: Option<Place>,
    /// Only those after this position: the `next` of the page before.
    pub after: Option<i32>,
    /// How many at most, 1 to 1000.
    pub limit: u16,
}

impl Default for ListPlaces {
    fn default() -> Self {
        Self {
            state: None,
            after: None,
            limit: 100,
        }
    }
}

/// A page of places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacePage {
    /// The places, in the order of their turns.
    pub places: Vec<PlaceEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<i32>,
}

pub(super) const RUNS: &str = "
    SELECT r.*, c.*, (extract(epoch FROM coalesce(r.finished_at, now()) - r.created_at) * 1000)::bigint
        AS elapsed_ms, p.prediction
    FROM platform.migration_run r
    LEFT JOIN platform.rehearsal p ON p.id = r.rehearsal_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE m.state = 'pending') AS pending,
            count(*) FILTER (WHERE m.state = 'running') AS running,
            count(*) FILTER (WHERE m.state = 'done') AS done,
            count(*) FILTER (WHERE m.state = 'failed') AS failed,
            count(*) FILTER (WHERE m.state = 'skipped') AS skipped,
            count(*) FILTER (WHERE m.state = 'quarantined') AS quarantined,
            coalesce(sum(m.rows_filled), 0)::bigint AS rows_filled,
            coalesce(sum(m.lock_waits), 0)::bigint AS lock_waits
        FROM platform.migration_run_tenant m WHERE m.run_id = r.id) c";

pub(super) fn read_run(row: &QueryResult) -> Result<RunEntry, RunError> {
    let options: Value = row.try_get("", "options")?;
    Ok(RunEntry {
        id: row.try_get("", "id")?,
        reverts: row.try_get("", "reverts")?,
        target_version: row.try_get("", "target_version")?,
        state: row.try_get("", "state")?,
        reason: row.try_get("", "reason")?,
        options: serde_json::from_value(options)?,
        wave: row.try_get("", "wave")?,
        waves: row.try_get("", "waves")?,
        verdicts: row.try_get("", "verdicts")?,
        actor: row.try_get("", "actor")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
        finished_at: row.try_get("", "finished_at")?,
        counts: Counts {
            pending: row.try_get("", "pending")?,
            running: row.try_get("", "running")?,
            done: row.try_get("", "done")?,
            failed: row.try_get("", "failed")?,
            skipped: row.try_get("", "skipped")?,
            quarantined: row.try_get("", "quarantined")?,
        },
        rows_filled: row.try_get("", "rows_filled")?,
        lock_waits: row.try_get("", "lock_waits")?,
        elapsed_ms: row.try_get("", "elapsed_ms")?,
        rehearsal: row
            .try_get::<Option<Uuid>>("", "rehearsal_id")?
            .map(|id| {
                let prediction = row.try_get("", "prediction")?;
                Ok::<_, DbErr>(RunRehearsal { id, prediction })
            })
            .transpose()?,
    })
}

pub(super) async fn run_entry(db: &impl ConnectionTrait, id: Uuid) -> Result<RunEntry, RunError> {
    let row = one(db, &format!("{RUNS} WHERE r.id = $1"), [id.into()]).await?;
    read_run(&row.ok_or_else(|| RunError::NotFound(id.to_string()))?)
}

fn read_place(row: &QueryResult) -> Result<PlaceEntry, DbErr> {
    Ok(PlaceEntry {
        tenant_id: row.try_get("", "tenant_id")?,
        slug: row.try_get("", "slug")?,
        wave: row.try_get("", "wave")?,
        state: row.try_get("", "state")?,
        from_version: row.try_get("", "from_version")?,
        target_version: row.try_get("", "target_version")?,
        reached: row.try_get("", "reached")?,
        attempts: row.try_get("", "attempts")?,
        lock_waits: row.try_get("", "lock_waits")?,
        rows_filled: row.try_get("", "rows_filled")?,
        error: row.try_get("", "error")?,
        started_at: row.try_get("", "started_at")?,
        finished_at: row.try_get("", "finished_at")?,
    })
}

impl<P: Product> Provisioner<P> {
    /// Runs, the latest first; at most `limit`.
    ///
    /// # Errors
    ///
    /// [`RunError::NoPlatform`], [`RunError::Db`].
    pub async fn runs(&self, limit: u16) -> Result<Vec<RunEntry>, RunError> {
        let sql = format!("{RUNS} ORDER BY r.id DESC LIMIT $1");
        let rows = all(&self.inner.db, &sql, [i64::from(limit).into()]).await?;
        rows.iter().map(read_run).collect()
    }

    /// One run: by its id, the beginning of it if no other begins so, or `latest`.
    ///
    /// # Errors
    ///
    /// [`RunError::NotFound`].
    pub async fn run(&self, name: &str) -> Result<RunEntry, RunError> {
        let (condition, value) = match name {
            "latest" => ("$1 = 'latest'", name.to_owned()),
            _ => ("r.id::text LIKE $1 || '%'", name.to_ascii_lowercase()),
        };
        let not_found = || RunError::NotFound(name.to_owned());
        // Nothing else can stand in an id, and `%` would mean any.
        if !value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(not_found());
        }
        let sql = format!("{RUNS} WHERE {condition} ORDER BY r.id DESC LIMIT 2");
        let rows = all(&self.inner.db, &sql, [value.into()]).await?;
        match rows.as_slice() {
            [row] => read_run(row),
            [row, _] if name == "latest" => read_run(row),
            _ => Err(not_found()),
        }
    }

    /// One run, by its id.
    ///
    /// # Errors
    ///
    /// [`RunError::NotFound`].
    pub async fn run_by_id(&self, id: Uuid) -> Result<RunEntry, RunError> {
        run_entry(&self.inner.db, id).await
    }

    /// The run that is not over, if there is one.
    ///
    /// # Errors
    ///
    /// [`RunError::NoPlatform`], [`RunError::Db`].
    pub async fn unfinished_run(&self) -> Result<Option<RunEntry>, RunError> {
        let sql = format!("{RUNS} WHERE r.state NOT IN ('cancelled', 'done')");
        let row = one(&self.inner.db, &sql, []).await?;
        row.as_ref().map(read_run).transpose()
    }

    /// Who stands where in a run, in the order of their turns.
    ///
    /// # Errors
    ///
    /// [`RunError::NoPlatform`], [`RunError::Db`].
    pub async fn places(&self, run: Uuid, which: &ListPlaces) -> Result<PlacePage, RunError> {
        let limit = which.limit.clamp(1, 1_000);
        let mut rows = all(
            &self.inner.db,
            "SELECT m.*, t.slug FROM platform.migration_run_tenant m
             JOIN platform.tenant t ON t.id = m.tenant_id
             WHERE m.run_id = $1 AND ($2::text IS NULL OR m.state = $2)
                 AND ($3::integer IS NULL OR m.position > $3)
             ORDER BY m.position LIMIT $4",
            [
                run.into(),
                which.state.map(|state| state.to_value()).into(),
                which.after.into(),
                (i64::from(limit) + 1).into(),
            ],
        )
        .await?;
        let has_more = rows.len() > usize::from(limit);
        if has_more {
            rows.pop();
        }
        let places: Vec<_> = rows.iter().map(read_place).collect::<Result<_, _>>()?;
        let next = match rows.last() {
            Some(row) if has_more => Some(row.try_get("", "position")?),
            _ => None,
        };
        Ok(PlacePage { places, next })
    }
}
