//! Starting with a full directory: from the process's birth to the first good `/readyz`.

use anyhow::Result;
use tests::Scratch;

use super::fleet::Fleet;
use super::sample::Sample;
use super::server::Server;
use super::table::{Table, Target};
use super::{Scale, say};

/// Adds the rows of the start.
///
/// # Errors
///
/// When the server doesn't become ready.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let (mut times, mut memory) = <(Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        let server = Server::start(database).await?;
        times.add_ms(server.ready_after);
        memory.add(server.peak_memory_mb()?);
    }
    say(format!("{} dealers are in the directory", fleet.size()));
    let (time, memory) = (times.median(), memory.median());
    table.add(
        "start to ready with the whole fleet",
        "ms",
        time,
        None,
        Target::Below(1000.0),
    );
    table.add(
        "memory when ready",
        "MB",
        memory,
        None,
        Target::Below(120.0),
    );
    Ok(())
}
